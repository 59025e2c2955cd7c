"""The baseline `chorus`: filters, cameras, aggregation; with the paper's ablations as options.

Source: docs/method.md M6 to M16; the paper, sections 3.2 and 3.3, and 4 for the ablations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.aggregation import Aggregation
from chorus_baselines.chorus.category import aggregate_category
from chorus_baselines.chorus.options import ChorusOptions
from chorus_baselines.chorus.sharded import aggregate_dataset
from chorus_baselines.chorus.view_weights import AZIMUTH_12
from chorus_bench.baseline import Progress
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.option_types import InputFile
from chorus_bench.synthesis.keypoint_filters import KeypointChoice

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
    keypoints: KeypointChoice = "torso",
    keypoint_filter: bool = True,
    canonicalize: bool = True,
    ratio: float = 1.0,
    mirror: bool = False,
    solver: str = "adam",
    device: str = "cpu",
    weights: str = AZIMUTH_12,
    filters: Mapping[str, Any] | None = None,
    cameras: Mapping[str, Any] | None = None,
    joint_regressor: InputFile | None = None,
    skinning: Mapping[str, Any] | None = None,
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
        keypoints: this and the following ones: see `ChorusOptions`.
        keypoint_filter: see there.
        canonicalize: see there.
        ratio: see there.
        mirror: see there.
        solver: see there.
        device: see there.
        weights: see there.
        filters: see there.
        cameras: see there.
        joint_regressor: see there.
        skinning: see there.

    Returns:
        Category -> (N, N, N) probabilities.

    Raises:
        InputError: a category without a single kept view; the message says which filter
            removed how many.
    """
    options = ChorusOptions(
        keypoints, keypoint_filter, canonicalize, ratio, mirror, solver, device, weights,
        filters or {}, cameras or {}, joint_regressor, skinning or {},
    )  # fmt: skip
    if engine is not None and work is not None:
        votes: Iterable[tuple[str, Aggregation]] = aggregate_dataset(
            data, work, body=body, grid=grid, options=options, seed=seed, engine=engine,
            progress=progress,
        ).items()  # fmt: skip
    else:
        votes = _one_by_one(data, body, grid, options, seed, progress)
    return {category: found.field(weights=weights) for category, found in votes}


def _one_by_one(
    data: DatasetRows,
    body: BodyModel,
    grid: GridSpec,
    options: ChorusOptions,
    seed: int,
    progress: Progress,
) -> Iterator[tuple[str, Aggregation]]:
    """Yield every category with its votes, counted here."""
    done = 0
    for category in data.categories:
        report = partial(_report, progress, done, data.total)
        yield (
            category,
            aggregate_category(
                data, category, body, grid, options=options, seed=seed, report=report
            ),
        )
        done += data.counts[category]
    progress(data.total, data.total)


def _report(progress: Progress, done: int, total: int, rows: int) -> None:
    progress(done + rows, total)
