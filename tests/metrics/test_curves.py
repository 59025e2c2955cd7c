"""The mean precision-recall curve, against a sum image by image."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.metrics.curves import mean_curve
from chorus_bench.metrics.pap import PixelCounts


def counts(seed=0, images=12, thresholds=9):
    """Return made-up counts: masks that shrink, images without a target, empty predictions."""
    rng = np.random.default_rng(seed)
    predicted = -np.sort(-rng.integers(0, 40, (images, thresholds)), axis=1)
    predicted[: images // 2, thresholds // 2 :] = 0
    predicted[:, -1] = 0
    hit = rng.integers(0, predicted + 1)
    target = np.where(np.arange(images) % 4 == 1, 0, hit.max(axis=1) + 3)
    return PixelCounts(predicted, hit, target)


def plain(found):
    """Average image by image, as the docstring says it."""
    curves = []
    for level in range(found.predicted.shape[1]):
        used = [i for i, area in enumerate(found.target) if area > 0]
        recall = [found.hit[i, level] / found.target[i] for i in used]
        drawn = [i for i in used if found.predicted[i, level] > 0]
        precision = [found.hit[i, level] / found.predicted[i, level] for i in drawn]
        curves.append((np.mean(recall), np.mean(precision) if drawn else np.nan))
    return np.array(curves).T


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_mean_over_images(seed):
    found = counts(seed)
    curve = mean_curve(found)
    recall, precision = plain(found)
    np.testing.assert_allclose(curve.recall, recall, rtol=0, atol=1e-15)
    np.testing.assert_allclose(curve.precision, precision, rtol=0, atol=1e-15)
    assert curve.undefined_from == 8


def test_images_without_a_target_do_not_count():
    empty = PixelCounts(np.full((2, 3), 5), np.zeros((2, 3), int), np.zeros(2, int))
    curve = mean_curve(empty)
    assert curve.recall.tolist() == [0, 0, 0]
    assert np.isnan(curve.precision).all()
    assert curve.undefined_from == 0
    full = mean_curve(PixelCounts(np.full((1, 3), 5), np.full((1, 3), 4), np.array([8])))
    assert full.undefined_from is None
    assert full.precision.tolist() == [0.8] * 3
    assert full.recall.tolist() == [0.5] * 3
