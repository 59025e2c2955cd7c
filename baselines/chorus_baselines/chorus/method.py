"""The baseline `chorus`: filters, cameras, aggregation; with the paper's ablations as options.

Source: docs/method.md M6 to M16; the paper, sections 3.2 and 3.3, and 4 for the ablations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_baselines.chorus.aggregation import Aggregation, aggregate
from chorus_baselines.chorus.sampling import draw_ratio, draw_without_keypoints, select_rows
from chorus_bench.baseline import Progress
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.synthesis.cameras import KEPT, NO_CAMERA, add_cameras
from chorus_bench.synthesis.filters import FilterSettings, FilterStatistics, filter_rows

Float32 = NDArray[np.float32]

_DRAWN_BY = ("sample_id", "category", "prompt", "people", "objects")
_ROWS_A_REPORT = 32
_FILTERS = FilterSettings()


@dataclass(frozen=True)
class ChorusOptions:
    """What the baseline can be asked for; the defaults are the paper's method.

    Attributes:
        keypoints: the preset of the keypoint filter.
        keypoint_filter: false for the ablation: as many images, drawn from all that pass the
            other filters.
        canonicalize: false for the ablation: voxels do not follow the body.
        ratio: the share of the kept views that is used, drawn per prompt.
        mirror: count every view a second time in the mirror.
        solver: solver of the cameras, ``adam`` or ``lm``.
        device: device of the aggregation, ``cpu``, ``auto`` or a torch device.
    """

    keypoints: str = "torso"
    keypoint_filter: bool = True
    canonicalize: bool = True
    ratio: float = 1.0
    mirror: bool = False
    solver: str = "adam"
    device: str = "cpu"


def fit_chorus(
    data: DatasetRows,
    body: BodyModel,
    grid: GridSpec,
    *,
    seed: int,
    progress: Progress,
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
        data: training rows with people and objects. Cameras that are there are used.
        body: the body of the poses.
        grid: the canonical grid.
        seed: random seed of the draws of the ablations.
        progress: called with rows done and rows in all.
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


def aggregate_category(
    data: DatasetRows,
    category: str,
    body: BodyModel,
    grid: GridSpec,
    *,
    options: ChorusOptions = ChorusOptions(),
    seed: int = 0,
    report: Callable[[int], None] = lambda rows: None,
    **settings: Any,  # noqa: ANN401 - those of aggregate
) -> Aggregation:
    """Filter, calibrate and aggregate the rows of one category.

    Args:
        data: training rows.
        category: which.
        body: the body of the poses.
        grid: the canonical grid.
        options: see `ChorusOptions`.
        seed: random seed of the draws.
        report: called with the number of rows read, now and then.
        **settings: more settings of `aggregate`, such as ``parts`` and ``by_prompt``.

    Raises:
        InputError: no view is left.
    """
    statistics = FilterStatistics()
    lost: Counter[str] = Counter()
    rows = _kept_rows(data, category, options, seed, statistics, report)
    views = _with_cameras(rows, body, options.solver, lost)
    aggregation = aggregate(
        views,
        body=body,
        grid=grid,
        canonicalize=options.canonicalize,
        mirror=options.mirror,
        device=options.device,
        **settings,
    )
    statistics.check_kept([category])
    if lost and not aggregation.views:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in lost.most_common())
        raise InputError(
            f"none of {lost.total()} kept images has a camera ({reasons})",
            where=f"category '{category}'",
            fix="check the weak-perspective cameras of these rows",
        )
    return aggregation


def kept_rows_with_cameras(
    rows: Iterable[AnyRow],
    body: BodyModel,
    *,
    filters: FilterSettings = _FILTERS,
    solver: str = "adam",
) -> Iterator[AnyRow]:
    """Yield the rows that pass the filters and have a camera, ready to be aggregated.

    Args:
        rows: training rows.
        body: the body of their poses.
        filters: thresholds; the paper's by default.
        solver: solver for cameras that are missing.
    """
    kept = _only_kept(filter_rows(rows, filters), None)
    return _with_cameras(kept, body, solver, Counter())


def _kept_rows(
    data: DatasetRows,
    category: str,
    options: ChorusOptions,
    seed: int,
    statistics: FilterStatistics,
    report: Callable[[int], None],
) -> Iterator[AnyRow]:
    """Yield the rows that pass the filters and the draw of the ablation."""
    settings = FilterSettings(keypoints=options.keypoints)
    drawn: Collection[str] | None = None
    if not options.keypoint_filter:
        drawn = draw_without_keypoints(data.rows(category, _DRAWN_BY), settings, seed=seed)
        settings = FilterSettings(keypoints="none")
    if options.ratio != 1:
        pool = _only_kept(filter_rows(data.rows(category, _DRAWN_BY), settings), drawn)
        drawn = draw_ratio(pool, options.ratio, seed=seed)
    read = _reported(data.rows(category), report)
    return _only_kept(filter_rows(read, settings, statistics), drawn)


def _only_kept(rows: Iterable[AnyRow], drawn: Collection[str] | None) -> Iterator[AnyRow]:
    kept = (row for row in rows if row["verdict"] == KEPT)
    return kept if drawn is None else select_rows(kept, drawn)


def _reported(rows: Iterable[AnyRow], report: Callable[[int], None]) -> Iterator[AnyRow]:
    for number, row in enumerate(rows, start=1):
        if number % _ROWS_A_REPORT == 0:
            report(number)
        yield row


def _with_cameras(
    rows: Iterable[AnyRow], body: BodyModel, solver: str, lost: Counter[str]
) -> Iterator[AnyRow]:
    """Yield the rows that have a camera; count the reasons of the others."""
    for row in add_cameras(rows, body, solver=solver):
        if row["verdict"] == KEPT:
            yield row
        else:
            lost[str(row["reason"]).removeprefix(f"{NO_CAMERA}: ")] += 1
