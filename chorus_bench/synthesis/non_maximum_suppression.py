"""Non-maximum suppression: removal of detections that a detector made twice.

Source: docs/method.md M5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError

Float64 = NDArray[np.float64]
Row = Mapping[str, Any]

#: A detection is removed if its intersection with another covers this share of either box, ...
MIN_OVERLAP = 0.8
#: ... unless its score is at least this.
SURE_SCORE = 0.98


def intersections(box: ArrayLike, boxes: ArrayLike) -> Float64:
    """Return the areas (n,) of the intersections of a box (4,) with boxes (n, 4), xyxy."""
    one, many = np.asarray(box, dtype=np.float64), np.asarray(boxes, dtype=np.float64)
    low = np.maximum(one[:2], many[:, :2])
    high = np.minimum(one[2:], many[:, 2:])
    area: Float64 = np.clip(high - low, 0, None).prod(axis=1)
    return area


def areas(boxes: ArrayLike) -> Float64:
    """Return the areas (n,) of boxes (n, 4), xyxy; zero if inverted."""
    corners = np.asarray(boxes, dtype=np.float64)
    area: Float64 = np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1)
    return area


def keep_without_near_duplicates(
    boxes: ArrayLike,
    scores: ArrayLike,
    *,
    min_overlap: float = MIN_OVERLAP,
    sure_score: float = SURE_SCORE,
) -> list[int]:
    """Return which detections of one class are kept.

    In ascending order of score, a detection whose score is below ``sure_score`` is removed if its
    intersection with a remaining one covers at least ``min_overlap`` of either box. A box without
    area covers nothing.

    Args:
        boxes: (n, 4) xyxy in pixels.
        scores: (n,).
        min_overlap: share of either box.
        sure_score: detections with at least this score are always kept.

    Returns:
        The indices that are kept, ascending.

    Raises:
        InputError: the numbers of boxes and scores differ.
    """
    corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    score = np.asarray(scores, dtype=np.float64)
    if score.shape != (len(corners),):
        raise InputError(f"{len(corners)} boxes and scores of shape {score.shape}")
    area = areas(corners)
    kept = np.ones(len(corners), dtype=bool)
    for number in np.argsort(score, kind="stable").tolist():
        if score[number] >= sure_score:
            continue
        others = np.flatnonzero(kept & (np.arange(len(corners)) != number))
        common = intersections(corners[number], corners[others])
        smaller = np.minimum(area[number], area[others])
        with np.errstate(divide="ignore", invalid="ignore"):
            kept[number] = not (common / smaller >= min_overlap).any()
    return np.flatnonzero(kept).tolist()


def without_near_duplicates(
    row: Row, *, min_overlap: float = MIN_OVERLAP, sure_score: float = SURE_SCORE
) -> dict[str, Any]:
    """Return a training row without near-duplicate people and objects.

    Objects are compared within their category. Boxes are those of the schema, xyxy.

    Args:
        row: a row with ``people`` and ``objects``, each with ``box`` and ``score``.
        min_overlap: see `keep_without_near_duplicates`.
        sure_score: see `keep_without_near_duplicates`.
    """

    def clean(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the detections of one class that are kept."""
        boxes, scores = [item["box"] for item in found], [item["score"] for item in found]
        kept = keep_without_near_duplicates(
            boxes, scores, min_overlap=min_overlap, sure_score=sure_score
        )
        return [found[number] for number in kept]

    objects = list(row.get("objects") or [])
    stay: list[int] = []
    for category in {item["category"] for item in objects}:
        same = [item for item in objects if item["category"] == category]
        stay += [id(item) for item in clean(same)]
    return {
        **row,
        "people": clean(list(row.get("people") or [])),
        "objects": [item for item in objects if id(item) in stay],
    }
