"""Golden comparisons of the metric: precision, recall, the four numbers, the means."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.metrics import pap
from chorus_bench.selftest.comparison import Comparison, differing, largest
from chorus_bench.selftest.data import golden, split_images, unpack_masks

TOLERANCE = 1e-12


def compare_metric() -> list[Comparison]:
    """Score the stacks of masks whose scores the original gave (36 cases)."""
    file = golden("metric")
    cases = _cases()
    counts = [pap.pixel_counts(case) for case in cases]
    counts_hoa = [pap.pixel_counts(case, without_human=True) for case in cases]
    comparisons: list[Comparison] = []
    for suffix, found in (("", counts), ("_hoa", counts_hoa)):
        name = f"masks{suffix.replace('_', ', ')}"
        ours = {
            "precision": np.concatenate([c.precision for c in found]),
            "recall": np.concatenate([c.recall for c in found]),
        }
        comparisons += [
            largest(name, f"{key}, largest difference", "", ours[key], file[key + suffix], TOLERANCE)
            for key in ours
        ]
        predicted = np.concatenate([c.predicted for c in found])
        comparisons.append(
            differing(name, "predicted areas that differ", "", predicted, file["predicted" + suffix], 0)
        )
    tables = [pap.score_table(case) for case in cases]
    scores, areas = (np.stack(column) for column in zip(*tables, strict=True))
    comparisons.append(largest("masks", "PAP, largest difference", "", scores, file["scores"], TOLERANCE))
    comparisons.append(differing("masks", "target areas that differ", "", areas, file["areas"], 0))
    return comparisons


def compare_means() -> list[Comparison]:
    """Average the groups of images whose means the original gave (8 groups)."""
    file = golden("metric")
    ends = np.cumsum(file["group_sizes"])[:-1]
    groups = zip(
        np.split(file["group_scores"], ends), np.split(file["group_areas"], ends), strict=True
    )
    means = [list(pap.category_mean(scores, areas).values()) for scores, areas in groups]
    theirs = file["group_means"]
    return [largest("means", "category mean, largest difference", "", means, theirs, TOLERANCE)]


def _cases() -> list[NDArray[Any]]:
    """Return the histogram (4, T + 1) of every case.

    An occupancy image is made of each stack of masks: a pixel's occupancy is the largest
    threshold whose mask holds it.
    """
    file = golden("metric")
    shapes = file["shapes"]
    thresholds = np.split(file["thresholds"], np.cumsum(file["threshold_counts"])[:-1])
    images = zip(
        split_images(file["levels"], shapes),
        unpack_masks(file["target"], shapes),
        unpack_masks(file["human"], shapes),
        thresholds,
        strict=True,
    )
    return [_histogram(*image) for image in images]
