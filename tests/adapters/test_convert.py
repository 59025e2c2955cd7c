"""Converting files: one shifted box in all forms, recorded in the manifest; what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trimesh
import yaml
from safetensors.numpy import save_file

from chorus_bench.adapters import KINDS, convert
from chorus_bench.adapters.grids import box_grid, cube_of
from chorus_bench.errors import InputError
from chorus_bench.geometry.axes import Axes
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.submission import SubmissionError, check_submission, open_submission
from tests.adapters.shifted_box import (
    CENTER,
    CORNERS,
    FACES,
    FIELD,
    GRID,
    SIZE,
    distances,
    in_world,
    points,
    pose,
)
from tests.cli.cli_tools import run_cli

BODY = load_body("default")
REST = BODY.rest_joints()[0]
BLENDER = Axes.parse("z-up, x-left")
ONCE = {"pose": pose(0), "pelvis": REST}


def mesh(path, corners=CORNERS):
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.Trimesh(corners, FACES, process=False).export(path)


def arrays(path, **values):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **values)


def _pairs(folder):
    poses = np.stack([pose(seed) for seed in range(3)])
    world = np.stack([in_world(CORNERS, p, REST + k, REST) for k, p in enumerate(poses)])
    pelvis = np.stack([REST + k for k in range(3)])
    arrays(folder / "kite.npz", pose=poses, vertices=world, faces=FACES, pelvis=pelvis)


def _object_centred(folder):
    """Every person about the same object, in the object's frame."""
    poses = np.stack([pose(seed) for seed in range(3)])
    turned = [in_world(CENTER[None], p, np.zeros(3), REST)[0] for p in poses]
    arrays(
        folder / "kite.npz",
        pose=poses,
        pelvis=-np.stack(turned),
        points=np.zeros((1, 3)),
        weights=np.ones(1),
    )


def _images(folder):
    """A mesh for each image, with the pose in an .npz beside it."""
    for seed in range(3):
        mesh(folder / "kite" / f"{seed}.ply", in_world(CORNERS, pose(seed), REST, REST))
        arrays(folder / "kite" / f"{seed}.npz", pose=pose(seed), pelvis=REST)


def _sparse(folder):
    index = np.argwhere(FIELD)
    arrays(folder / "kite.npz", coordinates=index, values=np.ones(len(index)), shape=FIELD.shape)


def _part(folder):
    """A box of voxels that is no cube, in centimetres, x y z in another order."""
    low = np.array([8, 8, 16])
    part = FIELD[8:20, 8:24, 16:24]
    center = (GRID.low + GRID.voxel_size * (low + np.array(part.shape) / 2)) * 100
    size = np.array(part.shape) * GRID.voxel_size * 100
    order = [0, 2, 1]
    arrays(
        folder / "kite.npz",
        occupancy=part.transpose(order).astype(bool),
        size=size[order],
        center=center[order],
        axes="xzy",
    )


