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
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Int64 = NDArray[np.int64]

_FINE = 5
_MIDDLE = 2  # of the five fifths


def fill_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> Bool:
    """Return the mask (H, W) of the union of some polygons.

    Args:
        polygons: each x1, y1, x2, y2, ... in pixels, at least three points.
        height: of the image, pixels.
        width: of the image, pixels.
    """
    mask = np.zeros((height, width), dtype=np.bool_)
    for polygon in polygons:
        mask |= _filled(*_outline(np.array(polygon, dtype=np.float64)), height, width)
    return mask


def _outline(polygon: NDArray[np.float64]) -> tuple[Int64, Int64]:
    """Return the points of the outline on the fine grid, one a step along each edge: x, y."""
    corners = np.trunc(polygon.reshape(-1, 2) * float(_FINE) + 0.5).astype(np.int64)
    ends = np.roll(corners, -1, axis=0)
    size = np.abs(ends - corners)
    # Along its longer direction an edge goes in steps of one, from its smaller coordinate on.
    level = size[:, 0] >= size[:, 1]
    longer = np.where(level, 0, 1)
    edges = np.arange(len(corners))
    length = size[edges, longer]
    backward = corners[edges, longer] > ends[edges, longer]
    low = np.where(backward[:, None], ends, corners)
    high = np.where(backward[:, None], corners, ends)
    slope = (high - low)[edges, 1 - longer] / np.maximum(length, 1)
    edge = np.repeat(edges, length + 1)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(length + 1) - (length + 1), length + 1)
    step = np.where(backward[edge], length[edge] - place, place)
    along = low[edge, longer[edge]] + step
    rise = slope[edge] * step
    across = np.trunc(low[edge, 1 - longer[edge]] + rise + 0.5).astype(np.int64)
    return np.where(level[edge], along, across), np.where(level[edge], across, along)


def _filled(x: Int64, y: Int64, height: int, width: int) -> Bool:
    """Return the pixels (H, W) inside an outline."""
    left = np.minimum(x[1:], x[:-1])
    upper = np.minimum(y[1:], y[:-1])
    column, rest = np.divmod(left - _MIDDLE, _FINE)
    crossing = (x[1:] != x[:-1]) & (rest == 0) & (column >= 0) & (column < width)
    row = np.clip(-((_MIDDLE - upper[crossing]) // _FINE), 0, height)
    changes = np.bincount(column[crossing] * height + row, minlength=height * width + 1)
    inside = np.cumsum(changes[:-1], dtype=np.uint8) & 1
    return inside.astype(np.bool_).reshape(width, height).T
