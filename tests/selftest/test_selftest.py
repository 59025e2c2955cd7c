"""The self-test's own parts: it must notice a fault, and say what it compared."""

import math

import cv2
import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation import prepare
from chorus_bench.geometry.camera import pixel_indices
from chorus_bench.metrics import pap
from chorus_bench.selftest import Comparison, data, geometry, images, metric
from chorus_bench.selftest.comparison import differing, largest


def compare(ours, theirs, tolerance=0.1):
    return largest("name", "quantity", "m", ours, theirs, tolerance)


# ---- one comparison


def test_the_largest_difference_decides():
    comparison = compare([1, 2.05, 3], [1, 2, 3.0625])
    assert comparison == Comparison("name", "quantity", "m", 0.0625, 0.1, 3)
    assert comparison.passed
    assert not compare([1, 2.2], [1, 2]).passed


def test_a_difference_of_exactly_the_tolerance_passes():
    assert compare([0.5], [0.25], tolerance=0.25).passed
    assert not compare([0.5], [0.25], tolerance=np.nextafter(0.25, 0)).passed


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_in_one_only_fails(value):
    assert compare([1, value], [1, 2]).largest_difference == math.inf
    assert compare([1, 2], [1, value]).largest_difference == math.inf
    assert compare([1, value], [1, value]).largest_difference == 0


def test_other_shapes_fail():
    assert not compare([1, 2, 3], [1, 2]).passed
    assert not compare([[1, 2]], [1, 2]).passed
    assert not differing("name", "quantity", "pixels", [1, 2, 3], [1, 2], 9).passed


def test_differing_entries_are_counted():
    comparison = differing("name", "quantity", "pixels", [1, 2, 3], [1, 5, 5], 1)
    assert comparison == Comparison("name", "quantity", "pixels", 2.0, 1, 3)
    assert not comparison.passed
    assert differing("name", "quantity", "pixels", [1, 2, 3], [1, 2, 5], 1).passed


def test_a_comparison_of_nothing_fails():
    assert not compare([], []).passed
    assert not Comparison("name", "quantity", "", math.nan, 1, 5).passed


# ---- faults are noticed


def failed(comparisons):
    return {comparison.name for comparison in comparisons if not comparison.passed}


def test_a_fault_of_the_metric_is_noticed(monkeypatch):
    right = pap.average_precision

    def without_strictness(counts, *, closed=False):
        plain, _ = right(counts, closed=closed)
        return plain, plain

    monkeypatch.setattr(pap, "average_precision", without_strictness)
    assert failed(metric.compare_metric()) == {"PAP of stacks of masks"}


def test_thresholds_in_double_precision_are_noticed(monkeypatch):
    def levels(occupancy, thresholds):
        return np.searchsorted(thresholds, np.float64(occupancy), side="right")

    monkeypatch.setattr(pap, "occupancy_levels", levels)
    assert "precision" in failed(metric.compare_metric())


def test_a_mean_that_counts_every_image_is_noticed(monkeypatch):
    monkeypatch.setattr(pap, "counted", lambda areas: np.ones((len(areas), 4), dtype=bool))
    assert failed(metric.compare_means()) == {"category means"}


def test_another_azimuth_is_noticed(monkeypatch):
    monkeypatch.setattr(
        geometry, "azimuth_degrees", lambda x, z: np.degrees(np.arctan2(z, x)) % 360
    )
    assert failed(geometry.compare_azimuth())


def test_another_mask_scaling_is_noticed(monkeypatch):
    def nearest(mask, height, width):
        return cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)

    monkeypatch.setattr(images, "small_target", nearest)
    assert failed(images.compare_targets()) == {"small targets"}


def test_pixels_that_are_floored_are_noticed(monkeypatch):
    def floored(uv, height, width):
        return pixel_indices(np.floor(uv), height, width)

    monkeypatch.setattr(prepare, "pixel_indices", floored)
    assert {"rendered masks", "end-to-end PAP"} <= failed(images.compare_images())


# ---- the golden figures


def test_golden_arrays_are_read_only():
    arrays = data.golden("metric")
    with pytest.raises(ValueError, match="read-only"):
        arrays["scores"][0, 0] = 0
    with pytest.raises(TypeError):
        arrays["scores"] = np.zeros(1)


def test_figures_that_are_not_there_are_an_error_that_helps():
    with pytest.raises(InputError) as caught:
        data.golden("nothing")
    assert "the golden figures 'nothing.npz' are not part of this installation" in str(caught.value)
    assert "full source checkout" in str(caught.value)


def test_the_golden_body():
    body = data.golden_body()
    assert (body.name, body.vertices) == ("golden", 6890)
    for directions, steps in ((body.pose_directions, 4096), (body.shape_directions, 16384)):
        assert directions.dtype == np.float32
        assert np.array_equal(directions * steps, np.round(directions * steps))


def test_images_of_several_sizes_come_back_apart():
    shapes = [(2, 3), (1, 1), (3, 2)]
    masks = [np.arange(h * w).reshape(h, w) % 2 == 1 for h, w in shapes]
    flat = np.concatenate([mask.ravel() for mask in masks])
    for parts in (data.split_images(flat, shapes), data.unpack_masks(np.packbits(flat), shapes)):
        for part, mask in zip(parts, masks, strict=True):
            np.testing.assert_array_equal(part, mask)
