"""Which method is better, and with what certainty: paired bootstrap over the same samples.

Source: docs/protocol.md P28.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Bool, Float64
from chorus_bench.displays import Table, displayed
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.metrics.pap import SCORE_NAMES, available_mean, benchmark_mean, counted
from chorus_bench.metrics.resampling import (
    CONFIDENCE,
    RESAMPLES,
    CategoryTables,
    Interval,
    intervals_of,
    pairwise_bounds,
    resampled_totals,
    significant_wins,
)


@displayed
@dataclass(frozen=True, eq=False)
class Ranking:
    """Several methods on the same samples, ranked by one of the four means.

    Attributes:
        score: the mean, for example ``mPAP``.
        methods: M names, in the order given.
        values: (M,) the mean of each method.
        intervals: the bootstrap interval of each mean.
        ranks: (M,) the first rank that a method may have: 1 + the number of methods that are
            significantly better; 0 for a method that is not ranked, which counts for no other.
        last_ranks: (M,) the last one: the number of methods that are not significantly worse,
            itself included; 0 likewise. Significant is a difference whose interval excludes zero.
        first_share: (M,) share of the resamples in which each method is the first of those that
            are ranked; ties are divided.
        confidence: confidence level of all intervals.
        resampled: (M, R) the mean of each method in every resample.
        rows: (M,) the row of each method in ``resampled``.
    """

    score: str
    methods: tuple[str, ...]
    values: Float64
    intervals: tuple[Interval, ...]
    ranks: NDArray[np.int64]
    last_ranks: NDArray[np.int64]
    first_share: Float64
    confidence: float
    resampled: Float64
    rows: NDArray[np.intp]

    @property
    def low(self) -> Float64:
        """Lower ends of the intervals of ``values[i] - values[j]``, (M, M)."""
        return self._bounds[0]

    @property
    def high(self) -> Float64:
        """Upper ends of the intervals of ``values[i] - values[j]``, (M, M)."""
        return self._bounds[1]

    @cached_property
    def _bounds(self) -> tuple[Float64, Float64]:
        pairs = np.ix_(self.rows, self.rows)
        low, high = pairwise_bounds(self.resampled, self.confidence)
        return low[pairs], high[pairs]

    def order(self) -> list[int]:
        """Return the indices of the methods, best first; those that are not ranked come last."""

        def place(i: int) -> tuple[bool, int, float]:
            return self.ranks[i] == 0, self.ranks[i], -self.values[i]

        return sorted(range(len(self.methods)), key=place)

    def reordered(self, order: Sequence[int]) -> Ranking:
        """Return the ranking with its methods in another order."""
        return replace(
            self,
            methods=tuple(self.methods[i] for i in order),
            values=self.values[order],
            intervals=tuple(self.intervals[i] for i in order),
            ranks=self.ranks[order],
            last_ranks=self.last_ranks[order],
            first_share=self.first_share[order],
            rows=self.rows[order],
        )

    def rank_text(self, method: int) -> str:
        """Return a method's rank for people, see `rank_text`."""
        return rank_text(int(self.ranks[method]), int(self.last_ranks[method]))

    def difference(self, first: int, second: int) -> Interval:
        """Return the interval of the first method's mean minus the second's."""
        pair = self.rows[[first, second]]
        low, high = pairwise_bounds(self.resampled[np.sort(pair)], self.confidence)
        place = (0, 1) if pair[0] <= pair[1] else (1, 0)
        return Interval(float(low[place]), float(high[place]))

    def _facts(self) -> dict[str, object]:
        best = self.order()[0]
        return {"score": self.score, "methods": len(self.methods), "first": self.methods[best]}

    def _table(self) -> Table:
        """Return the methods, best first, in percent."""
        rows = [
            [
                int(self.ranks[i]),
                self.methods[i],
                f"{100 * self.values[i]:.2f}",
                " to ".join(f"{100 * bound:.2f}" for bound in self.intervals[i].as_list()),
            ]
            for i in self.order()
        ]
        return ("rank", "method", self.score, "95 % interval"), rows


