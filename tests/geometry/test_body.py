"""Bodies: linear blend skinning against smplx, files in every form, refusals."""

from __future__ import annotations

import pickle
import sys
import types

import numpy as np
import pytest
import scipy.sparse
import smplx
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from smplx.utils import Struct

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import (
    JOINT_NAMES,
    BodyModel,
    star_pose,
    without_global_orientation,
)
from chorus_bench.geometry.body_files import load_body, save_body
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.geometry.skeleton import PARENTS, bones, forward_kinematics, joint_and_parent
from chorus_bench.selftest.data import golden_body


@pytest.fixture(scope="module")
def body():
    """Return a body of SMPL's size, with pose and shape blend shapes."""
    return golden_body()


def _smpl_arrays(body: BodyModel) -> dict[str, np.ndarray]:
    return {
        "v_template": body.template.astype(np.float64),
        "weights": body.weights.astype(np.float64),
        "J_regressor": body.joint_regressor.astype(np.float64),
        "posedirs": body.pose_directions.astype(np.float64),
        "shapedirs": body.shape_directions.astype(np.float64),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:]], range(24)], dtype=np.uint32),
        "f": body.faces.astype(np.uint32),
    }


@pytest.fixture(scope="module")
def smplx_model(body):
    return smplx.SMPL("", data_struct=Struct(**_smpl_arrays(body)), dtype=torch.float64)


@pytest.mark.parametrize("number", range(4))
def test_equals_smplx(body, smplx_model, number):
    rng = np.random.default_rng(number)
    pose, betas = rng.normal(0, 0.4, 72), rng.normal(0, 1, 10) * (number > 1)
    with torch.no_grad():
        expected = smplx_model(
            global_orient=torch.from_numpy(pose[None, :3]),
            body_pose=torch.from_numpy(pose[None, 3:]),
            betas=torch.from_numpy(betas[None]),
        )
    np.testing.assert_allclose(body.pose(pose, betas), expected.vertices[0].numpy(), atol=1e-5)
    _, joints = body.bone_transforms(pose, betas)
    np.testing.assert_allclose(joints, expected.joints[0, :24].numpy(), atol=1e-5)


def test_smplx_object_is_accepted(body, smplx_model):
    loaded = load_body(smplx_model)
    pose = np.random.default_rng(0).normal(0, 0.3, 72)
    np.testing.assert_allclose(loaded.pose(pose), body.pose(pose), atol=1e-6)
    assert loaded.name == "smpl"


def test_batches_equal_singles(body):
    poses = np.random.default_rng(1).normal(0, 0.5, (3, 72))
    batch = body.pose(poses)
    assert batch.shape == (3, body.vertices, 3)
    for pose, vertices in zip(poses, batch, strict=True):
        assert body.pose(pose).tobytes() == vertices.tobytes()
    transforms, joints = body.bone_transforms(poses)
    assert transforms.shape == (3, 24, 4, 4)
    assert joints.shape == (3, 24, 3)


def test_some_vertices_and_joints_equal_those_of_all(body):
    rng = np.random.default_rng(4)
    pose, betas, some = rng.normal(0, 0.4, 72), rng.normal(size=10), [5, 3000, 17]
    everything = body.pose(pose, betas)
    assert body.pose_vertices(some, pose, betas).tobytes() == everything[some].tobytes()
    local, steps = axis_angle_to_matrix(pose.reshape(24, 3)), bones(body.rest_joints(betas))
    places, turned = forward_kinematics(local, steps)
    for joint in range(1, 24):
        place, orientation, above = joint_and_parent(local, steps, joint)
        assert place.tobytes() == places[joint].tobytes()
        assert orientation.tobytes() == turned[joint].tobytes()
        assert above.tobytes() == turned[PARENTS[joint]].tobytes()


@pytest.mark.parametrize("numbers", [[-1], [6890], [0.5]])
def test_vertices_that_a_body_does_not_have(numbers):
    with pytest.raises(InputError, match="not all numbers are indices of vertices"):
        golden_body().pose_vertices(numbers, np.zeros(72))


