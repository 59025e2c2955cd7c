"""The best monotone map of probabilities, against trying every map."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from chorus_bench.evaluation.recalibration import MAX_CANDIDATES, recalibrate
from chorus_bench.metrics.pap import THRESHOLDS, average_precision, pixel_counts, pixel_histogram


def _pap(levels, targets, thresholds, *, closed=False):
    """Return the mean PAP of images of levels, by the metric's own code."""
    scores = []
    for image, on in zip(levels, targets, strict=True):
        counts = pixel_counts(pixel_histogram(image, on.astype(int), thresholds))
        scores.append(float(average_precision(counts, closed=closed)[0]))
    used = [score for score, on in zip(scores, targets, strict=True) if on.any()]
    return math.fsum(used) / max(1, len(used))


def _world(seed, values, samples=2, pixels=30):
    """Return images that take a few values and targets that these say something about."""
    rng = np.random.default_rng(seed)
    names = np.sort(rng.random(values)).astype(np.float32)
    choice = [rng.integers(-2, values, pixels) for _ in range(samples)]
    images = [np.where(c == -2, -np.inf, np.where(c < 0, 0, names[c])) for c in choice]
    targets = [rng.random(pixels) < 0.1 + 0.7 * (c + 1) / values for c in choice]
    return [image.astype(np.float32) for image in images], targets, names


def _best_of_all(images, targets, names, thresholds, *, closed):
    """Return the largest PAP over all maps that keep the order and leave zero at zero."""
    best = 0.0
    for cuts in itertools.combinations_with_replacement([*names, np.inf], thresholds):
        levels = [np.searchsorted(np.float32(cuts), image, side="right") for image in images]
        best = max(best, _pap(levels, targets, thresholds, closed=closed))
    return best


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_exact_where_there_are_enough_thresholds(seed, closed):
    images, targets, names = _world(seed, values=4)
    best = recalibrate(images, targets, THRESHOLDS[::20], closed=closed)
    found = _pap([best.levels(i) for i in images], targets, 5, closed=closed)
    assert found == pytest.approx(best.limit, abs=1e-12)
    every = _best_of_all(images, targets, names, 5, closed=closed)
    assert found == pytest.approx(every, abs=1e-12)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_near_the_best_of_all_where_there_are_not(seed, closed):
    images, targets, names = _world(seed, values=9, samples=3)
    best = recalibrate(images, targets, THRESHOLDS[::25], closed=closed)
    found = _pap([best.levels(i) for i in images], targets, 4, closed=closed)
    every = _best_of_all(images, targets, names, 4, closed=closed)
    assert 0.97 * every <= found <= every + 1e-12
    assert every <= best.limit + 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_monotone_and_no_worse_than_the_identity(seed):
    rng = np.random.default_rng(seed)
    images = [rng.random(900).astype(np.float32) ** rng.choice([0.1, 1, 9]) for _ in range(4)]
    targets = [rng.random(900) < image for image in images]
    best = recalibrate(images, targets, THRESHOLDS)
    assert len(np.unique(np.concatenate(images))) > MAX_CANDIDATES
    assert len(best.cuts) == 99
    assert (np.diff(best.cuts[np.isfinite(best.cuts)]) >= 0).all()
    assert best.cuts.min() > 0
    order = np.linspace(0, 1, 5000, dtype=np.float32)
    levels = best.levels(order)
    assert levels[0] == 0
    assert (np.diff(levels) >= 0).all()
    limits = np.float32(THRESHOLDS)
    now = _pap([np.searchsorted(limits, i, side="right") for i in images], targets, 99)
    then = _pap([best.levels(i) for i in images], targets, 99)
    assert now <= then <= best.limit + 1e-12
    assert best.limit - then < 0.01


def test_nothing_to_map():
    empty = recalibrate([np.zeros(5, np.float32)], [np.ones(5, bool)], THRESHOLDS)
    assert empty.limit == 0
    assert np.isinf(empty.cuts).all()
    assert recalibrate([np.ones(5, np.float32)], [np.zeros(5, bool)], THRESHOLDS).limit == 0
