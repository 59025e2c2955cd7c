"""Training rows of the simulated world."""

from collections import Counter
from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from chorus_bench.calibration.weak_perspective import weak_perspective_to_image
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.seeds import Stream, address_seed
from chorus_bench.simulation import CATEGORIES, FAILURES, PROMPTS, simulate_train_row
from chorus_bench.simulation.cameras import VIEW_BIAS, draw_direction

TRUTH = {
    "true_failure": pa.string(),
    "true_interaction": pa.string(),
    "true_pose": pa.list_(pa.float32()),
    "true_betas": pa.list_(pa.float32()),
    "true_camera_rotation": TRAIN_SCHEMA.field("camera_rotation").type,
    "true_camera_translation": pa.list_(pa.float32()),
    "true_camera_intrinsics": TRAIN_SCHEMA.field("camera_intrinsics").type,
    "true_object_occupancy": pa.binary(),
}
#: One worker makes the rows that these tests share.


@cache
def sample():
    """Return a few hundred rows: half of the categories under every view."""
    return [
        simulate_train_row(c, PROMPTS[c][k % len(PROMPTS[c])], view.name, k, with_image=False)
        for k, c in enumerate(CATEGORIES[::2])
        for view in VIEWS
    ]


def of_kind(failure):
    rows = [row for row in sample() if row["true_failure"] == failure]
    assert len(rows) > 3
    return rows


def camera_of(row):
    return PerspectiveCamera.from_row(row, "true_camera_")


def torso_seen(row):
    sure = np.array(row["people"][0]["keypoints"])[:, 2] >= 0.7
    return sure[5:7].any() and sure[11:13].any()


def boxes_meet(row):
    """Return the share of the object's box that lies in the person's."""
    a, b = np.array(row["people"][0]["box"]), np.array(row["objects"][0]["box"])
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    return sides.prod() / (b[2:] - b[:2]).prod()


def whole(row):
    return len(row["people"]) == 1 and len(row["objects"]) == 1


def test_rows_fit_the_schema():
    rows = [simulate_train_row("tie", p, "plain", 0) for p in PROMPTS["tie"]] + sample()[:60]
    schema = pa.schema([*TRAIN_SCHEMA, *TRUTH.items()])
    table = pa.Table.from_pylist(rows, schema=schema)
    assert set(rows[0]) == set(table.column_names)
    for column in ("verdict", "reason", "human_mask", "object_mask", "pose", "camera_rotation"):
        assert table[column].null_count == len(rows)
    assert rows[0]["image"]["bytes"][:2] == b"\xff\xd8"
    assert len({row["sample_id"] for row in rows}) == len(rows)


def test_rows_depend_on_their_address_only():
    make = lambda *a, **k: simulate_train_row("skis", *a, with_image=False, **k)  # noqa: E731
    first = make(PROMPTS["skis"][0], "side_view", 5)
    make(PROMPTS["skis"][1], "side_view", 5)
    assert make(PROMPTS["skis"][0], "side_view", 5) == first
    others = [
        make(PROMPTS["skis"][1], "side_view", 5),
        make(PROMPTS["skis"][0], "plain", 5),
        make(PROMPTS["skis"][0], "side_view", 6),
        make(PROMPTS["skis"][0], "side_view", 5, seed=1),
    ]
    assert len({row["seed"] for row in [first, *others]}) == 5
    assert all(row["true_pose"] != first["true_pose"] for row in others)


def test_without_image_everything_else_is_the_same():
    plain = simulate_train_row("bench", PROMPTS["bench"][0], "plain", 1, with_image=False)
    full = simulate_train_row("bench", PROMPTS["bench"][0], "plain", 1)
    assert plain["image"] is None
    assert {**full, "image": None} == plain


def test_sizes_are_kept():
    row = simulate_train_row("bench", PROMPTS["bench"][0], "plain", 1, size=128, with_image=False)
    assert (row["height"], row["width"]) == (128, 128)
    assert row["people"][0]["mask"]["size"] == [128, 128]


def test_other_prompts_and_views_are_taken():
    row = simulate_train_row(
        "bench", "someone naps, on a bench!", "from a drone", 0, with_image=False
    )
    assert row["sample_id"].startswith("simulated-train-bench-someone-naps-on-a-bench-")
    assert row["true_interaction"] == "sit"


def test_failures_are_as_frequent_as_they_say():
    found = Counter(row["true_failure"] for row in sample())
    for failure, share in FAILURES.items():
        expected = share * len(sample())
        assert abs(found[failure] - expected) < 4 * np.sqrt(expected), failure
    assert found[None] > len(sample()) / 2


def test_good_pictures_mostly_pass():
    good = [
        r for r in of_kind(None) if r["view"] in ("plain", "full_body", "side_view", "realistic")
    ]
    passed = [whole(r) and boxes_meet(r) > 0.1 and torso_seen(r) for r in good]
    assert np.mean(passed) > 0.55


def test_pictures_without_a_person_have_none():
    rows = of_kind("no_person")
    assert all(not row["people"] for row in rows)
    assert np.mean([len(row["objects"]) == 1 for row in rows]) > 0.8


def test_pictures_without_the_object_have_none():
    rows = of_kind("no_object")
    assert all(not row["objects"] and row["true_object_occupancy"] is None for row in rows)
    assert np.mean([len(row["people"]) == 1 for row in rows]) > 0.9


def test_second_people_and_objects_are_seen():
    assert np.mean([len(r["people"]) == 2 for r in of_kind("two_people")]) > 0.8
    assert np.mean([len(r["objects"]) == 2 for r in of_kind("two_objects")]) > 0.6
    for row in of_kind("two_people"):
        boxes = [person["box"] for person in row["people"]]
        assert boxes == sorted(boxes)


