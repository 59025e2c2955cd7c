"""Uncertainty of a score: bootstrap intervals over the samples.

Samples are drawn with replacement within each category, so that every resample has the
benchmark's categories and counts. Everything is seeded and independent of the order in which
samples were scored.

Source: docs/protocol.md P28.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.metrics.pap import SCORE_NAMES, counted

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

RESAMPLES = 1000
CONFIDENCE = 0.95

#: (scores (S, 4), target areas (S, 2)) of each category.
CategoryTables = Mapping[str, tuple[Float64, Int64]]


@dataclass(frozen=True)
class Interval:
    """A two-sided percentile interval."""

    low: float
    high: float

    def as_list(self) -> list[float]:
        """Return ``[low, high]``."""
        return [self.low, self.high]


def resampled_means(
    tables: CategoryTables, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Float64]:
    """Return each category's means in every resample, (resamples, 4).

    Args:
        tables: scores (S, 4) and target areas (S, 2) of each category, samples in the order
            of their ids.
        resamples: number of resamples.
        seed: two submissions resampled with the same seed get the same samples, so their
            differences are paired.
    """
    return {
        category: _category_resamples(*tables[category], resamples, [seed, number])
        for number, category in enumerate(sorted(tables))
    }


def _category_resamples(scores: Float64, areas: Int64, resamples: int, seed: list[int]) -> Float64:
    chosen = drawn(len(scores), resamples, seed)
    used = counted(areas)
    means = np.empty((resamples, len(SCORE_NAMES)))
    for i in range(len(SCORE_NAMES)):
        totals = np.where(used[:, i], scores[:, i], 0.0)[chosen].sum(axis=1)
        means[:, i] = totals / np.maximum(used[:, i][chosen].sum(axis=1), 1)
    return means


def drawn(samples: int, resamples: int, seed: list[int]) -> Int64:
    """Return the indices of the samples that each resample draws, (resamples, samples)."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    return rng.integers(0, samples, size=(resamples, samples))


def percentile_interval(values: Float64, confidence: float = CONFIDENCE) -> Interval:
    """Return the percentile interval of resampled values (resamples,)."""
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return Interval(float(low), float(high))


def bootstrap_intervals(
    tables: CategoryTables, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[dict[str, Interval], dict[str, dict[str, Interval]]]:
    """Return 95 % intervals of the benchmark's means and of each category's means.

    Args:
        tables: see `resampled_means`.
        resamples: number of resamples.
        seed: random seed of the resampling.

    Returns:
        ``{"mPAP": ..., ...}`` and ``{category: {"PAP": ..., ...}}``.
    """
    means = resampled_means(tables, resamples=resamples, seed=seed)
    total = np.sum(list(means.values()), axis=0) / max(1, len(means))
    overall = {f"m{n}": percentile_interval(total[:, i]) for i, n in enumerate(SCORE_NAMES)}
    by_category = {
        category: {n: percentile_interval(m[:, i]) for i, n in enumerate(SCORE_NAMES)}
        for category, m in means.items()
    }
    return overall, by_category
