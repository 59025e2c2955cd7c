"""PAP beside another measure: a table, where the two disagree, and a scatter plot.

The two are never mixed: methods keep their PAP, and are put in order by the other measure.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.evaluation.comparison import comparable_results
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.representation import representation as representation_of
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.evaluation.truth_file import TRUTH_FILE, TruthScores
from chorus_bench.report.canvas import panels
from chorus_bench.report.tables import TABLE_FORMATS, percent
from chorus_bench.report.volumetric import Measure, measure_named, overall_measures

_NAMED = 5  # categories that the scatter plot names
_LEGEND = """\
In order of {label} ({better} is better), with 95 % intervals that are not paired: overlapping ones
do not show that two methods are equal. PAP is not part of the order."""

Interval = Sequence[float] | None


@dataclass(frozen=True)
class Measured:
    """A method's PAP and another of its measures.

    Attributes:
        method: its name.
        representation: its track, and what its submission was converted from.
        score: the mean of PAP or of a variant over the categories, a fraction.
        score_interval: its 95 % interval.
        value: the other measure; None where it is not defined.
        interval: its 95 % interval.
        categories: category -> (PAP, the other measure).
    """

    method: str
    representation: tuple[str, ...]
    score: float
    score_interval: Interval
    value: float | None
    interval: Interval = None
    categories: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


@checked
def measured_results(
    results: Sequence[str | Path | EvaluationResult],
    measure: str,
    *,
    score: str = "mPAP",
    representation: str | None = None,
) -> list[Measured]:
    """Return PAP and another measure of some results, best by the measure first.

    Args:
        results: results with 3D scores: of ``evaluate(truth=True)``, folders that
            `chorus-bench evaluate --truth --output` wrote, or names of shipped ones.
        measure: a measure of `truth.json`, such as ``chamfer``.
        score: ``mPAP`` or one of its variants.
        representation: see `chorus_bench.evaluation.comparison.compare`.

    Raises:
        InputError: an unknown measure, results that are not comparable, or one without 3D scores.
    """
    one = measure_named(measure)
    opened = [open_result(result) for result in results]
    rows = []
    for name, result in comparable_results(opened, representation=representation).items():
        if score not in result.scores:
            raise InputError(f"no score '{score}'", expected="mPAP or one of its variants")
        truth = _truth_of(name, result)
        rows.append(
            Measured(
                name,
                representation_of(result.signature, result.submission),
                result.scores[score],
                result.intervals[score],
                overall_measures(truth.as_dict()).get(measure),
                truth.intervals.get(measure),
                {
                    category: (result.categories[category][score[1:]], entry.get(measure))
                    for category, entry in truth.categories.items()
                    if category in result.categories
                },
            )
        )
    return in_order(rows, one)


def _truth_of(name: str, result: EvaluationResult) -> TruthScores:
    if result.truth is None or not result.truth.measures:
        raise InputError(
            "a result without 3D scores",
            where=name,
            expected=f"its {TRUTH_FILE} in the folder",
            fix="run `chorus-bench evaluate --truth --output` again",
        )
    return result.truth


def in_order(rows: Iterable[Measured], measure: Measure) -> list[Measured]:
    """Return methods by a measure, best first; those without it come last."""

    def key(row: Measured) -> tuple[bool, float, str]:
        value = row.value or 0.0
        return row.value is None, -value if measure.higher else value, row.method

    return sorted(rows, key=key)


def disagreements(rows: Sequence[Measured], measure: Measure) -> list[tuple[str, str]]:
    """Return the pairs of methods of which PAP prefers the first and the measure the second."""
    known = [(row.score, row.value, row.method) for row in rows if row.value is not None]
    sign = 1 if measure.higher else -1
    return [
        (name, other)
        for (score, value, name), (less, better, other) in itertools.permutations(known, 2)
        if score > less and sign * value < sign * better
    ]


@checked
def render_measured(
    rows: Sequence[Measured], measure: str, style: str = "table", *, score: str = "mPAP"
) -> str:
    """Return PAP and another measure as text, in the given order.

    Args:
        rows: from `measured_results`.
        measure: its name.
        style: ``table``, ``markdown``, ``latex``, ``csv`` or ``json``.
        score: the mean that the rows have.

    Raises:
        InputError: an unknown measure or format.
    """
    one = measure_named(measure)
    if style not in (*TABLE_FORMATS, "csv", "json"):
        raise unknown_name("format", style, (*TABLE_FORMATS, "csv", "json"))
    if style in ("csv", "json"):
        return plain_text(measured_data(rows, measure, score), style)
    lines = [
        (
            row.method,
            row.representation[0],
            one.shown(row.value, row.interval),
            _percent(row.score, row.score_interval),
        )
        for row in rows
    ]
    headers = ("method", "track", one.label, f"{score}, %")
    table = tabulate(
        lines,
        [text.replace("%", r"\%") for text in headers] if style == "latex" else headers,
        tablefmt=TABLE_FORMATS[style],
        colalign=("left", "left", "right", "right"),
        disable_numparse=True,
    )
    if style == "latex":
        return table
    better = "higher" if one.higher else "lower"
    return f"{table}\n\n{_LEGEND.format(label=one.label, better=better)}\n{_disagree(rows, one)}"


def _disagree(rows: Sequence[Measured], measure: Measure) -> str:
    pairs = disagreements(rows, measure)
    if not pairs:
        return "PAP and this measure order the methods alike."
    listed = "; ".join(f"{first} before {second}" for first, second in pairs[:_NAMED])
    more = f"; and {len(pairs) - _NAMED} more" * (len(pairs) > _NAMED)
    return f"PAP orders {len(pairs)} of the pairs the other way: {listed}{more}."


def _percent(value: float, bounds: Interval) -> str:
    interval = "" if bounds is None else f" [{percent(bounds[0])}, {percent(bounds[1])}]"
    return percent(value) + interval


def measured_data(rows: Sequence[Measured], measure: str, score: str) -> list[dict[str, Any]]:
    """Return PAP and another measure as plain values, one row for each method."""
    return [
        {
            "method": row.method,
            "representation": "; ".join(row.representation),
            "measure": measure,
            "value": row.value,
            "low": None if row.interval is None else row.interval[0],
            "high": None if row.interval is None else row.interval[1],
            "score": score,
            "score_value": row.score,
            "score_low": None if row.score_interval is None else row.score_interval[0],
            "score_high": None if row.score_interval is None else row.score_interval[1],
        }
        for row in rows
    ]


def plain_text(content: Sequence[Mapping[str, Any]], style: str) -> str:
    """Return rows of plain values as ``csv``, with one header, or as ``json``."""
    if style == "json":
        return json.dumps(content, indent=1, ensure_ascii=False)
    target = io.StringIO()
    writer = csv.DictWriter(target, list(content[0]) if content else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(content)
    return target.getvalue().rstrip("\n")


@checked
def measure_figure(rows: Sequence[Measured], measure: str, *, score: str = "mPAP") -> Any:  # noqa: ANN401
    """Return a scatter plot of another measure over PAP.

    A large mark is a method with its intervals, a small one a category of it. The categories that
    the two order most differently are named.

    Args:
        rows: from `measured_results`.
        measure: its name.
        score: the mean that the rows have.

    Raises:
        InputError: no method has the measure.
        MissingDependencyError: matplotlib is not installed.
    """
    one = measure_named(measure)
    known = [row for row in rows if row.value is not None]
    if not known:
        raise InputError(f"no method has '{measure}'", expected="at least one that has it")
    figure, axes = panels(1, 1, 6.4, 4.8, bare=False)
    place = axes[0, 0]
    for number, row in enumerate(known):
        _draw(place, row, one, f"C{number % 10}")
    for row, name in _odd_categories(known, one):
        value = row.categories[name]
        place.annotate(
            name,
            (100 * (value[0] or 0.0), one.factor * (value[1] or 0.0)),
            fontsize=7,
            xytext=(3, 3),
            textcoords="offset points",
        )
    better = "higher" if one.higher else "lower"
    place.set(xlabel=f"{score[1:]}, %", ylabel=f"{one.label} ({better} is better)")
    if not one.higher:
        place.invert_yaxis()
    place.legend(fontsize=8)
    return figure


def _draw(place: Any, row: Measured, measure: Measure, color: str) -> None:  # noqa: ANN401
    """Draw a method and its categories."""
    points = [pair for pair in row.categories.values() if None not in pair]
    small = {"s": 14, "alpha": 0.45, "color": color, "linewidths": 0}
    place.scatter(
        [100 * (pap or 0.0) for pap, _ in points],
        [measure.factor * (value or 0.0) for _, value in points],
        **small,
    )
    x, y = 100 * row.score, measure.factor * (row.value or 0.0)
    reach = [
        None if bounds is None else [[max(0.0, at - f * bounds[0])], [max(0.0, f * bounds[1] - at)]]
        for at, f, bounds in ((x, 100, row.score_interval), (y, measure.factor, row.interval))
    ]
    place.errorbar(
        x, y, xerr=reach[0], yerr=reach[1], fmt="o", color=color, markersize=9,
        markeredgecolor="black", capsize=3, label=row.method,
    )  # fmt: skip


def _odd_categories(
    rows: Sequence[Measured], measure: Measure, most: int = _NAMED
) -> list[tuple[Measured, str]]:
    """Return the categories whose rank by PAP is farthest from that by the measure."""
    from scipy.stats import rankdata  # a second, which only the figure needs

    points = [
        (row, name, pap, value if measure.higher else -value)
        for row in rows
        for name, (pap, value) in row.categories.items()
        if pap is not None and value is not None
    ]
    one, other = (rankdata([point[axis] for point in points]) for axis in (2, 3))
    order = np.argsort(-np.abs(one - other), kind="stable")[:most]
    return [points[number][:2] for number in order]
