"""Uncertainty of a score: bootstrap intervals over the samples, exact and fast.

Samples are drawn with replacement within each category, so that every resample has the
benchmark's categories and counts. Everything is seeded and independent of the order in which
samples were scored.

A resample is a row of counts: how often each sample was drawn. The counts of all resamples form
one matrix, and the sums of every method and score are one product with it. The scores are first
rounded to a binary fraction, so that the product is exact: it has the same bits on every machine,
and equal methods stay equal. The rounding changes a mean by less than 1e-12.

Source: docs/protocol.md P28.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Bool, Float64, Int64
from chorus_bench.metrics.pap import SCORE_NAMES, counted

RESAMPLES = 1000
CONFIDENCE = 0.95

#: (scores (S, 4), target areas (S, 2)) of each category.
CategoryTables = Mapping[str, tuple[Float64, Int64]]

_EXACT_BITS = 52
#: Differences of pairs at a time, so that they stay in a processor's cache.
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Interval:
    """A two-sided percentile interval."""

    low: float
    high: float

    def as_list(self) -> list[float]:
        """Return ``[low, high]``."""
        return [self.low, self.high]


def bootstrap_intervals(
    tables: CategoryTables, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[dict[str, Interval], dict[str, dict[str, Interval]]]:
    """Return 95 % intervals of the benchmark's means and of each category's means.

    A number that fewer than two samples of a category count for has no interval; one that none
    counts for is left out of the benchmark's mean, as in `chorus_bench.metrics.available_mean`.

    Args:
        tables: scores (S, 4) and target areas (S, 2) of each category, samples in the order of
            their ids.
        resamples: number of resamples.
        seed: random seed of the resampling.

    Returns:
        ``{"mPAP": ..., ...}`` and ``{category: {"PAP": ..., ...}}``.
    """
    by_category: dict[str, dict[str, Interval]] = {}

    def keep(category: str, means: Float64) -> None:
        available = counted(tables[category][1]).sum(axis=0) > 1
        named = zip(SCORE_NAMES, intervals_of(means[0]), available, strict=True)
        by_category[category] = {name: interval for name, interval, known in named if known}

    overall = intervals_of(resampled_totals([tables], resamples=resamples, seed=seed, each=keep)[0])
    means_named = [f"m{name}" for name in SCORE_NAMES]
    return dict(zip(means_named, overall, strict=True)), by_category


def resampled_totals(
    tables: Sequence[CategoryTables],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    each: Callable[[str, Float64], None] = lambda category, means: None,
) -> Float64:
    """Return the means over the categories in every resample, (M, 4, R).

    Args:
        tables: as for `means_of_many`.
        resamples: number of resamples, R.
        seed: random seed of the resampling.
        each: called with each category and its means (M, 4, R).
    """
    total = np.zeros((len(tables), len(SCORE_NAMES), resamples))
    categories = np.zeros((len(SCORE_NAMES), 1))
    for category, means in means_of_many(tables, resamples=resamples, seed=seed):
        each(category, means)
        total += means
        categories += np.atleast_2d(counted(tables[0][category][1]).any(axis=0)).T
    return np.asarray(total / np.maximum(categories, 1))


def means_of_many(
    tables: Sequence[CategoryTables], *, resamples: int = RESAMPLES, seed: int = 0
) -> Iterator[tuple[str, Float64]]:
    """Yield the means of every method in every resample, one category at a time.

    Args:
        tables: tables of M methods, all with the same categories and numbers of samples.
        resamples: number of resamples, R.
        seed: random seed of the resampling; methods resampled with the same seed get the same
            samples, so their differences are paired.

    Yields:
        The category, in alphabetical order, and its means (M, 4, R).
    """
    for number, category in enumerate(sorted(tables[0])):
        scores = np.stack([table[category][0] for table in tables])  # (M, S, 4)
        areas = np.stack([table[category][1] for table in tables])  # (M, S, 2)
        counts = draw_counts(scores.shape[1], resamples, (seed, number))
        yield category, _means(scores, areas, counts)


@lru_cache(maxsize=32)
def draw_counts(samples: int, resamples: int, seed: tuple[int, ...]) -> Float64:
    """Return how often each resample draws each sample, (resamples, samples). Read-only."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(list(seed))))
    indices = rng.integers(0, samples, size=(resamples, samples))
    indices += samples * np.arange(resamples)[:, None]
    counts = np.bincount(indices.ravel(), minlength=resamples * samples)
    matrix = counts.reshape(resamples, samples).astype(np.float64)
    matrix.flags.writeable = False
    return matrix


