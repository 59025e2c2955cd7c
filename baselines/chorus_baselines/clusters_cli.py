"""``chorus-bench clusters``: the interaction types of a submission, or the known body parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.options import FORMAT, Body, Categories, TextFormat
from chorus_bench.errors import count_of

if TYPE_CHECKING:
    from chorus_bench.submission import Submission

_HEADERS = ("category", "interaction", "prompt", "part", "views", "share")
_STYLES = {"table": "simple", "markdown": "github"}


def clusters_command(
    submission: Annotated[
        str | None,
        typer.Argument(
            help="A submission; without one, the body parts that --part takes.",
            autocompletion=completion.submissions,
        ),
    ] = None,
    categories: Categories = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures of the fields: by prompt, by part, by both."),
    ] = None,
    body: Body = None,
    output_format: Annotated[TextFormat, FORMAT] = TextFormat.TABLE,
) -> None:
    """List the interaction types of a submission, with the views behind each."""
    from tabulate import tabulate

    from chorus_bench.submission import open_submission

    if submission is None:
        typer.echo(_parts_table())
        return
    with open_submission(submission) as opened:
        rows = type_rows(opened, categories)
        if output is not None:
            _draw(opened, categories, output, body)
    if output_format is TextFormat.JSON:
        import json

        listed = [dict(zip(_HEADERS, row, strict=True)) for row in rows]
        typer.echo(json.dumps(listed, indent=1, ensure_ascii=False))
        return
    shown = [
        (*row[:4], row[4], None if row[5] is None else f"{100 * float(str(row[5])):.1f} %")
        for row in rows
    ]
    style = _STYLES[output_format.value]
    typer.echo(tabulate(shown, _HEADERS, tablefmt=style, missingval="", disable_numparse=True))
    if not rows:
        typer.echo("no fields of interaction types: `baseline run chorus --by-prompt` makes them")


def _draw(
    submission: Submission, categories: list[str] | None, output: Path, body: str | None
) -> None:
    from chorus_bench.cli.progress import progress_bar
    from chorus_bench.geometry.body_files import load_body
    from chorus_bench.report.type_figures import draw_types

    model = load_body("default" if body is None else body)
    with progress_bar("Drawing fields") as progress:
        files = draw_types(submission, model, output, categories=categories, progress=progress)
    typer.echo(f"wrote {count_of(len(files), 'picture')} to {output}", err=True)


def type_rows(submission: Submission, categories: list[str] | None) -> list[tuple[object, ...]]:
    """Return category, name, prompt, part, views and share of each interaction type.

    Args:
        submission: an open submission.
        categories: only these; None for all.

    Raises:
        InputError: no such category.
    """
    return [
        (category, kind.name, kind.prompt, kind.part, kind.views, kind.share)
        for category in (submission.categories if categories is None else categories)
        for kind in submission.interactions(category)
    ]


def _parts_table() -> str:
    from tabulate import tabulate

    from chorus_baselines.chorus.clusters import NAMED_PARTS, SEGMENT_NAMES

    rows = [
        (name, "all 24" if len(part.segments) == len(SEGMENT_NAMES) else ", ".join(part.segments))
        for name, part in NAMED_PARTS.items()
    ]
    text = tabulate(rows, ("body part", "segments"))
    return f"{text}\n\nAny segment, and any union such as leftHand+rightHand, is a part as well."
