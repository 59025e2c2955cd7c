"""The baseline `chorus`: filters, cameras, aggregation; with the paper's ablations as options.

Source: docs/method.md M6 to M16; the paper, sections 3.2 and 3.3, and 4 for the ablations.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.category import ChorusOptions, aggregate_category
from chorus_baselines.chorus.sharded import aggregate_dataset
from chorus_bench.baseline import Progress
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec

Float32 = NDArray[np.float32]


def fit_chorus(
    data: DatasetRows,
    body: BodyModel,
    grid: GridSpec,
    *,
    seed: int,
    progress: Progress,
    engine: EngineSettings | None = None,
    work: Path | None = None,
    keypoints: str = "torso",
    keypoint_filter: bool = True,
    canonicalize: bool = True,
    ratio: float = 1.0,
    mirror: bool = False,
    solver: str = "adam",
    device: str = "cpu",
) -> dict[str, Float32]:
    """Learn one field per category.

    Args:
        data: training rows with people and objects. Existing cameras are used.
        body: the body of the poses.
        grid: the canonical grid.
        seed: random seed of the draws of the ablations.
        progress: called with (rows done, rows in all); on an engine, with files.
        engine: where the Parquet files of the data are counted; here, one by one, if None.
            The fields are the same bit by bit.
        work: with an engine: the folder for the votes of each file.
        keypoints: these and the following ones: see `ChorusOptions`.
        keypoint_filter: see there.
        canonicalize: see there.
        ratio: see there.
        mirror: see there.
        solver: see there.
        device: see there.

    Returns:
        Category -> (N, N, N) probabilities.

    Raises:
        InputError: a category without a single kept view; the message says which filter
            removed how many.
    """
    options = ChorusOptions(keypoints, keypoint_filter, canonicalize, ratio, mirror, solver, device)
    if engine is not None and work is not None:
        votes = aggregate_dataset(
            data,
            work,
            body=body,
            grid=grid,
            options=options,
            seed=seed,
            engine=engine,
            progress=progress,
        )
        return {category: aggregation.field() for category, aggregation in votes.items()}
    fields: dict[str, Float32] = {}
    done = 0

    def report(rows: int) -> None:
        progress(done + rows, data.total)

    for category in data.categories:
        found = aggregate_category(
            data, category, body, grid, options=options, seed=seed, report=report
        )
        fields[category] = found.field()
        done += data.counts[category]
    progress(data.total, data.total)
    return fields
