"""Reconstruction: surfaces and mesh files."""

import sys

import numpy as np
import pytest
import trimesh

from chorus_baselines.chorus import posed_field, reconstruct
from chorus_baselines.chorus.reconstruction import Mesh, person_mesh, save_meshes, surface
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.files import WriteError

GRID = GridSpec(32, 2.0, (0.1, 0.0, -0.2))
BODY = load_body("default")
CENTER, RADIUS = np.array([0.2, 0.1, 0.0]), 0.5


def cone():
    """A field that falls from 1 at the centre to 0.5 at the radius."""
    distance = np.linalg.norm(GRID.centers() - CENTER, axis=1)
    return np.clip(1 - distance / (2 * RADIUS), 0, 1).astype(np.float32).reshape(GRID.shape)


def as_trimesh(mesh):
    return trimesh.Trimesh(mesh.vertices, mesh.faces)


def test_a_ball_is_a_ball():
    mesh = surface(cone(), GRID, 0.5)
    assert mesh.vertices.mean(axis=0) == pytest.approx(CENTER, abs=0.01)
    assert np.linalg.norm(mesh.vertices - CENTER, axis=1) == pytest.approx(RADIUS, abs=0.02)
    found = as_trimesh(mesh)
    assert found.is_watertight
    assert found.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.05)  # outward


def test_surfaces_are_closed_at_the_border_of_the_cube():
    mesh = surface(np.ones(GRID.shape, dtype=np.float32), GRID, 0.5)
    assert as_trimesh(mesh).is_watertight
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low == pytest.approx(GRID.low, abs=1e-6)
    assert high == pytest.approx(GRID.low + 2.0, abs=1e-6)


def test_surfaces_are_closed_where_voxels_have_the_level():
    """Shares of small counts, and fields in steps of 1/255, have many voxels of one value."""
    random = np.random.default_rng(0)
    for _ in range(10):
        field = random.integers(0, 5, (8, 8, 8)).astype(np.float32) / 4
        for level in (0.25, 0.5, 0.75, 1.0):
            mesh = surface(field, GridSpec(8, 1.0), level)
            found = as_trimesh(mesh)
            assert found.is_watertight
            assert found.volume > 0


def test_the_level_is_by_default_a_share_of_the_largest_value():
    field = 0.1 * cone()
    expected = surface(field, GRID, 0.7 * float(field.max()))
    assert np.array_equal(surface(field, GRID).vertices, expected.vertices)


@pytest.mark.parametrize(
    ("field", "level", "message"),
    [
        (
            0.4 * cone(),
            0.5,
            r"(?s)no surface at level 0.5: the largest value.*is 0\.3.*lower level",
        ),
        (0 * cone(), None, "(?s)the field is 0 everywhere.*not empty"),
        (cone(), 0.0, "level 0.0"),
        (cone(), 1.5, "level 1.5"),
    ],
)
def test_levels_without_a_surface(field, level, message):
    with pytest.raises(InputError, match=message):
        surface(field, GRID, level)


@pytest.mark.parametrize("ending", ["obj", "ply", "glb", "OBJ"])
def test_object_and_person_in_one_file(tmp_path, ending):
    pose = np.random.default_rng(0).normal(0, 0.2, 72)
    path = reconstruct(cone(), pose, tmp_path / f"scene.{ending}", body=BODY, grid=GRID)
    thing = surface(posed_field(cone(), pose, BODY, GRID), GRID)
    person = person_mesh(BODY, pose)
    scene = trimesh.load_scene(path, process=False)
    vertices = np.concatenate([part.vertices for part in scene.geometry.values()])
    expected = np.concatenate([thing.vertices, person.vertices])
    assert scene.bounds == pytest.approx(
        np.stack([expected.min(axis=0), expected.max(axis=0)]), abs=1e-5
    )
    faces = sum(len(part.faces) for part in scene.geometry.values())
    assert faces == len(thing.faces) + len(person.faces)
    assert len(vertices) >= len(expected) * 0.9
    if ending == "glb":
        assert set(scene.geometry) == {"object", "person"}
    if ending.lower() == "obj":
        lines = path.read_text().splitlines()
        assert [line for line in lines if line.startswith("o ")] == ["o object", "o person"]
    if ending == "ply":
        (part,) = scene.geometry.values()
        assert len(np.unique(part.visual.vertex_colors, axis=0)) == 2


def test_the_person_stands_in_its_pose_without_global_orientation():
    pose = np.random.default_rng(2).normal(0, 0.2, 72)
    turned = pose.copy()
    turned[:3] = 0
    assert person_mesh(BODY, pose).vertices == pytest.approx(BODY.pose(turned))


def test_nothing_is_written_when_it_cannot_be(tmp_path):
    with pytest.raises(
        InputError, match=r"(?s)unknown mesh format 'stl'.*Available: glb, obj, ply"
    ):
        reconstruct(cone(), np.zeros(72), tmp_path / "scene.stl", body=BODY, grid=GRID)
    with pytest.raises(InputError, match="no surface"):
        reconstruct(0 * cone(), np.zeros(72), tmp_path / "scene.obj", body=BODY, grid=GRID)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]], dtype=np.int32))
    with pytest.raises(WriteError, match="cannot be written"):
        save_meshes(tmp_path / "file" / "scene.ply", {"other": mesh})


@pytest.mark.parametrize("package", ["skimage.measure", "trimesh"])
def test_missing_packages(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'chorus-bench\[mesh\]'"):
        reconstruct(cone(), np.zeros(72), tmp_path / "scene.obj", body=BODY, grid=GRID)
