"""Posed-space inference."""

import numpy as np
import pytest

from chorus_baselines.chorus import posed_field
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import star_pose
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid

GRID = GridSpec(24)
BODY = load_body("default")
RIGHT_SHOULDER, RIGHT_WRIST = 17, 21


def ball(center, radius, grid=GRID):
    distance = np.linalg.norm(grid.centers() - center, axis=1)
    return (distance < radius).astype(np.float32).reshape(grid.shape)


def centroid(field, grid=GRID):
    return (field.reshape(-1, 1) * grid.centers()).sum(axis=0) / field.sum()


def test_the_canonical_pose_changes_nothing():
    field = np.random.default_rng(0).random(GRID.shape).astype(np.float32)
    found = posed_field(field, star_pose(), "default", GRID)
    assert found.dtype == np.float32
    assert found.shape == GRID.shape
    assert np.mean(found == field) > 0.999


def test_what_is_at_the_wrist_goes_with_the_wrist():
    grid = GridSpec(48)
    _, canonical = BODY.bone_transforms(star_pose())
    pose = np.zeros(72)
    pose[3 * RIGHT_SHOULDER + 2] = np.pi / 3  # the arm goes down at the person's right
    _, posed = BODY.bone_transforms(pose)
    assert posed[RIGHT_WRIST][1] < canonical[RIGHT_WRIST][1] - 0.3
    found = posed_field(ball(canonical[RIGHT_WRIST], 0.15, grid), pose, BODY, grid)
    assert centroid(found, grid) == pytest.approx(posed[RIGHT_WRIST], abs=0.08)


def test_the_field_may_have_a_grid_of_its_own():
    fine = GridSpec(48, 2.4)
    center = np.array([0.0, -0.2, 0.4])
    field = OccupancyGrid(ball(center, 0.3, fine), fine)
    found = posed_field(field, star_pose(), BODY, GRID)
    assert found.shape == GRID.shape
    assert centroid(found) == pytest.approx(center, abs=0.02)


def test_the_global_orientation_is_ignored():
    pose = np.random.default_rng(1).normal(0, 0.2, 72)
    field = ball((0, 0, 0.3), 0.4)
    turned = pose.copy()
    turned[:3] = [1, 2, 3]
    expected = posed_field(field, pose, BODY, GRID)
    assert np.array_equal(posed_field(field, turned, BODY, GRID), expected)
    assert np.array_equal(posed_field(field, pose[3:], BODY, GRID), expected)


@pytest.mark.parametrize(
    ("pose", "field", "message"),
    [
        (np.zeros(71), ball((0, 0, 0), 1), "a pose of 71 numbers"),
        (np.full(72, np.nan), ball((0, 0, 0), 1), "the pose has 69 values that are NaN"),
        (np.zeros(72), np.zeros((3, 3, 3)), r"occupancy grid of shape \(3, 3, 3\)"),
        (np.zeros(72), np.full(GRID.shape, 2.0), "outside \\[0, 1\\]"),
    ],
)
def test_bad_input(pose, field, message):
    with pytest.raises(InputError, match=message):
        posed_field(field, pose, BODY, GRID)
