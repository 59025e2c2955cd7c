"""Test rows of the simulated world."""

import hashlib
import json
import subprocess
import sys
from functools import cache

import cv2
import numpy as np
import pyarrow as pa
import pytest

from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.occupancy import decode_occupancy
from chorus_bench.datasets.schema import TEST_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.simulation import (
    CATEGORIES,
    PROMPTS,
    interaction_of,
    simulate_test_row,
    simulate_train_row,
    simulated_test,
)
from chorus_bench.simulation.interactions import (
    PARTS,
    interaction_at,
    interactions,
    make_scene,
)
from chorus_bench.simulation.occupancy import occupancy
from chorus_bench.simulation.rows import row_stream

PAPER = (
    "motorcycle", "bench", "backpack", "handbag", "tie", "frisbee", "skis", "snowboard",
    "sports ball", "baseball glove", "skateboard", "surfboard", "tennis racket", "cell phone",
)  # fmt: skip
EVERY = [(i.category, number) for c in CATEGORIES for number, i in enumerate(interactions(c))]

row_of = cache(lambda category, index: simulate_test_row(category, index, with_image=False))


camera_of = PerspectiveCamera.from_row


def scene_of(category, index):
    stream = row_stream("test", 0, category, index).fork("scene")
    return make_scene(interaction_at(category, index), load_body("default"), stream)


def same(first, second):
    return json.dumps(first, default=repr) == json.dumps(second, default=repr)


def test_the_paper_s_categories_come_first():
    assert CATEGORIES[:14] == PAPER
    assert CATEGORIES[14:] == ("umbrella",)


def test_surfboard_and_skateboard_are_ridden_and_carried():
    for category in ("surfboard", "skateboard"):
        assert [i.name for i in interactions(category)] == ["ride", "carry"]


def test_unknown_categories_are_named():
    with pytest.raises(InputError, match="Did you mean 'surfboard'"):
        interactions("surfbord")
    with pytest.raises(InputError, match="unknown simulated category 'sofa'"):
        simulate_test_row("sofa", 0)


@pytest.mark.parametrize(("index", "size"), [(-1, (64, 64)), (0, (64, 20))])
def test_wrong_requests_are_refused(index, size):
    with pytest.raises(InputError, match=r"index -1|64 x 20 pixels"):
        simulate_test_row("tie", index, image_size=size)
    with pytest.raises(InputError, match=r"index -1|20 x 20 pixels"):
        simulate_train_row("tie", "a person wears a tie", "plain", index, size=min(size))


def test_rows_depend_on_their_address_only():
    first = simulate_test_row("handbag", 3)
    simulate_test_row("handbag", 1)
    assert same(first, simulate_test_row("handbag", 3))
    assert not same(first["pose"], simulate_test_row("handbag", 3, seed=1)["pose"])
    assert not same(first["pose"], simulate_test_row("handbag", 6)["pose"])