def _means(scores: Float64, areas: NDArray[np.int64], counts: Float64) -> Float64:
    """Return means (M, 4, R) of scores (M, S, 4) and areas (M, S, 2) by counts (R, S)."""
    methods, samples, _ = scores.shape
    used = counted(areas.reshape(-1, 2)).reshape(methods, samples, len(SCORE_NAMES))
    rows = np.where(used, scores, 0.0).transpose(0, 2, 1).reshape(-1, samples)
    sums = _exact_product(rows, counts).reshape(methods, len(SCORE_NAMES), -1)
    same = bool((used == used[:1]).all())
    patterns = (used[:1] if same else used).transpose(0, 2, 1).astype(np.float64)
    return np.asarray(sums / np.maximum(patterns @ counts.T, 1))


def _exact_product(rows: Float64, counts: Float64) -> Float64:
    """Return ``rows @ counts.T`` of rows rounded so that every sum is exact in a double.

    Each row is rounded by its own largest value, so that no row depends on the others.
    """
    drawn_bits = math.ceil(math.log2(max(2, rows.shape[1])))
    _, exponents = np.frexp(np.abs(rows).max(axis=1, initial=0.0))
    scales = np.ldexp(1.0, _EXACT_BITS - drawn_bits - exponents)[:, None]
    return np.asarray(np.rint(rows * scales) @ counts.T / scales)


def percentile_bounds(values: Float64, confidence: float = CONFIDENCE) -> tuple[Float64, Float64]:
    """Return the two-sided percentile interval along the last axis.

    It is `numpy.percentile` with linear interpolation, by partial sorting; ``values`` is
    reordered.

    Args:
        values: (..., R).
        confidence: confidence level of the interval.

    Returns:
        Lower and upper ends, (...) each.
    """
    low, high = (_quantile(values, quantile) for quantile in _quantiles(confidence))
    return low, high


def _quantiles(confidence: float) -> tuple[float, float]:
    tail = 50 * (1 - confidence)
    return tail / 100, (100 - tail) / 100


def _quantile(values: Float64, quantile: float) -> Float64:
    below, above, share = _place(quantile, values.shape[-1])
    values.partition(below, axis=-1)  # one place at a time: several take the slow path of NumPy
    return _between(values[..., below], values[..., above:].min(axis=-1), share)


def _place(quantile: float, count: int) -> tuple[int, int, float]:
    """Return the two order statistics around a quantile, and its relative position between them."""
    position = quantile * (count - 1)
    below = min(int(position), count - 1)
    return below, min(below + 1, count - 1), position - below


def _between(below: Float64, above: Float64, share: float) -> Float64:
    gap = above - below
    return above - gap * (1 - share) if share >= 0.5 else below + gap * share


def intervals_of(values: Float64, confidence: float = CONFIDENCE) -> list[Interval]:
    """Return the percentile interval of each row of (M, R)."""
    low, high = percentile_bounds(values.copy(), confidence)
    return [Interval(float(a), float(b)) for a, b in zip(low, high, strict=True)]


def pairwise_bounds(totals: Float64, confidence: float = CONFIDENCE) -> tuple[Float64, Float64]:
    """Return the intervals of all differences between rows of (M, R), two (M, M) matrices.

    Each pair is computed once; the reverse difference is its negative.
    """
    low, high = np.zeros((2, len(totals), len(totals)))
    first, second = np.triu_indices(len(totals), 1)
    low[first, second], high[first, second] = _bounds_of(totals, first, second, confidence)
    low[second, first], high[second, first] = -high[first, second], -low[first, second]
    return low, high


def significant_wins(totals: Float64, confidence: float = CONFIDENCE) -> Bool:
    """Return which rows of (M, R) are significantly above which others, (M, M).

    It is ``pairwise_bounds(totals)[0] > 0``, by counting: an end of an interval lies between two
    differences that are neighbours in their order, and has their sign if both have the same. Only
    where the signs differ is it computed.
    """
    methods, resamples = totals.shape
    lost = np.empty((methods, methods), dtype=np.int64)  # resamples in which i is not above j
    above = np.empty(totals.shape, dtype=bool)
    for i, row in enumerate(totals):
        np.greater(row, totals, out=above)
        lost[i] = resamples - above.view(np.uint8).sum(axis=1, dtype=np.int32)
    low, high = (_place(quantile, resamples) for quantile in _quantiles(confidence))
    surely = lost <= min(low[0], resamples - 1 - high[1])
    perhaps = lost <= max(low[1], resamples - 1 - high[0])
    first, second = np.nonzero(perhaps & ~surely)
    pairs = np.minimum(first, second), np.maximum(first, second)
    lows, highs = _bounds_of(totals, *pairs, confidence)
    surely[first, second] = np.where(first < second, lows > 0, highs < 0)
    return surely


def _bounds_of(
    totals: Float64, first: NDArray[np.intp], second: NDArray[np.intp], confidence: float
) -> tuple[Float64, Float64]:
    """Return the intervals of the differences of some pairs of rows, (P,) each."""
    low, high = np.empty((2, len(first)))
    step = max(1, _CHUNK // totals.shape[1])
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        differences = totals[first[part]] - totals[second[part]]
        low[part], high[part] = percentile_bounds(differences, confidence)
    return low, high
