"""Which method is better, and how sure that is: paired bootstrap over the same samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.metrics.pap import SCORE_NAMES, benchmark_mean, category_mean
from chorus_bench.metrics.statistics import (
    CONFIDENCE,
    RESAMPLES,
    CategoryTables,
    Interval,
    percentile_interval,
    resampled_means,
)

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Several methods on the same samples, by one of the four means.

    Attributes:
        score: which mean, for example ``mPAP``.
        methods: M names, in the order given.
        values: (M,) the mean of each.
        intervals: its bootstrap interval.
        low: (M, M) lower end of the interval of ``values[i] - values[j]``.
        high: (M, M) upper end.
        ranks: (M,) 1 + the number of methods that are significantly better; methods share a
            rank where the interval of their difference includes zero.
        first_share: (M,) in which share of the resamples each came first; ties are divided.
    """

    score: str
    methods: tuple[str, ...]
    values: Float64
    intervals: tuple[Interval, ...]
    low: Float64
    high: Float64
    ranks: NDArray[np.int64]
    first_share: Float64

    def order(self) -> list[int]:
        """Return the methods' numbers, best first."""
        return sorted(range(len(self.methods)), key=lambda i: (self.ranks[i], -self.values[i]))

    def difference(self, first: int, second: int) -> Interval:
        """Return the interval of the first method's mean minus the second's."""
        return Interval(float(self.low[first, second]), float(self.high[first, second]))


def rank_methods(
    tables: Mapping[str, CategoryTables],
    *,
    score: str = "mPAP",
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Ranking:
    """Rank methods by a paired bootstrap.

    Args:
        tables: per method the scores (S, 4) and target areas (S, 2) of each category, the
            samples in the same order in all of them.
        score: ``mPAP`` or one of its variants.
        resamples: how many.
        seed: every method sees the same resamples, so differences are paired.
        confidence: of the intervals.

    Raises:
        InputError: an unknown score, no methods, or methods with other samples.
    """
    names = [f"m{name}" for name in SCORE_NAMES]
    if score not in names or not tables:
        raise InputError(f"{len(tables)} methods by '{score}'", expected=f"one of {names}")
    _check_same_samples(tables)
    column = names.index(score)
    totals = np.stack(
        [_resampled_total(table, column, resamples, seed) for table in tables.values()]
    )
    values = np.array([_value(table, score) for table in tables.values()])
    low, high = _pairwise_intervals(totals, confidence)
    best = totals == totals.max(axis=0)
    return Ranking(
        score=score,
        methods=tuple(tables),
        values=values,
        intervals=tuple(percentile_interval(row, confidence) for row in totals),
        low=low,
        high=high,
        ranks=1 + (high < 0).sum(axis=1),
        first_share=(best / best.sum(axis=0)).mean(axis=1),
    )


def _resampled_total(table: CategoryTables, column: int, resamples: int, seed: int) -> Float64:
    means = resampled_means(table, resamples=resamples, seed=seed)
    return np.mean([means[category][:, column] for category in sorted(means)], axis=0)


def _value(table: CategoryTables, score: str) -> float:
    return benchmark_mean(category_mean(*entry) for entry in table.values())[score]


def _pairwise_intervals(totals: Float64, confidence: float) -> tuple[Float64, Float64]:
    tail = 50 * (1 - confidence)
    low, high = np.zeros((2, len(totals), len(totals)))
    for i, row in enumerate(totals):
        low[i], high[i] = np.percentile(row - totals, [tail, 100 - tail], axis=1)
    return low, high


def _check_same_samples(tables: Mapping[str, CategoryTables]) -> None:
    shapes: Sequence[dict[str, int]] = [
        {category: len(scores) for category, (scores, _) in table.items()}
        for table in tables.values()
    ]
    for method, shape in zip(tables, shapes, strict=True):
        if shape != shapes[0]:
            first = next(iter(tables))
            raise InputError(
                f"'{method}' has other samples than '{first}': {shape} against {shapes[0]}"
            )
