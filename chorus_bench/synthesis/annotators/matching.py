"""Assign detections to people, one to one, by IoU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.synthesis.interfaces import Detection

Float64 = NDArray[np.float64]


def boxes_of(people: Sequence[Detection]) -> Float64:
    """Return the boxes (P, 4) of detections, xyxy in pixels."""
    return np.array([person.box for person in people], dtype=np.float64).reshape(-1, 4)


def box_overlaps(first: ArrayLike, second: ArrayLike) -> Float64:
    """Return the intersection over union of every pair of boxes.

    Args:
        first: (A, 4) boxes, xyxy in pixels.
        second: (B, 4) boxes.

    Returns:
        (A, B) overlaps; 0 where a box is empty or not finite.
    """
    a, b = (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) for boxes in (first, second))
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = np.prod(np.clip(high - low, 0, None), axis=-1)
        areas = [np.prod(np.clip(x[:, 2:] - x[:, :2], 0, None), axis=-1) for x in (a, b)]
        overlaps: Float64 = np.nan_to_num(shared / (areas[0][:, None] + areas[1] - shared))
    return overlaps


def match_one_to_one(
    overlaps: Float64, min_overlap: float, *, ties: Float64 | float = 0.0
) -> list[int | None]:
    """Assign at most one detection to each person, with the largest total overlap.

    Args:
        overlaps: (P, F) overlaps of people with detections, 0 to 1.
        min_overlap: pairs that overlap less, or not at all, are never assigned.
        ties: (P, F) values added to the overlaps to break ties.

    Returns:
        For each person the index of the detection, or None.
    """
    from scipy.optimize import linear_sum_assignment

    allowed = (overlaps >= min_overlap) & (overlaps > 0)
    # The number of pairs comes first: an allowed pair outweighs all overlaps.
    gains = np.where(allowed, overlaps + ties + 10.0, 0.0)
    matches: list[int | None] = [None] * len(overlaps)
    for person, found in zip(*linear_sum_assignment(gains, maximize=True), strict=True):
        if allowed[person, found]:
            matches[person] = int(found)
    return matches
