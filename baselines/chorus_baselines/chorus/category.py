"""One category of training rows: its views, their cameras, and their votes.

Source: docs/method.md M6 to M16; the paper, sections 3.2 and 3.3, and 4 for the ablations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from chorus_baselines.chorus.aggregation import Aggregation, aggregate
from chorus_baselines.chorus.options import ChorusOptions
from chorus_baselines.chorus.sampling import draw_ratio, draw_without_keypoints, select_rows
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import KEPT, AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.synthesis.cameras import NO_CAMERA, add_cameras
from chorus_bench.synthesis.filters import FilterStatistics, filter_rows

_DRAWN_BY = ("sample_id", "category", "prompt", "people", "objects")
_ROWS_A_REPORT = 32
_OPTIONS = ChorusOptions()


def draw_views(
    data: DatasetRows, category: str, options: ChorusOptions, seed: int
) -> frozenset[str] | None:
    """Draw the views that an ablation uses, before they are read completely.

    Args:
        data: training rows.
        category: one of its categories.
        options: see `ChorusOptions`.
        seed: random seed of the draws.

    Returns:
        Their sample ids; None if every view that passes the filters is used.
    """
    drawn: Collection[str] | None = None
    if not options.keypoint_filter:
        rows = data.rows(category, _DRAWN_BY)
        drawn = draw_without_keypoints(rows, options.all_filters, seed=seed)
    if options.ratio != 1:
        passed = filter_rows(data.rows(category, _DRAWN_BY), options.used_filters)
        drawn = draw_ratio(_only_kept(passed, drawn), options.ratio, seed=seed)
    return None if drawn is None else frozenset(drawn)


def used_views(
    rows: Iterable[AnyRow],
    body: BodyModel,
    options: ChorusOptions,
    drawn: Collection[str] | None = None,
    *,
    statistics: FilterStatistics | None = None,
    lost: Counter[str] | None = None,
) -> Iterator[AnyRow]:
    """Yield the rows that pass the filters and the draw and have a camera, ready to count.

    Args:
        rows: training rows of one category.
        body: the body of their poses.
        options: see `ChorusOptions`.
        drawn: see `draw_views`.
        statistics: counts the outcomes of the filters.
        lost: counts the reasons of rows without a camera.
    """
    kept = _only_kept(filter_rows(rows, options.used_filters, statistics), drawn)
    return _with_cameras(kept, body, options, Counter() if lost is None else lost)


def aggregate_category(
    data: DatasetRows,
    category: str,
    body: BodyModel,
    grid: GridSpec,
    *,
    options: ChorusOptions = _OPTIONS,
    seed: int = 0,
    report: Callable[[int], None] = lambda rows: None,
    **settings: Any,  # noqa: ANN401 - those of aggregate
) -> Aggregation:
    """Filter, calibrate and aggregate the rows of one category.

    Args:
        data: training rows.
        category: the category.
        body: the body of the poses.
        grid: the canonical grid.
        options: see `ChorusOptions`.
        seed: random seed of the draws.
        report: called now and then with the number of rows read.
        **settings: further settings of `aggregate`, such as ``parts`` and ``by_prompt``.

    Raises:
        InputError: no view is left.
    """
    statistics = FilterStatistics()
    lost: Counter[str] = Counter()
    drawn = draw_views(data, category, options, seed)
    rows = _reported(data.rows(category), report)
    views = used_views(rows, body, options, drawn, statistics=statistics, lost=lost)
    chosen = {**options.aggregation, **settings, "allow_empty": True}
    aggregation = aggregate(views, body=body, grid=grid, **chosen)
    statistics.check_kept([category])
    if lost and not aggregation.views:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in lost.most_common())
        raise InputError(
            f"none of {lost.total()} kept images has a camera ({reasons})",
            where=f"category '{category}'",
            fix="check the weak-perspective cameras of these rows",
        )
    return aggregation


def _only_kept(rows: Iterable[AnyRow], drawn: Collection[str] | None) -> Iterator[AnyRow]:
    kept = (row for row in rows if row["verdict"] == KEPT)
    return kept if drawn is None else select_rows(kept, drawn)


def _reported(rows: Iterable[AnyRow], report: Callable[[int], None]) -> Iterator[AnyRow]:
    for number, row in enumerate(rows, start=1):
        if number % _ROWS_A_REPORT == 0:
            report(number)
        yield row


def _with_cameras(
    rows: Iterable[AnyRow], body: BodyModel, options: ChorusOptions, lost: Counter[str]
) -> Iterator[AnyRow]:
    """Yield the rows that have a camera; count the reasons of the others."""
    solved = add_cameras(
        rows,
        body,
        settings=options.calibration,
        solver=options.solver,
        points=options.points(body),
    )
    for row in solved:
        if row["verdict"] == KEPT:
            yield row
        else:
            lost[str(row["reason"]).removeprefix(f"{NO_CAMERA}: ")] += 1