def test_far_objects_do_not_touch_the_person():
    rows = [row for row in of_kind("object_far") if whole(row)]
    assert len(rows) > 3
    assert np.mean([boxes_meet(row) <= 0.1 for row in rows]) > 0.85


def test_cut_off_torsos_are_not_seen():
    rows = [row for row in of_kind("cut_torso") if row["people"]]
    assert not any(torso_seen(row) for row in rows)


def turn_error(row):
    """Return the angle in degrees between the fitted and the true orientation."""
    fitted = axis_angle_to_matrix(np.array(row["people"][0]["pose"][:3]))
    R = np.array(row["true_camera_rotation"]).T @ fitted
    return np.degrees(np.arccos(np.clip((np.trace(R) - 1) / 2, -1, 1)))


def test_wrong_poses_face_the_other_way():
    rows = [row for row in of_kind("wrong_pose") if row["people"]]
    assert min(turn_error(row) for row in rows) > 150
    rows = [row for row in of_kind(None) if row["people"]]
    assert max(turn_error(row) for row in rows) < 20


def test_fitted_cameras_reproject_the_joints():
    """The weak-perspective camera brings the fitted joints to where the true ones are seen."""
    body, errors = load_body("default"), []
    for row in of_kind(None):
        if not row["people"] or not torso_seen(row) or row["view"] not in ("plain", "full_body"):
            continue
        person = row["people"][0]
        joints = body.bone_transforms(person["pose"], person["betas"])[1]
        found = weak_perspective_to_image(
            joints, person["weak_camera"], person["crop_center"], person["crop_scale"], (256, 256)
        )
        true = camera_of(row).project(body.bone_transforms(row["true_pose"], row["true_betas"])[1])
        errors.append(np.linalg.norm(found - true, axis=1).mean() / (200 * person["crop_scale"]))
    assert len(errors) > 8
    assert np.median(errors) < 0.04
    assert max(errors) < 0.12


def test_keypoints_are_near_the_true_joints():
    body = load_body("default")
    joint_of = {5: 16, 6: 17, 11: 1, 12: 2, 13: 4, 14: 5, 9: 20, 10: 21}
    distances = []
    for row in of_kind(None):
        if not row["people"]:
            continue
        person = row["people"][0]
        side = 200 * person["crop_scale"] / 1.2
        joints = body.bone_transforms(row["true_pose"], row["true_betas"])[1]
        uv = camera_of(row).project(joints)
        for k, j in joint_of.items():
            x, y, sure = person["keypoints"][k]
            inside = (uv[j] > 0).all() and (uv[j] < 256).all()
            if sure > 0.8:
                assert inside
                distances.append(np.hypot(*(uv[j] - (x, y))) / side)
            if not inside:
                assert sure < 0.2
    assert np.median(distances) < 0.025
    assert max(distances) < 0.1


def test_noisy_masks_stay_close():
    """They differ from each other along the boundary only, and have no specks."""
    from chorus_bench.simulation.annotators import noisy_mask

    mask = np.zeros((128, 128), bool)
    mask[30:90, 40:100] = True
    noisy = noisy_mask(mask, Stream("a"))
    assert noisy[34:86, 44:96].all()
    assert not noisy[:26].any()
    assert not noisy[:, 104:].any()
    assert 0 < (noisy != mask).sum() < 4 * 60 * 2
    assert not noisy_mask(np.zeros((8, 8), bool), Stream("a")).any()


def test_annotations_belong_together():
    for row in sample()[::7]:
        for found in (*row["people"], *row["objects"]):
            mask = decode_mask(found["mask"], size=(256, 256))
            rows, columns = np.nonzero(mask)
            assert found["box"] == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert 0.8 <= found["score"] < 1
        assert all(thing["category"] == row["category"] for thing in row["objects"])


@pytest.mark.parametrize(
    ("view", "middle", "least", "most"),
    [
        ("plain", 0, 0.65, 0.95),
        ("front_view", 0, 0.85, 1.0),
        ("back_view", 180, 0.6, 0.9),
        ("from_side", 90, 0.3, 0.6),
        ("from_side", -90, 0.3, 0.6),
        ("various_views", 0, 0.4, 0.7),
    ],
)
def test_views_bias_the_cameras(view, middle, least, most):
    """Mostly what the words say, and sometimes not."""
    stream = Stream("views", view)
    yaws = np.array([draw_direction(VIEW_BIAS[view], stream)[0] for _ in range(400)])
    assert least <= np.mean(abs((yaws - middle + 180) % 360 - 180) < 60) <= most


def test_rows_are_seen_from_where_the_view_says():
    def behind(*views):
        centers = [camera_of(row).center for row in sample() if row["view"] in views]
        return np.mean([center[2] < 0 for center in centers])

    assert behind("front_view", "selfie") < 0.2
    assert behind("back_view", "from_back") > 0.6


def test_every_view_has_a_bias():
    assert set(VIEW_BIAS) == {view.name for view in VIEWS}


def test_streams_are_independent_and_repeatable():
    assert (Stream("a", 1).uniforms(5) == Stream("a", 1).uniforms(5)).all()
    assert (Stream("a", 1).uniforms(5) != Stream("a", 2).uniforms(5)).all()
    assert (Stream("ab", "c").uniforms(5) != Stream("a", "bc").uniforms(5)).all()
    stream = Stream("a")
    before = stream.fork("part").uniform()
    stream.uniforms(7)
    assert stream.fork("part").uniform() == before
    assert 0 <= address_seed("x") < 2**63
    drawn = Counter(Stream("c", k).choice("ab", (3, 1)) for k in range(400))
    assert 250 < drawn["a"] < 350
    numbers = Stream("n").normals(4000)
    assert abs(numbers.mean()) < 0.06
    assert abs(numbers.std() - 1) < 0.05
