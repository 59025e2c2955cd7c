"""Calibration: the derivative, the two solvers, who is kept, and every message."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from chorus_bench.calibration import (
    EFT,
    PRESETS,
    SYNTHESIZED,
    CalibrationSettings,
    CropBox,
    calibrate,
    calibration_settings,
    crop_box,
    crop_problem,
    weak_perspective_to_image,
)
from chorus_bench.calibration.reprojection import Problem, loss_and_gradient
from chorus_bench.errors import InputError
from chorus_bench.geometry.camera import CAMERA_PARTS
from chorus_bench.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle

QUICK = CalibrationSettings("quick", max_steps=60, stop_below=0.5, drop_above=1.0)
START_FOCAL = 0.5 / np.tan(np.radians(46.4) / 2)


def make_people(count, seed=0, joints=24, perspective=False):
    """People in the wild: upright, any heading, seen by a weak or a real camera."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, joints, 3)) * [0.25, 0.45, 0.15]
    turned = axis_angle_to_matrix(np.stack([[np.pi, 0, 0]] * count))
    yaw = np.zeros((count, 3))
    yaw[:, 1] = rng.uniform(-3, 3, count)
    rotation = axis_angle_to_matrix(rng.normal(0, 0.1, (count, 3))) @ turned
    rotation = rotation @ axis_angle_to_matrix(yaw)
    size = rng.integers(320, 641, (count, 2))
    weak = np.column_stack([rng.uniform(0.6, 1.1, count), rng.normal(0, 0.1, (count, 2))])
    posed = points @ rotation.swapaxes(1, 2)
    if perspective:
        shift = np.column_stack([weak[:, 1:], 2.2 * START_FOCAL / weak[:, 0]])
        posed = posed + shift[:, None]
        targets = 1.1 * START_FOCAL * size[:, None, 1:] * posed[..., :2] / posed[..., 2:]
        targets = targets + size[:, None, ::-1] / 2
    else:
        placed = weak[:, :1, None] * posed[..., :2] + weak[:, None, 1:]
        targets = placed * 0.45 * size.min(axis=1)[:, None, None] + size[:, None, ::-1] / 2
        targets += rng.normal(0, 0.3, targets.shape)
    return points, targets, matrix_to_axis_angle(rotation), weak, size


def torch_adam(points, targets, orient, weak, size, setting):
    """The same fit for one person with automatic derivatives and torch's own Adam."""
    make = lambda values: torch.tensor(values, dtype=torch.float64)  # noqa: E731
    height, width = (float(value) for value in size)
    theta = make(orient).requires_grad_()
    shift = make([weak[1], weak[2], 2 * START_FOCAL / weak[0]]).requires_grad_()
    focal = make([START_FOCAL]).requires_grad_()
    optimiser = torch.optim.Adam([theta, shift, focal], lr=setting.learning_rate)
    best = None
    for step in range(setting.max_steps):
        angle = torch.linalg.norm(theta + 1e-8)
        half, axis = angle / 2, theta / angle
        q = torch.cat([torch.cos(half)[None], torch.sin(half) * axis])
        w, v = q[0] / q.norm(), q[1:] / q.norm()
        x = make(points)
        turned = x + 2 * w * torch.linalg.cross(v.expand_as(x), x)
        turned = turned + 2 * torch.linalg.cross(
            v.expand_as(x), torch.linalg.cross(v.expand_as(x), x)
        )
        posed = turned + shift
        image = focal * width * posed[:, :2] / posed[:, 2:] + make([width / 2, height / 2])
        loss = (image - make(targets)).norm() / len(points)
        value, used = loss.item(), focal.item()
        if value < setting.stop_below:
            return value, theta.detach().numpy(), shift.detach().numpy(), used, step
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if best is None or value < best[0]:
            best = value, theta.detach().numpy().copy(), shift.detach().numpy().copy(), used
    return *best, setting.max_steps


