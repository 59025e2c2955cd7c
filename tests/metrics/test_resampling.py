"""The bootstrap is exact: to the last bit what gathering and averaging gives, where that is exact.

The made-up scores are binary fractions of 30 digits, whose sums have no rounding in any order.
"""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.metrics.pap import SCORE_NAMES, benchmark_mean, category_mean, counted
from chorus_bench.metrics.ranking import rank_by_every_score, rank_methods
from chorus_bench.metrics.resampling import (
    CONFIDENCE,
    bootstrap_intervals,
    means_of_many,
    pairwise_bounds,
    percentile_bounds,
    significant_wins,
)

DIGITS = 2.0**30
TAILS = [50 * (1 - CONFIDENCE), 100 - 50 * (1 - CONFIDENCE)]


def made_up(methods: int, seed: int = 0):
    """Return methods on the same samples: samples that differ, images that are left out."""
    rng = np.random.default_rng(seed)
    sizes = {"bench": 33, "cell phone": 50, "tie": 1}
    hard = {name: rng.uniform(0, 1, (n, 1)) for name, n in sizes.items()}
    areas = {name: rng.integers(0, 4, (n, 2)) for name, n in sizes.items()}
    return {
        f"m{i}": {
            name: (_rounded(hard[name] + rng.normal(0.02 * i, 0.1, (n, 4))), areas[name])
            for name, n in sizes.items()
        }
        for i in range(methods)
    }


def _rounded(scores):
    return np.rint(np.clip(scores, 0, 1) * DIGITS) / DIGITS


def plain_means(table, resamples, seed=0):
    """Resample as the definition says: gather the drawn samples, sum, divide; (resamples, 4)."""
    means = {}
    for number, name in enumerate(sorted(table)):
        scores, areas = table[name]
        sequence = np.random.SeedSequence([seed, number])
        rng = np.random.Generator(np.random.Philox(sequence))
        chosen = rng.integers(0, len(scores), size=(resamples, len(scores)))
        used = counted(areas)
        totals = np.where(used, scores, 0.0)[chosen].sum(axis=1)
        means[name] = totals / np.maximum(used[chosen].sum(axis=1), 1)
    return means


def plain_ranking(tables, score, resamples, seed):
    """Rank as it was first written: gather, average, a percentile for every pair."""
    column = [f"m{name}" for name in SCORE_NAMES].index(score)
    totals = []
    for table in tables.values():
        means = plain_means(table, resamples, seed)
        totals.append(np.mean([means[name][:, column] for name in sorted(means)], axis=0))
    totals = np.stack(totals)
    low, high = np.zeros((2, len(totals), len(totals)))
    for i, row in enumerate(totals):
        for j in range(i + 1, len(totals)):
            low[i, j], high[i, j] = np.percentile(row - totals[j], TAILS)
            low[j, i], high[j, i] = -high[i, j], -low[i, j]
    best = totals == totals.max(axis=0)
    return {
        "values": [
            benchmark_mean(category_mean(*e) for e in t.values())[score] for t in tables.values()
        ],
        "intervals": np.percentile(totals, TAILS, axis=1).T,
        "low": low,
        "high": high,
        "ranks": 1 + (high < 0).sum(axis=1),
        "first_share": (best / best.sum(axis=0)).mean(axis=1),
    }


@pytest.mark.parametrize("resamples", [100, 333, 1000])
@pytest.mark.parametrize("seed", [0, 5])
def test_the_fast_ranking_is_the_plain_one(resamples, seed):
    tables = made_up(7, seed)
    for score, fast in rank_by_every_score(tables, resamples=resamples, seed=seed).items():
        plain = plain_ranking(tables, score, resamples, seed)
        assert fast.score == score
        assert fast.values.tolist() == plain["values"]
        np.testing.assert_array_equal([i.as_list() for i in fast.intervals], plain["intervals"])
        for name in ("low", "high", "ranks", "first_share"):
            np.testing.assert_array_equal(getattr(fast, name), plain[name])


@pytest.mark.parametrize("resamples", [100, 1000])
def test_intervals_of_a_result_are_those_of_the_ranking_and_the_plain_ones(resamples):
    tables = made_up(5, 3)
    rankings = rank_by_every_score(tables, resamples=resamples)
    for number, table in enumerate(tables.values()):
        overall, by_category = bootstrap_intervals(table, resamples=resamples)
        for score, ranking in rankings.items():
            assert ranking.intervals[number] == overall[score]
        for name, means in plain_means(table, resamples).items():
            expected = np.percentile(means, TAILS, axis=0).T.tolist()
            used = counted(table[name][1]).sum(axis=0)
            assert {s: i.as_list() for s, i in by_category[name].items()} == {
                s: expected[i] for i, s in enumerate(SCORE_NAMES) if used[i] > 1
            }


