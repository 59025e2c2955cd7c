"""Poses by TorchScript files of the NLF kind and from files, against people that are known."""

import json
import os
import pickle
import re
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from chorus_bench.calibration.weak_perspective import weak_perspective_to_image
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.synthesis.annotators.frankmocap import frankmocap_crop
from chorus_bench.synthesis.annotators.matching import match_one_to_one
from chorus_bench.synthesis.annotators.nlf import make_nlf
from chorus_bench.synthesis.annotators.pose_files import make_pose_files, write_pose_file
from chorus_bench.synthesis.interfaces import (
    Context,
    Detection,
    Picture,
    WeakCamera,
)
from chorus_bench.synthesis.registry import get_component, make_component
from tests.synthesis.tiny_nlf import BODY, FOCAL, SIZE, Nlf, Person, saved

CONTEXT = Context(seed=1, body=BODY)


LEFT = Person(1, (-0.8, 0.1, 3.2))
RIGHT = Person(2, (0.9, -0.1, 3.9))


@pytest.fixture
def estimate(tmp_path):
    """Return a function that runs a module, saved as TorchScript, on one picture."""

    def run(module, people, *, size=SIZE, **options):
        estimator = make_nlf(CONTEXT, model=saved(module, tmp_path), **options)
        pictures = [picture("one", size)]
        return estimator.estimate(pictures, [[detection(box) for box in people]])[0]

    return run


def picture(name, size=SIZE):
    return Picture(name, None, np.zeros((*size, 3), np.uint8))


def detection(box, size=SIZE):
    return Detection("person", np.asarray(box, np.float32), 0.9, np.ones(size, bool))


def reprojected(fit, person):
    camera = fit.camera
    assert isinstance(camera, PerspectiveCamera)
    return camera.project(person.seen)


@pytest.mark.parametrize("unit", [1.0, 1000.0], ids=["m", "mm"])
def test_nlf_camera_projects_the_canonical_body(estimate, unit):
    (fit,) = estimate(Nlf([LEFT], unit), [LEFT.box])
    np.testing.assert_allclose(reprojected(fit, LEFT), LEFT.joints2d, atol=0.01)
    np.testing.assert_allclose(fit.camera.intrinsics[0, 0], FOCAL, rtol=1e-4)
    np.testing.assert_allclose(fit.pose, LEFT.pose, atol=1e-6)
    assert 0 <= fit.camera.reprojection_error < 1e-3


def test_nlf_camera_of_a_shaped_body_keeps_the_pelvis(estimate):
    """The camera serves a body of zero shape, so only what is not shaped can agree exactly."""
    person = Person(3, (0.1, 0.0, 3.0), betas=[2.0, -1.5, 1, 0, 0, 0, 0, 0, 0, 0])
    (fit,) = estimate(Nlf([person]), [person.box])
    off = np.linalg.norm(reprojected(fit, person) - person.joints2d, axis=1)
    assert off[0] < 0.01
    assert 1 < off.max() < 40
    np.testing.assert_allclose(fit.camera.intrinsics[0, 0], FOCAL, rtol=1e-4)
    np.testing.assert_allclose(fit.betas, person.betas)


@pytest.mark.parametrize("unit", [1.0, 1000.0], ids=["m", "mm"])
def test_nlf_translation_that_is_relative_to_the_person(estimate, unit):
    """Early files give ``trans`` relative to the person's middle; then joints3d tell the place."""
    module = Nlf([LEFT], joints3d_unit=unit)
    module.trans *= 0
    (fit,) = estimate(module, [LEFT.box])
    np.testing.assert_allclose(reprojected(fit, LEFT), LEFT.joints2d, atol=0.01)
    assert estimate(Nlf([Person(1, (0, 0, 0.2))]), [LEFT.box]) == [None]


@pytest.mark.parametrize("order", [(LEFT, RIGHT), (RIGHT, LEFT)])
def test_nlf_people_are_matched(estimate, order):
    fits = estimate(Nlf(list(order)), [LEFT.box, (500, 0, 520, 20), RIGHT.box])
    np.testing.assert_allclose(fits[0].pose, LEFT.pose, atol=1e-6)
    assert fits[1] is None
    np.testing.assert_allclose(fits[2].pose, RIGHT.pose, atol=1e-6)


def test_nlf_matching_is_one_to_one(estimate):
    near = Person(1, (-0.75, 0.1, 3.2))
    fits = estimate(Nlf([near, LEFT]), [LEFT.box, near.box])
    np.testing.assert_allclose([fit.camera.translation[0] for fit in fits], [-0.8, -0.75], atol=0.3)
    assert fits[0].camera.translation[0] < fits[1].camera.translation[0]
    assert [fit is None for fit in estimate(Nlf([LEFT]), [LEFT.box, LEFT.box])].count(True) == 1


def test_nlf_sizes_are_grouped(tmp_path):
    estimator = make_nlf(CONTEXT, model=saved(Nlf([LEFT]), tmp_path))
    pictures = [picture("a"), picture("b", (480, 700)), picture("c")]
    fits = estimator.estimate(pictures, [[detection(LEFT.box)], [], [detection(LEFT.box)] * 1])
    assert [len(found) for found in fits] == [1, 0, 1]
    np.testing.assert_array_equal(fits[0][0].pose, fits[2][0].pose)
    assert estimator.estimate([], []) == []


def test_nlf_finds_nobody(estimate):
    assert estimate(Nlf([]), [LEFT.box, RIGHT.box]) == [None, None]
    assert estimate(Nlf([LEFT]), []) == []