def test_zero_pose_is_the_template():
    body = load_body("default")
    np.testing.assert_allclose(body.pose(np.zeros(72)), body.template, atol=1e-7)
    transforms, joints = body.bone_transforms(np.zeros(72))
    np.testing.assert_allclose(transforms, np.tile(np.eye(4), (24, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(joints, body.rest_joints(), atol=1e-12)


def test_canonical_pose_opens_the_legs():
    body = load_body("default")
    ankles = [JOINT_NAMES.index(name) for name in ("left_ankle", "right_ankle")]
    _, star = body.bone_transforms(star_pose())
    spread = star[ankles[0], 0] - star[ankles[1], 0]
    assert spread > body.rest_joints()[ankles[0], 0] * 2 + 0.5
    np.testing.assert_allclose(body.canonical_to_posed(star_pose())[4], np.eye(4), atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=72, max_size=72))
def test_bones_move_rigidly(pose):
    transforms, _ = load_body("default").bone_transforms(np.array(pose))
    rotation = transforms[:, :3, :3]
    np.testing.assert_allclose(
        rotation @ rotation.transpose(0, 2, 1), np.tile(np.eye(3), (24, 1, 1)), atol=1e-9
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)


def test_global_orientation_is_dropped():
    body = load_body("default")
    pose = np.random.default_rng(2).normal(0, 0.4, 72)
    np.testing.assert_array_equal(
        body.canonical_to_posed(pose), body.canonical_to_posed(without_global_orientation(pose))
    )


def test_npz_round_trip(tmp_path, body):
    loaded = load_body(save_body(body, tmp_path / "body.npz"))
    assert loaded.fingerprint == body.fingerprint
    assert loaded.label.startswith("body@")


def test_smpl_pickle_with_chumpy_and_sparse(tmp_path, body, monkeypatch):
    """A file as SMPL ships it: latin-1 pickle, chumpy arrays, a sparse joint regressor."""
    chumpy, ch = types.ModuleType("chumpy"), types.ModuleType("chumpy.ch")
    Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    ch.Ch, chumpy.ch = Ch, ch
    monkeypatch.setitem(sys.modules, "chumpy", chumpy)
    monkeypatch.setitem(sys.modules, "chumpy.ch", ch)
    arrays: dict[str, object] = _smpl_arrays(body)
    wrapped = Ch()
    wrapped.x = arrays["shapedirs"]
    arrays["shapedirs"] = wrapped
    arrays["J_regressor"] = scipy.sparse.csc_matrix(arrays["J_regressor"])
    path = tmp_path / "SMPL_NEUTRAL.pkl"
    path.write_bytes(pickle.dumps(arrays, protocol=2))
    monkeypatch.undo()
    loaded = load_body(path)
    assert loaded.name == "SMPL_NEUTRAL"
    assert loaded.fingerprint == body.fingerprint
    assert "chumpy" not in sys.modules


def test_the_same_arrays_have_the_same_fingerprint_under_any_name(tmp_path):
    body = load_body("default")
    first, second = (load_body(save_body(body, tmp_path / f"{name}.npz")) for name in "ab")
    assert (first.name, second.name) == ("a", "b")
    assert first.fingerprint == second.fingerprint == body.fingerprint


def _save(path, body, **changes):
    arrays = _smpl_arrays(body) | changes
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def _nan_at_vertex_7(template):
    template = template.copy()
    template[7] = np.nan
    return template


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": np.zeros((6890, 52))}, r"weights has shape \(6890, 52\)"),
        ({"J_regressor": np.zeros((24, 5))}, "joint_regressor has shape"),
        ({"kintree_table": np.zeros((2, 52), np.int64)}, "skeleton of 52 joints"),
        ({"f": None, "J_regressor": None}, "no J_regressor, f"),
        ({"posedirs": np.zeros((6890, 3, 9))}, "pose_directions has shape"),
        ({"weights": np.full((6890, 24), 0.5)}, "sum to 12.0000"),
        ({"kintree_table": np.array(3)}, "skeleton of 1 joints"),
        ({"kintree_table": np.full((2, 24), np.nan)}, "other parents than SMPL's"),
        ({"v_template": np.full((6890, 3), "x")}, "its array 'v_template' is of type <U1"),
        ({"f": np.zeros((3, 3), "V5")}, "its array 'f' is of type"),
        ({"posedirs": np.zeros((6890, 3, 207), complex)}, "'posedirs' is of type complex128"),
        ({"f": np.array([[0, 1, 6890]])}, "faces refers to vertices that do not exist"),
    ],
)
def test_unusable_bodies(tmp_path, body, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        load_body(_save(tmp_path / "b.npz", body, **changes))
    assert "b.npz" in str(caught.value)


def test_nan_in_a_body(tmp_path, body):
    path = _save(tmp_path / "b.npz", body, v_template=_nan_at_vertex_7(body.template))
    with pytest.raises(InputError, match="template has 3 values that are NaN"):
        load_body(path)


def test_pickled_objects_in_an_npz_are_refused(tmp_path, body):
    path = tmp_path / "b.npz"
    np.savez(path, **(_smpl_arrays(body) | {"v_template": np.array([{}], dtype=object)}))
    with pytest.raises(InputError, match=r"cannot be read as \.npz"):
        load_body(path)


@pytest.mark.parametrize("name", ["nowhere.npz", "nowhere.pkl", "default.npz"])
def test_missing_file(tmp_path, name):
    with pytest.raises(InputError, match="no such body file"):
        load_body(tmp_path / name)


def test_other_files(tmp_path):
    (tmp_path / "body.obj").write_text("v 0 0 0")
    with pytest.raises(InputError, match="unknown kind of body file"):
        load_body(tmp_path / "body.obj")
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(InputError, match="holds no dictionary"):
        load_body(tmp_path / "list.pkl")


def test_a_pose_of_another_size():
    with pytest.raises(InputError, match=r"pose of shape \(69,\)"):
        load_body("default").pose(np.zeros(69))
