"""Canonical ground truth: where objects are relative to people, averaged over many scenes."""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float32
from chorus_bench.boundary import checked
from chorus_bench.datasets.occupancy import POSED_GRID
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import voxel_skinning, warp_forward
from chorus_bench.simulation.interactions import interaction_at, make_scene
from chorus_bench.simulation.occupancy import occupancy
from chorus_bench.simulation.rows import row_stream


@checked
def canonical_truth(
    category: str,
    samples: int = 100,
    *,
    seed: int = 0,
    body: BodyModel | None = None,
    grid: GridSpec = POSED_GRID,
) -> Float32:
    """Return how often the category's object is at each canonical voxel.

    Every canonical voxel centre is warped forward into the posed space of a scene, where it reads
    whether the object is there; the readings are averaged. The scenes are those of the test
    rows with the same seed and indices 0 to ``samples - 1``.

    Args:
        category: one of `CATEGORIES`.
        samples: number of scenes.
        seed: random seed of the split.
        body: by default the free body of the package.
        grid: the canonical grid, which is also that of the posed space.

    Returns:
        (N, N, N) probabilities.

    Raises:
        InputError: an unknown category, or no samples.
    """
    if samples < 1:
        raise InputError(f"{samples} samples", expected="at least 1")
    body = load_body("default") if body is None else body
    operator = voxel_skinning(body.canonical_vertices, grid)
    total = np.zeros(grid.voxels, dtype=np.int64)
    for index in range(samples):
        stream = row_stream("test", seed, category, index)
        scene = make_scene(interaction_at(category, index), body, stream.fork("scene"))
        voxels = np.append(occupancy(scene.instances[1].mesh, grid).ravel(), False)
        total += voxels[grid.indices(warp_forward(operator, body, scene.people[0].pose))]
    truth: Float32 = (total / samples).astype(np.float32).reshape(grid.shape)
    return truth