def test_the_path_is_that_of_torch_adam():
    people = make_people(6, seed=3)
    result = calibrate(*people, settings=QUICK)
    assert 0 < (result.steps < QUICK.max_steps).sum() < 6, "some stop early, some do not"
    for row, person in enumerate(zip(*people, strict=True)):
        loss, theta, shift, focal, steps = torch_adam(*person, QUICK)
        assert result.steps[row] == steps
        assert result.reprojection_error[row] == pytest.approx(loss, abs=1e-9)
        np.testing.assert_allclose(result.rotation[row], axis_angle_to_matrix(theta), atol=1e-9)
        np.testing.assert_allclose(result.translation[row], shift, atol=1e-9)
        assert result.intrinsics[row, 0, 0] == pytest.approx(focal * person[4][1], abs=1e-7)


def test_one_step_keeps_the_pose_after_it_and_the_focal_length_before_it():
    people = make_people(3, seed=1)
    one = dataclasses.replace(QUICK, max_steps=1, stop_below=1e-9)
    result = calibrate(*people, settings=one)
    np.testing.assert_allclose(
        result.intrinsics[:, 0, 0], START_FOCAL * people[4][:, 1], rtol=1e-14
    )
    start = np.column_stack([people[3][:, 1:], 2 * START_FOCAL / people[3][:, 0]])
    # Adam's first step moves every unknown by the learning rate.
    np.testing.assert_allclose(np.abs(result.translation - start), 0.01, rtol=1e-5)


