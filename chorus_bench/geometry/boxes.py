"""Boxes in an image: (left, top, right, bottom) in pixels, right and bottom not included."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Bool, Float64


def mask_box(mask: Bool) -> list[float] | None:
    """Return the box of the pixels of a mask (H, W), or None if it has none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def box_areas(boxes: ArrayLike) -> Float64:
    """Return the areas (n,) of boxes (n, 4); zero for inverted boxes."""
    corners = _corners(boxes)
    return _area(corners[:, 2:] - corners[:, :2])


def box_intersections(first: ArrayLike, second: ArrayLike) -> Float64:
    """Return the areas (A, B) of the intersections of boxes (A, 4) with boxes (B, 4)."""
    a, b = _corners(first)[:, None], _corners(second)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return _area(sides)


def intersection_over_union(first: ArrayLike, second: ArrayLike) -> Float64:
    """Return the intersection over union (A, B) of boxes (A, 4) with boxes (B, 4).

    It is 0 where a box is empty or not finite.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = box_intersections(first, second)
        union = box_areas(first)[:, None] + box_areas(second) - shared
        overlaps: Float64 = np.nan_to_num(shared / union)
    return overlaps


def overlap_of_smaller(one: ArrayLike, other: ArrayLike) -> float:
    """Return the intersection of two boxes (4,), not empty, over the area of the smaller one."""
    smaller = np.minimum(box_areas(one), box_areas(other))
    return float(box_intersections(one, other)[0, 0] / smaller[0])


def _area(sides: Float64) -> Float64:
    """Return width times height (...) of sides (..., 2), zero where one is negative."""
    width, height = np.moveaxis(np.clip(sides, 0, None), -1, 0)
    area: Float64 = width * height
    return area


def _corners(boxes: ArrayLike) -> Float64:
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
