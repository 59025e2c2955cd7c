"""The chance level: every voxel is as likely as any other.

A constant field has only one step of recall. So the values are a ramp over all voxels in a random
order: at any threshold, a random share of the voxels remains. The ramp ends at 0.98, because recall
that remains at 0.99 would not count.
"""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float32
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.progress import Progress

#: Below the last threshold of the metric.
HIGHEST = 0.98


def fit_uniform(
    data: DatasetRows, body: BodyModel, grid: GridSpec, *, seed: int, progress: Progress
) -> dict[str, Float32]:
    """Return the same ramp in random order for every category.

    Args:
        data: the data, for its categories.
        body: not used.
        grid: the grid of the fields.
        seed: random seed of the order.
        progress: called once.

    Returns:
        Category -> (N, N, N) probabilities, 0 to 0.98 in equal steps.
    """
    del body
    rng = np.random.Generator(np.random.Philox(seed))
    values = rng.permutation(np.linspace(0, HIGHEST, grid.voxels, dtype=np.float32)).reshape(
        grid.shape
    )
    progress(data.total, data.total)
    return dict.fromkeys(data.categories, values)
