"""Each warning about a degenerate field says what really happens to its score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.pap import projective_average_precision
from chorus_bench.submission import field_warnings

SPEC = GridSpec(8)
SHAPE = SPEC.shape


def full(value: float) -> np.ndarray:
    return np.full(SHAPE, value, np.float32)


def half(low: float, high: float) -> np.ndarray:
    values = full(low)
    values[:4] = high
    return values


def score(values: np.ndarray, *, closed: bool = False):
    """Score a field by its largest values along z, against a target that covers a half."""
    target = np.zeros(SHAPE[:2])
    target[2:6] = 1
    return projective_average_precision(values.max(axis=2), target, 0 * target, closed=closed)


def only(values: np.ndarray) -> str:
    (warning,) = field_warnings(values, SPEC)
    return warning


def test_a_field_that_spreads_gets_no_warning():
    values = np.linspace(0, 1, 512, dtype=np.float32).reshape(SHAPE)
    assert field_warnings(values, SPEC) == []
    assert score(values).pap_strict > 0


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (half(0, 1), "every voxel is below 0.01 or at least 0.99 (binary or saturated)"),
        (half(0.009, 0.995), "every voxel is below 0.01 or at least 0.99 (binary or saturated)"),
        (half(0.99, 1), "every voxel is below 0.01 or at least 0.99 (binary or saturated)"),
        (full(1), "every voxel is 1 (constant)"),
    ],
)
def test_binary_fields_score_nothing_officially(values, found):
    warning = only(values)
    assert warning.startswith(found)
    assert "never change between 0.01 and 0.99, so the official PAP is 0" in warning
    assert "score with the protocol `closed`" in warning
    assert score(values).pap == score(values).pap_strict == 0
    assert score(values, closed=True).pap > 0


@pytest.mark.parametrize("values", [full(0), full(0.005), half(0, 0.0099)])
def test_fields_below_the_first_threshold_score_nothing_at_all(values):
    warning = only(values)
    assert warning.startswith("every voxel is below 0.01 (the largest is ")
    assert "every score is 0, also with the protocol `closed`" in warning
    assert score(values).pap == score(values, closed=True).pap == 0


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (full(0.5), "every voxel is 0.5 (constant)"),
        (half(0, 0.5), "every voxel of the prediction lies at the same threshold, 0.5"),
        (half(0.3, 0.305), "every voxel of the prediction lies at the same threshold, 0.3"),
    ],
)
def test_fields_that_disappear_at_once_score_nothing_strictly(values, found):
    warning = only(values)
    assert warning.startswith(found)
    assert "the strict scores are 0" in warning
    assert score(values).pap_strict == score(values, closed=True).pap_strict == 0
    assert score(values).pap > 0


def test_faint_fields_use_few_thresholds():
    values = np.linspace(0, 0.05, 512, dtype=np.float32).reshape(SHAPE)
    warning = only(values)
    assert warning.startswith("no voxel is above 0.05: only 5 of the 99 thresholds")
    assert "divide by the largest" in warning
    assert field_warnings(values * np.float32(1.2), SPEC) == []


@pytest.mark.parametrize(
    ("values", "found", "advice"),
    [
        (half(0, 255), "the values run from 0 to 255", "divide them by 255"),
        (half(-4, 6), "the values run from -4 to 6", "apply the sigmoid"),
        (half(0, 1.001), "the values run from 0 to 1.001", "clip if these are rounding errors"),
        (half(0.5, np.nan), "256 values are NaN or infinite", "where the NaN or infinite"),
        (full(np.inf), "512 values are NaN or infinite", "where the NaN or infinite"),
    ],
)
def test_values_on_another_scale_are_recognised(values, found, advice):
    warning = only(values)
    assert warning.startswith(found)
    assert "such a submission is refused" in warning
    assert advice in warning


def test_units_and_values_are_warned_of_together():
    first, second = field_warnings(full(1), GridSpec(8, 300.0))
    assert "side_length is 300, which looks like centimetres" in first
    assert "official PAP is 0" in second
    assert "millimetres" in field_warnings(full(1), GridSpec(8, 3000.0))[0]


@given(
    hnp.arrays(
        np.float32,
        SHAPE,
        elements=st.sampled_from(
            np.float32([0, 0.005, 0.01, 0.02, 0.05, 0.5, 0.98, 0.99, 1]).tolist()
        ),
        fill=st.sampled_from(np.float32([0, 0.01, 0.5, 1]).tolist()),
    )
)
def test_warnings_promise_only_what_the_metric_does(values):
    text = " ".join(field_warnings(values, SPEC))
    if "official PAP is 0" in text:
        assert score(values).pap == 0
    if "every score is 0" in text:
        assert score(values, closed=True).pap == 0
    if "strict scores are 0" in text:
        assert score(values).pap_strict == 0
    if not text:
        assert values.max() > 0.05
