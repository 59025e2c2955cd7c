"""Poses from files, against people that are known."""

import json

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.synthesis.annotators.pose_files import make_pose_files, write_pose_file
from chorus_bench.synthesis.interfaces import (
    WeakCamera,
)
from chorus_bench.synthesis.registry import get_component
from tests.synthesis.pose_checks import (
    CONTEXT,
    LEFT,
    RIGHT,
    detection,
    picture,
)
from tests.synthesis.tiny_nlf import FOCAL


def arrays(*people):
    """The arrays of a file in our layout."""
    rng = np.random.default_rng(5)
    return {
        "pose": np.array([person.pose for person in people]),
        "betas": np.array([person.betas for person in people]),
        "weak_camera": rng.normal(1, 0.1, (len(people), 3)),
        "crop_center": rng.uniform(100, 200, (len(people), 2)),
        "crop_scale": rng.uniform(1, 2, len(people)),
        "boxes": np.array([person.box for person in people]),
    }


def test_files_round_trip_of_weak_cameras(tmp_path, read):
    given = arrays(RIGHT, LEFT)
    write_pose_file(tmp_path / "one.npz", **given)
    fits = read([LEFT.box, (0, 0, 9, 9), RIGHT.box])
    assert fits[1] is None
    for fit, number in ((fits[0], 1), (fits[2], 0)):
        assert isinstance(fit.camera, WeakCamera)
        np.testing.assert_allclose(fit.pose, given["pose"][number], rtol=1e-6)
        np.testing.assert_allclose(fit.camera.camera, given["weak_camera"][number], rtol=1e-6)
        np.testing.assert_allclose(fit.camera.center, given["crop_center"][number], rtol=1e-6)
        np.testing.assert_allclose(fit.camera.scale, given["crop_scale"][number], rtol=1e-6)
        assert fit.pose.dtype == fit.betas.dtype == fit.camera.center.dtype == np.float32


@pytest.mark.parametrize("form", ["pose", "rotations", "global_orient", "camera"])
def test_files_forms_of_poses_with_full_cameras(tmp_path, read, form):
    rotation = axis_angle_to_matrix(LEFT.pose[:3])
    given = {
        "betas": [LEFT.betas],
        "camera_rotation": [rotation],
        "camera_translation": [[0.1, 0.2, 3.0]],
        "intrinsics": [[FOCAL, 0, 320], [0, FOCAL, 240], [0, 0, 1]],
        "reprojection_error": [1.25],
    } | {
        "pose": {"pose": [LEFT.pose]},
        "rotations": {"rotations": [axis_angle_to_matrix(LEFT.pose.reshape(24, 3))]},
        "global_orient": {"pose": [LEFT.pose[3:]], "global_orient": [LEFT.pose[:3]]},
        "camera": {"pose": [LEFT.pose[3:]]},
    }[form]
    write_pose_file(tmp_path / "one.npz", **given)
    (fit,) = read([LEFT.box])
    rotations = [
        axis_angle_to_matrix(p.reshape(24, 3).astype(float)) for p in (fit.pose, LEFT.pose)
    ]
    np.testing.assert_allclose(*rotations, atol=1e-6)
    assert isinstance(fit.camera, PerspectiveCamera)
    np.testing.assert_allclose(fit.camera.rotation, rotation, atol=1e-7)
    assert fit.camera.intrinsics[0, 2] == 320
    assert fit.camera.reprojection_error == 1.25


def test_files_json(tmp_path, read):
    given = {key: value.tolist() for key, value in arrays(LEFT, RIGHT).items()}
    given["betas"][1][0] = None
    (tmp_path / "one.json").write_text(json.dumps(given))
    fits = read([LEFT.box, RIGHT.box])
    np.testing.assert_allclose(fits[0].pose, LEFT.pose, rtol=1e-6)
    assert fits[1] is None
    empty = {key: [] for key in given}
    (tmp_path / "one.json").write_text(json.dumps(empty))
    assert read([LEFT.box]) == [None]


