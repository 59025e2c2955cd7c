"""Aggregations on a small grid, and slow ones to compare them with."""

import numpy as np

from chorus_baselines.chorus import BodyPart, Cluster, aggregate
from chorus_baselines.chorus.views import read_view
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.camera import azimuth_bins, azimuth_degrees, pixel_indices
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import voxel_skinning, warp_forward

GRID = GridSpec(16)
BODY = load_body("default")
PARTS = ("torso", "left foot", Cluster("no torso", (BodyPart("head", ("head",)),)))


def run(rows, **options):
    """Aggregate rows on the small grid, by prompt and by part."""
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


def slow_field(rows, bins_of=azimuth_bins, **options):
    """The field by weighted sums, view by view; ``bins_of`` gives the bins of azimuths, degrees."""
    centers = [read_view(row).camera.center.astype(np.float32) for row in rows]
    bins = bins_of(azimuth_degrees(*np.array(centers).T[[0, 2]]))
    hit = seen = 0.0
    for row, azimuth_bin in zip(rows, bins, strict=True):
        weight = 1 / np.count_nonzero(bins == azimuth_bin)
        on_mask, inside = slow_votes(row, **options)
        hit, seen = hit + weight * on_mask, seen + weight * inside
    return (hit / np.maximum(seen, 1e-7)).reshape(GRID.shape)
