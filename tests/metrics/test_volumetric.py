"""Scores against the truth in 3D."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chorus_bench.errors import InputError
from chorus_bench.metrics.volumetric import (
    CalibrationCurve,
    brier_score,
    calibration_curve,
    soft_iou,
)

FIELDS = hnp.arrays(np.float32, (3, 3, 3), elements=st.floats(0, 1, width=32))
TRUTHS = hnp.arrays(np.bool_, (3, 3, 3))


@given(FIELDS, TRUTHS)
def test_scores_are_in_range_and_perfect_only_for_the_truth(field, truth):
    brier, iou = brier_score(field, truth), soft_iou(field, truth)
    assert 0 <= brier <= 1
    assert 0 <= iou <= 1
    perfect = np.array_equal(field, truth.astype(np.float32))
    assert (iou == 1) == perfect
    assert perfect <= (brier == 0)  # squares of tiny differences may vanish
    assert soft_iou(truth, field) == iou


@given(TRUTHS, TRUTHS)
def test_soft_iou_of_bools_is_intersection_over_union(first, second):
    union = (first | second).sum()
    expected = (first & second).sum() / union if union else 1.0
    assert soft_iou(first, second) == pytest.approx(expected)
    assert brier_score(first, second) == pytest.approx((first != second).mean())


@given(FIELDS, TRUTHS, FIELDS, TRUTHS)
def test_curves_of_parts_add_up_to_the_curve_of_the_whole(first, truth, second, other):
    whole = calibration_curve(np.stack([first, second]), np.stack([truth, other]))
    total = calibration_curve(first, truth) + calibration_curve(second, other)
    assert np.array_equal(total.voxels, whole.voxels)
    assert np.array_equal(total.occupied, whole.occupied)
    np.testing.assert_allclose(total.total, whole.total, atol=1e-12)
    assert whole.voxels.sum() == 54


def test_a_curve_by_hand():
    curve = calibration_curve([0.0, 0.05, 0.95, 1.0, 1.0], [0, 1, 1, 1, 0], bins=10)
    assert curve.voxels.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 3]
    assert curve.occupied[[0, 9]].tolist() == [1, 2]
    assert curve.predicted[0] == pytest.approx(0.025)
    assert curve.observed[9] == pytest.approx(2 / 3)
    assert np.isnan(curve.predicted[1:9]).all()
    assert curve.error == pytest.approx((abs(0.05 - 1) + abs(2.95 - 2)) / 5)


def test_probabilities_that_mean_what_they_say_are_calibrated():
    rng = np.random.default_rng(0)
    field = rng.random(200_000)
    truth = rng.random(200_000) < field
    curve = calibration_curve(field, truth)
    np.testing.assert_allclose(curve.observed, curve.predicted, atol=0.015)
    assert curve.error < 0.01
    assert calibration_curve(field**3, truth).error > 0.1


def test_nothing_counted_has_no_error():
    empty = CalibrationCurve(np.zeros(10, np.int64), np.zeros(10), np.zeros(10))
    assert empty.error == 0
    assert np.isnan(empty.observed).all()


def test_an_empty_field_scores_the_share_of_the_truth():
    truth = np.zeros((10, 10, 10), bool)
    truth[0, 0, :5] = True
    assert brier_score(np.zeros(truth.shape), truth) == pytest.approx(0.005)
    assert soft_iou(np.zeros(truth.shape), truth) == 0


@pytest.mark.parametrize("score", [brier_score, soft_iou, calibration_curve])
@pytest.mark.parametrize(
    ("field", "truth", "message"),
    [
        (np.zeros(3), np.zeros(4), r"shape \(3,\)"),
        (np.zeros(0), np.zeros(0), "no voxel"),
        ([0.5, 1.5], [0, 1], r"field has values outside \[0, 1\]"),
        ([0.5, np.nan], [0, 1], "outside"),
        ([0.5, 0.5], [0, 2], "truth has values"),
    ],
)
def test_wrong_input_is_named(score, field, truth, message):
    with pytest.raises(InputError, match=message):
        score(field, truth)


def test_a_curve_needs_a_bin():
    with pytest.raises(InputError, match="0 bins"):
        calibration_curve([0.5], [1], bins=0)
