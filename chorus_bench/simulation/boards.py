"""Boards to stand on: surfboard, snowboard, skateboard, and a pair of skis.

Each has its own frame: z along the board to its nose, y up out of the deck, x across; the origin is
the middle of the deck's upper side. Metres.
"""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry.exact import cos, power, whole_power
from chorus_bench.seeds import Stream
from chorus_bench.simulation.meshes import (
    Color,
    Mesh,
    box,
    circle,
    join,
    loft,
    tube,
    wheel,
)

BRIGHT: tuple[Color, ...] = (
    (0.85, 0.15, 0.12), (0.95, 0.55, 0.08), (0.95, 0.82, 0.15), (0.12, 0.5, 0.8),
    (0.1, 0.6, 0.45), (0.55, 0.2, 0.6), (0.9, 0.4, 0.55),
)  # fmt: skip
DARK: Color = (0.12, 0.12, 0.13)
METAL: Color = (0.62, 0.64, 0.66)
WHITE: Color = (0.93, 0.92, 0.88)


def _board(
    half_width: Float64, rise: Float64, thickness: Float64, z: Float64, color: Color
) -> Mesh:
    """Return a board from its stations: half width, height of the deck, thickness, place (S,)."""
    ring = circle(14)
    rings = np.zeros((len(z), len(ring), 3))
    rings[..., 0] = half_width[:, None] * ring[:, 0]
    rings[..., 1] = (rise - thickness / 2)[:, None] + thickness[:, None] / 2 * ring[:, 1]
    rings[..., 2] = z[:, None]
    return loft(rings, color)


def surfboard(stream: Stream) -> Mesh:
    """Return a surfboard, 1.75 to 2.6 m long, with a stripe and three fins."""
    length, width = stream.uniform(1.75, 2.6), stream.uniform(0.46, 0.56)
    nose = stream.uniform(0.55, 1.0)
    s = np.linspace(-1, 1, 33)
    ahead, behind = (power(1 - power(np.abs(s), y), z) for y, z in ((2.2, nose), (3.2, 0.55)))
    half = width / 2 * np.maximum(np.where(s > 0, ahead, behind), 0.02)
    rise = 0.03 * s * s + stream.uniform(0.04, 0.09) * whole_power(np.maximum(s, 0), 3)
    thick = 0.07 * np.maximum(1 - whole_power(s, 4), 0.15)
    base = stream.choice((WHITE, (0.95, 0.9, 0.7), (0.75, 0.88, 0.92), *BRIGHT[1:4]))
    board = _board(half, rise, thick, s * length / 2, base)
    centers = board.face_centers()
    stripe = np.abs(centers[:, 0]) < stream.uniform(0.02, 0.05)
    board = board.painted(stripe, stream.choice(BRIGHT))
    if stream.chance(0.5):
        board = board.painted(centers[:, 2] > length * 0.33, stream.choice(BRIGHT))
    fins = [
        _fin().moved(None, (x, -0.04, z - length / 2))
        for x, z in ((0, 0.18), (0.14, 0.3), (-0.14, 0.3))
    ]
    return join([board, *fins])


def _fin() -> Mesh:
    upside_down = np.diag([1.0, -1.0, -1.0])
    return box((0.012, 0.12, 0.1), DARK, taper=(1.0, 0.5)).moved(upside_down, (0, -0.06, 0))


def snowboard(stream: Stream) -> Mesh:
    """Return a snowboard, 1.35 to 1.65 m long, with two bindings."""
    length, width = stream.uniform(1.35, 1.65), stream.uniform(0.25, 0.31)
    s = np.linspace(-1, 1, 33)
    waist = 1 - 0.14 * whole_power(cos(s * np.pi / 2), 2)
    half = width / 2 * np.maximum(waist * np.sqrt(1 - whole_power(np.abs(s), 9)), 0.03)
    rise = 0.11 * whole_power(np.clip((np.abs(s) - 0.72) / 0.28, 0, 1), 2)
    board = _board(half, rise, np.full(33, 0.022), s * length / 2, stream.choice(BRIGHT))
    centers = board.face_centers()
    return board.painted(
        np.abs(centers[:, 2]) > length * stream.uniform(0.28, 0.38), stream.choice((DARK, WHITE))
    )


def bindings(place: Float64, across: Float64) -> Mesh:
    """Return a snowboard binding under and around a foot.

    Args:
        place: (3,) on the deck under the foot's middle.
        across: (3, 3) its orientation: z to the toes, y out of the deck.
    """
    base = box((0.12, 0.03, 0.3), DARK).moved(None, (0, -0.011, 0))
    back = box((0.1, 0.2, 0.02), DARK, taper=(0.7, 1.0)).moved(None, (0, 0.11, -0.14))
    return join([base, back]).moved(across, place)


def skateboard(stream: Stream) -> Mesh:
    """Return a skateboard, 0.72 to 0.9 m long, on four wheels."""
    length, width = stream.uniform(0.72, 0.9), stream.uniform(0.19, 0.24)
    s = np.linspace(-1, 1, 25)
    half = width / 2 * np.maximum(np.sqrt(1 - whole_power(s, 8)), 0.05)
    end = np.clip((np.abs(s) - 0.62) / 0.38, 0, 1)
    rise = 0.06 * end * np.sqrt(end)
    deck = _board(half, rise, np.full(25, 0.022), s * length / 2, stream.choice((DARK, *BRIGHT)))
    deck = deck.painted(deck.face_centers()[:, 1] < rise.min() - 0.012, (0.72, 0.5, 0.28))
    parts = [deck]
    color = stream.choice((WHITE, (0.95, 0.8, 0.2), (0.85, 0.3, 0.2)))
    for z in (-0.3 * length, 0.3 * length):
        parts.append(tube([(-0.09, -0.06, z), (0, -0.055, z), (0.09, -0.06, z)], 0.014, METAL))
        parts.append(box((0.05, 0.05, 0.06), METAL).moved(None, (0, -0.035, z)))
        parts += [_small_wheel(color).moved(None, (x, -0.065, z)) for x in (-0.085, 0.085)]
    return join(parts)


def _small_wheel(color: Color) -> Mesh:
    return tube([(-0.018, 0, 0), (0.018, 0, 0)], 0.031, color, sides=12)


def deck_height(category: str) -> float:
    """Return the height of the deck above the ground, metres."""
    return {"skateboard": 0.096, "snowboard": 0.022, "surfboard": 0.05}[category]


def ski(length: float, color: Color) -> Mesh:
    """Return one ski, its tip turned up."""
    s = np.linspace(-1, 1, 25)
    tip = np.sqrt(np.maximum(1 - whole_power((s - 0.85) / 0.15, 2), 0.01))
    half = 0.045 * np.where(s > 0.85, tip, 1.0) * (1 + 0.12 * s * s)
    rise = 0.16 * whole_power(np.clip((s - 0.78) / 0.22, 0, 1), 2)
    board = _board(half, rise, np.full(25, 0.024), s * length / 2, color)
    boot = box((0.075, 0.03, 0.34), DARK).moved(None, (0, -0.011, 0))
    return join([board, boot])


def ski_pole(length: float) -> Mesh:
    """Return a ski pole that hangs from the origin down to -y."""
    basket = wheel(0.05, 0.012, DARK, sides=10).moved(
        [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], (0, 0.08 - length, 0)
    )
    return join([tube([(0, 0.1, 0), (0, -length, 0)], 0.009, METAL, sides=6), basket])
