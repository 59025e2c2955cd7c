"""Calibration, crop arithmetic and rotations against the original's figures (cameras.npz).

Solves that end early are compared number for number. Solves of thousands of steps drift by
rounding alone, in the original too: there the loss, the steps and the decision are compared.
"""

from pathlib import Path

import numpy as np
import pytest

from chorus_bench.calibration import (
    EFT,
    SYNTHESIZED,
    CalibrationSettings,
    adam,
    calibrate,
    calibration_settings,
    crop_box,
    crop_problem,
    weak_perspective_to_image,
)
from chorus_bench.calibration.reprojection import loss_and_gradient
from chorus_bench.geometry.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_axis_angle_antisymmetric,
)

#: Solves of at most this many steps must agree in every number.
SHORT = 500


@pytest.fixture(scope="module")
def golden():
    with np.load(Path(__file__).parents[2] / "chorus_bench" / "golden" / "cameras.npz") as data:
        return dict(data)


def solve_people(golden, **options):
    names = ("points", "targets", "orient", "weak", "size")
    return calibrate(*(golden[f"people_{name}"] for name in names), **options)


def solve_split(golden, **options):
    orient = matrix_to_axis_angle_antisymmetric(golden["split_root"])
    return calibrate(
        golden["split_points"],
        golden["split_targets"],
        orient,
        golden["split_weak"],
        golden["split_size"],
        **options,
    )


def assert_same_cameras(result, golden, name, people):
    for person in people:
        for part, key, tolerance in (
            (result.rotation, "R", 1e-5),
            (result.translation, "t", 1e-5),
            (result.intrinsics, "K", 0.01),
        ):
            np.testing.assert_allclose(
                part[person],
                golden[f"{name}_{key}"][person],
                rtol=0,
                atol=tolerance,
                err_msg=f"{key} of person {person} of {name}",
            )


@pytest.mark.parametrize("name", ["eft", "synthesized"])
def test_people_follow_the_original(golden, name):
    result = solve_people(golden, settings=calibration_settings(name))
    steps = golden[f"{name}_steps"]
    short = np.flatnonzero(steps <= SHORT)
    assert len(short) == 1
    assert_same_cameras(result, golden, name, short)
    assert (result.steps[short] == steps[short]).all()
    np.testing.assert_allclose(result.steps, steps, rtol=0.01)
    np.testing.assert_allclose(result.reprojection_error, golden[f"{name}_loss"], rtol=0, atol=5e-3)
    assert (result.converged == golden[f"{name}_stopped"]).all()
    assert result.kept.all()
    np.testing.assert_allclose(
        result.intrinsics[:, :2, 2], golden[f"{name}_K"][:, :2, 2], rtol=0, atol=0
    )


@pytest.mark.parametrize("name", ["eft", "synthesized"])
def test_long_solves_stay_near_the_original(golden, name):
    # Not parity: a guard against a wrong path, well above the drift by rounding.
    result = solve_people(golden, settings=calibration_settings(name))
    np.testing.assert_allclose(result.rotation, golden[f"{name}_R"], rtol=0, atol=3e-3)
    np.testing.assert_allclose(result.translation, golden[f"{name}_t"], rtol=0, atol=0.06)
    np.testing.assert_allclose(result.intrinsics, golden[f"{name}_K"], rtol=0, atol=12)


@pytest.mark.parametrize("name", ["eft", "synthesized"])
def test_the_loss_curve_is_the_original_one(golden, name, monkeypatch):
    losses = []

    def record(problem, unknowns):
        loss, gradient = loss_and_gradient(problem, unknowns)
        losses.append(loss)
        return loss, gradient

    monkeypatch.setattr(adam, "loss_and_gradient", record)
    # At step 500 the original's two runs of one path already differ by 3e-5 px.
    last = 200
    endless = CalibrationSettings("endless", last + 1, stop_below=1e-9, drop_above=None)
    solve_people(golden, settings=endless)
    curve = golden[f"{name}_curve"]
    person, step, expected = curve[curve[:, 1] <= last].T
    assert len(expected) >= 36
    seen = np.array(losses)[step.astype(int), person.astype(int)]
    np.testing.assert_allclose(seen, expected, rtol=0, atol=2e-5)