FORMS = {
    "obj": ("meshes", lambda f: mesh(f / "kite.obj"), {}),
    "stl, z up, cm": (
        "meshes",
        lambda f: mesh(f / "kite.stl", 100 * CORNERS @ BLENDER.matrix),
        {"axes": "z-up, x-left", "units": "cm"},
    ),
    "images": ("meshes", _images, {}),
    "vertices and faces": (
        "meshes",
        lambda f: arrays(f / "kite.npz", vertices=CORNERS, faces=FACES),
        {},
    ),
    "pairs": ("pairs", _pairs, {}),
    "shapes": (
        "shapes",
        lambda f: (f / "shapes.yaml").write_text(
            yaml.dump({"kite": {"center": CENTER.tolist(), "size": SIZE.tolist()}})
        ),
        {},
    ),
    "distances": ("distances", lambda f: np.save(f / "kite.npy", distances()), {}),
    "float64": ("grids", lambda f: np.save(f / "kite.npy", FIELD.astype(np.float64)), {}),
    "bool": ("grids", lambda f: np.save(f / "kite.npy", FIELD > 0), {}),
    "uint8": ("grids", lambda f: np.save(f / "kite.npy", (255 * FIELD).astype(np.uint8)), {}),
    "safetensors": ("grids", lambda f: save_file({"grid": FIELD}, f / "kite.safetensors"), {}),
    "pt": (
        "grids",
        lambda f: torch.save({"occupancy": torch.tensor(FIELD).bfloat16()}, f / "kite.pt"),
        {},
    ),
    "sparse pt": (
        "grids",
        lambda f: torch.save(torch.tensor(FIELD).to_sparse(), f / "kite.pt"),
        {},
    ),
    "sparse": ("grids", _sparse, {}),
    "z up": (
        "grids",
        lambda f: np.save(f / "kite.npy", FIELD.transpose(0, 2, 1)[:, ::-1]),
        {"axes": "z-up, x-left"},
    ),
    "a box in cm": ("grids", _part, {"units": "cm", "grid": GRID}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_shifted_box_is_the_same_field_in_every_form(tmp_path, form):
    kind, write, options = FORMS[form]
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder)
    source = folder / "shapes.yaml" if kind == "shapes" else folder
    grid = {} if kind == "grids" else {"grid": GRID}
    made = convert(kind, source, tmp_path / "s", method="box", **{**grid, **options})
    with open_submission(made.folder) as submission:
        assert submission.categories == ("kite",)
        field = submission.field("kite")
        assert (field.spec.resolution, field.spec.side_length) == (24, 3.0)
        np.testing.assert_array_equal(field.values, FIELD)
        notes = submission.metadata["conversion"]
    assert notes[0].startswith(f"converted from {kind}: ")
    assert notes[1].startswith("lost: ")
    assert tuple(notes) == made.notes


@pytest.mark.parametrize("form", ["npz", "npy with weights", "with a pose", "object-centred"])
def test_points_in_files(tmp_path, form):
    folder = tmp_path / "in"
    folder.mkdir()
    if form == "npz":
        arrays(folder / "kite.npz", points=points())
    elif form == "npy with weights":
        np.save(folder / "kite.npy", np.column_stack([points(), np.ones(len(points()))]))
    elif form == "with a pose":
        arrays(folder / "kite.npz", points=in_world(points(), pose(0), REST, REST), **ONCE)
    else:
        _object_centred(folder)
    kind = "object-centred" if form == "object-centred" else "points"
    convert(kind, folder, tmp_path / "s", grid=GRID)
    with open_submission(tmp_path / "s") as submission:
        found = submission.field("kite").values
    assert found[FIELD > 0].max() == 1
    if form != "object-centred":
        assert (found >= FIELD).all()
    middle = (found.reshape(-1, 1) * GRID.centers()).sum(axis=0) / found.sum()
    np.testing.assert_allclose(middle, CENTER, atol=GRID.voxel_size / 2)


def test_the_posed_track(tmp_path):
    _images(tmp_path / "in")
    convert("meshes", tmp_path / "in", tmp_path / "s", track="posed", grid=GRID)
    mesh(tmp_path / "plain" / "kite" / "7.obj")
    convert("meshes", tmp_path / "plain", tmp_path / "p", track="posed", grid=GRID)
    for folder, samples in ((tmp_path / "s", ("0", "1", "2")), (tmp_path / "p", ("7",))):
        with open_submission(folder) as submission:
            assert submission.posed_samples("kite") == samples
            read = submission.posed_field("kite", samples[-1]).values
            np.testing.assert_array_equal(read, FIELD)


def test_contact_says_what_it_cannot_know(tmp_path):
    contact = np.zeros((2, BODY.vertices))
    contact[0, :40] = 1
    arrays(tmp_path / "in" / "kite.npz", contact=contact)
    made = convert("contact", tmp_path / "in", tmp_path / "s")
    assert "contact does not know how far the object reaches" in made.warnings[0]
    with open_submission(made.folder) as submission:
        assert set(np.unique(submission.field("kite").values)) == {0, np.float32(0.5)}


def test_a_binary_field_is_warned_about_and_a_blurred_one_is_not(tmp_path):
    mesh(tmp_path / "in" / "kite.obj")
    hard = convert("meshes", tmp_path / "in", tmp_path / "h", grid=GRID)
    assert "binary or saturated" in hard.warnings[0]
    soft = convert("meshes", tmp_path / "in", tmp_path / "b", grid=GRID, sigma=0.1, radius=0.2)
    assert soft.warnings == ()
    assert "radius 0.2 m, sigma 0.1 m" in soft.notes


def test_samples_and_their_error_are_stated(tmp_path, bars):
    _pairs(tmp_path / "in")
    made = convert("pairs", tmp_path / "in", tmp_path / "s", grid=GRID)
    assert bars == {"Converting categories": [(1, 1)]}
    assert "3 to 3 samples per category; largest standard error of a voxel 0.0000" in made.notes


def test_every_grid_keeps_its_own_cube(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    np.save(folder / "kite.npy", FIELD)
    np.save(folder / "bench.npy", FIELD.repeat(2, 0).repeat(2, 1).repeat(2, 2))
    np.savez(folder / "tie.npz", a=FIELD[:, :12], size=(1.0, 0.5, 1.0), center=(0, 0.2, 0))
    made = convert("grids", folder, tmp_path / "s")
    cube = GridSpec(24, 1.0, (0.0, 0.45, 0.0))
    assert f"tie: 24x12x24 voxels of 1x0.5x1 m read at {cube.label}" in made.notes
    assert not [note for note in made.notes if note.startswith(("kite", "bench"))]
    with open_submission(made.folder) as submission:
        assert submission.grid_of("kite") == GridSpec(24)
        assert submission.grid_of("bench") == GridSpec(48)
        assert submission.grid_of("tie") == cube
        np.testing.assert_array_equal(submission.field("kite").values, FIELD)
        np.testing.assert_array_equal(submission.field("tie").values[:, :12], FIELD[:, :12])
    shared = convert("grids", folder, tmp_path / "one", grid=GridSpec(48))
    assert "kite: 24x24x24 voxels of 3x3x3 m read at 48x3.0" in shared.notes
    with open_submission(shared.folder) as submission:
        assert (submission.grid, submission.own_grids) == (GridSpec(48), {})
        one, other = (submission.field(name).values for name in ("kite", "bench"))
        np.testing.assert_array_equal(one, other)
    only = convert("grids", folder, tmp_path / "o", categories="kite")
    assert only.categories == 1


def test_the_cube_of_a_box():
    low = box_grid({"a": np.ones((10, 20, 10))}, side_length=2.0)
    high = box_grid({"a": np.ones((8, 8, 8))}, side_length=0.8, center=(1.0, 0, 0))
    assert low.size == (1.0, 2.0, 1.0)
    assert low.spec is None
    cube = cube_of(low)
    assert cube.voxel_size == pytest.approx(0.1)
    assert cube.low.tolist() == pytest.approx([-0.5, -1.0, -0.5])
    assert cube.resolution == 20
    assert low.on(cube).sum() == 2000
    assert cube_of(high) == high.spec
    small = cube_of(box_grid({"a": np.ones((4, 4, 4))}, side_length=0.4))
    assert (small.resolution, small.side_length) == (8, pytest.approx(0.8))
    vast = box_grid({"a": np.ones((2, 300, 2))}, side_length=900.0)
    assert cube_of(vast).resolution == 256


@pytest.mark.parametrize(
    ("kind", "write", "options", "message"),
    [
        ("points", lambda f: None, {}, "nothing to convert"),
        ("points", lambda f: arrays(f / "kite.npz", pts=points()), {}, r"kite.npz: holds pts"),
        ("points", lambda f: np.save(f / "kite.npy", np.array([None])), {}, "cannot be read"),
        ("meshes", lambda f: mesh(f / "kite.obj"), {"axes": "z-up"}, "z-up, x-left"),
        ("meshes", lambda f: mesh(f / "kite.obj"), {"units": "inch"}, "unknown unit 'inch'"),
        ("meshes", lambda f: mesh(f / "kite.obj"), {"track": "posed"}, "'kite' is one file"),
        (
            "meshes",
            lambda f: mesh(f / "kite.obj"),
            {"categories": ["mug"]},
            "unknown category 'mug'",
        ),
        ("meshes", lambda f: mesh(f / "kite" / "1.obj"), {}, "a sample without 'pose'"),
        ("meshes", lambda f: (f / "kite.obj").write_text("v 0 0 0\n"), {}, "kite.obj: "),
        (
            "meshes",
            lambda f: [mesh(f / "kite.obj"), mesh(f / "kite.ply")],
            {},
            "is a second file of 'kite'",
        ),
        ("pairs", lambda f: arrays(f / "kite.npz", points=points()), {}, "'pose'"),
        (
            "pairs",
            lambda f: arrays(f / "kite.npz", pose=np.zeros((2, 72)), points=np.zeros((3, 4, 3))),
            {},
            "one for each of the 2 poses",
        ),
        (
            "pairs",
            lambda f: arrays(f / "kite.npz", pose=np.zeros((2, 72))),
            {},
            "kite.npz: sample 0: a sample without an object",
        ),
        (
            "pairs",
            lambda f: arrays(f / "kite.npz", pose=np.zeros((1, 165)), points=points()[None]),
            {},
            "without the place of the pelvis",
        ),
        (
            "object-centred",
            lambda f: arrays(f / "kite.npz", occupancy=FIELD),
            {},
            "which way each person faced",
        ),
        (
            "object-centred",
            lambda f: arrays(f / "kite.npz", pose=np.zeros(72), points=points()),
            {},
            "which way each person faced",
        ),
        (
            "contact",
            lambda f: arrays(f / "kite.npz", contact=np.zeros(6890)),
            {},
            "kite.npz: contact of shape",
        ),
        ("contact", lambda f: arrays(f / "kite.npz", labels=np.zeros(6890)), {}, "holds labels"),
        (
            "contact",
            lambda f: arrays(f / "kite" / "1.npz", contact=np.zeros(6890)),
            {},
            "has a file for each sample",
        ),
        (
            "contact",
            lambda f: arrays(f / "kite.npz", contact=np.zeros(6890)),
            {"track": "posed"},
            "--track canonical",
        ),
        ("distances", lambda f: np.save(f / "kite.npy", distances() + 9), {}, "unsigned distances"),
        ("grids", lambda f: np.save(f / "kite.npy", FIELD[None]), {}, r"values.squeeze\(\)"),
        ("grids", lambda f: np.save(f / "kite.npy", FIELD + 1), {}, "kite.npy: .*outside"),
        ("grids", lambda f: arrays(f / "kite.npz", a=FIELD, b=FIELD), {}, "holds 2 arrays: a, b"),
        (
            "grids",
            lambda f: arrays(f / "kite.npz", coordinates=np.zeros((1, 3), int)),
            {},
            "a sparse grid without values, shape",
        ),
        (
            "grids",
            lambda f: arrays(
                f / "kite.npz", coordinates=[[9, 0, 0]], values=[1.0], shape=[8, 8, 8]
            ),
            {},
            "outside the sparse grid",
        ),
        (
            "grids",
            lambda f: arrays(
                f / "kite.npz", coordinates=[[0, 0, 0]], values=[1.0], shape=[10**4] * 3
            ),
            {},
            "a sparse grid of shape",
        ),
        (
            "shapes",
            lambda f: (f / "s.yaml").write_text("kite: {center: [0, 0, 1]}"),
            {},
            "neither a radius nor a size",
        ),
        (
            "shapes",
            lambda f: (f / "s.yaml").write_text("kite: {center: [0, 0], radius: 1}"),
            {},
            "center",
        ),
        ("cloud", lambda f: None, {}, "unknown kind 'cloud'"),
    ],
)
def test_what_is_missing_or_wrong_is_said(tmp_path, kind, write, options, message):
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder)
    source = folder / "s.yaml" if kind == "shapes" else folder
    with pytest.raises(InputError, match=message):
        convert(kind, source, tmp_path / "s", **options)
    assert not (tmp_path / "s").exists()


def test_a_pickle_is_not_opened(tmp_path):
    torch.save({"occupancy": Hostile()}, tmp_path / "kite.pt")
    with pytest.raises(InputError, match="which are never opened"):
        convert("grids", tmp_path / "kite.pt", tmp_path / "s")


class Hostile:
    def __reduce__(self):
        return (exit, (1,))


def test_the_command(tmp_path):
    mesh(tmp_path / "in" / "kite.obj", CORNERS @ BLENDER.matrix)
    options = [
        "--axes",
        "z-up, x-left",
        "--resolution",
        "24",
        "--sigma",
        "0.05",
        "--method",
        "Boxes",
    ]
    done = run_cli("convert", "meshes", tmp_path / "in", "--output", tmp_path / "s", *options)
    assert "axes z-up, x-left, sigma 0.05 m" in done.stdout
    report = check_submission(tmp_path / "s")
    assert (report.ok, report.manifest.method, report.categories) == (True, "Boxes", ("kite",))
    failed = run_cli("convert", "pairs", tmp_path / "in", "--output", tmp_path / "p")
    assert failed.returncode == 2
    assert "nothing to convert" in failed.stderr


def test_an_existing_folder_is_kept(tmp_path):
    mesh(tmp_path / "in" / "kite.obj")
    convert("meshes", tmp_path / "in", tmp_path / "s", grid=GRID)
    with pytest.raises(InputError, match="exists"):
        convert("meshes", tmp_path / "in", tmp_path / "s", grid=GRID)
    convert("meshes", tmp_path / "in", tmp_path / "s", grid=GRID, overwrite=True)


def test_the_kinds_of_the_command_are_all_kinds():
    from chorus_bench.adapters import UNITS
    from chorus_bench.cli.convert import KindName, UnitName

    assert [kind.value for kind in KindName] == list(KINDS)
    assert [unit.value for unit in UnitName] == list(UNITS)
    with pytest.raises(SubmissionError):
        open_submission("nothing")
