"""From a photograph to a mesh: people, objects, poses, fields, surfaces, pictures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trimesh
from typer.testing import CliRunner

from chorus_baselines.chorus.photograph import annotate_photo, chosen_people, missing, read_photo
from chorus_baselines.chorus.reconstruction import scene_of
from chorus_baselines.reconstruct_cli import open_fields
from chorus_bench.cli.app import app
from chorus_bench.datasets.coco_eft.fits import read_fits
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.occupancy import POSED_GRID, decode_occupancy
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.pictures import decode_upright
from chorus_bench.simulation import PROMPTS, simulate_train_row
from chorus_bench.synthesis.annotators.pose_files import write_pose_file
from chorus_bench.synthesis.settings import read_settings
from tests.synthesis.pictures import ANNOTATORS
from tests.synthesis.tiny_annotators import tiny_keypoints, tiny_segmenter
from tests.synthesis.tiny_nlf import Nlf, saved
from tests.synthesis.tiny_nlf import Person as NlfPerson

ENTRY = Path(__file__).parents[2] / "leaderboard" / "entries" / "chorus"
BODY = load_body("default")
CATEGORIES = ("backpack", "tie", "umbrella")
SIZE, PICTURES = 128, 2


def shown(category, failure=None):
    """Yield simulated pictures with a failure, or with a person and an object."""
    for index in range(200):
        row = simulate_train_row(category, PROMPTS[category][0], "full_body", index, size=SIZE)
        if row["true_failure"] == failure and (failure or (row["people"] and row["objects"])):
            yield row


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Give photographs by name, as rows, and the options of annotators that know their truth."""
    folder = tmp_path_factory.mktemp("photos")
    rows = {}
    for category in CATEGORIES:
        found = shown(category)
        rows |= {f"{category}-{n}": next(found) for n in range(PICTURES)}
    rows["two"] = next(row for row in shown("backpack", "two_people") if len(row["people"]) == 2)
    rows["nobody"] = next(row for row in shown("backpack", "no_person") if not row["people"])
    for name, row in rows.items():
        (folder / f"{name}.jpg").write_bytes(row["image"]["bytes"])
    (folder / "truth").mkdir()
    known = [{name: row[name] for name in TRAIN_SCHEMA.names} for row in rows.values()]
    pq.write_table(pa.Table.from_pylist(known, schema=TRAIN_SCHEMA), folder / "truth" / "r.parquet")
    found = {"name": "simulated", "truth": str(folder / "truth")}
    changes = {f"annotations.{name}": found for name in ANNOTATORS}
    return folder, rows, changes


def run(photos, photo, *arguments, fields=ENTRY):
    """Run the command on a photograph and return its outcome."""
    folder, _, changes = photos
    pairs = [f"--set={name}={json.dumps(value)}" for name, value in changes.items()]
    call = ["reconstruct", folder / photo, "--fields", fields, *pairs, *arguments]
    return CliRunner().invoke(app, [str(part) for part in call])


def refused(done):
    assert isinstance(done.exception, InputError), (done.output, done.exception)
    return str(done.exception)


def true_center(row):
    """Return the centre of a row's object in the body frame of its person, metres."""
    inside = decode_occupancy(row["true_object_occupancy"]).astype(bool).ravel()
    return POSED_GRID.centers()[inside].mean(axis=0)


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_object_is_where_it_is(photos, category):
    """With the shipped fields and noisy annotators its centre is within 25 cm of the truth."""
    folder, rows, changes = photos
    fields = open_fields(ENTRY)
    settings = read_settings(changes=changes)
    for number in range(PICTURES):
        name = f"{category}-{number}"
        seen = annotate_photo(
            read_photo(folder / f"{name}.jpg"), settings, BODY, categories=fields.categories
        )
        (person,) = seen.people
        assert person.category == category
        field = fields.field(category)
        thing = scene_of(field, person.pose, BODY, grid=field.spec).meshes["object"]
        mesh = trimesh.Trimesh(thing.vertices, thing.faces)
        assert mesh.is_watertight
        assert np.linalg.norm(mesh.center_mass - true_center(rows[name])) < 0.25


