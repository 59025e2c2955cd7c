"""``chorus-bench report``: the page of one result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.options import Body, Overwrite, ResultFolder
from chorus_bench.cli.progress import progress_bar
from chorus_bench.errors import count_of


def report_command(
    result: ResultFolder,
    output: Annotated[
        Path | None, typer.Option(help="The folder to write; RESULT-report by default.")
    ] = None,
    submission: Annotated[
        str | None,
        typer.Option(
            help="The scored submission, for overlays and 3D fields.",
            autocompletion=completion.submissions,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="The test split, if the signature names no shipped one.",
            autocompletion=completion.splits,
        ),
    ] = None,
    body: Body = None,
    photos: Annotated[
        bool, typer.Option(help="Show the split's photographs; respect their licenses.")
    ] = True,
    diagnose: Annotated[
        bool, typer.Option("--diagnose", help="Also diagnose where the score is lost.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write the report of a result: a page that works offline, and its pictures."""
    from chorus_bench.io.shipped import EXAMPLE
    from chorus_bench.report.page import write_report

    if result == EXAMPLE and submission is None:
        submission = EXAMPLE
    folder = Path(result)
    target = folder.with_name(f"{folder.name}-report") if output is None else output
    with progress_bar("Writing the report"):
        report = write_report(
            result,
            target,
            submission=submission,
            split=split,
            body=body,
            photos=photos,
            diagnose=diagnose,
            overwrite=overwrite,
        )
    for text in report.left_out:
        typer.echo(f"left out: {text}", err=True)
    typer.echo(f"wrote {report.page} and {count_of(len(report.pictures), 'picture')}")