@given(seed=st.integers(0, 10_000), joints=st.integers(4, 30))
@settings(max_examples=20, deadline=None)
def test_the_derivative_is_that_of_finite_differences(seed, joints):
    points, targets, orient, weak, size = make_people(3, seed, joints)
    rng = np.random.default_rng(seed)
    shift = np.column_stack([weak[:, 1:], 2 * START_FOCAL / weak[:, 0]])
    unknowns = np.concatenate([orient.T, shift.T, rng.uniform(0.8, 2, (1, 3))])
    problem = Problem(
        points.transpose(1, 2, 0),
        targets.transpose(1, 2, 0),
        size[:, ::-1].T.astype(float),
        unknowns,
    )
    _, gradient = loss_and_gradient(problem, unknowns)
    for row in range(7):
        offset = np.zeros((7, 1))
        offset[row] = 1e-5
        above, _ = loss_and_gradient(problem, unknowns + offset)
        below, _ = loss_and_gradient(problem, unknowns - offset)
        np.testing.assert_allclose(gradient[row], (above - below) / 2e-5, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("solver", ["adam", "lm"])
@pytest.mark.parametrize("chosen", [[4], [0, 1], [8, 2, 5], [6, 3, 1, 0, 7, 2, 8]])
def test_a_person_does_not_depend_on_the_others(solver, chosen):
    people = make_people(9, seed=5)
    everyone = calibrate(*people, solver=solver, settings=QUICK)
    some = calibrate(*(value[chosen] for value in people), solver=solver, settings=QUICK)
    for key in (*CAMERA_PARTS, "reprojection_error", "steps", "converged"):
        np.testing.assert_array_equal(getattr(some, key), getattr(everyone, key)[chosen], key)
    assert some.reasons == tuple(everyone.reasons[i] for i in chosen)


def test_lm_recovers_a_real_camera():
    people = make_people(20, seed=2, perspective=True)
    result = calibrate(*people, solver="lm")
    assert result.reprojection_error.max() < 1e-6
    assert result.converged.all()
    points, targets = people[0], people[1]
    pixels = (
        points @ result.rotation.swapaxes(1, 2) + result.translation[:, None]
    ) @ result.intrinsics.swapaxes(1, 2)
    np.testing.assert_allclose(pixels[..., :2] / pixels[..., 2:], targets, atol=1e-4)
    np.testing.assert_allclose(
        result.intrinsics[:, 0, 0], 1.1 * START_FOCAL * people[4][:, 1], rtol=1e-6
    )


def test_lm_finds_the_minimum_that_scipy_finds():
    people = make_people(8, seed=7)
    result = calibrate(*people, solver="lm")
    for row, (points, targets, _, _, size) in enumerate(zip(*people, strict=True)):
        width, middle = size[1], size[::-1] / 2
        start = result.rotation[row]

        def residual(x, points=points, targets=targets, start=start, width=width, middle=middle):
            posed = points @ (axis_angle_to_matrix(x[:3]) @ start).T + x[3:6]
            return (x[6] * width * posed[:, :2] / posed[:, 2:] + middle - targets).ravel()

        found = np.concatenate(
            [np.zeros(3), result.translation[row], [result.intrinsics[row, 0, 0] / width]]
        )
        bounds = ([-np.inf] * 6 + [0], [np.inf] * 6 + [EFT.max_focal * (1 + 1e-9)])
        again = least_squares(residual, found, bounds=bounds, x_scale="jac", xtol=1e-12)
        assert result.reprojection_error[row] == pytest.approx(
            np.sqrt(2 * again.cost) / 24, abs=1e-5
        )
        assert result.reprojection_error[row] == pytest.approx(
            np.linalg.norm(residual(found)) / 24, abs=1e-9
        )


def test_lm_holds_the_focal_length_at_its_bound():
    people = make_people(8, seed=7)
    narrow = dataclasses.replace(EFT, min_fov_deg=2.0)
    wide = dataclasses.replace(EFT, min_fov_deg=20.0)
    longest = [
        (
            calibrate(*people, solver="lm", settings=setting).intrinsics[:, 0, 0] / people[4][:, 1]
        ).max()
        for setting in (narrow, wide)
    ]
    assert longest == pytest.approx([narrow.max_focal, wide.max_focal], rel=1e-9)


def test_lm_is_no_worse_than_adam():
    people = make_people(40, seed=11)
    adam, lm = calibrate(*people), calibrate(*people, solver="lm")
    assert (lm.reprojection_error <= adam.reprojection_error).mean() > 0.9
    assert lm.solver == "lm"
    assert adam.solver == "adam"
    assert adam.settings is EFT


def spoil(people, row, name, value):
    names = ["points_3d", "targets_2d", "global_orient", "weak_camera", "image_size"]
    out = [np.array(array, dtype=float) for array in people]
    out[names.index(name)][row, ..., 0] = value
    return out


@pytest.mark.parametrize("solver", ["adam", "lm"])
@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("points_3d", np.nan, "points_3d has a number that is not finite"),
        ("targets_2d", np.inf, "targets_2d has a number that is not finite"),
        ("global_orient", np.nan, "global_orient has a number that is not finite"),
        ("weak_camera", -np.inf, "weak_camera has a number that is not finite"),
        ("image_size", np.nan, "image_size has a number that is not finite"),
        ("weak_camera", 0, "the weak-perspective camera's scale is 0"),
        ("image_size", 0, "the image has no pixels"),
        ("targets_2d", 1e300, "the fit found no camera: its loss is not a number"),
    ],
)
def test_a_bad_person_has_a_reason_and_spoils_no_other(solver, name, value, reason):
    people = make_people(4, seed=5)
    good = calibrate(*people, solver=solver, settings=QUICK)
    result = calibrate(*spoil(people, 2, name, value), solver=solver, settings=QUICK)
    assert result.reasons[2] == reason
    assert not result.kept[2]
    assert not result.converged[2]
    for key in (*CAMERA_PARTS, "reprojection_error"):
        values = getattr(result, key)
        assert np.isnan(values[2]).all()
        rest = [0, 1, 3]
        np.testing.assert_array_equal(values[rest], getattr(good, key)[rest])


def test_a_point_in_the_cameras_plane_is_no_camera():
    people = [value.astype(float) for value in make_people(2, seed=5)]
    points, _, orient, weak, _ = people
    orient[0], weak[0] = 0, [1, 0, 0]
    points[0, 3] = [0.1, 0.1, -2 * START_FOCAL]
    for solver in ("adam", "lm"):
        result = calibrate(*people, solver=solver, settings=QUICK)
        assert result.reasons[0] == "the fit found no camera: its loss is not a number"
        assert np.isfinite(result.reprojection_error[1])


