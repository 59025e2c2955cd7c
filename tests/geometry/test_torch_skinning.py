"""Nearest vertices, blend and smoothing through torch: the bits of NumPy's path."""

from __future__ import annotations

import numpy as np
import pytest
import torch  # noqa: F401 - all of this needs it

import chorus_bench.geometry.torch_skinning as torch_skinning
from chorus_bench.engines.threads import torch_threads
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.nearest import nearest_points
from chorus_bench.geometry.skinning import SkinningSettings, voxel_skinning, warp_backward

TORCH = "cpu:0"
GRID = GridSpec(resolution=14)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Many threads would wait for each other here."""
    with torch_threads(1):
        yield


def assert_nearest(points, queries, count):
    expected = nearest_points(points, queries, count, spacing=0.125)
    found = torch_skinning.nearest_vertices(points, queries, count, TORCH)
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.asarray(own), other, strict=True)


@pytest.mark.parametrize("count", [1, 30, 200])
def test_nearest_of_points_anywhere(count, monkeypatch):
    monkeypatch.setattr(torch_skinning, "_PAIRS_AT_ONCE", 200 * 70)
    rng = np.random.default_rng(count)
    assert_nearest(rng.normal(size=(200, 3)), rng.normal(size=(300, 3)), count)


@pytest.mark.parametrize("count", [1, 5, 12])
def test_ties_and_equal_points_go_to_the_lower_number(count):
    rng = np.random.default_rng(count)
    lattice = np.stack(np.meshgrid(*[np.arange(4.0)] * 3), axis=-1).reshape(-1, 3)
    points = rng.permutation(np.concatenate([lattice] * 3))
    assert_nearest(points, rng.integers(-1, 9, (300, 3)) / 2, count)


def test_what_float32_cannot_tell_apart():
    """The proposal rounds to float32; the order is that of double precision."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=3) + 1e-9 * rng.normal(size=(60, 3))
    assert_nearest(points, rng.normal(size=(40, 3)), 4)
    assert_nearest(points, points[:9].copy(), 4)


@pytest.mark.parametrize(
    "settings",
    [
        SkinningSettings(),
        SkinningSettings(neighbours=1, smoothing_steps=0),
        SkinningSettings(neighbours=7, y_scale=1.3, identity_distance=0.3, smoothing_share=0.7),
    ],
)
def test_a_warp_has_the_bits_of_the_processor(settings):
    body, rng = load_body("default"), np.random.default_rng(3)
    for scale in (0.0, 0.4):
        pose = np.concatenate([np.zeros(3), scale * rng.normal(size=69)])
        expected = warp_backward(body, pose, GRID, settings)
        found = warp_backward(body, pose, GRID, settings, device=TORCH)
        np.testing.assert_array_equal(found, expected, strict=True)
        assert (expected != GRID.centers().astype(np.float32)).any()  # also in the T pose


def test_a_vertex_in_the_middle_of_a_voxel():
    rng = np.random.default_rng(1)
    centers = GRID.centers()
    vertices = np.concatenate(
        [centers[1000:1040], centers[1000:1003], rng.normal(size=(30, 3)) / 9]
    )
    values = rng.normal(size=(len(vertices), 5))
    here, there = (voxel_skinning(vertices, GRID, device=name) for name in ("cpu", TORCH))
    np.testing.assert_array_equal(there.near, here.near, strict=True)
    np.testing.assert_array_equal(there.apply(values), here.apply(values), strict=True)
    assert np.isfinite(here.apply(values)).all()