def test_a_method_does_not_depend_on_the_others():
    """Not even in its last bit, whatever the sizes of the others' scores."""
    rng = np.random.default_rng(5)
    areas = np.full((37, 2), 9)
    alone = {"bench": (rng.uniform(0, 1, (37, 4)), areas)}
    larger = {"bench": (rng.uniform(0, 900, (37, 4)), areas)}
    _, first = next(means_of_many([alone]))
    _, both = next(means_of_many([larger, alone]))
    np.testing.assert_array_equal(first[0], both[1])


def test_one_score_is_one_of_the_four():
    tables = made_up(3)
    one = rank_methods(tables, score="mPAP_hoa")
    again = rank_by_every_score(tables)["mPAP_hoa"]
    np.testing.assert_array_equal(one.low, again.low)
    assert one.intervals == again.intervals


def test_resampled_means_are_the_plain_ones():
    tables = made_up(4)
    plain = [plain_means(table, 200, 3) for table in tables.values()]
    names = []
    for name, means in means_of_many(list(tables.values()), resamples=200, seed=3):
        names.append(name)
        for method, one in enumerate(plain):
            np.testing.assert_array_equal(means[method].T, one[name])
    assert names == sorted(names)


def test_methods_may_leave_out_other_images():
    """Target areas that differ between methods are each method's own."""
    tables = made_up(2)
    scores, areas = tables["m1"]["bench"]
    tables["m1"]["bench"] = (scores, np.where(np.arange(33)[:, None] < 9, 0, areas))
    plain = [plain_means(table, 100) for table in tables.values()]
    for name, means in means_of_many(list(tables.values()), resamples=100):
        for method, one in enumerate(plain):
            np.testing.assert_array_equal(means[method].T, one[name])


@pytest.mark.parametrize("methods", [2, 3, 5, 8, 17])
def test_equal_methods_are_equal_to_the_last_bit_wherever_they_stand(methods):
    table = made_up(1)["m0"]
    for ranking in rank_by_every_score({f"m{i}": table for i in range(methods)}).values():
        assert not ranking.low.any()
        assert not ranking.high.any()
        assert ranking.first_share.tolist() == pytest.approx([1 / methods] * methods)


@pytest.mark.parametrize("count", [1, 2, 39, 40, 41, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_percentiles_are_those_of_numpy(count, confidence):
    values = np.random.default_rng(count).normal(size=(5, count))
    tail = 50 * (1 - confidence)
    expected = np.percentile(values, [tail, 100 - tail], axis=1)
    np.testing.assert_array_equal(percentile_bounds(values.copy(), confidence), expected)


def test_pairs_in_several_chunks(monkeypatch):
    totals = np.random.default_rng(0).normal(size=(6, 50))
    whole = pairwise_bounds(totals)
    monkeypatch.setattr("chorus_bench.metrics.resampling._CHUNK", 120)
    np.testing.assert_array_equal(whole, pairwise_bounds(totals))


@pytest.mark.parametrize("resamples", [1, 2, 39, 40, 41, 1000, 1001])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("digits", [1, 15])
def test_wins_are_the_signs_of_the_bounds(resamples, confidence, digits):
    """Ties as well, and bounds between two differences of opposite signs."""
    rng = np.random.default_rng(resamples)
    totals = np.round(rng.normal(rng.normal(0, 1, (30, 1)), 0.4, (30, resamples)), digits)
    low, high = pairwise_bounds(totals, confidence)
    wins = significant_wins(totals, confidence)
    np.testing.assert_array_equal(wins, low > 0)
    np.testing.assert_array_equal(wins.T, high < 0)
    assert wins.any()
    assert not (wins & wins.T).any()


def test_a_ranking_in_another_order_has_the_same_differences():
    ranking = rank_methods(made_up(6))
    order = [4, 0, 5, 2, 1, 3]
    other = ranking.reordered(order)
    np.testing.assert_array_equal(other.low, ranking.low[np.ix_(order, order)])
    for i, j in np.ndindex(6, 6):
        bounds = [ranking.low[order[i], order[j]], ranking.high[order[i], order[j]]]
        assert other.difference(i, j).as_list() == bounds


def test_scores_of_any_size_are_exact_enough():
    """Large, negative and zero scores: the rounding is relative to the largest."""
    scores = np.array([[-3.0, 0, 1e-9, 700.25]] * 3)
    table = {"bench": (scores, np.full((3, 2), 5))}
    _, means = next(means_of_many([table], resamples=10))
    np.testing.assert_allclose(means[0], np.tile(scores[0][:, None], (1, 10)), atol=1e-11)
