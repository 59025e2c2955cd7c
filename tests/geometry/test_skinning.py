"""Voxel skinning weights and warps: properties (the numbers are in tests/parity)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import star_pose
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import (
    SkinningSettings,
    skinning_weights,
    voxel_skinning,
    warp_backward,
    warp_forward,
)

SMALL = GridSpec(resolution=14)


@pytest.fixture(scope="module")
def body():
    return load_body("default")


def plain_weights(vertices, vertex_weights, grid, settings):
    """Weights by the three steps of the definition, dense and one after the other."""
    centers = grid.centers()
    distances = cdist(centers, vertices)
    order = np.argsort(distances, axis=1)[:, : settings.neighbours]
    near = np.take_along_axis(distances, order, axis=1)
    inverse = 1 / near
    mean = np.einsum("nk,nkj->nj", inverse / inverse.sum(1, keepdims=True), vertex_weights[order])
    share = 1 - np.exp(-0.5 * np.arctanh(np.clip(near[:, 0] / 0.8, 0, 1 - 1e-16)))
    identity = np.eye(24)[0]
    far = near[:, 0] > 0.8
    share[far] = 1
    w = share[:, None] * identity + (1 - share[:, None]) * mean
    w = (w / w.sum(1, keepdims=True)).reshape(*grid.shape, 24)
    far = far.reshape(grid.shape)
    for _ in range(settings.smoothing_steps):
        new = w.copy()
        sides = (
            w[:-2, 1:-1, 1:-1] + w[2:, 1:-1, 1:-1] + w[1:-1, :-2, 1:-1]
            + w[1:-1, 2:, 1:-1] + w[1:-1, 1:-1, :-2] + w[1:-1, 1:-1, 2:]
        )  # fmt: skip
        new[1:-1, 1:-1, 1:-1] = 0.7 * w[1:-1, 1:-1, 1:-1] + 0.3 * sides / 6
        new[far] = identity
        w = new / new.sum(-1, keepdims=True)
    return w.reshape(-1, 24)


@pytest.mark.parametrize("steps", [0, 1, 30])
def test_equals_the_plain_definition(body, steps):
    rng = np.random.default_rng(0)
    vertices = body.pose(np.concatenate([np.zeros(3), rng.normal(0, 0.3, 69)]))[::10]
    weights = body.weights[::10].astype(np.float64)
    chosen = SkinningSettings(smoothing_steps=steps)
    found = skinning_weights(vertices, weights, SMALL, chosen)
    np.testing.assert_allclose(found, plain_weights(vertices, weights, SMALL, chosen), atol=2e-6)


def test_body_that_leaves_the_cube(body):
    """Vertices outside the grid must not change the answer for the voxels inside."""
    vertices = body.template[::10] + np.array([1.2, 0, 0])
    weights = body.weights[::10].astype(np.float64)
    chosen = SkinningSettings()
    found = skinning_weights(vertices, weights, SMALL, chosen)
    np.testing.assert_allclose(found, plain_weights(vertices, weights, SMALL, chosen), atol=2e-6)


def test_voxel_on_a_vertex_takes_its_weights(body):
    vertices = body.template.astype(np.float64).copy()
    centers = SMALL.centers()
    voxel = int(np.argmin(np.linalg.norm(centers - vertices[100], axis=1)))
    vertices[100] = centers[voxel]
    found = skinning_weights(vertices, body.weights, SMALL, SkinningSettings(smoothing_steps=0))
    np.testing.assert_allclose(found[voxel], body.weights[100], atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_weights_are_weights(seed):
    body = load_body("default")
    pose = np.concatenate([np.zeros(3), np.random.default_rng(seed).normal(0, 0.5, 69)])
    weights = skinning_weights(body.pose(pose), body.weights, SMALL)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert weights.min() > -1e-6


def test_star_pose_warps_nothing(body):
    grid = GridSpec(resolution=24)
    operator = voxel_skinning(body.canonical_vertices, grid)
    np.testing.assert_allclose(warp_forward(operator, body, star_pose()), grid.centers(), atol=1e-6)
    np.testing.assert_allclose(warp_backward(body, star_pose(), grid), grid.centers(), atol=1e-6)


def test_points_follow_their_bone(body):
    """A voxel inside the forearm goes where the posed forearm goes, and comes back."""
    grid, pose = GridSpec(), star_pose()
    pose[3 * 18 + 1] = 0.9  # left elbow
    operator = voxel_skinning(body.canonical_vertices, grid)
    middle = body.rest_joints()[[18, 20]].mean(axis=0)
    voxel = int(np.argmin(np.linalg.norm(grid.centers() - middle, axis=1)))
    forearm = body.canonical_to_posed(pose)[18]
    expected = forearm[:3, :3] @ grid.centers()[voxel] + forearm[:3, 3]
    moved = warp_forward(operator, body, pose)[voxel]
    assert np.linalg.norm(moved - grid.centers()[voxel]) > 0.05
    np.testing.assert_allclose(moved, expected, atol=0.03)


def test_too_few_vertices(body):
    with pytest.raises(InputError, match="a body of 20 vertices"):
        voxel_skinning(body.template[:20], SMALL)


def test_labels():
    assert SkinningSettings().label == "k30,d0.8,y0.5,s30"
    changed = SkinningSettings(identity_distance=1.0, smoothing_share=0.5).label
    assert changed == "k30,d0.8,y0.5,s30,i1.0,share0.5"