def test_a_mesh_and_a_picture(photos, tmp_path):
    """The drawing covers the person of the photograph, and the object where it is seen."""
    folder, rows, _ = photos
    done = run(photos, "umbrella-0.jpg", "--output", tmp_path / "u.glb")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "person 1 of 1, umbrella, level 0.6" in done.output
    assert set(trimesh.load_scene(tmp_path / "u.glb").geometry) == {"object", "person"}
    photo, picture = (
        decode_upright(file.read_bytes()).astype(np.float64)
        for file in (folder / "umbrella-0.jpg", tmp_path / "u.overlay.png")
    )
    light = photo.mean(axis=2, keepdims=True)
    drawn = np.abs(picture - (0.5 * photo + 0.5 * (127.5 + light / 2))).max(axis=2) > 2
    person = decode_mask(rows["umbrella-0"]["people"][0]["mask"]).astype(bool)
    thing = decode_mask(rows["umbrella-0"]["objects"][0]["mask"]).astype(bool)
    assert drawn[person].mean() > 0.7
    assert drawn[thing].mean() > 0.2
    assert drawn[~person & ~thing].mean() < 0.1


def test_a_photograph_is_never_written_over(photos, tmp_path):
    content = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    (tmp_path / "u.png").write_bytes(content)
    done = run(photos, "umbrella-0.jpg", "--output", tmp_path / "u.glb")
    assert done.exit_code == 0, (done.output, done.exception)
    assert (tmp_path / "u.png").read_bytes() == content


def test_several_people_or_one(photos, tmp_path):
    """Each gets a file; or the one that is asked for, counted from the left."""
    arguments = ("--category", "backpack", "--output", tmp_path / "s.ply")
    done = run(photos, "two.jpg", *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    names = ["s-1.overlay.png", "s-1.ply", "s-2.overlay.png", "s-2.ply"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    first = (tmp_path / "s-2.ply").read_bytes()
    done = run(photos, "two.jpg", "--person", 2, *arguments)
    assert "person 2 of 2" in done.output
    assert (tmp_path / "s.ply").read_bytes() == first
    assert first != (tmp_path / "s-1.ply").read_bytes()
    assert "no person 3" in refused(run(photos, "two.jpg", "--person", 3, *arguments))


def test_a_category_needs_no_detected_object(photos, tmp_path):
    done = run(photos, "umbrella-1.jpg", "--category", "tie", "--output", tmp_path / "x.obj")
    assert done.exit_code == 0, (done.output, done.exception)
    assert "1 of 1, tie" in done.output


@pytest.mark.parametrize(
    ("photo", "arguments", "message"),
    [
        ("nowhere.jpg", (), "no such photograph"),
        ("truth/r.parquet", (), "it is no JPEG, PNG, WebP or BMP inside"),
        ("nobody.jpg", (), "no person was found"),
        ("tie-0.jpg", ("--category", "umbrela"), "Did you mean 'umbrella'"),
        ("tie-0.jpg", ("--pose", "p.npy"), "a photograph and another pose"),
        ("tie-0.jpg", ("--level", 0.9), r"no surface at level 0\.9: .* is 0\.4"),
        ("tie-0.jpg", ("--output", "x.stl"), "unknown mesh format 'stl'"),
    ],
)
def test_what_cannot_be_done(photos, tmp_path, photo, arguments, message):
    done = run(photos, photo, "--output", tmp_path / "x.glb", *arguments)
    with pytest.raises(InputError, match=message):
        raise done.exception
    assert not list(tmp_path.iterdir())


def test_simulated_annotators_know_no_photograph(photos, tmp_path):
    """This is said of the photograph, before an annotator is made."""
    folder, rows, _ = photos
    no_truth = {f"annotations.{name}": "simulated" for name in ANNOTATORS}
    done = run((folder, rows, no_truth), "tie-0.jpg", "--output", tmp_path / "x.obj")
    assert "tie-0: the segmenter 'simulated' knows the simulated world alone" in refused(done)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), r"no person is chosen(?s:.*)a photograph, or --split"),
        (("--pose", "p.npy"), r"no category is named(?s:.*)--category NAME"),
    ],
)
def test_without_a_photograph(tmp_path, arguments, message):
    call = ["reconstruct", "--fields", ENTRY, "--output", tmp_path / "x.obj", *arguments]
    done = CliRunner().invoke(app, [str(part) for part in call])
    assert re.search(message, refused(done))


