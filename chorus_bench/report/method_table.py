"""A table of a paper: methods by the four means, or by categories, from saved results."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tabulate import LATEX_ESCAPE_RULES, tabulate

from chorus_bench.displays import Table, displayed
from chorus_bench.errors import unknown_name
from chorus_bench.evaluation.comparison import comparable_results
from chorus_bench.evaluation.results import MEANS, EvaluationResult
from chorus_bench.report.tables import percent

FORMATS = ("table", "markdown", "latex", "csv", "json")
_MEAN = "mean"


@dataclass(frozen=True)
class Cell:
    """A score.

    Attributes:
        value: a fraction; None where there is none.
        interval: its 95 % bootstrap interval, fractions; None where there is none.
        place: 1 for the best of its column as printed, 2 for the second, 0 for the others.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    place: int = 0


@displayed
@dataclass(frozen=True)
class MethodTable:
    """Scores of methods.

    Attributes:
        columns: names of the columns.
        rows: method -> its cells, one for each column.
        score: the score in every column, for example ``PAP``; None where the columns are the four
            means.
        signature: of the first result; all are comparable with it.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[Cell, ...]]
    score: str | None
    signature: str

    def text(self, style: str = "table", *, intervals: bool = False) -> str:
        """Return the table as text.

        Args:
            style: ``table``, ``markdown`` or ``latex`` (percent; best in bold, second underlined,
                where the style can show it), ``csv`` or ``json`` (fractions).
            intervals: with the 95 % intervals; ``csv`` and ``json`` always have them.

        Raises:
            InputError: an unknown style.
        """
        writers: Mapping[str, Callable[[], str]] = {
            "table": lambda: self._tabulated("simple", _plain, intervals),
            "markdown": lambda: self._tabulated("github", _markdown, intervals),
            "latex": lambda: self._latex(intervals),
            "csv": self._csv,
            "json": self._json,
        }
        if style not in writers:
            raise unknown_name("format", style, FORMATS)
        return writers[style]()

    def _tabulated(self, style: str, mark: Callable[[str, int], str], intervals: bool) -> str:
        rows = [
            [method, *(_shown(cell, mark, intervals, "{} [{}, {}]") for cell in cells)]
            for method, cells in self.rows.items()
        ]
        alignment = ("left", *["right"] * len(self.columns))
        return tabulate(
            rows,
            ("method", *self.columns),
            tablefmt=style,
            colalign=alignment,
            disable_numparse=True,
        )

    def _latex(self, intervals: bool) -> str:
        """Return a ``tabular``; it needs the package booktabs."""
        small = r"{} {{\scriptsize [{}, {}]}}"
        rows = [
            [_escaped(method), *(_shown(cell, _latex, intervals, small) for cell in cells)]
            for method, cells in self.rows.items()
        ]
        head = ["Method", *map(_escaped, self.columns)]
        lines = [
            f"% {self.signature}",
            rf"\begin{{tabular}}{{l{'r' * len(self.columns)}}}",
            r"\toprule",
            _latex_row(head),
            r"\midrule",
            *map(_latex_row, rows),
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines)

    def _csv(self) -> str:
        target = io.StringIO()
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(["method", "column", "value", "low", "high"])
        for method, cells in self.rows.items():
            for column, cell in zip(self.columns, cells, strict=True):
                bounds = cell.interval or ("", "")
                writer.writerow([method, column, "" if cell.value is None else cell.value, *bounds])
        return target.getvalue().rstrip("\n")

    def _json(self) -> str:
        content = {
            "score": self.score,
            "signature": self.signature,
            "methods": {
                method: {
                    column: {"value": cell.value, "interval": cell.interval}
                    for column, cell in zip(self.columns, cells, strict=True)
                }
                for method, cells in self.rows.items()
            },
        }
        return json.dumps(content, indent=1, ensure_ascii=False)

    def _facts(self) -> dict[str, object]:
        return {
            "methods": len(self.rows),
            "columns": len(self.columns),
            "score": self.score or "the four means",
            "signature": self.signature,
        }

    def _table(self) -> Table:
        rows = [[method, *(percent(c.value) for c in cells)] for method, cells in self.rows.items()]
        return ("method", *self.columns), rows


def method_table(
    results: Sequence[str | Path | EvaluationResult],
    *,
    categories: bool = False,
    score: str = "mPAP",
) -> MethodTable:
    """Make the table of saved results; nothing is scored again.

    Args:
        results: results, their folders or names, in the order of the rows.
        categories: a column for each category and one for their mean, in place of the four means.
        score: with ``categories``, the score: ``mPAP`` or one of its variants.

    Returns:
        The table.

    Raises:
        InputError: results that are not comparable, or an unknown score.
    """
    if score not in MEANS:
        raise unknown_name("score", score, MEANS)
    loaded = comparable_results(results)
    first = next(iter(loaded.values()))
    if not categories:
        rows = {
            method: [_mean_cell(result, mean) for mean in MEANS]
            for method, result in loaded.items()
        }
        return MethodTable(MEANS, _placed(rows), None, first.signature)
    names = tuple(dict.fromkeys(name for result in loaded.values() for name in result.categories))
    rows = {
        method: [
            *(_category_cell(result, name, score[1:]) for name in names),
            _mean_cell(result, score),
        ]
        for method, result in loaded.items()
    }
    return MethodTable((*names, _MEAN), _placed(rows), score[1:], first.signature)


def _mean_cell(result: EvaluationResult, mean: str) -> Cell:
    return _cell(result.scores[mean], result.intervals.get(mean))


def _category_cell(result: EvaluationResult, category: str, score: str) -> Cell:
    entry: Mapping[str, Any] = result.categories.get(category, {})
    return _cell(entry.get(score), entry.get("intervals", {}).get(score))


def _cell(value: float | None, bounds: Sequence[float] | None) -> Cell:
    return Cell(value, None if bounds is None else (float(bounds[0]), float(bounds[1])))


def _placed(rows: Mapping[str, Sequence[Cell]]) -> dict[str, tuple[Cell, ...]]:
    """Return the rows with the best and the second of every column; equal ones as printed share."""
    columns = zip(*rows.values(), strict=True)
    return dict(zip(rows, zip(*map(_places, columns), strict=True), strict=True))


def _places(column: Sequence[Cell]) -> list[Cell]:
    """Return the cells of a column with their places; a method alone has none."""
    if len(column) < 2:
        return list(column)
    shown = {percent(cell.value) for cell in column if cell.value is not None}
    best = sorted(shown, key=float, reverse=True)[:2]
    places = {text: place for place, text in enumerate(best, start=1)}
    return [replace(cell, place=places.get(percent(cell.value), 0)) for cell in column]


def _shown(cell: Cell, mark: Callable[[str, int], str], intervals: bool, pattern: str) -> str:
    """Return a cell as text: percent, marked by its place, with its interval if asked for."""
    text = mark(percent(cell.value), cell.place)
    if not intervals or cell.interval is None:
        return text
    return pattern.format(text, *map(percent, cell.interval))


def _plain(text: str, place: int) -> str:
    return text


def _markdown(text: str, place: int) -> str:
    return {1: f"**{text}**", 2: f"<u>{text}</u>"}.get(place, text)


def _latex(text: str, place: int) -> str:
    return {1: rf"\textbf{{{text}}}", 2: rf"\underline{{{text}}}"}.get(place, text)


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _escaped(text: str) -> str:
    return "".join(LATEX_ESCAPE_RULES.get(letter, letter) for letter in text)
