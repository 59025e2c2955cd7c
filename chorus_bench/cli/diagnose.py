"""``chorus-bench diagnose``: where a submission loses its score."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chorus_bench.cli.progress import progress_bar


class Format(StrEnum):
    """How a diagnosis is printed."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


def diagnose_command(
    submission: Annotated[
        str,
        typer.Argument(help="Submission folder, .zip or .tar.gz; 'example' for the shipped one."),
    ] = "example",
    split: Annotated[
        str, typer.Option(help="Test split: a folder of Parquet files, or a name.")
    ] = "example",
    body: Annotated[
        str | None, typer.Option(help="SMPL-format .npz or .pkl; the free body by default.")
    ] = None,
    allow_other_body: Annotated[
        bool,
        typer.Option(
            "--allow-other-body",
            help="Use a body that the split was not made with; the signature says so.",
        ),
    ] = False,
    categories: Annotated[
        list[str] | None, typer.Option(help="Diagnose only this category; may be repeated.")
    ] = None,
    min_samples: Annotated[
        int | None, typer.Option(min=1, help="Leave out categories with fewer samples.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads.")] = None,
    protocol: Annotated[
        str, typer.Option(help="'official' (the paper's numbers) or 'closed'.")
    ] = "official",
    output: Annotated[
        Path | None, typer.Option(help="JSON file for everything, the spread's cuts included.")
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="How the diagnosis is printed.")
    ] = Format.TABLE,
) -> None:
    """Say where a score is lost: the gain if one fault alone were mended.

    Position, scale, mirror image, spread of the probabilities, occlusion, and the ceiling.
    """
    from chorus_bench.evaluation.diagnosis import diagnose
    from chorus_bench.report.diagnosis import render_diagnosis

    _check_output(output)
    with progress_bar("Diagnosing") as progress:
        diagnosis = diagnose(
            submission,
            split=split,
            body=body,
            allow_other_body=allow_other_body,
            categories=categories,
            min_samples=min_samples,
            workers=workers,
            protocol=protocol,
            progress=progress,
        )
    if output is not None:
        diagnosis.save(output)
    typer.echo(render_diagnosis(diagnosis, output_format.value))
    if output is not None and output_format is Format.TABLE:
        typer.echo(f"\nWrote {output}")


def _check_output(output: Path | None) -> None:
    """Refuse a folder before the work begins, not after it."""
    from chorus_bench.errors import InputError

    if output is not None and output.is_dir():
        raise InputError(
            "is a folder",
            where=output,
            expected="the name of a JSON file",
            fix=f"give --output {output / 'diagnosis.json'}",
        )
