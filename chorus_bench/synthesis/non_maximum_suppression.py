"""Non-maximum suppression: removal of detections that a detector made twice.

Source: docs/method.md M5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.boundary import checked
from chorus_bench.datasets.schema import AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.boxes import box_areas, box_intersections

#: A detection is removed if its intersection with another covers this share of either box, ...
MIN_OVERLAP = 0.8
#: ... unless its score is at least this.
SURE_SCORE = 0.98


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
    areas = box_areas(corners)
    kept = np.ones(len(corners), dtype=bool)
    for number in np.argsort(score, kind="stable").tolist():
        if score[number] >= sure_score:
            continue
        others = np.flatnonzero(kept & (np.arange(len(corners)) != number))
        common = box_intersections(corners[number], corners[others])[0]
        smaller = np.minimum(areas[number], areas[others])
        with np.errstate(divide="ignore", invalid="ignore"):
            kept[number] = not (common / smaller >= min_overlap).any()
    return np.flatnonzero(kept).tolist()


@checked
def without_near_duplicates(
    row: AnyRow, *, min_overlap: float = MIN_OVERLAP, sure_score: float = SURE_SCORE
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