def test_another_process_makes_the_same_row():
    code = (
        "from chorus_bench.simulation import simulate_test_row as s\n"
        "import sys\n"
        "r = s('skis', 4)\n"
        "sys.stdout.write(r['object_mask']['counts'] + r['human_mask']['counts'] + repr(r['pose']))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    row = row_of("skis", 4)
    here = row["object_mask"]["counts"] + row["human_mask"]["counts"] + repr(row["pose"])
    assert made.stdout == here


def test_the_world_stays_as_it_is():
    """A change of these numbers is another world: raise `rows.WORLD` with them."""
    assert load_body("default").fingerprint == "0383d67ee28c", "the free body has changed"
    rows = [row_of(c, 7) for c in CATEGORIES]
    text = "".join(r["object_mask"]["counts"] + r["human_mask"]["counts"] for r in rows)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "165107155f51dc0e"


def test_without_image_everything_else_is_the_same():
    plain, full = row_of("frisbee", 2), simulate_test_row("frisbee", 2)
    assert plain["image"] is None
    assert full["image"]["bytes"][:2] == b"\xff\xd8"
    assert same({**full, "image": None}, plain)


def test_rows_fit_the_schema():
    rows = simulated_test(("bench", "tie"), 2)
    extra = [
        ("prompt", pa.string()),
        ("interaction", pa.string()),
        ("part", pa.string()),
        ("object_occupancy", pa.binary()),
    ]
    table = pa.Table.from_pylist(rows, schema=pa.schema([*TEST_SCHEMA, *extra]))
    assert set(rows[0]) == set(table.column_names)
    assert [r["sample_id"] for r in rows] == [
        f"simulated-test-{c}-0000{k}" for c in ("bench", "tie") for k in (0, 1)
    ]
    assert len({r["image_id"] for r in rows}) == 4
    for column in table.column_names:
        assert table[column].null_count == 0, column


def test_images_have_the_size_of_the_row():
    sizes = set()
    for index in range(6):
        row = simulate_test_row("motorcycle", index)
        picture = cv2.imdecode(np.frombuffer(row["image"]["bytes"], np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (row["height"], row["width"], 3)
        assert row["object_mask"]["size"] == [row["height"], row["width"]]
        assert picture.std() > 10
        sizes.add((row["height"], row["width"]))
    assert len(sizes) > 1
    row = simulate_test_row("motorcycle", 0, image_size=(100, 120), with_image=False)
    assert (row["height"], row["width"]) == (100, 120)


@pytest.mark.parametrize(("category", "index"), EVERY)
def test_every_interaction_shows_person_and_object(category, index):
    row = row_of(category, index)
    assert row["interaction"] == interactions(category)[index].name
    human, thing = decode_mask(row["human_mask"]), decode_mask(row["object_mask"])
    pixels = row["height"] * row["width"]
    assert thing.sum() >= 0.003 * pixels
    assert human.sum() >= 0.02 * pixels
    assert not (human & thing).any()
    for mask, box in ((human, row["human_box"]), (thing, row["object_box"])):
        rows, columns = np.nonzero(mask)
        assert box == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert 0 < row["box_overlap"] <= 1


@pytest.mark.parametrize(("category", "index"), EVERY)
def test_objects_and_bodies_do_not_run_through_each_other(category, index):
    """They share less than a litre; a body has more than sixty."""
    scene, grid = scene_of(category, index), GridSpec(resolution=192)
    assert abs(scene.instances[1].mesh.vertices).max() < 1.9
    person, thing = (occupancy(scene.instances[k].mesh, grid) for k in (0, 1))
    litres = 1000 * grid.voxel_size**3
    assert 50 < person.sum() * litres < 90
    assert (person & thing).sum() * litres < 1.0


@pytest.mark.parametrize(("category", "index"), EVERY)
def test_every_part_of_a_thing_is_closed_and_faces_outwards(category, index):
    for instance in scene_of(category, index).instances[1:]:
        mesh = instance.mesh
        a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
        parts = mesh.parts.max() + 1
        volume = np.bincount(mesh.parts, np.einsum("ij,ij->i", a, np.cross(b, c)), parts)
        area = np.cross(b - a, c - a) / 2
        assert (volume > 0).all()
        for axis in range(3):
            assert np.bincount(mesh.parts, area[:, axis], parts) == pytest.approx(0, abs=1e-9)


def first_hit(scene, camera, pixel):
    """Return the number of the nearest instance along a pixel's ray, by brute force, or -1."""
    K, R = (np.asarray(m, np.float64) for m in (camera.intrinsics, camera.rotation))
    way = R.T @ np.linalg.inv(K) @ (pixel[1] + 0.5, pixel[0] + 0.5, 1)
    best = (np.inf, -1)
    for number, instance in enumerate(scene.instances):
        a, b, c = np.moveaxis(instance.mesh.vertices[instance.mesh.faces], 1, 0)
        e1, e2 = b - a, c - a
        p = np.cross(way, e2)
        det = np.einsum("ij,ij->i", e1, p)
        with np.errstate(divide="ignore", invalid="ignore"):
            s = camera.center - a
            u = np.einsum("ij,ij->i", s, p) / det
            q = np.cross(s, e1)
            v, t = q @ way / det, np.einsum("ij,ij->i", e2, q) / det
        t = t[(abs(det) > 1e-14) & (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)]
        best = min(best, (t.min(initial=np.inf), number))
    return best[1]


@pytest.mark.parametrize("category", ["motorcycle", "backpack", "skis", "baseball glove"])
def test_masks_are_what_rays_hit_first(category):
    row, scene = row_of(category, 1), scene_of(category, 1)
    human, thing = decode_mask(row["human_mask"]), decode_mask(row["object_mask"])
    camera, rng = camera_of(row), np.random.default_rng(0)
    kinds = [human, thing, cv2.dilate(thing, np.ones((5, 5))) & ~thing, 1 - (human | thing)]
    pixels = [rng.permutation(np.argwhere(kind))[:12] for kind in kinds]
    wrong = 0
    for pixel in np.concatenate(pixels):
        hit = first_hit(scene, camera, pixel)
        wrong += (human[tuple(pixel)] != (hit == 0)) or (thing[tuple(pixel)] != (hit == 1))
    assert wrong <= 1  # corners are rounded to 1/256 pixel


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_camera_is_true(category):
    row, body = row_of(category, 0), load_body("default")
    joints = body.bone_transforms(row["pose"])[1]
    camera = camera_of(row)
    np.testing.assert_allclose(row["joints_2d"], camera.project(joints), rtol=1e-6)
    np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(camera.rotation) == pytest.approx(1, abs=1e-5)
    assert row["reprojection_error"] == 0
    assert row["pose"][:3] == [0, 0, 0]
    assert row["camera_intrinsics"][0][0] == row["camera_intrinsics"][1][1]
    human = cv2.dilate(
        decode_mask(row["human_mask"]) | decode_mask(row["object_mask"]), np.ones((9, 9))
    )
    u, v = np.floor(camera.project(body.pose(row["pose"]))).astype(int).T
    inside = (u >= 0) & (u < row["width"]) & (v >= 0) & (v < row["height"])
    assert human[v[inside], u[inside]].mean() > 0.95


def test_left_is_left_and_up_is_up():
    """Seen from the front, the person's left side is on the right of the picture."""
    seen_from_front = 0
    for index in range(12):
        row = row_of("backpack", index)
        center, joints = camera_of(row).center, np.array(row["joints_2d"])
        assert joints[15, 1] < joints[0, 1] < joints[10, 1]
        if abs(center[0]) < center[2]:
            seen_from_front += 1
            assert joints[16, 0] > joints[17, 0]
        elif abs(center[0]) < -center[2]:
            assert joints[16, 0] < joints[17, 0]
    assert seen_from_front > 2


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_true_voxels_are_where_the_mask_is(category):
    row, grid = row_of(category, 0), GridSpec()
    voxels = decode_occupancy(row["object_occupancy"])
    offsets = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 5)] * 3), -1).reshape(-1, 3)
    centers = grid.centers()[voxels.ravel()]
    splat = (centers[:, None] + offsets * grid.voxel_size).reshape(-1, 3)
    uv = np.floor(camera_of(row).project(splat)).astype(int)
    inside = (uv >= 0).all(1) & (uv < (row["width"], row["height"])).all(1)
    covered = np.zeros((row["height"], row["width"]), np.uint8)
    covered[uv[inside, 1], uv[inside, 0]] = 1
    covered = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, np.ones((5, 5)))
    thing, human = decode_mask(row["object_mask"]), decode_mask(row["human_mask"])
    assert covered[thing > 0].mean() > 0.93
    reach = int(0.0625 * row["camera_intrinsics"][0][0] / np.linalg.norm(camera_of(row).center)) + 2
    near = cv2.dilate(thing | human, np.ones((2 * reach + 1,) * 2, np.uint8))
    assert near[covered > 0].mean() > 0.92