def rank_text(first: int, last: int) -> str:
    """Return a rank for people: ``2``, or the range ``2\N{EN DASH}4``."""
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"


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
        tables: for each method, scores (S, 4) and target areas (S, 2) by category, the samples in
            the same order in all of them.
        score: ``mPAP`` or one of its variants.
        resamples: number of resamples.
        seed: every method sees the same resamples, so differences are paired.
        confidence: confidence level of the intervals.

    Raises:
        InputError: an unknown score, no methods, or methods with different samples.
    """
    names = [f"m{name}" for name in SCORE_NAMES]
    if score not in names:
        raise unknown_name("score", score, names)
    if not tables:
        raise InputError("no methods to rank", expected="one or more")
    return rank_by_every_score(tables, resamples=resamples, seed=seed, confidence=confidence)[score]


def rank_by_every_score(
    tables: Mapping[str, CategoryTables],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> dict[str, Ranking]:
    """Rank methods by each of the four means, on the same resamples.

    Args:
        tables: as for `rank_methods`.
        resamples: number of resamples.
        seed: random seed of the resampling.
        confidence: confidence level of the intervals.

    Returns:
        ``{"mPAP": ..., "mPAP_strict": ..., ...}``.

    Raises:
        InputError: methods with different samples.
    """
    ranked = np.ones(len(tables), dtype=bool)
    averages = _averages(tables)
    totals = resampled_totals(list(tables.values()), resamples=resamples, seed=seed)
    return _overall(tables, averages, totals, confidence, ranked)


def rank_with_categories(
    tables: Mapping[str, CategoryTables],
    *,
    unranked: Collection[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> tuple[dict[str, Ranking], dict[str, dict[str, Ranking]]]:
    """Rank methods by each of the four means, and within each category, on the same resamples.

    Args:
        tables: as for `rank_methods`.
        unranked: methods with intervals and differences, but no rank.
        resamples: number of resamples.
        seed: random seed of the resampling.
        confidence: confidence level of the intervals.

    Returns:
        What `rank_by_every_score` returns, and ``{category: {"PAP": ..., ...}}``; a number that
        fewer than two samples of a category count for has no ranking there.

    Raises:
        InputError: methods with different samples.
    """
    averages = _averages(tables)
    within: dict[str, dict[str, Ranking]] = {}
    ranked = np.array([name not in unranked for name in tables])

    def rank(category: str, means: Float64) -> None:
        areas = next(iter(tables.values()))[category][1]
        enough = counted(areas).sum(axis=0) > 1
        within[category] = {
            name: _ranking(name, tuple(tables), averages[category], means[:, i], confidence, ranked)
            for i, name in enumerate(SCORE_NAMES)
            if enough[i]
        }

    totals = resampled_totals(list(tables.values()), resamples=resamples, seed=seed, each=rank)
    return _overall(tables, averages, totals, confidence, ranked), within


#: category -> the means of each method.
_Averages = Mapping[str, Sequence[Mapping[str, float | None]]]


def _averages(tables: Mapping[str, CategoryTables]) -> _Averages:
    _check_same_samples(tables)
    names = next(iter(tables.values()))
    return {name: [available_mean(*table[name]) for table in tables.values()] for name in names}


def _overall(
    tables: Mapping[str, CategoryTables],
    averages: _Averages,
    totals: Float64,
    confidence: float,
    ranked: Bool,
) -> dict[str, Ranking]:
    means = [benchmark_mean(of_method) for of_method in zip(*averages.values(), strict=True)]
    return {
        f"m{name}": _ranking(f"m{name}", tuple(tables), means, totals[:, i], confidence, ranked)
        for i, name in enumerate(SCORE_NAMES)
    }


def _ranking(
    score: str,
    methods: tuple[str, ...],
    means: Sequence[Mapping[str, float | None]],
    totals: Float64,
    confidence: float,
    ranked: Bool,
) -> Ranking:
    wins = significant_wins(totals, confidence)
    most = totals.max(axis=0, where=ranked[:, None], initial=-np.inf)
    best = ranked[:, None] & (totals == most)
    return Ranking(
        score=score,
        methods=methods,
        values=np.array([mean[score] for mean in means]),
        intervals=tuple(intervals_of(totals, confidence)),
        ranks=ranked * (1 + wins[ranked].sum(axis=0)),
        last_ranks=ranked * (ranked.sum() - wins[:, ranked].sum(axis=1)),
        first_share=(best / np.maximum(best.sum(axis=0), 1)).mean(axis=1),
        confidence=confidence,
        resampled=totals,
        rows=np.arange(len(methods)),
    )


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
