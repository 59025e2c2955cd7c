"""Canonical points that are remembered."""

import numpy as np
import pytest

import chorus_bench.evaluation.warping as warping
from chorus_bench.evaluation.warping import REMEMBERED, canonical_points
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings, warp_backward

GRID, SKINNING = GridSpec(resolution=8), SkinningSettings()


@pytest.fixture
def calls(monkeypatch):
    """Return the poses that were warped."""
    poses = []

    def counted(body, pose, *arguments, **options):
        poses.append(pose)
        return warp_backward(body, pose, *arguments, **options)

    warping.forget()
    monkeypatch.setattr(warping, "warp_backward", counted)
    return poses


def poses(count):
    drawn = np.random.default_rng(0).normal(scale=0.3, size=(count, 72))
    return drawn.astype(np.float32)


def test_a_sample_is_warped_once(calls):
    body, pose = load_body("default"), poses(1)[0]
    first = canonical_points(body, pose, GRID, SKINNING)
    again = canonical_points(body, pose.tolist(), GRID, SKINNING)  # as a row has it
    assert again is first
    assert len(calls) == 1
    assert first.tobytes() == warp_backward(body, pose, GRID, SKINNING).tobytes()
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_another_sample_grid_or_setting_is_warped_anew(calls):
    body, (pose, other) = load_body("default"), poses(2)
    canonical_points(body, pose, GRID, SKINNING)
    canonical_points(body, other, GRID, SKINNING)
    canonical_points(body, pose, GridSpec(resolution=9), SKINNING)
    canonical_points(body, pose, GRID, SkinningSettings(neighbours=4))
    canonical_points(body, pose, GRID, SKINNING, threads=2)
    assert len(calls) == 5


def test_memory_is_bounded(calls):
    body, many = load_body("default"), poses(REMEMBERED + 1)
    for pose in [*many, many[0]]:
        canonical_points(body, pose, GRID, SKINNING)
    assert len(calls) == REMEMBERED + 2


def test_fine_grids_are_not_remembered(calls, monkeypatch):
    monkeypatch.setattr(warping, "FINEST", 8)
    body, pose = load_body("default"), poses(1)[0]
    for _ in range(2):
        canonical_points(body, pose, GridSpec(resolution=9), SKINNING)
    assert len(calls) == 2
