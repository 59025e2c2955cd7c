"""Matrices that are no rotations, K that is none, poses in degrees, bodies in other units."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.checks import check_intrinsics, check_pose, check_rotations
from chorus_bench.geometry.rotations import axis_angle_to_matrix

K = np.array([[500.0, 0, 100], [0, 400, 80], [0, 0, 1]])


def test_rotations_of_any_precision_pass():
    vectors = np.random.default_rng(0).normal(size=(50, 3))
    matrices = axis_angle_to_matrix(vectors)
    for kind in (np.float64, np.float32, np.float16):
        check_rotations(matrices.astype(kind), "R")
    check_rotations(np.zeros((0, 3, 3)), "R")


@pytest.mark.parametrize(
    "change", [lambda r: -r, lambda r: 1.2 * r, lambda r: 0 * r, lambda r: r * [1, 1, -1]]
)
def test_what_is_no_rotation_is_named(change):
    matrices = np.tile(np.eye(3), (4, 1, 1))
    matrices[2] = change(np.eye(3))
    with pytest.raises(InputError, match="R number 2 is"):
        check_rotations(matrices, "R", where="file")


@pytest.mark.parametrize("wrong", [K.T, -K, K * 2, np.diag([0.0, 1, 1]), np.eye(3)[::-1]])
def test_what_is_no_intrinsic_matrix(wrong):
    check_intrinsics(K, "K")
    with pytest.raises(InputError, match="transpose it"):
        check_intrinsics(wrong, "K")


def test_degrees_are_told_from_radians():
    check_pose(np.full(72, np.pi), "pose")
    with pytest.raises(InputError, match=r"turns a joint by 155\.9"):
        check_pose(np.full(72, 90.0), "pose")


@pytest.fixture(scope="module")
def body():
    return load_body("default")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: {"template": 1000 * b.template}, "units high"),
        (lambda b: {"template": 0.01 * b.template}, "units high"),
        (lambda b: {"template": b.template[:, [0, 2, 1]] * np.float32([1, -1, 1])}, "y up"),
        (lambda b: {"template": -b.template}, "y up"),
        (lambda b: {"template": b.template * np.float32([-1, 1, -1])}, "x to the person's left"),
        (lambda b: {"joint_regressor": b.joint_regressor / 2}, r"row 0 \(pelvis\)"),
    ],
)
def test_bodies_in_other_units_or_axes(body, change, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(body, **change(body))
