"""``chorus-bench plot``: saved results as a figure of a paper."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chorus_bench.cli.options import Results, Score

#: What is drawn.
PlotKind = StrEnum("PlotKind", ["CURVES", "CATEGORIES", "METHODS"])
_INCH = 25.4


def plot_command(
    kind: Annotated[
        PlotKind,
        typer.Argument(
            help="curves: precision over recall; categories: one result; methods: all results."
        ),
    ],
    results: Results,
    output: Annotated[
        Path, typer.Option("--output", help="File to write: .png, .svg or .pdf.")
    ] = Path("figure.pdf"),
    width: Annotated[
        float, typer.Option(min=40, max=400, help="Width in millimetres, e.g. 84 for one column.")
    ] = 174.0,
    score: Score = "mPAP",
) -> None:
    """Draw saved results in the width of a journal's column, as PNG, SVG or PDF.

    Nothing is scored again. Intervals are 95 % bootstrap intervals.
    """
    from chorus_bench.report.paper_figures import write_figure

    path = write_figure(kind.value, results, output, width=width / _INCH, score=score)
    typer.echo(f"wrote {path}")