def test_a_person_behind_the_camera_is_fitted_by_adam_as_the_original_does():
    people = make_people(2, seed=5)
    people[3][0, 0] *= -1
    assert np.isfinite(calibrate(*people, settings=QUICK).reprojection_error).all()
    assert calibrate(*people, solver="lm").reasons[0] is not None


def test_zero_orientation_is_a_fair_start():
    points, targets, _, weak, size = make_people(2, seed=5)
    result = calibrate(points, targets, np.zeros((2, 3)), weak, size, settings=QUICK)
    assert np.isfinite(result.rotation).all()


def test_people_above_the_limit_are_dropped_by_eft_only():
    people = [value.astype(float) for value in make_people(3, seed=5)]
    people[1][1] += np.random.default_rng(0).normal(0, 20, (24, 2))
    result = calibrate(*people, solver="lm", settings=EFT)
    assert result.kept.tolist() == [True, False, True]
    assert (
        result.reasons[1]
        == f"the reprojection loss {result.reprojection_error[1]:.4g} px is above 1 px"
    )
    assert np.isfinite(result.rotation[1]).all()
    assert calibrate(*people, solver="lm", settings=SYNTHESIZED).kept.all()


@pytest.mark.parametrize("solver", ["adam", "lm"])
def test_progress_counts_every_person_once(solver, monkeypatch):
    monkeypatch.setattr("chorus_bench.calibration.solve.BATCH", 4)
    people = spoil(make_people(11, seed=3), 2, "points_3d", np.nan)
    calls = []
    result = calibrate(
        *people, solver=solver, settings=QUICK, progress=lambda *state: calls.append(state)
    )
    done = [done for done, _ in calls]
    assert done == sorted(set(done))
    assert calls[-1] == (11, 11)
    assert len(result) == 11
    whole = calibrate(*people, solver=solver, settings=QUICK)
    np.testing.assert_array_equal(result.translation, whole.translation)


@pytest.mark.parametrize("solver", ["adam", "lm"])
def test_nobody_is_fine(solver):
    calls = []
    result = calibrate(
        np.zeros((0, 24, 3)),
        np.zeros((0, 24, 2)),
        np.zeros((0, 3)),
        np.zeros((0, 3)),
        np.zeros((0, 2)),
        solver=solver,
        progress=lambda *state: calls.append(state),
    )
    assert len(result) == 0
    assert result.rotation.shape == (0, 3, 3)
    assert calls == []


@pytest.mark.parametrize(
    ("index", "shape", "where", "expected"),
    [
        (0, (2, 24), "points_3d", "(P, J, 3) with J at least 4"),
        (0, (2, 3, 3), "points_3d", "(P, J, 3) with J at least 4"),
        (1, (2, 23, 2), "targets_2d", "(2, 24, 2)"),
        (2, (3, 3), "global_orient", "(2, 3)"),
        (3, (2, 2), "weak_camera", "(2, 3)"),
        (4, (2,), "image_size", "(2, 2)"),
    ],
)
def test_wrong_shapes_are_named(index, shape, where, expected):
    people = list(make_people(2))
    people[index] = np.zeros(shape)
    with pytest.raises(InputError) as caught:
        calibrate(*people)
    assert caught.value.where == where
    assert caught.value.expected == expected


def test_unknown_names_suggest_the_known_ones():
    with pytest.raises(InputError, match=r"unknown solver 'adm'\n.*Did you mean 'adam'"):
        calibrate(*make_people(1), solver="adm")
    with pytest.raises(InputError, match="Available: eft, synthesized"):
        calibration_settings("test")
    assert {name: calibration_settings(name) for name in PRESETS} == PRESETS


