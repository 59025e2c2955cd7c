"""Objects to sit on: bench and motorcycle. Metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.boards import BRIGHT, DARK, METAL
from chorus_bench.simulation.meshes import (
    Color,
    Mesh,
    box,
    ellipsoid,
    join,
    ribbon,
    tube,
    vector,
    wheel,
)

WOODS: tuple[Color, ...] = (
    (0.55, 0.36, 0.2),
    (0.45, 0.28, 0.16),
    (0.65, 0.5, 0.33),
    (0.3, 0.42, 0.3),
)


def bench(stream: Stream, height: float, back: float, slope: float) -> Mesh:
    """Return a park bench: along x, the seat's upper side at y = 0, its front to +z.

    Args:
        stream: draws length, colours and arm rests.
        height: height of the seat above the ground, metres.
        back: z at which the front of the backrest meets the seat's height, metres.
        slope: backward inclination of the backrest, degrees.
    """
    length = stream.uniform(1.15, 1.8)
    wood, iron = stream.choice(WOODS), stream.choice((DARK, (0.2, 0.25, 0.22), (0.4, 0.4, 0.42)))
    slats = stream.choice((3, 4, 5))
    front = back + 0.47
    pitch = (front - back) / slats
    parts = [
        box((length, 0.03, pitch * 0.86), wood).moved(None, (0, -0.015, back + (k + 0.5) * pitch))
        for k in range(slats)
    ]
    lean = float(exact.tan(math.radians(slope)))
    parts += [
        box((length, 0.095, 0.028), wood).moved(None, (0, up, back - 0.014 - lean * up))
        for up in (0.17, 0.3, 0.43)
    ]
    arms = stream.chance(0.6)
    for x in (-length / 2 + 0.1, length / 2 - 0.1):
        parts += _bench_leg(x, height, back, front, lean, iron, arms=arms)
    return join(parts)


def _bench_leg(
    x: float, height: float, back: float, front: float, lean: float, iron: Color, *, arms: bool
) -> list[Mesh]:
    middle = (back + front) / 2
    legs = [
        box((0.05, height - 0.03, 0.05), iron).moved(None, (x, -(height + 0.03) / 2, z))
        for z in (back + 0.03, front - 0.05)
    ]
    legs.append(box((0.05, 0.035, front - back), iron).moved(None, (x, -0.047, middle)))
    legs.append(tube([(x, -0.03, back - 0.03), (x, 0.48, back - 0.045 - 0.48 * lean)], 0.022, iron))
    if arms:
        legs.append(tube([(x, -0.03, front - 0.04), (x, 0.2, front - 0.06)], 0.018, iron))
        legs.append(box((0.055, 0.025, front - back), iron).moved(None, (x, 0.21, middle - 0.02)))
    return legs


@dataclass(frozen=True, eq=False)
class Motorcycle:
    """A motorcycle: x to its left, y up, z forward; the seat's upper side is the origin.

    Args:
        mesh: all of it.
        height: height of the seat above the ground, metres.
        grips: (2, 3) left and right end of the handlebar.
        pegs: (2, 3) left and right foot peg.
    """

    mesh: Mesh
    height: float
    grips: Float64
    pegs: Float64


def motorcycle(stream: Stream) -> Motorcycle:
    """Return a motorcycle, from upright to sporty."""
    sporty = stream.uniform()
    height = 0.72 + 0.08 * sporty
    radius = stream.uniform(0.29, 0.33)
    front_z, rear_z = stream.uniform(0.78, 0.88), -stream.uniform(0.52, 0.6)
    color = stream.choice((*BRIGHT[:4], DARK, (0.75, 0.76, 0.78), (0.5, 0.05, 0.1)))
    low = -height
    bar = np.array([0.33 - 0.06 * sporty, 0.3 - 0.18 * sporty, 0.5 + 0.06 * sporty])
    grips = np.array([bar, bar * (-1, 1, 1)])
    peg = np.array([0.17, low + 0.3 + 0.08 * sporty, 0.12 - 0.3 * sporty])
    pegs = np.array([peg, peg * (-1, 1, 1)])
    parts = [
        *_wheel_at((0, low + radius, front_z), radius),
        *_wheel_at((0, low + radius, rear_z), radius),
        *_fork(bar, low + radius, front_z, color),
        *_trunk(height, rear_z, radius, color),
        *_steering(bar, peg),
    ]
    return Motorcycle(join(parts), height, grips, pegs)


def _wheel_at(center: tuple[float, float, float], radius: float) -> list[Mesh]:
    spokes = []
    for k in range(6):
        sine, cosine = exact.sin_cos(math.pi * k / 6)
        end = np.array([0, cosine, sine]) * (radius - 0.06)
        spokes.append(tube([-end, end], 0.012, METAL, sides=5).moved(None, center))
    hub = tube([(-0.07, 0, 0), (0.07, 0, 0)], 0.06, METAL, sides=10).moved(None, center)
    return [wheel(radius, 0.11, DARK).moved(None, center), hub, *spokes]


def _fork(bar: Float64, axle: float, front_z: float, color: Color) -> list[Mesh]:
    top = np.array([0, 0.16, bar[2] - 0.03])
    parts = [
        tube([(x, axle, front_z), (x, top[1], top[2])], 0.024, METAL, sides=8)
        for x in (-0.085, 0.085)
    ]
    lamp = ellipsoid((0.095, 0.095, 0.08), (0.9, 0.9, 0.8)).moved(None, (0, 0.1, top[2] + 0.1))
    shell = ellipsoid((0.11, 0.11, 0.09), color).moved(None, (0, 0.1, top[2] + 0.06))
    sine, cosine = exact.sin_cos(np.linspace(-0.2, 1.9, 9))
    arc = np.stack([np.zeros(9), axle + 0.36 * sine, front_z + 0.36 * cosine], 1)
    fender = _fender(arc, color)
    return [*parts, lamp, shell, fender]


def _fender(arc: Float64, color: Color) -> Mesh:
    return ribbon(arc, 0.13, 0.012, color, across=(1, 0, 0))


def _trunk(height: float, rear_z: float, radius: float, color: Color) -> list[Mesh]:
    low = -height
    seat = ellipsoid((0.13, 0.06, 0.3), (0.1, 0.09, 0.09)).moved(None, (0, -0.06, -0.17))
    tail = box((0.2, 0.07, 0.3), color, taper=(0.7, 0.9)).moved(None, (0, -0.08, rear_z + 0.12))
    tank = ellipsoid((0.15, 0.13, 0.26), color, sides=16).moved(None, (0, -0.02, 0.29))
    engine = box((0.3, 0.26, 0.36), (0.35, 0.36, 0.38)).moved(None, (0, low + 0.36, 0.17))
    fins = [
        box((0.36, 0.018, 0.26), METAL).moved(None, (0, low + 0.4 + 0.05 * k, 0.2))
        for k in range(3)
    ]
    frame = [
        tube(
            [(0, 0.08, 0.46), (x, low + 0.25, 0.34), (x, low + 0.22, -0.1), (x, -0.1, -0.3)],
            0.022,
            DARK,
        )
        for x in (-0.1, 0.1)
    ]
    swing = [
        tube([(x, low + 0.3, -0.05), (x, low + radius, rear_z)], 0.022, METAL)
        for x in (-0.09, 0.09)
    ]
    exhaust = tube(
        [
            (-0.13, low + 0.3, 0.3),
            (-0.19, low + 0.19, 0.1),
            (-0.2, low + 0.22, -0.3),
            (-0.2, low + 0.3, -0.75),
        ],
        [0.025, 0.028, 0.045, 0.05],
        METAL,
    )
    light = box((0.09, 0.05, 0.03), (0.8, 0.1, 0.08)).moved(None, (0, -0.1, rear_z - 0.05))
    return [seat, tail, tank, engine, *fins, *frame, *swing, exhaust, light]


def _steering(bar: Float64, peg: Float64) -> list[Mesh]:
    mirror = (1, 1, 1), (-1, 1, 1)
    parts = [
        tube(
            [
                (-bar[0] * 0.6, bar[1], bar[2] + 0.02),
                (0, bar[1] - 0.06, bar[2] + 0.03),
                (bar[0] * 0.6, bar[1], bar[2] + 0.02),
            ],
            0.014,
            METAL,
        )
    ]
    for side in mirror:
        end = bar * side
        parts.append(
            tube(
                [end * (0.6, 1, 1) + vector(0, 0, 0.02), end + vector(side[0] * 0.06, 0, -0.02)],
                0.019,
                DARK,
            )
        )
        parts.append(
            tube(
                [end * (0.7, 1, 1), end * (0.8, 1, 1) + vector(0, 0.15, 0.06)], 0.007, DARK, sides=5
            )
        )
        disc = ellipsoid((0.055, 0.035, 0.012), DARK).moved(
            None, end * (0.8, 1, 1) + vector(0, 0.17, 0.06)
        )
        parts.append(disc)
        parts.append(tube([peg * side * (0.4, 1, 1), peg * side * (1.15, 1, 1)], 0.016, DARK))
    return parts
