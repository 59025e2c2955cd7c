"""A reference point without learning: objects are near the body."""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float32
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.nearest import nearest_points
from chorus_bench.progress import Progress


def fit_body_proximity(
    data: DatasetRows,
    body: BodyModel,
    grid: GridSpec,
    *,
    seed: int,
    progress: Progress,
    decay: float = 0.25,
) -> dict[str, Float32]:
    """Return ``exp(-d / decay)``, d the distance to the canonical body, for every category.

    Args:
        data: the data, for its categories.
        body: the body, in its canonical pose.
        grid: the grid of the fields.
        seed: not used.
        progress: called once.
        decay: decay length in metres.

    Returns:
        Category -> (N, N, N) probabilities.

    Raises:
        InputError: a decay that is not positive.
    """
    del seed
    if not decay > 0:
        raise InputError(f"decay {decay}", expected="a positive number of metres")
    distance, _ = nearest_points(
        body.canonical_vertices, grid.centers(), 1, spacing=grid.voxel_size
    )
    values = exact.exp(-distance[0] / decay).astype(np.float32).reshape(grid.shape)
    progress(data.total, data.total)
    return dict.fromkeys(data.categories, values)