def test_a_surface_that_is_not_there_names_a_level_that_is(photos, tmp_path):
    text = refused(run(photos, "tie-0.jpg", "--level", 0.9, "--output", tmp_path / "x.glb"))
    level = float(text.rsplit("for example ", 1)[1])
    done = run(photos, "tie-0.jpg", "--level", level, "--output", tmp_path / "x.glb")
    assert done.exit_code == 0, done.exception


def test_people_without_a_pose_or_an_object_say_so(photos):
    """The others of the photograph are reconstructed; of these the reason is told."""
    folder, _, changes = photos
    seen = annotate_photo(read_photo(folder / "tie-0.jpg"), read_settings(changes=changes), BODY)
    (person,) = chosen_people(seen, None)
    assert person.category is None  # no category was looked for
    assert missing(person, "tie", seen) is None
    assert "none of the detected objects (none)" in missing(person, None, seen)
    assert missing(replace(person, pose=None), "tie", seen) == "has no estimated pose"


def test_models_of_real_classes(photos, tmp_path):
    """With random weights what is found means nothing; every step runs, and files are whole."""
    segmenter = {
        "name": "transformers", "threshold": 0.0,
        "model": str(tiny_segmenter(tmp_path / "segmenter", ("person", "tie", "bicycle"))),
    }  # fmt: skip
    somebody = NlfPerson(0, (0.0, 0.0, 3.0), size=(SIZE, SIZE), focal=160.0)
    changes = {
        "annotations.segmenter": segmenter,
        "annotations.keypoints": {
            "name": "transformers", "model": str(tiny_keypoints(tmp_path / "keypoints")),
        },
        "annotations.pose": {
            "name": "nlf", "model": saved(Nlf([somebody]), tmp_path), "min_overlap": 0.01,
        },
    }  # fmt: skip
    done = run((*photos[:2], changes), "tie-0.jpg", "--output", tmp_path / "out" / "x.glb")
    assert done.exit_code == 0, (done.output, done.exception)
    assert ", tie, level" in done.output
    (mesh,) = (tmp_path / "out").glob("*.glb")
    assert set(trimesh.load_scene(mesh).geometry) == {"object", "person"}
    assert mesh.with_suffix(".overlay.png").is_file()


def test_annotations_and_poses_from_files(tmp_path):
    """A photograph of COCO with its own annotations and a fit of ours; here without the picture."""
    real = Path(__file__).parents[1] / "data" / "real_coco"
    fits = read_fits(real / "fits.json").fits
    names = ("surfboard", "skateboard", "tennis racket")
    image, category = image_with(json.loads((real / "instances.json").read_text()), names)
    fit = next(fit for fit in fits if fit.image_name == image["file_name"])
    stem = Path(image["file_name"]).stem
    blank = np.full((image["height"], image["width"], 3), 200, np.uint8)
    (tmp_path / f"{stem}.png").write_bytes(cv2.imencode(".png", blank)[1].tobytes())
    write_pose_file(
        tmp_path / "poses" / f"{stem}.npz", rotations=fit.rotations[None], betas=fit.betas[None],
        weak_camera=fit.camera[None], crop_center=fit.center[None], crop_scale=[fit.scale],
    )  # fmt: skip
    annotations = {"name": "coco", "annotations": str(real / "instances.json")}
    changes = {
        "annotations.segmenter": annotations,
        "annotations.keypoints": annotations,
        "annotations.pose": {"name": "files", "folder": str(tmp_path / "poses")},
    }
    photo = f"{stem}.png"
    done = run((tmp_path, {}, changes), photo, "--output", tmp_path / "out" / "x.glb")
    assert done.exit_code == 0, (done.output, done.exception)
    assert f"person 1 of 1, {category}, level" in done.output
    drawn = decode_upright((tmp_path / "out" / "x.overlay.png").read_bytes())
    ground = drawn[0, 0].astype(int)
    where = (np.abs(drawn.astype(int) - ground) > 5).any(axis=2)
    x, y = np.argwhere(where).mean(axis=0)[::-1]
    assert np.abs(np.array([x, y]) - fit.center).max() < 100 * fit.scale  # half the crop


def image_with(content, names):
    """Return an image of a COCO file that shows one of some categories, and which."""
    ids = {one["id"]: one["name"] for one in content["categories"]}
    for one in content["annotations"]:
        if ids[one["category_id"]] in names:
            image = next(image for image in content["images"] if image["id"] == one["image_id"])
            return image, ids[one["category_id"]]
    raise AssertionError(names)
