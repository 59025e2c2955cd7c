"""Aggregation: against a slow one, in any order, with bad rows, from and to files."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from chorus_baselines.chorus import (
    BodyPart,
    Cluster,
    aggregate,
    device,
    load_aggregation,
    save_aggregation,
)
from chorus_baselines.chorus.accumulate import Tally
from chorus_baselines.chorus.view_weights import VIEW_WEIGHTS
from chorus_baselines.chorus.views import read_view
from chorus_bench.datasets.masks import MaskRuns, decode_mask, encode_mask
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import azimuth_bins, azimuth_degrees, pixel_indices
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings, voxel_skinning, warp_forward
from tests.baselines.views import intrinsics, look_at_origin, make_row, make_rows

GRID = GridSpec(16)
BODY = load_body("default")
PARTS = ("torso", "left foot", Cluster("no torso", (BodyPart("head", ("head",)),)))


def run(rows, **options):
    return aggregate(rows, **{"grid": GRID, "parts": PARTS, "by_prompt": True} | options)


def same(one, other):
    """Whether two aggregations have the same votes, groups and skipped rows."""
    return (
        one.settings == other.settings
        and one.skipped == other.skipped
        and set(one.tallies) == set(other.tallies)
        and all(
            np.array_equal(mine, theirs)
            for key in one.tallies
            for mine, theirs in zip(
                one.tallies[key].counts(), other.tallies[key].counts(), strict=True
            )
        )
    )


def slow_votes(row, grid=GRID, canonicalize=True):
    """The voxels that one view has inside the image and on the mask, step by step."""
    view = read_view(row)
    points = grid.centers()
    if canonicalize:
        points = warp_forward(voxel_skinning(BODY.canonical_vertices, grid), BODY, view.pose)
    pixels = pixel_indices(view.camera.project(points), *view.mask.shape)
    on_mask = np.append(view.mask.reshape(-1), 0)[pixels]
    return on_mask.astype(bool), pixels < view.mask.size


def slow_field(rows, **options):
    """The field by weighted sums, view by view."""
    centers = [read_view(row).camera.center.astype(np.float32) for row in rows]
    bins = azimuth_bins(azimuth_degrees(*np.array(centers).T[[0, 2]]))
    hit = seen = 0.0
    for row, azimuth_bin in zip(rows, bins, strict=True):
        weight = 1 / np.count_nonzero(bins == azimuth_bin)
        on_mask, inside = slow_votes(row, **options)
        hit, seen = hit + weight * on_mask, seen + weight * inside
    return (hit / np.maximum(seen, 1e-7)).reshape(GRID.shape)


@pytest.fixture(scope="module")
def rows():
    sizes = [(48, 40), (30, 64), (48, 40)]
    prompts = ["a person rides a board", "a person carries a board"]
    return [make_row(i, size=sizes[i % 3], prompt=prompts[i % 2]) for i in range(40)]


@pytest.fixture(scope="module")
def whole(rows):
    return run(rows)


@pytest.mark.parametrize("canonicalize", [True, False])
def test_the_field_is_the_weighted_share_of_hits(rows, canonicalize):
    found = aggregate(rows, grid=GRID, canonicalize=canonicalize).field()
    assert found.dtype == np.float32
    difference = np.abs(found - slow_field(rows, canonicalize=canonicalize))
    assert np.count_nonzero(difference > 1e-6) <= 2  # pixels at a boundary
    assert 0 < found.max() <= 1


def test_a_finer_grid_that_is_not_centred(rows):
    grid = GridSpec(20, 2.2, (0.1, -0.3, 0.05))
    counts = aggregate(rows[:8], grid=grid).counts
    votes = [slow_votes(row, grid) for row in rows[:8]]
    for found, slow in zip(counts[:2], zip(*votes, strict=True), strict=True):
        assert np.count_nonzero(found.sum(axis=0) != np.sum(slow, axis=0)) <= 2


def test_prompts_add_up(rows, whole):
    total = aggregate(rows, grid=GRID, parts=PARTS)
    assert whole.prompts == ("a person carries a board", "a person rides a board")
    assert whole.views == len(rows) == sum(whole.views_of(prompt=p) for p in whole.prompts)
    for part in (None, "torso"):
        assert np.array_equal(whole.field(part), total.field(part))
        assert all(map(np.array_equal, whole.counts_of(part), total.counts_of(part)))
    of_prompt = aggregate([row for row in rows if row["prompt"] == whole.prompts[0]], grid=GRID)
    assert np.array_equal(whole.field(prompt=whole.prompts[0]), of_prompt.field())


def test_the_weights_of_a_part_are_those_of_all_views(rows, whole):
    part, total = whole.counts_of("torso"), whole.counts
    assert 0 < part.views.sum() < total.views.sum()
    weights = 1 / np.maximum(total.views, 1)
    hits, seen = weights @ part.hits, weights @ part.seen
    expected = (hits / np.maximum(seen, 1e-7)).reshape(GRID.shape)
    assert whole.field("torso") == pytest.approx(expected, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_any_order_and_any_sharding_give_the_same_bits(data):
    sizes = [(48, 40), (30, 64)]
    rows = [make_row(i, size=sizes[i % 2], prompt=str(i % 3)) for i in range(12)]
    rows[5] = rows[5] | {"pose": None}
    order = data.draw(st.permutations(range(len(rows))))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    bounds = zip([0, *cuts], [*cuts, len(rows)], strict=True)
    shards = [
        run([rows[i] for i in order[a:b]], threads=1 + a % 3, allow_empty=True) for a, b in bounds
    ]
    total = sum(shards[1:], start=shards[0])
    expected = run(rows)
    assert same(total, expected)
    assert np.array_equal(total.field(), expected.field())


def test_batches_do_not_change_the_bits(rows, whole):
    one_by_one = [run([row]) for row in rows]
    assert same(sum(one_by_one[1:], start=one_by_one[0]), whole)


def test_torch_gives_the_same_bits(rows, whole):
    assert same(run(rows, device="cpu:0"), whole)


def test_torch_gives_the_same_bits_when_tallies_have_to_make_room(rows, whole, monkeypatch):
    """Tallies of few groups fit on the device; the others wait on the processor."""
    monkeypatch.setattr(device, "TALLY_BYTES", 5 * 8 * GRID.voxels)
    monkeypatch.setattr(device, "STEP_BYTES", 3 * 8 * GRID.voxels)
    taken = []
    take = device._DeviceTallies.take
    count = lambda tallies: taken.append(len(tallies._slots)) or take(tallies)  # noqa: E731
    monkeypatch.setattr(device._DeviceTallies, "take", count)
    assert same(run(rows, device="cpu:0"), whole)
    assert len(taken) > 3
    assert max(taken) <= 5


def test_torch_decodes_no_mask_on_the_processor(rows, whole, monkeypatch):
    monkeypatch.setattr(MaskRuns, "decode", None)
    assert same(run(rows, device="cpu:0"), whole)


def test_torch_counts_without_parts_and_mirrored(rows):
    plain = run(rows, parts=(), by_prompt=False, mirror=True)
    assert same(run(rows, parts=(), by_prompt=False, mirror=True, device="cpu:0"), plain)


def test_mirrored_views_are_counted_as_well(rows):
    plain, both = (aggregate(rows, grid=GRID, mirror=mirror) for mirror in (False, True))
    assert both.views == 2 * plain.views
    # The default body is symmetric to a few millimetres, and so is a field of mirrored views.
    mirrored = both.field()[::-1]
    assert np.mean(np.abs(both.field() - mirrored)) < 0.01
    assert np.mean(np.abs(plain.field() - plain.field()[::-1])) > 0.05


def test_points_behind_the_camera_are_projected_too():
    R, t = look_at_origin(0.3, 0, 0.4)
    row = make_row(camera_rotation=R.tolist(), camera_translation=t.tolist())
    points = warp_forward(voxel_skinning(BODY.canonical_vertices, GRID), BODY, row["pose"])
    behind = read_view(row).camera
    depth = points @ behind.rotation[2] + behind.translation[2]
    seen = aggregate([row], grid=GRID).counts.seen.sum(axis=0)
    assert np.count_nonzero(seen[depth < 0]) > 0
    assert np.count_nonzero(seen != slow_votes(row)[1]) <= 2


def test_voxels_in_the_camera_s_plane_are_outside():
    # A grid whose middle layer is at x = 0 exactly, seen by a camera in that plane.
    row = make_row(
        pose=np.zeros(72).tolist(),
        camera_rotation=[[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
        camera_translation=[0, 0, 0],
    )
    grid = GridSpec(9)
    seen = aggregate([row], grid=grid, canonicalize=False).counts.seen.sum(axis=0)
    assert not seen.reshape(grid.shape)[4].any()
    assert seen.any()


def test_the_settings_of_the_warp_matter(rows):
    stiff = aggregate(rows, grid=GRID, skinning=SkinningSettings(smoothing_steps=0))
    assert stiff.settings.warp.endswith("s0")
    assert not np.array_equal(stiff.counts.hits, aggregate(rows, grid=GRID).counts.hits)


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


@pytest.mark.parametrize("weights", VIEW_WEIGHTS)
def test_view_weights(rows, whole, weights):
    """Against sums over the views: bins of 30 degrees, of 120 degrees, and equal weights."""
    centers = np.array([read_view(row).camera.center.astype(np.float32) for row in rows])
    degrees = azimuth_degrees(centers[:, 0], centers[:, 2])
    width = {"azimuth-12": 30, "azimuth-3": 120, "equal": 360}[weights]
    bins = (degrees / width).astype(int)
    hit = seen = 0.0
    for row, azimuth_bin in zip(rows, bins, strict=True):
        weight = 1 / np.count_nonzero(bins == azimuth_bin)
        on_mask, inside = slow_votes(row)
        hit, seen = hit + weight * on_mask, seen + weight * inside
    expected = (hit / np.maximum(seen, 1e-7)).reshape(GRID.shape)
    assert whole.field(weights=weights) == pytest.approx(expected, abs=1e-6)
    others = {whole.field(weights=other).tobytes() for other in VIEW_WEIGHTS}
    assert len(others) == 3


def test_bins_of_120_degrees_are_four_of_the_narrow_ones():
    degrees = np.linspace(0, 360, 100001)[:-1]
    assert np.array_equal((degrees / 120).astype(int), azimuth_bins(degrees) // 4)


def test_unknown_view_weights(whole):
    with pytest.raises(InputError, match="unknown view weights 'azimuth'"):
        whole.field(weights="azimuth")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "tors"}, "(?s)unknown cluster 'tors'.*Did you mean 'torso'"),
        ({"prompt": "p1"}, "(?s)unknown prompt 'p1'"),
    ],
)
def test_unknown_names(whole, options, message):
    with pytest.raises(InputError, match=message):
        whole.field(**options)


def test_aggregations_of_other_settings_are_not_added(rows, whole):
    for options, differs in (
        ({"grid": GridSpec(17)}, "grid"),
        ({"parts": ("torso",)}, "clusters"),
        ({"by_prompt": False}, "by_prompt"),
        ({"canonicalize": False}, "warp"),
        ({"mirror": True}, "mirror"),
        ({"segments": {**_segments(), "head": np.arange(40)}}, "clusters"),
    ):
        with pytest.raises(InputError, match=f"another {differs}:"):
            whole + run(rows[:1], **options)
    with pytest.raises(TypeError):
        whole + 1


def _segments():
    from chorus_baselines.chorus.clusters import dominant_segments

    return dominant_segments(BODY)


def test_auto_device_is_the_cpu_where_there_is_no_cuda(rows):
    chosen = "cuda" if torch.cuda.is_available() else "cpu"
    assert same(run(rows[:4], device="auto"), run(rows[:4], device=chosen))


def test_unknown_parts_devices_and_empty_regions(rows, monkeypatch):
    with pytest.raises(InputError, match=r"(?s)unknown body part 'toros'.*Did you mean 'torso'"):
        aggregate(rows, grid=GRID, parts=["toros"])
    with pytest.raises(InputError, match="device 'warp9' cannot be used"):
        aggregate(rows, grid=GRID, device="warp9")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'chorus-bench\[torch\]'"):
        aggregate(rows, grid=GRID, device="cuda")
    with pytest.raises(InputError, match="no voxel is near body part 'head'"):
        aggregate(rows, grid=GridSpec(8, 30.0), parts=["head"])


def test_saved_and_loaded(tmp_path, rows, whole):
    with_skipped = whole + run([make_row(99, pose=None)], allow_empty=True)
    path = save_aggregation(with_skipped, tmp_path / "board.npz")
    assert same(load_aggregation(path), with_skipped)
    again = load_aggregation(path) + run(rows[:3])
    assert same(again, with_skipped + run(rows[:3]))
    shuffled = save_aggregation(
        run([make_row(99, pose=None), *rows[::-1]]), tmp_path / "shuffled.npz"
    )
    assert shuffled.read_bytes() == path.read_bytes()
    nothing = run([], allow_empty=True)
    assert same(load_aggregation(save_aggregation(nothing, tmp_path / "nothing.npz")), nothing)


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "other", "votes", "shape"])
def test_files_that_are_no_aggregations(tmp_path, whole, kind):
    path = tmp_path / "board.npz"
    if kind == "text":
        path.write_text("hello")
    elif kind == "other":
        np.savez(path, a=np.zeros(3))
    elif kind != "missing":
        save_aggregation(whole, path)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:2000])
    if kind in ("votes", "shape"):
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays["0_hits"] = arrays["0_hits"] + 9 if kind == "votes" else arrays["0_hits"][:, :5]
        np.savez(path, **arrays)
    with pytest.raises(InputError, match=r"board\.npz: (not an|no such) aggregation"):
        load_aggregation(path)


def test_tallies_grow_beyond_small_integers():
    ones = np.ones(4, dtype=np.uint8)
    tally = Tally(4)
    for _ in range(300):
        tally.add(2, ones, ones)
    assert tally.counts().hits[2].tolist() == [300] * 4
    assert tally.hits[2].dtype == np.uint16
    for _ in range(8):
        tally = tally + tally
    counts = tally.counts()
    assert counts.hits[2].tolist() == counts.seen[2].tolist() == [300 * 256] * 4
    assert counts.views[2] == 300 * 256
    assert tally.hits[2].dtype == np.uint32


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