def test_the_two_settings_are_those_of_the_paper():
    assert (EFT.max_steps, EFT.stop_below, EFT.drop_above) == (3000, 0.5, 1.0)
    assert (SYNTHESIZED.max_steps, SYNTHESIZED.stop_below) == (2400, 0.7)
    assert SYNTHESIZED.drop_above is None
    assert EFT.start_focal == pytest.approx(1.1665874039774253, rel=1e-15)
    assert EFT.fov_deg == SYNTHESIZED.fov_deg == 46.4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_steps", 0),
        ("stop_below", 0.0),
        ("stop_below", np.nan),
        ("drop_above", -1.0),
        ("learning_rate", np.inf),
        ("min_fov_deg", 0.0),
        ("min_fov_deg", 50.0),
        ("fov_deg", 180.0),
    ],
)
def test_settings_out_of_range_are_refused(key, value):
    with pytest.raises(InputError, match="Expected: "):
        dataclasses.replace(EFT, **{key: value})


@given(x=st.integers(-100, 800), y=st.integers(-100, 800), side=st.integers(20, 900))
def test_crop_edges_are_cut_toward_zero(x, y, side):
    box = crop_box((x, y), side / 200)
    edges = [box.left, box.top, box.right, box.bottom]
    exact = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])
    assert (np.abs(edges) <= np.abs(exact) + 1e-9).all()
    assert (np.abs(edges - exact) < 1 + 1e-9).all()
    assert box.enlargement == 224 / box.side


def test_a_crop_of_the_whole_image_is_the_weak_perspective_formula():
    points = np.random.default_rng(0).normal(size=(5, 3))
    image = weak_perspective_to_image(points, (0.8, 0.1, -0.2), (112, 112), 1.12, (224, 224))
    expected = (points[:, :2] * 0.8 + [0.1, -0.2]) * 112 + 112
    np.testing.assert_allclose(image, expected, atol=1e-10)


def test_float32_points_stay_float32():
    points = np.zeros((5, 3), dtype=np.float32)
    assert weak_perspective_to_image(points, (1, 0, 0), (9, 9), 1, (9, 9)).dtype == np.float32
    assert (
        weak_perspective_to_image(points.astype(int), (1, 0, 0), (9, 9), 1, (9, 9)).dtype == float
    )


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (CropBox(10, 10, 29, 29), "19 pixels high, less than 20"),
        (CropBox(10, 10, 30, 30), None),
        (CropBox(641, 0, 700, 59), "outside the image of 640 x 480"),
        (CropBox(640, 0, 700, 60), None),
        (CropBox(0, 481, 59, 540), "(0, 481) to (59, 540)"),
        (CropBox(-60, 0, -1, 59), "outside"),
        (CropBox(-60, 0, 0, 60), None),
        (CropBox(0, -60, 59, -1), "outside"),
    ],
)
def test_crops_that_cannot_be_used_have_a_reason(box, reason):
    problem = crop_problem(box, (480, 640))
    if reason is None:
        assert problem is None
    else:
        assert problem is not None
        assert reason in problem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.zeros((5, 2))}, "points of shape"),
        ({"points": np.full((5, 3), np.nan)}, "not finite"),
        ({"camera": (1, 2)}, "weak camera of shape"),
        ({"camera": (np.nan, 0, 0)}, "not finite"),
        ({"center": (1, 2, 3)}, "box centre"),
        ({"center": (np.inf, 0)}, "box centre"),
        ({"scale": 0.0}, "box scale 0.0"),
        ({"scale": float("nan")}, "box scale nan"),
        ({"scale": 0.05}, "10 pixels high"),
        ({"center": (900, 100)}, "outside the image"),
    ],
)
def test_input_that_cannot_be_projected_is_refused(change, message):
    arguments = {
        "points": np.zeros((5, 3)),
        "camera": (1, 0, 0),
        "center": (100, 100),
        "scale": 1.0,
        "image_size": (480, 640),
    }
    with pytest.raises(InputError, match=message):
        weak_perspective_to_image(**(arguments | change))
