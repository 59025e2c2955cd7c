"""Golden comparisons of the metric: precision, recall, the four numbers, the means."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.metrics import pap
from chorus_bench.selftest.comparison import Comparison, differing, largest
from chorus_bench.selftest.data import golden, split_images, unpack_masks

TOLERANCE = 1e-12

Case = tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], list[float]]


def compare_metric() -> list[Comparison]:
    """Score the stacks of masks whose original scores are known (36 cases)."""
    scores = [pap.projective_average_precision(*case) for case in _cases()]
    numbers = [list(score.as_dict().values()) for score in scores]
    theirs = golden("metric")
    return [
        *_compare_counts("", without_human=False),
        *_compare_counts("_hoa", without_human=True),
        _within("PAP of stacks of masks", [row[:4] for row in numbers], theirs["scores"]),
        _same("target areas of stacks of masks", [row[4:] for row in numbers], theirs["areas"]),
    ]


def compare_means() -> list[Comparison]:
    """Average the groups of images whose original means are known (8 groups)."""
    theirs = golden("metric")
    ends = np.cumsum(theirs["group_sizes"])[:-1]
    groups = zip(
        np.split(theirs["group_scores"], ends), np.split(theirs["group_areas"], ends), strict=True
    )
    means = [list(pap.category_mean(scores, areas).values()) for scores, areas in groups]
    return [_within("category means", means, theirs["group_means"])]


def _compare_counts(suffix: str, *, without_human: bool) -> list[Comparison]:
    theirs = golden("metric")
    counts = [pap.pixel_counts(_histogram(*case), without_human=without_human) for case in _cases()]
    label = " without the human" if without_human else ""
    precision = np.concatenate([c.precision for c in counts])
    recall = np.concatenate([c.recall for c in counts])
    predicted = np.concatenate([c.predicted for c in counts])
    return [
        _within(f"precision{label}", precision, theirs[f"precision{suffix}"]),
        _within(f"recall{label}", recall, theirs[f"recall{suffix}"]),
        _same(f"predicted areas{label}", predicted, theirs[f"predicted{suffix}"]),
    ]


def _within(name: str, ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    return largest(name, "largest difference", "", ours, theirs, TOLERANCE)


def _same(name: str, ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    return differing(name, "areas that differ", "areas", ours, theirs, 0)


def _cases() -> Iterator[Case]:
    """Yield occupancy image, target, human and thresholds of every case.

    A pixel's occupancy is the largest threshold whose mask contains it.
    """
    file = golden("metric")
    shapes = file["shapes"]
    all_thresholds = np.split(file["thresholds"], np.cumsum(file["threshold_counts"])[:-1])
    for levels, target, human, thresholds in zip(
        split_images(file["levels"], shapes),
        unpack_masks(file["target"], shapes),
        unpack_masks(file["human"], shapes),
        all_thresholds,
        strict=True,
    ):
        occupancy = np.concatenate([[-np.inf], thresholds]).astype(np.float32)[levels]
        yield occupancy, target, human, thresholds.tolist()


def _histogram(
    occupancy: NDArray[np.float32],
    target: NDArray[np.bool_],
    human: NDArray[np.bool_],
    thresholds: list[float],
) -> NDArray[np.int64]:
    levels = pap.occupancy_levels(occupancy, thresholds)
    classes = pap.pixel_classes(target, human)
    return pap.pixel_histogram(levels, classes, len(thresholds))
