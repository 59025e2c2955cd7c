"""``chorus-bench diagnose``: where a submission loses its score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chorus_bench.cli.options import (
    FORMAT,
    AllowOtherBody,
    Body,
    Categories,
    GeometryDevice,
    MinSamples,
    Protocol,
    Split,
    Submission,
    TextFormat,
    Threads,
)
from chorus_bench.cli.progress import progress_bar, say_written


def diagnose_command(
    submission: Submission = "example",
    split: Split = "example",
    body: Body = None,
    allow_other_body: AllowOtherBody = False,
    categories: Categories = None,
    min_samples: MinSamples = None,
    workers: Threads = None,
    protocol: Protocol = "official",
    device: GeometryDevice = "cpu",
    output: Annotated[
        Path | None,
        typer.Option(help="JSON file for all details, with the cuts of the recalibration."),
    ] = None,
    output_format: Annotated[TextFormat, FORMAT] = TextFormat.TABLE,
) -> None:
    """Find where a score is lost: the gain from correcting one fault alone.

    Position, scale, mirror image, recalibration of the probabilities, occlusion, and the ceiling.
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
            device=device,
            progress=progress,
        )
    if output is not None:
        diagnosis.save(output)
    typer.echo(render_diagnosis(diagnosis, output_format.value))
    if output is not None:
        say_written([output], output_format)


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
