"""The nearest points: those of a search through all, ties by number."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from chorus_bench.geometry import nearest
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.nearest import nearest_points


@pytest.fixture(params=["boxes", "tree"], autouse=True)
def search(request):
    """Let each test search boxes, and the tree, as while another thread searches boxes."""
    with nearest._BOXES if request.param == "tree" else contextlib.nullcontext():
        yield


def by_search(points, queries, count):
    offset = points[None] - queries[:, None]
    squares = offset[..., 0] ** 2 + offset[..., 1] ** 2 + offset[..., 2] ** 2
    order = np.argsort(squares, axis=1, kind="stable")[:, :count]
    return np.sqrt(np.take_along_axis(squares, order, axis=1)).T, order.T


@pytest.mark.parametrize("count", [1, 7, 30])
def test_nearest_of_points_anywhere(count):
    rng = np.random.default_rng(count)
    points, queries = rng.normal(size=(200, 3)), rng.normal(size=(3000, 3))
    distances, numbers = nearest_points(points, queries, count, spacing=0.125)
    expected = by_search(points, queries, count)
    np.testing.assert_array_equal(numbers, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


@pytest.mark.parametrize("count", [1, 5, 12])
def test_ties_go_to_the_lower_number(count):
    # Points of a lattice, each there three times, asked from its centres, edges and corners.
    rng = np.random.default_rng(count)
    lattice = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), axis=-1).reshape(-1, 3)
    points = rng.permutation(np.concatenate([lattice] * 3))
    queries = rng.integers(-1, 9, (500, 3)) / 2
    distances, numbers = nearest_points(points, queries, count, spacing=0.125)
    expected = by_search(points, queries, count)
    np.testing.assert_array_equal(numbers, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


def test_all_points_may_be_asked_for():
    points = np.random.default_rng(0).normal(size=(6, 3))
    distances, numbers = nearest_points(points, points, 6, spacing=0.125)
    assert (distances[0] == 0).all()
    assert (numbers[0] == np.arange(6)).all()


def test_no_query():
    distances, numbers = nearest_points(np.zeros((3, 3)), np.zeros((0, 3)), 2, spacing=0.125)
    assert distances.shape == numbers.shape == (2, 0)


@pytest.mark.parametrize("spacing", [1e-3, 0.1, 0.5, 100.0])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_the_boxes_move_nothing(spacing, scale):
    rng = np.random.default_rng(2)
    points, queries = rng.normal(size=(300, 3)) * scale, rng.normal(size=(400, 3)) * scale
    distances, numbers = nearest_points(points, queries, 9, spacing=spacing * scale)
    expected = by_search(points, queries, 9)
    np.testing.assert_array_equal(numbers, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_what_float32_cannot_tell_apart(shift):
    # Points so near each other, or so far from the origin, that float32 sees them in one place.
    rng = np.random.default_rng(3)
    points = shift + rng.normal(size=(200, 3)) * 1e-6
    queries = shift + rng.normal(size=(100, 3))
    distances, numbers = nearest_points(points, queries, 7, spacing=0.125)
    expected = by_search(points, queries, 7)
    np.testing.assert_array_equal(numbers, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


def test_a_body_and_its_voxels():
    body, grid = load_body(), GridSpec(24)
    distances, numbers = nearest_points(body.canonical_vertices, grid.centers(), 30, spacing=0.125)
    some = np.random.default_rng(4).choice(grid.voxels, 300, replace=False)
    expected = by_search(body.canonical_vertices, grid.centers()[some], 30)
    np.testing.assert_array_equal(numbers[:, some], expected[1])
    np.testing.assert_array_equal(distances[:, some], expected[0])


def test_threads_that_search_at_once_find_the_same():
    rng = np.random.default_rng(5)
    points, queries = rng.normal(size=(500, 3)), rng.normal(size=(2000, 3))
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(nearest_points, points, queries, 9, spacing=0.1) for _ in range(8)]
    found = {tuple(array.tobytes() for array in job.result()) for job in jobs}
    several = nearest_points(points, queries, 9, spacing=0.1, threads=4)
    assert found == {tuple(array.tobytes() for array in several)}
