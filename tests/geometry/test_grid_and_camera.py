"""Grids and cameras: indices, truncation, refusals (the numbers are in tests/parity)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.datasets.schema import CAMERA_COLUMNS
from chorus_bench.errors import InputError
from chorus_bench.geometry.camera import (
    PerspectiveCamera,
    azimuth_bins,
    azimuth_degrees,
    focal_from_fov,
    pixel_indices,
)
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid

K = [[100.0, 0, 32], [0, 100, 24], [0, 0, 1]]


@given(st.integers(8, 40), st.floats(0.5, 5), st.tuples(*[st.floats(-1, 1)] * 3))
def test_centres_read_their_own_voxel(resolution, side, center):
    grid = GridSpec(resolution, side, center)
    np.testing.assert_array_equal(grid.indices(grid.centers()), np.arange(grid.voxels))


def test_indices_are_truncated_toward_zero():
    grid = GridSpec()
    just_below = [[-1.5 - 0.06, -1.5, -1.5], [-1.5 - 0.0626, 0, 0], [1.5, 0, 0], [np.nan, 0, 0]]
    np.testing.assert_array_equal(grid.indices(just_below), [0, *[grid.voxels] * 3])


def test_centers_are_shared_and_read_only():
    assert GridSpec().centers() is GridSpec().centers()
    with pytest.raises(ValueError, match="read-only"):
        GridSpec().centers()[0] = 1


def test_labels():
    assert GridSpec().label == "48x3.0"
    assert GridSpec(64, 2.5, (0, 0.5, 0)).label == "64x2.5@0.0,0.5,0.0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4,), "grid resolution 4"),
        ((257,), "grid resolution 257"),
        ((48, 0.0), "side length 0.0"),
        ((48, float("nan")), "side length nan"),
        ((48, 3.0, (0, 0, float("inf"))), "grid center"),
    ],
)
def test_impossible_grids(arguments, message):
    with pytest.raises(InputError, match=message):
        GridSpec(*arguments)


def test_occupancy_grid_reads_and_refuses():
    values = np.zeros((48, 48, 48), np.float32)
    values[24, 25, 26] = 0.75
    grid = OccupancyGrid(values)
    point = GridSpec().centers().reshape(48, 48, 48, 3)[24, 25, 26]
    assert grid.at([point, [9.0, 9, 9]]).tolist() == [0.75, 0]
    with pytest.raises(InputError, match="shape"):
        OccupancyGrid(values[:-1])
    values[1, 2, 3] = 1.5
    with pytest.raises(InputError, match=r"1 of 110592 values are outside \[0, 1\].*1, 2, 3"):
        OccupancyGrid(values)
    values[0, 0, 7] = np.nan
    with pytest.raises(InputError, match=r"NaN or infinite.*0, 0, 7"):
        OccupancyGrid(values)


def test_projection_and_pixels():
    camera = PerspectiveCamera(np.eye(3), [0, 0, 2], K)
    uv = camera.project([[0, 0, 0], [0.2, -0.1, 0], [0, 0, -4], [0, 0, -2]])
    np.testing.assert_allclose(uv[:3], [[32, 24], [42, 19], [32, 24]])
    assert not np.isfinite(uv[3]).any()
    assert pixel_indices(uv, 48, 64).tolist() == [24 * 64 + 32, 19 * 64 + 42, 24 * 64 + 32, 48 * 64]


def test_pixels_are_truncated_toward_zero():
    uv = [[-0.99, 0.5], [-1.0, 0.5], [63.99, 47.99], [64.0, 0.0], [np.nan, 0], [np.inf, 0]]
    assert pixel_indices(uv, 48, 64).tolist() == [0, 3072, 47 * 64 + 63, *[3072] * 3]


def test_rescaling_is_in_single_precision():
    camera = PerspectiveCamera(np.eye(3), [0, 0, 2], K).rescaled(32 / 427)
    expected = np.float32(32) * np.float32(32 / 427)
    assert camera.intrinsics[0, 2] == expected
    assert camera.intrinsics[2, 2] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rotation": np.zeros((3, 3))}, "rotation is not orthonormal.*: an impossible camera"),
        ({"rotation": -np.eye(3)}, "rotation is a reflection.*: an impossible camera"),
        ({"rotation": 1.1 * np.eye(3)}, "rotation is not orthonormal"),
        ({"intrinsics": np.diag([1.0, 0, 1])}, "intrinsics is .*: an impossible camera"),
        ({"intrinsics": np.transpose(K)}, "intrinsics is .*: an impossible camera"),
        ({"intrinsics": np.diag([-1.0, -1.0, 1.0])}, "intrinsics is .*: an impossible camera"),
        ({"translation": [0, 0]}, r"translation of shape \(2,\): a damaged camera"),
        ({"translation": {"x": 1}}, "camera_translation: a damaged camera"),
        ({"translation": None}, "camera_translation: no camera"),
        ({"rotation": np.full((3, 3), np.nan)}, "rotation: .* not finite"),
        ({"translation": [0, None, 1]}, "translation: .* not finite"),
        ({"translation": [0, 1e39, 1]}, "translation: .* not finite"),
    ],
)
def test_impossible_cameras(change, message):
    parts = {"rotation": np.eye(3), "translation": [0, 0, 1], "intrinsics": K} | change
    with pytest.raises(InputError, match=message):
        PerspectiveCamera.from_row({f"camera_{name}": value for name, value in parts.items()})


def test_a_camera_in_a_row():
    camera = PerspectiveCamera(np.eye(3), [0.1, 0, 2], K, 0.25)
    true_columns = PerspectiveCamera(np.eye(3), [0, 0, 1], K).columns("true_camera_")
    assert tuple(camera.columns()) == CAMERA_COLUMNS
    assert tuple(true_columns) == tuple(f"true_{name}" for name in CAMERA_COLUMNS[:3])
    row = camera.columns() | true_columns
    again = PerspectiveCamera.from_row(row)
    assert again.columns() == camera.columns()
    true = PerspectiveCamera.from_row(row, "true_camera_")
    assert true.translation.tolist() == [0, 0, 1]
    assert true.reprojection_error is None


@given(st.floats(0, 359.9), st.floats(0.5, 10))
def test_azimuth_goes_from_x_toward_z(angle, radius):
    x, z = radius * np.cos(np.radians(angle)), radius * np.sin(np.radians(angle))
    found = azimuth_degrees(x, z)
    difference = (found - angle + 180) % 360 - 180
    assert abs(difference) < 0.02  # within 1e-4 of an axis counts as on it
    assert 0 <= azimuth_bins(found) < 12


def test_camera_centre_and_focal_length():
    camera = PerspectiveCamera(np.diag([1.0, -1, -1]), [0.1, 0.2, 3], K)
    np.testing.assert_allclose(camera.center, [-0.1, 0.2, 3], atol=1e-6)
    assert focal_from_fov() == pytest.approx(1.1665874, abs=1e-7)