def test_files_without_boxes_go_from_left_to_right(tmp_path, read):
    given = arrays(LEFT, RIGHT)
    del given["boxes"]
    write_pose_file(tmp_path / "one.npz", **given)
    fits = read([RIGHT.box, LEFT.box])
    np.testing.assert_allclose(fits[1].pose, LEFT.pose, rtol=1e-6)
    np.testing.assert_allclose(fits[0].pose, RIGHT.pose, rtol=1e-6)
    assert read([LEFT.box]) == [None]


def test_files_missing(tmp_path):
    estimator = make_pose_files(CONTEXT, folder=str(tmp_path))
    people = [[detection(LEFT.box)]]
    with pytest.raises(
        InputError, match=r"one\.npz or one\.json or one_prediction_result\.pkl"
    ) as error:
        estimator.estimate([picture("one")], people)
    assert error.value.where == str(tmp_path)
    write_pose_file(tmp_path / "two.npz", **arrays(LEFT))
    fits = estimator.estimate([picture("one"), picture("two")], people * 2)
    assert fits[0] == [None]
    assert fits[1][0] is not None
    assert estimator.estimate([picture("one")], people) == [[None]]
    with pytest.raises(InputError, match="has no file of poses for any of one"):
        make_pose_files(CONTEXT, folder=str(tmp_path)).estimate([picture("one")], people)


def test_files_of_sample_ids_with_slashes(tmp_path, read):
    write_pose_file(tmp_path / "train" / "sofa" / "0.npz", **arrays(LEFT))
    assert read([LEFT.box], "train/sofa/0") != [None]
    (tmp_path / "inner").mkdir()
    estimator = make_pose_files(CONTEXT, folder=str(tmp_path / "inner"), format="npz")
    with pytest.raises(InputError, match="has no file of poses"):
        estimator.estimate([picture("../train/sofa/0")], [[detection(LEFT.box)]])


def test_files_options(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        make_pose_files(CONTEXT, folder=str(tmp_path / "none"))
    with pytest.raises(InputError, match="Did you mean 'frankmocap'"):
        make_pose_files(CONTEXT, folder=str(tmp_path), format="frankmocp")
    assert get_component("pose estimator", "files").load() is make_pose_files
    estimator = make_pose_files(CONTEXT, folder=str(tmp_path))
    assert estimator.description == f"poses from the folder {tmp_path.name} (format auto)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pose": None}, "lacks the poses"),
        ({"betas": None}, "lacks betas"),
        ({"crop_scale": None}, "lacks a camera"),
        ({"pose": np.zeros((1, 72))}, r"'pose' has shape \(1, 72\)"),
        ({"pose": np.zeros((2, 69))}, "lacks 'global_orient'"),
        ({"boxes": np.zeros((2, 5))}, r"'boxes' has shape \(2, 5\)"),
        ({"betas": np.array(["a", "b"])}, "'betas' is of type"),
        ({"poze": np.zeros((2, 72))}, "unknown array 'poze'\n.*Did you mean 'pose'"),
    ],
)
def test_files_of_another_layout(tmp_path, change, message):
    given = {
        key: value for key, value in (arrays(LEFT, RIGHT) | change).items() if value is not None
    }
    with pytest.raises(InputError, match=message) as caught:
        write_pose_file(tmp_path / "one.npz", **given)
    assert caught.value.where == str(tmp_path / "one.npz")
    assert not list(tmp_path.iterdir())


def test_files_damaged(tmp_path, read):
    path = write_pose_file(tmp_path / "one.npz", **arrays(LEFT))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InputError, match="cannot be read"):
        read([LEFT.box])
    np.savez(path, pose=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="cannot be read"):
        read([LEFT.box])
    path.unlink()
    (tmp_path / "one.json").write_text('{"pose": [[1, 2')
    with pytest.raises(InputError, match="truncated"):
        read([LEFT.box])
    (tmp_path / "one.json").write_text("[]")
    with pytest.raises(InputError, match="holds a list"):
        read([LEFT.box])
    (tmp_path / "one.json").write_text('{"pose": [[1], [2, 3]]}')
    with pytest.raises(InputError, match="'pose' is not an array of numbers"):
        read([LEFT.box])
    with pytest.raises(InputError, match=r"a name that ends in \.npz"):
        write_pose_file(tmp_path / "one.txt", **arrays(LEFT))


# FrankMocap.
