"""``chorus-bench contact``: the contact that fields imply, against labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from chorus_bench.cli.options import FORMAT, Body, DataFormat, Submission
from chorus_bench.cli.progress import progress_bar


def contact_command(
    submission: Submission,
    labels: Annotated[
        Path,
        typer.Option(
            help="Folder of CATEGORY.npz with 'contact' or 'contact_label', (V,) or (people, V)."
        ),
    ],
    body: Body = None,
    output_format: Annotated[DataFormat, FORMAT] = DataFormat.TABLE,
) -> None:
    """Compare the contact that canonical fields imply with labels on the body's vertices."""
    from chorus_bench.evaluation.contact import contact_labels_scores
    from chorus_bench.report.volumetric import contact_content, render_contact

    with progress_bar("Comparing contact"):
        scores = contact_labels_scores(submission, labels, body=body or "default")
    if output_format is DataFormat.JSON:
        typer.echo(json.dumps(contact_content(scores), indent=1))
    else:
        typer.echo(render_contact(scores))
