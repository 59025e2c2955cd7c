"""Aggregation: against a slow one, in any order, with any settings."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chorus_baselines.chorus import aggregate
from chorus_baselines.chorus.accumulate import Tally
from chorus_baselines.chorus.clusters import dominant_segments
from chorus_baselines.chorus.views import read_view
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings, voxel_skinning, warp_forward
from tests.baselines.aggregations import BODY, GRID, PARTS, run, same, slow_field, slow_votes
from tests.baselines.views import look_at_origin, make_row


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
        ({"segments": {**dominant_segments(BODY), "head": np.arange(40)}}, "clusters"),
    ):
        with pytest.raises(InputError, match=f"another {differs}:"):
            whole + run(rows[:1], **options)
    with pytest.raises(TypeError):
        whole + 1


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
