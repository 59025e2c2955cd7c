"""The rows of an aggregation: unusable ones, several categories, one after the other."""

import numpy as np
import pytest

from chorus_baselines.chorus import aggregate
from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.errors import InputError
from tests.baselines.aggregations import GRID, run, same
from tests.baselines.views import intrinsics, make_row, make_rows

BAD = {
    "no pose": {"pose": None},
    "no camera": {"camera_translation": None},
    "no object mask": {"object_mask": None},
    "no image size": {"height": None},
    "no prompt": {"prompt": None},
    "a pose with values that are not finite": {"pose": [float("nan")] * 72},
    "a damaged pose": {"pose": [0.0] * 71},
    "a damaged camera": {"camera_rotation": [[1, 0, 0]]},
    "a camera with values that are not finite": {"camera_translation": [0, float("inf"), 3]},
    "an impossible camera": {"camera_rotation": np.zeros((3, 3)).tolist()},
    "an object mask of the wrong size": {"width": 41},
    "a damaged object mask": {"object_mask": {"size": [48, 40], "counts": "????"}},
}


@pytest.mark.parametrize("reason", BAD)
def test_unusable_rows_are_counted_and_named(reason):
    good, bad = make_row(1, prompt="p"), make_row(2, prompt="p") | BAD[reason]
    found = run([bad, good, bad | {"sample_id": "another"}])
    assert found.views == 1
    assert found.skipped.counts == {reason: 2}
    assert found.skipped.names == {reason: ["another", "s002"]}
    assert np.array_equal(found.counts.hits, run([good]).counts.hits)


@pytest.mark.parametrize(
    "change",
    [
        {"pose": [1e39] * 72},
        {"pose": "?"},
        {"camera_intrinsics": [[1e38, 0, 1e38], [0, 1e38, 0], [0, 0, 1e38]]},
        {"camera_translation": [3e38, 3e38, 3e38]},
        {"object_mask": {"size": None, "counts": ""}},
        {"object_mask": 5},
        {"height": "tall"},
    ],
    ids=str,
)
def test_absurd_rows_do_not_stop_the_others(change):
    found = run([make_row(1, prompt="p", **change), make_row(2, prompt="p")])
    assert found.views + found.skipped.total == 2
    assert np.isfinite(found.field()).all()


def test_rows_without_an_id_are_named_by_number():
    found = aggregate([make_row(), make_row(sample_id=None, pose=None)], grid=GRID)
    assert found.skipped.names == {"no pose": ["row 1"]}


def test_a_pose_without_global_orientation():
    row = make_row()
    short = row | {"pose": row["pose"][3:]}
    assert same(aggregate([row], grid=GRID), aggregate([short], grid=GRID))


def test_an_empty_field_says_why():
    row = make_row(pose=None)
    nothing = aggregate([row], grid=GRID, parts=["torso"], allow_empty=True)
    with pytest.raises(InputError, match=r"(?s)there is no view \(1 row skipped: 1 with no"):
        nothing.field()
    off = aggregate([make_row(object_mask=encode_mask(np.zeros((48, 40))))], grid=GRID)
    with pytest.raises(InputError, match="no voxel is on a mask in any of the 1 views"):
        off.field()
    assert off.counts.seen.any()  # empty masks still vote for what is seen
    with pytest.raises(InputError, match="part 'torso': the field would be empty"):
        nothing.field("torso")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"camera_rotation": None}, r"2 with no camera \(s000, s001\)(?s:.*)add_cameras"),
        ({"object_mask": None}, "2 with no object mask(?s:.*)filter_rows"),
        ({"verdict": "rejected", "reason": "no person"}, "2 with the verdict 'no person'"),
    ],
)
def test_rows_without_a_usable_view_are_refused_with_the_reasons(changes, message):
    with pytest.raises(InputError, match=f"no view could be counted: 2 rows(?s:.*){message}"):
        aggregate(make_rows(2, **changes), grid=GRID)
    with pytest.raises(InputError, match="there is no row to count"):
        aggregate([], grid=GRID)


def test_rows_of_several_categories_are_refused():
    rows = [make_row(1, category="tie"), make_row(2), make_row(3, category="surfboard")]
    with pytest.raises(InputError, match="s003: rows of several categories: 'tie' and 'surfboard'"):
        aggregate(rows, grid=GRID)
    assert aggregate(rows[:2], grid=GRID).views == 2


def test_rows_are_read_as_they_are_needed():
    alive = 0
    most = 0

    class Counting(dict):
        def __init__(self, *args):
            nonlocal alive, most
            super().__init__(*args)
            alive += 1
            most = max(most, alive)

        def __del__(self):
            nonlocal alive
            alive -= 1

    rows = make_rows(4)
    found = aggregate((Counting(rows[i % 4]) for i in range(400)), grid=GRID, threads=2)
    assert found.views == 400
    assert most <= 3


def test_progress_is_told():
    seen = []
    aggregate(make_rows(3) * 30, grid=GRID, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 90


def test_masks_may_come_with_bytes():
    row = make_row()
    counts = row["object_mask"]["counts"].encode()
    as_bytes = row | {"object_mask": row["object_mask"] | {"counts": counts}}
    assert same(aggregate([row], grid=GRID), aggregate([as_bytes], grid=GRID))
    assert decode_mask(row["object_mask"]).any()


def test_an_image_of_one_pixel():
    mask = encode_mask(np.ones((1, 1)))
    row = make_row(size=(1, 1), object_mask=mask, camera_intrinsics=intrinsics(1, 1).tolist())
    assert np.array_equal(*aggregate([row], grid=GRID).counts[:2])