@pytest.mark.parametrize("key", ["pose", "betas", "joints2d", "trans"])
def test_nlf_numbers_that_are_not_finite(estimate, key):
    module = Nlf([LEFT, RIGHT])
    getattr(module, key)[0] = float("nan")
    fits = estimate(module, [LEFT.box, RIGHT.box])
    assert fits[0] is None
    np.testing.assert_allclose(fits[1].pose, RIGHT.pose, atol=1e-6)


def test_nlf_fit_that_does_not_explain_the_joints(estimate):
    module = Nlf([LEFT])
    module.joints2d += 60 * torch.randn(24, 2, generator=torch.Generator().manual_seed(1))
    box = np.concatenate([module.joints2d[0].amin(0), module.joints2d[0].amax(0)])
    assert estimate(module, [box]) == [None]
    (fit,) = estimate(module, [box], max_error=0.5)
    assert fit.camera.reprojection_error > 5


class Renamed(torch.nn.Module):
    """Says ``poses`` where ``pose`` is expected, and takes no settings."""

    @torch.jit.export
    def detect_smpl_batched(self, images: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        zeros = [torch.zeros(1, 72)]
        return {"poses": zeros, "betas": zeros, "trans": zeros, "joints2d": zeros}


class SmplX(torch.nn.Module):
    @torch.jit.export
    def detect_smpl_batched(
        self, images: torch.Tensor, model_name: str = "smpl"
    ) -> dict[str, list[torch.Tensor]]:
        joints2d = [torch.zeros(1, 55, 2)]
        return {
            "pose": [torch.zeros(1, 165)],
            "betas": [torch.zeros(1, 10)],
            "trans": [torch.zeros(1, 3)],
            "joints2d": joints2d,
        }


class Uneven(torch.nn.Module):
    def __init__(self, entries: int):
        super().__init__()
        self.entries = entries

    @torch.jit.export
    def detect_smpl_batched(self, images: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        return {
            "pose": [torch.zeros(2, 72)] * self.entries,
            "betas": [torch.zeros(1, 10)],
            "trans": [torch.zeros(1, 3)],
            "joints2d": [torch.zeros(1, 24, 2)],
        }


class Pair(torch.nn.Module):
    @torch.jit.export
    def detect_smpl_batched(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Renamed(), "without pose\n  Expected: a dictionary with pose, betas, trans, joints2d"),
        (SmplX(), r"'pose' of detect_smpl_batched is of shape \(1, 165\)"),
        (Uneven(1), "different numbers of people"),
        (Uneven(3), "has 3 entries for 1 pictures"),
        (Pair(), "returned list"),
    ],
)
def test_nlf_wrong_output(estimate, module, message):
    with pytest.raises(InputError) as caught:
        estimate(module, [LEFT.box])
    assert re.search(message, str(caught.value))


def test_nlf_wrong_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        make_nlf(CONTEXT, model=str(tmp_path / "none.torchscript"))
    damaged = tmp_path / "damaged.torchscript"
    damaged.write_bytes(Path(saved(Nlf([LEFT]), tmp_path)).read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be loaded"):
        make_nlf(CONTEXT, model=str(damaged))
    damaged = saved(torch.nn.Identity(), tmp_path)
    with pytest.raises(InputError, match="has no method 'detect_smpl_batched'"):
        make_nlf(CONTEXT, model=str(damaged))


def test_nlf_is_not_read_as_a_pickle(tmp_path):
    """A pickle of torch.save, which could run code, is not a TorchScript file."""
    path = tmp_path / "model.torchscript"
    torch.save(Hostile(tmp_path / "ran"), path)
    with pytest.raises(InputError, match="cannot be loaded"):
        make_nlf(CONTEXT, model=str(path))
    assert not (tmp_path / "ran").exists()


def test_nlf_options(tmp_path):
    model = saved(Nlf([LEFT]), tmp_path)
    estimator = make_component(
        "pose estimator", "nlf", CONTEXT, {"model": model, "fov_degrees": 40.0}
    )
    assert "default_fov_degrees=40.0" in estimator.description
    assert "nlf.torchscript (xxh3 " in estimator.description
    with pytest.raises(InputError, match="does not accept num_aug"):
        make_nlf(CONTEXT, model=model, augmentations=3)
    old = saved(Renamed(), tmp_path)
    assert "its defaults" in make_nlf(CONTEXT, model=old).description
    with pytest.raises(InputError, match="does not accept model_name"):
        make_nlf(CONTEXT, model=old, model_name="smplx")


def test_nlf_without_torch(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"chorus-bench\[torch\]"):
        make_nlf(CONTEXT, model=str(tmp_path / "x"))


# Files.


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


@pytest.fixture
def read(tmp_path):
    """Return a function that estimates one picture's people from the files in a folder."""

    def run(people, name="one", **options):
        estimator = make_pose_files(CONTEXT, folder=str(tmp_path), **options)
        return estimator.estimate([picture(name)], [[detection(box) for box in people]])[0]

    return run


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

TOP_LEFT, SIDE = (-37, 21), 331


class Hostile:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


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


def test_matching():
    overlaps = np.array([[0.9, 0.8], [0.85, 0.2], [0.0, 0.0]])
    assert match_one_to_one(overlaps, 0.3) == [1, 0, None]
    assert match_one_to_one(overlaps, 0.82) == [0, None, None]
    assert match_one_to_one(np.zeros((1, 1)), 0.0) == [None]
    assert match_one_to_one(np.zeros((2, 0)), 0.5) == [None, None]
