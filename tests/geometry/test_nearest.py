"""The nearest points: those of a search through all, ties by number."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.geometry.nearest import nearest_points


def by_search(points, queries, count):
    offset = points[None] - queries[:, None]
    squares = offset[..., 0] ** 2 + offset[..., 1] ** 2 + offset[..., 2] ** 2
    order = np.argsort(squares, axis=1, kind="stable")[:, :count]
    return np.sqrt(np.take_along_axis(squares, order, axis=1)), order


@pytest.mark.parametrize("count", [1, 7, 30])
def test_nearest_of_points_anywhere(count):
    rng = np.random.default_rng(count)
    points, queries = rng.normal(size=(200, 3)), rng.normal(size=(3000, 3))
    distances, numbers = nearest_points(points, queries, count)
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
    distances, numbers = nearest_points(points, queries, count)
    expected = by_search(points, queries, count)
    np.testing.assert_array_equal(numbers, expected[1])
    np.testing.assert_array_equal(distances, expected[0])


def test_all_points_may_be_asked_for():
    points = np.random.default_rng(0).normal(size=(6, 3))
    distances, numbers = nearest_points(points, points, 6)
    assert (distances[:, 0] == 0).all()
    assert (numbers[:, 0] == np.arange(6)).all()


def test_no_query():
    distances, numbers = nearest_points(np.zeros((3, 3)), np.zeros((0, 3)), 2)
    assert distances.shape == numbers.shape == (0, 2)
