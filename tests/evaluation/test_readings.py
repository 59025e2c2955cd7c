"""Trial readings of a field: those of the field itself at the moved points, to the last bit."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from chorus_bench.evaluation import readings
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.rays import Rays
from chorus_bench.evaluation.readings import (
    IDENTITY,
    MIRRORED,
    PaddedCube,
    Words,
    box_counts,
    moved,
    reading_counts,
    scaled,
    translated,
)
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics import OFFICIAL, occupancy_levels


def _probes(points: np.ndarray) -> PreparedSample:
    """Return points (96, 3) as a sample of 3 x 4 pixels, eight points on each."""
    return PreparedSample(
        height=3,
        width=4,
        classes=np.zeros(12, np.uint8),
        pixels=np.arange(12, dtype=np.int32),
        starts=np.arange(12, dtype=np.int64) * 8,
        voxels=np.arange(96, dtype=np.int32),
        points=points.astype(np.float32),
    )


@pytest.mark.parametrize("seed", range(20))
def test_readings_are_those_of_the_field_at_the_moved_points(seed):
    """Nothing that could be read is left out, whatever the grid and wherever the points are."""
    rng = np.random.default_rng(seed)
    spec = GridSpec(int(rng.integers(8, 30)), rng.uniform(1, 4), tuple(rng.normal(0, 0.2, 3)))
    values = rng.random(spec.shape) * (rng.random(spec.shape) < rng.choice([0.001, 0.02, 0.5]))
    field = OccupancyGrid(values.astype(np.float32), spec)
    points = rng.uniform(-2.5, 2.5, (96, 3))
    points[:3] = [[np.nan, 0, 0], [0, np.inf, 0], [0, 0, -np.inf]]
    sample, center = _probes(points), rng.normal(0, 0.3, 3)
    rays, cube = Rays.of(sample), PaddedCube.of(field)
    scales = [scaled(f, center) for f in (1, 0.5, 0.7, 1.3, 2)]
    moves = [translated(t) for t in itertools.product((-0.31, -0.1, 0, 0.2), repeat=3)]
    for reading in (*scales, *moves, MIRRORED, IDENTITY):
        expected = _read(field, sample, reading)
        np.testing.assert_array_equal(rays.image(cube.read(rays, reading)), expected.ravel())


def _read(field, sample, reading):
    """Return the occupancy image of a reading, by the field's own rule."""
    scale, offset = (np.float32([axis[i] for axis in reading]) for i in (0, 1))
    with np.errstate(invalid="ignore"):
        return sample.occupancy_image(field.at(sample.points * scale + offset))


@pytest.mark.parametrize("table", [1 << 24, 1 << 10])
def test_trials_read_together_are_those_read_alone(monkeypatch, table):
    """However many readings a table of words has, and whatever their order."""
    monkeypatch.setattr(readings, "_TABLE", table)
    rng = np.random.default_rng(5)
    spec = GridSpec(12, 2.3, (0.1, 0, -0.2))
    field = OccupancyGrid((rng.random(spec.shape) ** 3).astype(np.float32), spec)
    sample = replace(
        _probes(rng.uniform(-1.5, 1.5, (96, 3))), classes=rng.integers(0, 4, 12).astype(np.uint8)
    )
    rays, cube = Rays.of(sample), PaddedCube.levels(field, OFFICIAL)
    x, y, z = [0.1, -0.3], [0.0, 0.25, -0.1], [0.3, 0.0, -0.3, -0.2, 0.1, 0.21, 0.22, 0.23, 0.24]
    maps = [[moved(t) for t in axis] for axis in (x, y, z)]
    counts = box_counts(rays, Words.of(cube, maps[2]), maps[0], maps[1], 99)
    tried = [translated(t) for t in itertools.product(x, y, z)]
    np.testing.assert_array_equal(counts, reading_counts(rays, cube, tried, 99))
    on = sample.classes & 1
    for number, reading in enumerate(tried):
        levels = occupancy_levels(_read(field, sample, reading), OFFICIAL.thresholds).ravel()
        for side in (0, 1):
            expected = np.bincount(levels[on == side], minlength=100)
            np.testing.assert_array_equal(counts[:, side, number], expected)
