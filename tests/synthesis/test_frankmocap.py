"""Poses from results of FrankMocap, against people that are known."""

import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from chorus_bench.calibration.weak_perspective import weak_perspective_to_image
from chorus_bench.errors import InputError
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.synthesis.annotators.frankmocap import frankmocap_crop
from tests.synthesis.pose_checks import (
    LEFT,
    RIGHT,
    Hostile,
)
from tests.synthesis.tiny_nlf import BODY

TOP_LEFT, SIDE = (-37, 21), 331


def frankmocap_person(person, top_left=TOP_LEFT, side=SIDE):
    """What FrankMocap keeps of a person, with its types."""
    rotations = axis_angle_to_matrix(person.pose.reshape(24, 3))
    return {
        "img_cropped": np.zeros((224, 224, 3), np.uint8),
        "pred_joints_img": np.zeros((49, 3), np.float32),
        "pred_body_pose": person.pose.reshape(1, 72).astype(np.float32),
        "pred_rotmat": rotations[None].astype(np.float32),
        "pred_betas": person.betas.reshape(1, 10).astype(np.float32),
        "pred_camera": np.array([0.9, 0.02, 0.1], np.float32),
        "bbox_top_left": np.array(top_left),
        "bbox_scale_ratio": 224 / side,
        "faces": np.zeros((20, 3), np.int32),
        "bbox_scale": np.float64(side / 200),
        "bbox_center": np.array(top_left) + side / 2,
        "img_cropped_norm": torch.zeros(1, 3, 8, 8),
        "pred_vertices_img": np.zeros((10, 3), np.float16),
    }


def frankmocap_result(people, outputs=None, **more):
    boxes = [np.concatenate([p.box[:2], p.box[2:] - p.box[:2]]) for p in people]
    return OrderedDict(
        demo_type="body",
        smpl_type="smpl",
        image_path="/images/one.png",
        body_bbox_list=boxes,
        hand_bbox_list=[None] * len(people),
        save_mesh=True,
        pred_output_list=[frankmocap_person(p) for p in people] if outputs is None else outputs,
        **more,
    )


@pytest.fixture
def frankmocap(tmp_path):
    """Return a function that writes a result as FrankMocap does."""

    def write(result, name="one"):
        path = tmp_path / "mocap" / f"{name}_prediction_result.pkl"
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            pickle.dump(result, file)
        return path

    return write


def test_frankmocap(frankmocap, read):
    frankmocap(frankmocap_result([RIGHT, LEFT]))
    fits = read([LEFT.box, RIGHT.box])
    for fit, person in zip(fits, (LEFT, RIGHT), strict=True):
        np.testing.assert_allclose(fit.pose, person.pose, atol=1e-5)
        np.testing.assert_allclose(fit.camera.camera, [0.9, 0.02, 0.1], rtol=1e-6)


@pytest.mark.parametrize("top_left", [(-37, 21), (12, -80), (0, 0), (-150, 300), (7, -224)])
@pytest.mark.parametrize("side", [224, 331, 333, 901])
def test_frankmocap_crop_places_points_as_frankmocap_does(top_left, side):
    person = frankmocap_person(LEFT, top_left, side)
    center, scale = frankmocap_crop(person["bbox_top_left"], person["bbox_scale_ratio"])
    points = BODY.bone_transforms(LEFT.pose)[1]
    ours = weak_perspective_to_image(
        points, person["pred_camera"], center.astype(np.float32), np.float32(scale), (2000, 2000)
    )
    s, *shift = person["pred_camera"]
    x_crop = (s * points[:, :2] + shift) * 112 + 112
    theirs = x_crop / person["bbox_scale_ratio"] + top_left
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_frankmocap_of_the_folder_itself_and_below(frankmocap, read, tmp_path):
    path = frankmocap(frankmocap_result([LEFT]), "0007")
    assert read([LEFT.box], "train/sofa/0007", format="frankmocap") != [None]
    path.rename(tmp_path / path.name)
    assert read([LEFT.box], "train/sofa/0007") != [None]


def test_frankmocap_without_matrices_or_people(frankmocap, read):
    output = frankmocap_person(LEFT)
    del output["pred_rotmat"]
    frankmocap(frankmocap_result([LEFT, RIGHT], [output, None]))
    fits = read([LEFT.box, RIGHT.box])
    np.testing.assert_allclose(fits[0].pose, LEFT.pose, rtol=1e-5)
    assert fits[1] is None
    frankmocap(frankmocap_result([]))
    assert read([LEFT.box]) == [None]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ([1], "lacks the lists"),
        ({"pred_output_list": []}, "lacks the lists"),
        (frankmocap_result([]) | {"smpl_type": "smplx"}, "bodies of the kind 'smplx'"),
        (frankmocap_result([LEFT], []), "has 0 people and 1 boxes"),
        (frankmocap_result([LEFT], [{"pred_betas": 1}]), "has a missing or wrong 'bbox_top_left'"),
        (frankmocap_result([LEFT], [7]), "has a missing or wrong"),
        (
            frankmocap_result([LEFT], [frankmocap_person(LEFT) | {"bbox_scale_ratio": 0.0}]),
            "wrong bbox_top_left or bbox_scale_ratio",
        ),
    ],
)
def test_frankmocap_of_another_layout(frankmocap, read, result, message):
    path = frankmocap(result)
    with pytest.raises(InputError, match=message) as caught:
        read([LEFT.box])
    assert caught.value.where == str(path)


def test_frankmocap_pickle_runs_nothing(frankmocap, read, tmp_path):
    frankmocap(frankmocap_result([LEFT], extra=Hostile(tmp_path / "ran")))
    with pytest.raises(InputError, match="mkdir"):
        read([LEFT.box])
    assert not (tmp_path / "ran").exists()


def test_frankmocap_damaged(frankmocap, read):
    path = frankmocap(frankmocap_result([LEFT]))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError):
        read([LEFT.box])


# Matching.
