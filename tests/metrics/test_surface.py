"""Surfaces and centres, by hand and in the cases in which something is empty."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.surface import (
    SurfaceScores,
    centre_error,
    compare_surfaces,
    diagonal,
    surface_points,
)

GRID = GridSpec(10, 1.0)  # voxels of 10 cm
NONE = np.zeros((0, 3))


def block(low: int, high: int, axis: int = 0) -> np.ndarray:
    voxels = np.zeros(GRID.shape, bool)
    voxels[3:6, 3:6, 3:6] = True
    cut = [slice(3, 6)] * 3
    cut[axis] = slice(low, high)
    found = np.zeros(GRID.shape, bool)
    found[tuple(cut)] = True
    return found


def test_the_surface_of_a_voxel_is_its_six_faces():
    voxels = np.zeros(GRID.shape, bool)
    voxels[0, 5, 9] = True
    points = surface_points(voxels, GRID)
    center = np.array([-0.45, 0.05, 0.45])
    expected = [center + 0.05 * sign * axis for axis in np.eye(3) for sign in (-1, 1)]
    np.testing.assert_allclose(sorted(points.tolist()), sorted(np.array(expected).tolist()))


def test_faces_between_occupied_voxels_do_not_count():
    assert len(surface_points(block(3, 6), GRID)) == 6 * 9
    assert len(surface_points(np.ones(GRID.shape), GRID)) == 6 * 100
    with pytest.raises(InputError, match="voxels of shape"):
        surface_points(np.zeros((3, 3, 3)), GRID)


def test_the_same_surface_is_perfect():
    points = surface_points(block(3, 6), GRID)
    assert compare_surfaces(points, points, GRID) == SurfaceScores(0.0, 1.0, 1.0)


def test_two_plates_by_hand():
    """Nine points each, 10 cm apart: nothing is near at 5 cm, everything at 10."""
    first = np.array([[0.0, 0.1 * j, 0.1 * k] for j in range(3) for k in range(3)])
    scores = compare_surfaces(first, first + np.array([0.1, 0, 0]), GRID)
    assert scores == SurfaceScores(pytest.approx(0.1), 0.0, 1.0)


def test_precision_and_recall_are_both_in_the_f_score():
    first = np.array([[0.0, 0, 0], [1.0, 0, 0], [2.0, 0, 0]])
    scores = compare_surfaces(first, first[:1], GRID)
    assert scores.f_5cm == pytest.approx(2 * (1 / 3) / (1 / 3 + 1))
    assert scores.chamfer == pytest.approx((1.0 + 0.0) / 2)


def test_what_is_empty():
    points = surface_points(block(3, 6), GRID)
    assert compare_surfaces(NONE, NONE, GRID) == SurfaceScores(0.0, 1.0, 1.0)
    for first, second in ((NONE, points), (points, NONE)):
        assert compare_surfaces(first, second, GRID) == SurfaceScores(diagonal(GRID), 0.0, 0.0)
    assert diagonal(GRID) == pytest.approx(np.sqrt(3))


def test_the_centre_is_that_of_the_probabilities():
    truth = block(3, 6)
    assert centre_error(truth, truth, GRID) == 0
    assert centre_error(0.2 * block(5, 8), truth, GRID) == pytest.approx(0.2)
    half = 0.5 * block(3, 6) + 0.5 * block(6, 9)
    assert centre_error(half, truth, GRID) == pytest.approx(0.15)
    assert centre_error(np.zeros(GRID.shape), truth, GRID) == diagonal(GRID)
    assert np.isnan(centre_error(truth, np.zeros(GRID.shape), GRID))
