"""Ranks: planted differences are found, noise is a tie, everything is paired and seeded."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.metrics.ranking import rank_methods, rank_with_categories
from chorus_bench.metrics.resampling import bootstrap_intervals, means_of_many

AREAS = np.tile([[5, 4]], (40, 1))


def _method(gain: float, seed: int = 0, noise: float = 0.0):
    """Return two categories whose samples vary much and alike for all methods."""
    rng = np.random.default_rng(7)
    own = np.random.default_rng(seed)
    return {
        name: (rng.uniform(0.2, 0.7, (40, 4)) + gain + own.normal(0, noise, (40, 4)), AREAS)
        for name in ("bench", "tie")
    }


def test_a_small_steady_gain_is_significant_because_samples_are_paired():
    ranking = rank_methods({"a": _method(0.0), "b": _method(0.01), "c": _method(0.02)})
    assert ranking.ranks.tolist() == ranking.last_ranks.tolist() == [3, 2, 1]
    assert ranking.order() == [2, 1, 0]
    assert ranking.rank_text(1) == "2"
    assert ranking.first_share.tolist() == [0, 0, 1]
    assert ranking.difference(2, 0).low == pytest.approx(0.02)
    assert ranking.intervals[0].high - ranking.intervals[0].low > 0.05


def test_noise_is_a_tie():
    ranking = rank_methods({"a": _method(0, 1, 0.1), "b": _method(0, 2, 0.1)})
    assert ranking.ranks.tolist() == [1, 1]
    assert ranking.last_ranks.tolist() == [2, 2]
    assert ranking.rank_text(0) == "1\N{EN DASH}2"
    assert ranking.low[0, 1] < 0 < ranking.high[0, 1]
    assert ranking.first_share.sum() == pytest.approx(1)
    assert 0.01 < ranking.first_share[0] < 0.99


def test_the_same_method_twice():
    ranking = rank_methods({"a": _method(0), "b": _method(0)})
    assert ranking.ranks.tolist() == [1, 1]
    assert ranking.first_share.tolist() == [0.5, 0.5]
    assert ranking.difference(0, 1).as_list() == [0, 0]


def test_differences_are_antisymmetric_and_seeded():
    tables = {"a": _method(0, 1, 0.1), "b": _method(0.03, 2, 0.1)}
    first, again = rank_methods(tables, seed=3), rank_methods(tables, seed=3)
    np.testing.assert_array_equal(first.low, again.low)
    np.testing.assert_array_equal(first.low, -first.high.T)
    assert not np.array_equal(first.low, rank_methods(tables, seed=4).low)


def test_intervals_cover_the_truth():
    """Of 60 made-up benchmarks, about 95 % of the intervals hold the true mean."""
    covered = 0
    for seed in range(60):
        scores = np.random.default_rng(seed).beta(2, 3, (40, 4))
        overall, _ = bootstrap_intervals({"bench": (scores, AREAS)}, resamples=400)
        covered += overall["mPAP"].low <= 0.4 <= overall["mPAP"].high
    assert 50 <= covered <= 60


def test_left_out_images_do_not_count_in_resamples():
    scores, areas = np.full((10, 4), 0.5), np.tile([[5, 5]], (10, 1))
    scores[:4], areas[:4] = 0.0, 0
    areas[4] = [5, 0]
    _, means = next(means_of_many([{"bench": (scores, areas)}], resamples=50))
    assert set(np.unique(means)) <= {0.0, 0.5}
    assert (means[0, 0] == 0.5).sum() > 45


def test_a_method_without_a_rank_counts_for_no_other():
    """It has its interval and its differences; the others have what they have without it."""
    tables = {
        name: _method(gain, noise=0.1) for name, gain in (("a", 0.0), ("bound", 0.3), ("b", 0.05))
    }
    found, within = rank_with_categories(tables, unranked=["bound"])
    others = {name: table for name, table in tables.items() if name != "bound"}
    alone, alone_within = rank_with_categories(others)
    kept = [0, 2]
    pairs = [*zip(found.values(), alone.values(), strict=True)]
    pairs += zip(within["bench"].values(), alone_within["bench"].values(), strict=True)
    for one, other in pairs:
        for name in ("ranks", "last_ranks", "first_share", "values"):
            np.testing.assert_array_equal(getattr(one, name)[kept], getattr(other, name))
        assert one.ranks[1] == one.last_ranks[1] == one.first_share[1] == 0
        assert one.order() == [*(kept[i] for i in other.order()), 1]
    assert found["mPAP"].difference(1, 0).low > 0
    nobody, _ = rank_with_categories(tables, unranked=list(tables))
    assert not nobody["mPAP"].ranks.any()
    assert not nobody["mPAP"].first_share.any()


def test_refusals():
    with pytest.raises(InputError, match=r"unknown score 'mAP'[^$]*Did you mean 'mPAP'"):
        rank_methods({"a": _method(0)}, score="mAP")
    fewer = {name: (scores[:3], areas[:3]) for name, (scores, areas) in _method(0).items()}
    with pytest.raises(InputError, match="'b' has other samples than 'a'"):
        rank_methods({"a": _method(0), "b": fewer})
