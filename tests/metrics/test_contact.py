"""Contact of vertices, by hand and in the cases in which something is empty."""

from __future__ import annotations

import math

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.contact import (
    ContactScores,
    Geodesics,
    contact_mae,
    contact_probabilities,
    contact_scores,
    contact_similarity,
)

GRID = GridSpec(10, 1.0)  # voxels of 10 cm


def one_voxel(value: float = 0.7) -> OccupancyGrid:
    values = np.zeros(GRID.shape, np.float32)
    values[5, 5, 5] = value  # from 0 to 0.1 on every axis
    return OccupancyGrid(values, GRID)


@pytest.mark.parametrize(
    ("vertex", "contact"),
    [
        ([0.05, 0.05, 0.05], 0.7),
        ([0.149, 0.05, 0.05], 0.7),
        ([0.151, 0.05, 0.05], 0.0),
        ([0.13, 0.13, 0.05], 0.7),
        ([0.14, 0.14, 0.05], 0.0),  # 5.7 cm from the edge
        ([-0.04, 0.0, 0.0], 0.7),
        ([-9.0, 0.0, 0.0], 0.0),
    ],
)
def test_a_vertex_touches_voxels_within_5_cm(vertex, contact):
    assert contact_probabilities(one_voxel(), [vertex])[0] == pytest.approx(contact)


def test_the_largest_probability_counts():
    values = one_voxel().values.copy()
    values[6, 5, 5] = 0.9
    found = contact_probabilities(OccupancyGrid(values, GRID), [[0.09, 0.05, 0.05]])
    assert found[0] == np.float32(0.9)


def test_scores_by_hand():
    truth = np.array([1, 1, 0, 0], bool)
    away = np.array([0.0, 0.0, 0.1, 0.3])
    scores = contact_scores([0, 1, 1, 1], truth, away)
    assert scores.precision == pytest.approx(1 / 3)
    assert scores.recall == 0.5
    assert scores.f1 == pytest.approx(0.4)
    assert scores.geodesic == pytest.approx(0.4 / 3)
    assert contact_scores([0, 0, 0, 1], truth).f1 == 0
    assert math.isnan(contact_scores([0, 0, 0, 1], truth).geodesic)


def test_what_is_empty():
    some, none = [1, 0, 0], [0, 0, 0]
    assert contact_scores(none, none) == ContactScores(1.0, 1.0, 1.0, 0.0)
    for predicted, truth in ((some, none), (none, some)):
        scores = contact_scores(predicted, truth, np.zeros(3))
        assert (scores.precision, scores.recall, scores.f1) == (0, 0, 0)
        assert math.isnan(scores.geodesic)
        assert contact_similarity(predicted, truth) == 0
        assert contact_mae(predicted, truth) == pytest.approx(1 / 3)
    assert (contact_similarity(none, none), contact_mae(none, none)) == (1, 0)


def test_maps_are_normalised():
    predicted, truth = np.array([0.1, 0.1, 0.0, 0.2]), np.array([1.0, 0.0, 1.0, 2.0])
    assert contact_similarity(predicted, truth) == pytest.approx(0.25 + 0.5)
    assert contact_mae(predicted, truth) == pytest.approx((0 + 0.5 + 0.5 + 0) / 4)
    assert contact_similarity(7 * truth, truth) == pytest.approx(1)
    assert contact_mae(7 * truth, truth) == 0


@pytest.mark.parametrize(
    ("predicted", "message"),
    [([0.1], "of shapes"), ([-0.1, 0.1], "negative"), ([np.nan, 0], "NaN"), ([[0, 1]], "shapes")],
)
def test_wrong_maps(predicted, message):
    for score in (contact_similarity, contact_mae):
        with pytest.raises(InputError, match=message):
            score(predicted, [0, 1])


def test_shapes_that_differ():
    with pytest.raises(InputError, match=r"shapes \(1,\) and \(2,\)"):
        contact_scores([1], [0, 1])


def test_geodesics_follow_the_skin():
    body = load_body("default")
    joints = body.dominant_joints()
    left, right = joints == 20, joints == 21  # the wrists
    away = Geodesics(body).to_nearest(left)
    straight = np.linalg.norm(body.template[right][:, None] - body.template[left], axis=2).min()
    assert (away[left] == 0).all()
    assert away[right].min() > straight
    assert np.isfinite(away).all()
    nothing = Geodesics(body).to_nearest(np.zeros(body.vertices, dtype=bool))
    assert np.isinf(nothing).all()
    assert nothing.shape == (body.vertices,)