def test_prompts_belong_to_interactions():
    for category in CATEGORIES:
        assert {interaction_of(category, p).name for p in PROMPTS[category]} == {
            i.name for i in interactions(category)
        }
        assert len(set(PROMPTS[category])) == len(PROMPTS[category])
    assert interaction_of("tie", "any text").name == "wear"
    assert interaction_of("surfboard", "x") is interaction_of("surfboard", "x")
    row = row_of("surfboard", 1)
    assert interaction_of("surfboard", row["prompt"]).name == row["interaction"] == "carry"


#: The segments, by their joints, of the parts of the body that interactions name.
JOINTS_OF = {
    "hands": (20, 21, 22, 23),
    "arms": (16, 17, 18, 19),
    "feet": (7, 8, 10, 11),
    "hips": (0, 1, 2),
    "torso": (3, 6, 9, 13, 14),
}


@pytest.mark.parametrize(("category", "index"), EVERY)
def test_the_object_is_at_the_part_that_the_row_names(category, index):
    row, body = row_of(category, index), load_body("default")
    pose = np.array([0, 0, 0, *row["pose"][3:]])
    part = body.pose(pose)[np.isin(body.dominant_joints(), JOINTS_OF[row["part"]])]
    thing = GridSpec().centers()[decode_occupancy(row["object_occupancy"]).ravel()]
    distances = np.linalg.norm(part[:, None] - thing[None, :: 1 + len(thing) // 200], axis=2)
    assert distances.min() < 0.15


def test_every_part_is_named():
    named = {interaction.part for c in CATEGORIES for interaction in interactions(c)}
    assert named == set(PARTS) == set(JOINTS_OF)
