"""Assign detections to people, one to one, by IoU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.synthesis.interfaces import Detection


def boxes_of(people: Sequence[Detection]) -> Float64:
    """Return the boxes (P, 4) of detections, xyxy in pixels."""
    return np.array([person.box for person in people], dtype=np.float64).reshape(-1, 4)


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
