"""The baseline `chorus`: filters, cameras, aggregation; with the paper's ablations as options.

Source: docs/method.md M6 to M16; the paper, sections 3.2 and 3.3, and 4 for the ablations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chorus_baselines.chorus.aggregation import Aggregation
from chorus_baselines.chorus.category import aggregate_category
from chorus_baselines.chorus.clusters import body_part, read_segments
from chorus_baselines.chorus.interaction_types import interaction_fields
from chorus_baselines.chorus.options import ChorusOptions
from chorus_baselines.chorus.sharded import aggregate_dataset
from chorus_baselines.chorus.view_weights import AZIMUTH_12
from chorus_bench.baseline import LearnedFields
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.option_types import InputFile
from chorus_bench.progress import Progress
from chorus_bench.synthesis.keypoint_filters import KeypointChoice


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
    by_prompt: bool = False,
    parts: Sequence[str] | None = None,
    segments: InputFile | None = None,
) -> LearnedFields:
    """Learn one field per category and, on request, one per interaction type.

    Args:
        data: training rows with people and objects. Existing cameras are used.
        body: the body of the poses.
        grid: the canonical grid.
        seed: random seed of the draws of the ablations.
        progress: called with (rows done, rows in all); on an engine, with files.
        engine: where the Parquet files of the data are counted; here, one by one, if None.
            The fields are the same bit by bit.
        work: with an engine: the folder for the votes of each file.
        keypoints: the keypoint filter, ``torso`` or another one, see `read_choice`.
        keypoint_filter: false for the ablation: as many images, whatever keypoints they show.
        canonicalize: false for the ablation: voxels do not follow the body.
        ratio: share of the kept views to use, drawn per prompt.
        mirror: count every view a second time in the mirror.
        solver: solver of the cameras, ``adam`` or ``lm``.
        device: device of the aggregation, ``cpu``, ``auto`` or a torch device.
        weights: how much views count: ``azimuth-12``, ``azimuth-3`` or ``equal``.
        filters: other settings of `FilterSettings`.
        cameras: other settings of `CalibrationSettings`.
        joint_regressor: SPIN's ``J_regressor_extra.npy``: cameras are fitted to its 24 points.
        skinning: other settings of `SkinningSettings`.
        by_prompt: learn a field for each prompt as well. Rows without a prompt are left out.
        parts: learn a field for each of these body parts as well (see `body_part`), from the
            views whose object touches it; with ``by_prompt`` also for each prompt and part.
        segments: the file of the body's vertex segments, see `read_segments`; by default a vertex
            belongs to the joint that moves it most.

    Returns:
        Category -> (N, N, N) probabilities, with the fields of the interaction types.

    Raises:
        InputError: a category without a single kept view; the message says which filter
            removed how many.
    """
    options = ChorusOptions(
        keypoints, keypoint_filter, canonicalize, ratio, mirror, solver, device, weights,
        filters or {}, cameras or {}, joint_regressor, skinning or {},
    )  # fmt: skip
    types = _type_settings(body, by_prompt, parts, segments)
    chosen: dict[str, Any] = {"grid": grid, "options": options, "seed": seed, **types}
    votes: Iterable[tuple[str, Aggregation]]
    if engine is None or work is None:
        votes = _one_by_one(data, body, progress, **chosen)
    else:
        done = aggregate_dataset(data, work, body=body, engine=engine, progress=progress, **chosen)
        votes = done.items()
    return _learned(votes, weights)


def _one_by_one(
    data: DatasetRows,
    body: BodyModel,
    progress: Progress,
    **chosen: Any,  # noqa: ANN401 - those of aggregate_category
) -> Iterator[tuple[str, Aggregation]]:
    """Yield every category with its votes, counted here."""
    done = 0
    for category in data.categories:
        report = partial(_report, progress, done, data.total)
        yield category, aggregate_category(data, category, body, report=report, **chosen)
        done += data.counts[category]
    progress(data.total, data.total)


def _report(progress: Progress, done: int, total: int, rows: int) -> None:
    progress(done + rows, total)


def _type_settings(
    body: BodyModel, by_prompt: bool, parts: Sequence[str] | None, segments: InputFile | None
) -> dict[str, Any]:
    """Return the settings of `aggregate` for interaction types, none where none are wanted."""
    if segments is not None and not parts:
        raise InputError("a file of segments without a body part", fix="give --part as well")
    chosen: dict[str, Any] = {"by_prompt": True} if by_prompt else {}
    if parts:
        named = [parts] if isinstance(parts, str) else list(parts)
        chosen["parts"] = tuple(body_part(name) for name in named)
    if segments is not None:
        chosen["segments"] = read_segments(segments, body)
    return chosen


def _learned(votes: Iterable[tuple[str, Aggregation]], weights: str) -> LearnedFields:
    learned = LearnedFields()
    for category, aggregation in votes:
        learned[category] = aggregation.field(weights=weights)
        learned.interactions[category] = interaction_fields(aggregation, weights=weights)
    return learned
