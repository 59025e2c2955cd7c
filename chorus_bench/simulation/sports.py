"""Objects that are thrown, caught and swung: frisbee, ball, glove, racket. Metres."""

from __future__ import annotations

import math

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.boards import BRIGHT, DARK, WHITE
from chorus_bench.simulation.meshes import (
    Color,
    Mesh,
    box,
    circle,
    ellipsoid,
    join,
    lathe,
    loft,
    ribbon,
    tube,
)


def frisbee(stream: Stream) -> Mesh:
    """Return a flying disc about the origin, its upper side to +y."""
    radius = stream.uniform(0.12, 0.15)
    profile = [
        (1e-4, 0.016),
        (0.5, 0.016),
        (0.85, 0.013),
        (0.97, 0.004),
        (1, -0.014),
        (0.95, -0.016),
        (0.92, 0.002),
        (1e-4, 0.008),
    ]
    disc = lathe([(r * radius, y) for r, y in profile], stream.choice((WHITE, *BRIGHT)), sides=24)
    centers = disc.face_centers()
    ring = exact.norm(centers[:, [0, 2]]) < radius * 0.45
    return disc.painted(ring & (centers[:, 1] > 0.012), stream.choice(BRIGHT))


BALLS: dict[str, tuple[float, Color, Color]] = {
    "soccer": (0.11, (0.95, 0.95, 0.95), (0.08, 0.08, 0.1)),
    "basketball": (0.121, (0.86, 0.42, 0.12), (0.12, 0.08, 0.06)),
    "volleyball": (0.105, (0.95, 0.9, 0.4), (0.15, 0.3, 0.7)),
}


def sports_ball(kind: str, stream: Stream) -> Mesh:
    """Return a ball about the origin; ``kind`` is a key of `BALLS`."""
    radius, base, marks = BALLS[kind]
    ball = ellipsoid((radius, radius, radius), base, sides=18)
    c = ball.face_centers() / radius
    if kind == "soccer":
        spots = _icosahedron()
        marked = exact.product(c, spots.T).max(axis=1) > 0.92
    elif kind == "basketball":
        marked = (np.abs(c) < 0.07).any(axis=1)
    else:
        marked = exact.sin(4 * exact.arctan2(c[:, 0], c[:, 2]) + 3 * c[:, 1]) > 0.4
    sine, cosine = exact.sin_cos(math.tau * stream.uniform())
    turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    return ball.painted(marked, marks).scaled(stream.uniform(0.95, 1.05)).moved(turn)


def _icosahedron() -> Float64:
    """Return the twelve corners of an icosahedron on the unit sphere, (12, 3)."""
    g = (1 + math.sqrt(5)) / 2
    corners = np.array([(0, a, b * g) for a in (-1, 1) for b in (-1, 1)])
    every = np.concatenate([np.roll(corners, k, axis=1) for k in range(3)])
    return every / math.sqrt(1 + g * g)


def tennis_racket(stream: Stream) -> Mesh:
    """Return a racket: the origin where it is gripped, the head along +y, its face to +-z."""
    length = stream.uniform(0.64, 0.72)
    long, wide = 0.175, stream.uniform(0.115, 0.135)
    middle = length - 0.1 - long
    color = stream.choice((DARK, *BRIGHT))
    ring = circle(28)
    path = np.stack([wide * ring[:, 0], middle + long * ring[:, 1], np.zeros(28)], axis=1)
    head = ribbon(path, 0.024, 0.018, color, across=(0, 0, 1), wrap=True)
    low = middle - long * 0.86
    throat = [
        tube([(0, 0.12, 0), (x * 0.35, (low + 0.12) / 2, 0), (x, low, 0)], 0.009, color, sides=6)
        for x in (-wide * 0.5, wide * 0.5)
    ]
    handle = tube([(0, -0.1, 0), (0, -0.095, 0), (0, 0.14, 0)], [0.019, 0.017, 0.015], DARK)
    return join(
        [head, _strings(wide * 0.95, long * 0.96).moved(None, (0, middle, 0)), *throat, handle]
    )


def _strings(wide: float, long: float) -> Mesh:
    """Return the strung face as a thin sheet with a woven pattern."""
    n = 28
    outline = circle(36)
    radii = np.linspace(1e-3, 1, n // 2)
    rings = np.zeros((n, 36, 3))
    for k, r in enumerate(np.concatenate([radii, radii[::-1]])):
        rings[k, :, 0], rings[k, :, 1] = r * wide * outline[:, 0], r * long * outline[:, 1]
        rings[k, :, 2] = -0.0015 if k < n // 2 else 0.0015
    sheet = loft(rings, (0.62, 0.66, 0.6))
    c = sheet.face_centers()
    woven = (np.floor(c[:, 0] / 0.018) + np.floor(c[:, 1] / 0.018)) % 2 == 0
    return sheet.painted(woven, (0.9, 0.92, 0.85))


def baseball_glove(stream: Stream) -> Mesh:
    """Return a mitt for a left hand: fingers along +x, palm to -y, thumb to +z.

    The origin is the wrist, as in the hand's frame.
    """
    base = stream.choice(
        ((0.5, 0.28, 0.13), (0.62, 0.38, 0.18), (0.3, 0.17, 0.1), (0.2, 0.14, 0.1))
    )
    dark: Color = (base[0] * 0.6, base[1] * 0.6, base[2] * 0.6)
    size = stream.uniform(0.95, 1.15)
    parts = [ellipsoid((0.1, 0.036, 0.1), base).moved(None, (0.1, -0.012, -0.005))]
    parts.append(tube([(-0.03, 0, 0), (0.06, 0, 0)], [0.048, 0.058], dark, sides=10))
    for z, reach in ((-0.085, 0.2), (-0.045, 0.25), (-0.003, 0.26), (0.036, 0.245)):
        path = [
            (0.08, 0.0, z * 0.75),
            (0.15, 0.004, z),
            (reach, -0.012, z * 1.15),
            (reach + 0.03, -0.045, z * 1.2),
        ]
        parts.append(tube(path, [0.026, 0.027, 0.024, 0.014], base, sides=8))
    thumb = [(0.04, 0, 0.05), (0.1, -0.005, 0.11), (0.16, -0.02, 0.135), (0.2, -0.05, 0.13)]
    parts.append(tube(thumb, [0.03, 0.029, 0.025, 0.014], base, sides=8))
    parts.append(box((0.1, 0.014, 0.075), dark).moved(None, (0.185, -0.022, 0.085)))
    return join(parts).scaled(size)
