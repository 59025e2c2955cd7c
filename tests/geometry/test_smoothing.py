"""Smoothing passes, against the rule written as loops."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.geometry.smoothing import smoothed

N = 6


def by_loops(values, voxels, steps, share):
    """A pass is 0.7 of a voxel and 0.05 of each neighbour; the cube's border stays."""
    cube = np.zeros(N**3)
    cube[voxels] = values
    cube = cube.reshape(N, N, N)
    known = np.isin(np.arange(N**3), voxels).reshape(N, N, N)
    for _ in range(steps):
        after = cube.copy()
        for i, j, k in np.argwhere(known):
            if min(i, j, k) > 0 and max(i, j, k) < N - 1:
                around = cube[i - 1 : i + 2, j, k].sum() + cube[i, j - 1 : j + 2, k].sum()
                around += cube[i, j, k - 1 : k + 2].sum() - 3 * cube[i, j, k]
                after[i, j, k] = (1 - share) * cube[i, j, k] + share / 6 * around
        cube = after
    return cube.reshape(-1)[voxels]


@pytest.mark.parametrize("count", [1, 40, N**3])
@pytest.mark.parametrize("steps", [0, 1, 5])
def test_passes_are_those_of_the_rule(count, steps):
    rng = np.random.default_rng(count)
    voxels = np.sort(rng.choice(N**3, count, replace=False))
    values = rng.normal(size=(2, count)).astype(np.float32)
    found = smoothed(values, voxels, N, steps, 0.3)
    assert found.dtype == np.float32
    for ours, column in zip(found, values, strict=True):
        np.testing.assert_allclose(ours, by_loops(column, voxels, steps, 0.3), atol=1e-6)


def test_no_voxel():
    assert smoothed(np.zeros((3, 0), np.float32), np.zeros(0, int), N, 2, 0.3).shape == (3, 0)
