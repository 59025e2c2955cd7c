"""Figures of saved results for a paper: PNG, SVG or PDF, in the width of a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.evaluation.comparison import comparable_results
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.report.canvas import figure_bytes
from chorus_bench.report.figures import Inches, bars_figure, curves_figure, methods_figure

#: What can be drawn.
KINDS = ("curves", "categories", "methods")
#: File formats, by suffix.
SUFFIXES = (".png", ".svg", ".pdf")
_DPI = 300


@checked
def write_figure(
    kind: str,
    results: Sequence[str | Path | EvaluationResult],
    path: str | Path,
    *,
    width: Inches = 6.85,
    score: str = "mPAP",
) -> Path:
    """Draw saved results into a file, atomically.

    Args:
        kind: ``curves`` (mean precision over mean recall, a panel per category), ``categories``
            (the scores of one result's categories) or ``methods`` (all results' scores).
        results: results, their folders or names; comparable.
        path: the file, which is replaced; its suffix, one of `SUFFIXES`, determines the format.
        width: width of the figure, inches; a journal's column is about 3.3.
        score: one of the four means, for ``methods``.

    Returns:
        The file.

    Raises:
        InputError: an unknown kind, format or score, results that are not comparable, several
            results for ``categories``.
        MissingDependencyError: matplotlib is not installed.
    """
    target = Path(path)
    if kind not in KINDS:
        raise unknown_name("kind of figure", kind, KINDS)
    if target.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"a figure cannot be written as '{target.suffix}'",
            where=target,
            expected=", ".join(SUFFIXES),
        )
    figure = _draw(kind, comparable_results(results), width, score)
    return atomic_write_bytes(target, figure_bytes(figure, target.suffix[1:].lower(), dpi=_DPI))


def _draw(kind: str, results: Mapping[str, EvaluationResult], width: float, score: str) -> Any:  # noqa: ANN401 - matplotlib is not typed here
    if kind == "categories" and len(results) > 1:
        raise InputError(
            f"{len(results)} results for a figure of one result's categories",
            expected="one result",
            fix="draw 'curves' or 'methods', or give one result",
        )
    first = next(iter(results.values()))
    drawings: Mapping[str, Callable[[], Any]] = {
        "curves": lambda: curves_figure(results, width=width),
        "categories": lambda: bars_figure(first, width=width),
        "methods": lambda: methods_figure(results, score=score, width=width),
    }
    return drawings[kind]()
