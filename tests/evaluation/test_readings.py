"""Trial readings of a field: those of the field itself at the moved points, to the last bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from chorus_bench.evaluation import readings
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.rays import Rays, probe_points
from chorus_bench.evaluation.readings import (
    IDENTITY,
    MIRRORED,
    Box,
    PaddedCube,
    Readings,
    moved,
    scaled,
    translated,
)
from chorus_bench.evaluation.trial_scores import level_counts
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics import OFFICIAL, occupancy_levels

_PROBES = probe_points(GridSpec(8, 3.1, (0.05, 0, -0.1)))


def _sample(rng: np.random.Generator, shape: tuple[int, int] = (12, 13)) -> PreparedSample:
    """Return probe voxels, half of which posing moves, as the entries of most pixels."""
    pixel = np.sort(rng.choice(shape[0] * shape[1], len(_PROBES)))
    pixels, starts = np.unique(pixel, return_index=True)
    voxels = rng.permutation(len(_PROBES)).astype(np.int32)
    points = _PROBES[voxels]
    moving = rng.random(len(points)) < 0.5
    points[moving] = rng.uniform(-2.5, 2.5, (moving.sum(), 3))
    points[np.flatnonzero(moving)[:3]] = [[np.nan, 0, 0], [0, np.inf, 0], [0, 0, -np.inf]]
    classes = rng.integers(0, 4, shape[0] * shape[1]).astype(np.uint8)
    return PreparedSample(*shape, classes, pixels.astype(np.int32), starts, voxels, points)


def test_entries_are_parted_into_those_that_move_and_those_that_do_not():
    sample = _sample(np.random.default_rng(3))
    rays = Rays.of(sample, _PROBES)
    still = (sample.points == _PROBES[sample.voxels]).all(axis=1)
    assert 0 < still.sum() < len(still)
    np.testing.assert_array_equal(np.unique(rays.still.entries), np.flatnonzero(still))
    np.testing.assert_array_equal(np.unique(rays.moving.entries), np.flatnonzero(~still))
    np.testing.assert_array_equal(rays.voxels, sample.voxels[rays.still.entries])
    finite = np.nan_to_num(sample.points, nan=np.inf, posinf=np.inf, neginf=np.inf)
    np.testing.assert_array_equal(rays.columns.T, finite[rays.moving.entries])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_sample_may_have_entries_of_one_kind_only(share):
    rng = np.random.default_rng(4)
    sample = _sample(rng)
    moves = rng.random(len(sample.points)) < share
    sample.points[:] = _PROBES[sample.voxels]
    sample.points[moves] += np.float32(0.3)
    field = OccupancyGrid(rng.random((8, 8, 8)).astype(np.float32), GridSpec(8, 2.0))
    rays = Rays.of(sample, _PROBES)
    found = Readings.of(PaddedCube.of(field), [IDENTITY], _PROBES).images(rays, -np.inf)
    np.testing.assert_array_equal(found[:, 0], _read(field, sample, IDENTITY).ravel())


@pytest.mark.parametrize("seed", range(20))
def test_readings_are_those_of_the_field_at_the_moved_points(seed):
    """Nothing that could be read is left out, whatever the grid and wherever the points are."""
    rng = np.random.default_rng(seed)
    spec = GridSpec(int(rng.integers(8, 30)), rng.uniform(1, 4), tuple(rng.normal(0, 0.2, 3)))
    values = rng.random(spec.shape) * (rng.random(spec.shape) < rng.choice([0.001, 0.02, 0.5]))
    field = OccupancyGrid(values.astype(np.float32), spec)
    sample, center = _sample(rng), rng.normal(0, 0.3, 3)
    scales = [scaled(f, center) for f in (1, 0.5, 0.7, 1.3, 2)]
    moves = [translated(t) for t in itertools.product((-0.31, -0.1, 0, 0.2), repeat=3)]
    readings = (*scales, *moves, MIRRORED, IDENTITY)
    tried = Readings.of(PaddedCube.of(field), readings, _PROBES)
    images = tried.images(Rays.of(sample, _PROBES), -np.inf)
    for reading, found in zip(readings, images.T, strict=True):
        np.testing.assert_array_equal(found, _read(field, sample, reading).ravel())


def _read(field, sample, reading):
    """Return the occupancy image of a reading, by the field's own rule."""
    scale, offset = (np.float32([axis[i] for axis in reading]) for i in (0, 1))
    with np.errstate(invalid="ignore"):
        return sample.occupancy_image(field.at(sample.points * scale + offset))


@pytest.mark.parametrize(("table", "probed"), [(1 << 24, 1 << 27), (1 << 10, 1 << 10)])
def test_trials_read_together_are_those_read_alone(monkeypatch, table, probed):
    """However many readings a table has, and whatever their order."""
    monkeypatch.setattr(readings, "_TABLE", table)
    monkeypatch.setattr(readings, "_PROBED", probed)
    rng = np.random.default_rng(5)
    spec = GridSpec(12, 2.3, (0.1, 0, -0.2))
    field = OccupancyGrid((rng.random(spec.shape) ** 3).astype(np.float32), spec)
    sample = _sample(rng)
    rays, cube = Rays.of(sample, _PROBES), PaddedCube.levels(field, OFFICIAL)
    x, y, z = [0.1, -0.3], [0.0, 0.25, -0.1], [0.3, 0.0, -0.3, -0.2, 0.1, 0.21, 0.22, 0.23, 0.24]
    boxes = Box.of(cube, [[moved(t) for t in axis] for axis in (x, y, z)], _PROBES)
    assert len(boxes) == (1 if probed > 1 << 10 else 2)
    images = np.concatenate([box.images(rays) for box in boxes], axis=1)
    tried = [translated(t) for t in itertools.product(x, y, z)]
    np.testing.assert_array_equal(images, Readings.of(cube, tried, _PROBES).images(rays))
    counts = level_counts(sample.classes, images, 99)
    on = sample.classes & 1
    for number, reading in enumerate(tried):
        levels = occupancy_levels(_read(field, sample, reading), OFFICIAL.thresholds).ravel()
        for side in (0, 1):
            expected = np.bincount(levels[on == side], minlength=100)
            np.testing.assert_array_equal(counts[:, side, number], expected)
