"""Objects that are worn or carried: backpack, handbag, phone, umbrella. Metres."""

from __future__ import annotations

import math

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.boards import BRIGHT, DARK, METAL
from chorus_bench.simulation.meshes import Color, Mesh, box, circle, join, lathe, loft, tube

BAGS: tuple[Color, ...] = (
    (0.75, 0.18, 0.16), (0.14, 0.3, 0.55), (0.18, 0.42, 0.3), (0.16, 0.16, 0.18),
    (0.85, 0.55, 0.12), (0.45, 0.28, 0.16), (0.5, 0.22, 0.45),
)  # fmt: skip


def soft_box(size: tuple[float, float, float], profile: Float64, color: Color) -> Mesh:
    """Return a box with rounded corners about the origin.

    Args:
        size: (x, y, z) metres.
        profile: (S, 2) height from -1 to 1 and scale of the outline there.
        color: RGB.
    """
    ring = circle(20)
    power = np.sign(ring) * np.sqrt(np.abs(ring))
    rings = np.zeros((len(profile), 20, 3))
    rings[..., 0] = profile[:, 1:] * power[:, 0] * size[0] / 2
    rings[..., 1] = profile[:, :1] * size[1] / 2
    rings[..., 2] = profile[:, 1:] * power[:, 1] * size[2] / 2
    return loft(rings, color)


_PACK = np.array(
    [(-1, 0.7), (-0.95, 0.93), (-0.6, 1), (0.3, 0.97), (0.7, 0.86), (0.92, 0.62), (1, 0.3)]
)


def backpack_bag(stream: Stream) -> tuple[Mesh, tuple[float, float, float]]:
    """Return the bag of a backpack about its middle, its back to -z, and its size (x, y, z)."""
    size = (stream.uniform(0.27, 0.34), stream.uniform(0.4, 0.52), stream.uniform(0.13, 0.21))
    color, second = stream.choice(BAGS), stream.choice(BAGS)
    pocket_size = (size[0] * 0.7, size[1] * 0.42, size[2] * 0.6)
    pocket = soft_box(pocket_size, _PACK, second)
    handle = [
        (-0.035, size[1] * 0.46, 0.04),
        (-0.03, size[1] * 0.53, 0.04),
        (0.03, size[1] * 0.53, 0.04),
        (0.035, size[1] * 0.46, 0.04),
    ]
    parts = [
        soft_box(size, _PACK, color),
        pocket.moved(None, (0, -size[1] * 0.2, -size[2] * 0.42)),
        tube(handle, 0.009, DARK, sides=6),
    ]
    return join(parts), size


def handbag(stream: Stream, *, strap: float | None = None) -> Mesh:
    """Return a handbag that hangs from the origin; its broad sides face +-x.

    Args:
        stream: draws size and colours.
        strap: distance of the bag's upper edge below the origin, metres; by default that of the
            short handles of a bag carried in the hand.
    """
    wide, high, deep = (
        stream.uniform(0.24, 0.34),
        stream.uniform(0.18, 0.26),
        stream.uniform(0.09, 0.13),
    )
    drop = stream.uniform(0.1, 0.15) if strap is None else strap
    color = stream.choice(BAGS)
    dark = (color[0] * 0.55, color[1] * 0.55, color[2] * 0.55)
    profile = np.array([(-1, 0.9), (-0.93, 1), (0, 0.95), (0.9, 0.8), (1, 0.7)])
    parts = [soft_box((deep, high, wide), profile, color).moved(None, (0, -drop - high / 2, 0))]
    parts.append(box((deep * 0.9, 0.03, wide * 0.82), dark).moved(None, (0, -drop - 0.02, 0)))
    sine, cosine = exact.sin_cos(np.linspace(0, math.pi, 13))
    reach = wide * 0.3
    for x in (-deep * 0.25, deep * 0.25):
        arc = np.stack(
            [
                np.full(13, x),
                -drop - 0.02 + (drop + 0.02) * exact.power(sine, 0.7),
                reach * cosine,
            ],
            1,
        )
        arc[:, 0] *= 1 - 0.8 * sine
        parts.append(tube(arc, 0.008, dark, sides=6))
    parts.append(
        box((0.012, 0.03, 0.045), METAL).moved(None, (deep * 0.46, -drop - high * 0.35, 0))
    )
    return join(parts)


def cell_phone(stream: Stream) -> Mesh:
    """Return a phone about the origin: y to its upper edge, the screen to +z."""
    wide, high = stream.uniform(0.07, 0.08), stream.uniform(0.145, 0.165)
    shell = box((wide, high, 0.01), stream.choice((DARK, (0.85, 0.85, 0.88), *BRIGHT)))
    screen = box((wide * 0.9, high * 0.92, 0.002), (0.12, 0.2, 0.32)).moved(None, (0, 0, 0.0056))
    lens = box((0.022, 0.022, 0.003), DARK).moved(None, (wide * 0.28, high * 0.38, -0.0062))
    return join([shell, screen, lens])


def umbrella(stream: Stream) -> Mesh:
    """Return an open umbrella: held at the origin, its shaft along +y."""
    radius, up = stream.uniform(0.45, 0.58), stream.uniform(0.72, 0.84)
    depth = radius * stream.uniform(0.32, 0.45)
    color = stream.choice((*BRIGHT, (0.12, 0.12, 0.15)))
    sine, cosine = exact.sin_cos(np.linspace(0.02, math.pi / 2, 9))
    outer = np.stack([radius * sine, up - depth * (1 - cosine)], axis=1)
    inner = np.stack([np.maximum(outer[::-1, 0] - 0.008, 1e-4), outer[::-1, 1] - 0.008], axis=1)
    canopy = lathe(np.concatenate([outer, inner]), color, sides=16)
    x, _, z = canopy.face_centers().T
    around = exact.arctan2(z, x)
    if stream.chance(0.5):
        panel = np.floor(around / (2 * math.pi) * 8) % 2 == 0
        canopy = canopy.painted(panel, stream.choice(BRIGHT))
    shaft = tube([(0, -0.1, 0), (0, up + 0.05, 0)], 0.008, METAL, sides=6)
    crook = tube(
        [(0, -0.02, 0), (0, -0.12, 0), (0, -0.16, 0.025), (0, -0.145, 0.06), (0, -0.12, 0.065)],
        0.013,
        DARK,
    )
    return join([canopy, shaft, crook])
