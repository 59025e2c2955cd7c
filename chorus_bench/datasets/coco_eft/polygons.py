"""Polygons to masks, to the pixel as COCO's own tools fill them.

COCO's masks are what pycocotools makes of its polygons. Its C code computes where an edge runs
with a product and a sum that some compilers fuse into one operation, and a fused one may round to
another pixel. Here they are two; the result is that of pycocotools on x86.

The outline is drawn on a grid of five fifths a pixel. A column's pixels change between outside
and inside wherever the outline crosses the column's middle line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chorus_bench.array_types import Bool, Int64

_FINE = 5
_MIDDLE = 2  # of the five fifths
_STEPS_AT_ONCE = 1_000_000


def fill_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> Bool:
    """Return the mask (H, W) of the union of some polygons.

    Args:
        polygons: each x1, y1, x2, y2, ... in pixels, at least three points.
        height: of the image, pixels.
        width: of the image, pixels.
    """
    mask = np.zeros((height, width), dtype=np.bool_)
    for polygon in polygons:
        corners = np.array(polygon, dtype=np.float64).reshape(-1, 2)
        fine = np.trunc(corners * float(_FINE) + 0.5).astype(np.int64)
        mask |= _filled(fine, height, width)
    return mask


def _filled(corners: Int64, height: int, width: int) -> Bool:
    """Return the pixels (H, W) inside the polygon through corners (n, 2) on the fine grid."""
    ends = np.roll(corners, -1, axis=0)
    done = np.cumsum(np.abs(ends - corners).max(axis=1) + 1) // _STEPS_AT_ONCE
    cuts = np.flatnonzero(np.diff(done)) + 1
    changes = np.zeros(height * width + 1, dtype=np.int64)
    for begin, end in zip(np.split(corners, cuts), np.split(ends, cuts), strict=True):
        crossings = _crossings(*_steps(begin, end), height, width)
        changes += np.bincount(crossings, minlength=len(changes))
    inside = np.cumsum(changes[:-1], dtype=np.uint8) & 1
    return inside.astype(np.bool_).reshape(width, height).T


def _steps(begin: Int64, end: Int64) -> tuple[Int64, Int64]:
    """Return the points along edges (n, 2), one a step, edge after edge: x, y.

    An edge goes in steps of one along its longer direction, counted from its smaller coordinate.
    """
    size = np.abs(end - begin)
    level = size[:, 0] >= size[:, 1]
    edges, longer = np.arange(len(begin)), np.where(level, 0, 1)
    length = size[edges, longer]
    backward = begin[edges, longer] > end[edges, longer]
    low, high = (np.where(backward[:, None], *ends) for ends in ((end, begin), (begin, end)))
    slope = (high - low)[edges, 1 - longer] / np.maximum(length, 1)
    edge = np.repeat(edges, length + 1)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(length + 1) - (length + 1), length + 1)
    step = np.where(backward[edge], length[edge] - place, place)
    along = low[edge, longer[edge]] + step
    rise = slope[edge] * step
    across = np.trunc(low[edge, 1 - longer[edge]] + rise + 0.5).astype(np.int64)
    return np.where(level[edge], along, across), np.where(level[edge], across, along)


def _crossings(x: Int64, y: Int64, height: int, width: int) -> Int64:
    """Return where an outline crosses the middle of a column: the pixel below, column by column."""
    left, upper = np.minimum(x[1:], x[:-1]), np.minimum(y[1:], y[:-1])
    column, rest = np.divmod(left - _MIDDLE, _FINE)
    crossing = (x[1:] != x[:-1]) & (rest == 0) & (column >= 0) & (column < width)
    row = np.clip(-((_MIDDLE - upper[crossing]) // _FINE), 0, height)
    crossed: Int64 = column[crossing] * height + row
    return crossed