def test_the_split_follows_the_original(golden):
    result = solve_split(golden)
    short = np.flatnonzero(result.steps <= SHORT)
    assert len(short) == 3
    assert_same_cameras(result, golden, "split", short)
    np.testing.assert_allclose(result.reprojection_error, golden["split_loss"], rtol=0, atol=5e-3)
    assert result.kept.all()
    assert result.converged.all()


def test_the_dropped_person_is_dropped(golden):
    names = ("points", "targets", "orient", "weak", "size")
    inputs = [golden[f"dropped_{name}"][None] for name in names]
    result = calibrate(*inputs, settings=EFT)
    assert result.reprojection_error[0] == pytest.approx(float(golden["dropped_loss"]), abs=5e-3)
    assert result.steps[0] == EFT.max_steps
    assert not result.kept[0]
    assert result.reasons == ("the reprojection loss 4.095 px is above 1 px",)
    assert calibrate(*inputs, settings=SYNTHESIZED).kept[0]


@pytest.mark.parametrize("solve", [solve_people, solve_split])
def test_lm_has_the_better_loss(golden, solve):
    adam, lm = solve(golden), solve(golden, solver="lm")
    assert (lm.reprojection_error < adam.reprojection_error).all()
    assert lm.kept.all()
    assert lm.converged.all()
    assert lm.steps.max() <= 100


def test_targets_are_the_original_ones_to_the_bit(golden):
    for person in range(4):
        image = weak_perspective_to_image(
            golden["people_posed"][person],
            golden["people_weak"][person],
            golden["people_center"][person],
            float(golden["people_scale"][person]),
            tuple(golden["people_size"][person]),
        )
        np.testing.assert_array_equal(image, golden["people_targets"][person])


def test_crops_are_the_original_ones(golden):
    for case in range(len(golden["crop_scale"])):
        box = crop_box(golden["crop_center"][case], float(golden["crop_scale"][case]))
        assert [box.left, box.top] == golden["crop_corner"][case].tolist(), case
        assert box.enlargement == golden["crop_enlargement"][case], case


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 6.2e-5), (np.float64, 1e-9)])
def test_crop_points_land_where_the_original_puts_them(golden, dtype, tolerance):
    expected = golden["crop_image" if dtype == np.float32 else "crop_image_f64"]
    for case in range(len(expected)):
        image = weak_perspective_to_image(
            golden["crop_joints"][case].astype(dtype),
            golden["crop_weak"][case],
            golden["crop_center"][case],
            float(golden["crop_scale"][case]),
            tuple(golden["crop_size"][case]),
        )
        assert image.dtype == dtype
        np.testing.assert_allclose(image, expected[case], rtol=0, atol=tolerance)


def test_boxes_that_the_original_cannot_use_have_a_reason(golden):
    for center, scale, usable in zip(
        golden["box_center"], golden["box_scale"], golden["box_usable"], strict=True
    ):
        problem = crop_problem(crop_box(center, float(scale)), (480, 640))
        assert (problem is None) == usable, (center, scale, problem)


def test_rotations_are_the_original_ones(golden):
    theta = golden["rotation_theta"]
    matrix = axis_angle_to_matrix(theta)
    assert np.isfinite(matrix).all()
    for name in ("quaternion_route", "rodrigues_formula"):
        expected = golden[f"rotation_{name}"]
        known = np.isfinite(expected).all(axis=(1, 2))
        assert (~known).sum() == 1
        np.testing.assert_allclose(matrix[known], expected[known], rtol=0, atol=2.4e-7)


@pytest.mark.parametrize("convert", [matrix_to_axis_angle, matrix_to_axis_angle_antisymmetric])
def test_the_way_back_is_the_original_one(golden, convert):
    matrix, expected = golden["rotation_quaternion_route"], golden["rotation_axis_angle"]
    known = np.isfinite(expected).all(axis=1)
    assert (~known).sum() == 2
    back = convert(matrix[known])
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, expected[known], rtol=0, atol=1e-6)
