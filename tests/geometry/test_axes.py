"""Axes from words."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.axes import BODY_AXES, Axes

POINT = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("words", "point"),
    [
        ("xyz", [1, 2, 3]),
        ("xzy", [1, 3, 2]),
        ("-xzy", [-1, 3, 2]),
        ("yzx", [3, 1, 2]),
        ("z-up, x-left", [1, 3, -2]),  # Blender: the person faces -y
        ("z-up x-right", [-1, 3, 2]),
        ("Y-up, z-forward", [1, 2, 3]),
        ("x-forward, z-up", [2, 3, 1]),  # ROS: y to the left
        ("x-right, y-up, z-forward", [-1, 2, 3]),  # left-handed, as in Unity
    ],
)
def test_points_are_taken_to_the_body_frame(words, point):
    axes = Axes.parse(words)
    assert axes.points(POINT).tolist() == point
    assert (axes.matrix @ POINT).tolist() == point
    assert axes.right_handed == (np.linalg.det(axes.matrix) > 0)
    if "," in words and words.count("-") == 2:
        assert axes.right_handed


@pytest.mark.parametrize("words", ["xzy", "-xzy", "yzx", "z-up, x-left", "x-forward z-up"])
def test_arrays_turn_like_the_points_of_their_voxels(words):
    axes = Axes.parse(words)
    shape = (3, 4, 5)
    values = np.random.default_rng(0).random(shape)
    turned = axes.array(values)
    index = np.indices(shape).reshape(3, -1).T
    places = axes.points(index - (np.array(shape) - 1) / 2) + (np.array(turned.shape) - 1) / 2
    found = turned[tuple(places.astype(int).T)]
    np.testing.assert_array_equal(found, values.ravel())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("xxy", "names an axis of the body twice"),
        ("z-up", "does not say where the other axes point"),
        ("z-up, y-down", "names an axis of the body twice"),
        ("z-up, z-left", "named before"),
        ("z-north, x-left", "'z-north' is no axis"),
        ("", "does not say"),
    ],
)
def test_other_words_are_refused_with_an_example(words, message):
    with pytest.raises(InputError, match=message) as caught:
        Axes.parse(words)
    assert "z-up, x-left" in str(caught.value)


def test_the_default_changes_nothing():
    assert Axes.parse("xyz").matrix.tolist() == BODY_AXES.matrix.tolist() == np.eye(3).tolist()
