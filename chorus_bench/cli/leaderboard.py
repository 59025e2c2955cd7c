"""``chorus-bench leaderboard``: add, check, show, build, verify."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.added_options import long_command, uses_cache
from chorus_bench.cli.options import (
    FORMAT,
    BoardFormat,
    Body,
    Measure,
    OutputFolder,
    Overwrite,
    Representation,
    ResultFolder,
    Score,
    Threads,
    key_values,
)
from chorus_bench.cli.progress import StageLines, progress_bar
from chorus_bench.errors import count_of

app = typer.Typer(help="Leaderboard entries, their rules, and the page.", no_args_is_help=True)


#: Whether training saw COCO's val images.
Seen = StrEnum("Seen", ["YES", "NO", "UNKNOWN"])


Leaderboard = Annotated[
    Path, typer.Option("--leaderboard", help="Folder with entries/ and published.yaml.")
]
SkipInvalid = Annotated[
    bool, typer.Option("--skip-invalid", help="Leave out entries with problems.")
]
Date = Annotated[str | None, typer.Option(help="YYYY-MM-DD; today by default.")]
Scored = Annotated[
    str | None,
    typer.Option(
        help="The scored submission; its fields are kept for the 3D view.",
        autocompletion=completion.submissions,
    ),
]
DrawnFrom = Annotated[
    str | None,
    typer.Option(
        help="The test split; samples are drawn from their masks.",
        autocompletion=completion.splits,
    ),
]
RecipeFile = Annotated[
    Path | None,
    typer.Option(
        help="YAML file: how a baseline made the submission (baseline, data, data_options, "
        "options, seed, posed), for `verify --rerun`.",
        exists=True,
        dir_okay=False,
    ),
]
SeesTruth = Annotated[
    bool,
    typer.Option("--sees-truth", help="It is given what a method has to predict: not ranked."),
]
_DEFAULT = Path("leaderboard")


@app.command("add")
@uses_cache
@long_command
def add_command(
    result: ResultFolder,
    submitted_by: Annotated[str, typer.Option(help="A person, a group or an account.")],
    leaderboard: Leaderboard = _DEFAULT,
    submission: Scored = None,
    split: DrawnFrom = None,
    body: Body = None,
    training_data: Annotated[str | None, typer.Option(help="The training data.")] = None,
    saw_coco_val: Annotated[
        Seen, typer.Option(help="Whether training saw COCO's val images.")
    ] = Seen.UNKNOWN,
    sees_truth: SeesTruth = False,
    url: Annotated[str | None, typer.Option(help="Address of the submission's archive.")] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Folder name; by default from the method's name."),
    ] = None,
    description: Annotated[str | None, typer.Option(help="A short description.")] = None,
    authors: Annotated[
        str | None, typer.Option(help="Authors' names, separated by commas.")
    ] = None,
    affiliation: Annotated[str | None, typer.Option(help="Affiliation of the authors.")] = None,
    paper: Annotated[str | None, typer.Option(help="Address of the paper.")] = None,
    code: Annotated[str | None, typer.Option(help="Address of the code.")] = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="License of the submission's fields.")
    ] = None,
    citation: Annotated[
        Path | None, typer.Option(help="File with the BibTeX entry.", exists=True, dir_okay=False)
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="A parameter, KEY=VALUE; may be repeated."),
    ] = None,
    recipe: RecipeFile = None,
    date: Date = None,
    overwrite: Overwrite = False,
) -> None:
    """Make an entry from a result: leaderboard/entries/<method>."""
    from chorus_bench.io.documents import decode
    from chorus_bench.leaderboard.adding import add_entry
    from chorus_bench.leaderboard.rerun import read_recipe

    texts = {
        "description": description,
        "authors": authors,
        "affiliation": affiliation,
        "paper": paper,
        "code": code,
        "license": license_,
        "citation": None if citation is None else decode(citation.read_bytes(), citation),
    }
    with progress_bar("Making the entry"):
        folder = add_entry(
            result,
            leaderboard,
            submitted_by=submitted_by,
            date=date or _today(),
            saw_coco_val=saw_coco_val.value,
            sees_truth=sees_truth,
            training_data=training_data,
            url=url,
            name=name,
            texts={key: text for key, text in texts.items() if text},
            parameters=key_values(parameter, "--parameter", read=lambda text, where: text),
            submission=submission,
            split=split,
            body=body,
            recipe=None if recipe is None else read_recipe(recipe),
            overwrite=overwrite,
        )
    typer.echo(f"wrote {folder}")


def _today() -> str:
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


@app.command("check")
@long_command
def check_command(
    leaderboard: Leaderboard = _DEFAULT,
    against: Annotated[
        str | None,
        typer.Option(
            help="Git revision or older folder; a score may only change with its submission."
        ),
    ] = None,
) -> None:
    """Apply the acceptance rules to every entry and list all problems."""
    from chorus_bench.leaderboard.checking import check_leaderboard
    from chorus_bench.leaderboard.earlier import earlier_results, earlier_verified

    before = None if against is None else earlier_results(leaderboard, against)
    verified = None if against is None else earlier_verified(leaderboard, against)
    with progress_bar("Checking entries") as progress:
        checked = check_leaderboard(
            leaderboard, before=before, verified=verified, progress=progress
        )
    checked.raise_problems()
    typer.echo(
        f"valid: {count_of(len(checked.entries), 'entry')}, "
        f"{count_of(len(checked.published), 'published row')}"
        + ("" if against is None else f"; no score changed without its submission since {against}")
    )


@app.command("show")
@long_command
def show_command(
    leaderboard: Annotated[
        Path | None,
        typer.Option(
            "--leaderboard",
            help="Folder with entries/ and published.yaml; by default ./leaderboard or, where "
            "there is none, the shipped results of the baselines.",
        ),
    ] = None,
    output_format: Annotated[BoardFormat, FORMAT] = BoardFormat.TABLE,
    score: Score = "mPAP",
    signature: Annotated[
        str | None, typer.Option(help="Only boards whose signature or title contains this.")
    ] = None,
    representation: Representation = None,
    measure: Measure = None,
    skip_invalid: SkipInvalid = False,
) -> None:
    """Print the boards: ranks with ties, intervals, the four means."""
    from chorus_bench.io.shipped import packaged_leaderboard
    from chorus_bench.leaderboard.board import board_json, make_board
    from chorus_bench.leaderboard.checking import check_leaderboard
    from chorus_bench.leaderboard.site import board_csv, download
    from chorus_bench.report.board_measures import render_board_measures
    from chorus_bench.report.leaderboard_tables import (
        check_score,
        chosen_boards,
        chosen_methods,
        render_boards,
    )

    check_score(score)
    here = leaderboard or _DEFAULT
    if leaderboard is None and not here.is_dir():
        here = packaged_leaderboard()
    with progress_bar("Reading entries") as progress:
        checked = check_leaderboard(here, progress=progress)
    if not skip_invalid:
        checked.raise_problems("correct the entries, or leave them out with --skip-invalid")
    site = board_json(make_board(checked.entries, checked.published), _today())
    boards = chosen_methods(chosen_boards(site, signature), representation)
    if measure is not None:
        typer.echo(render_board_measures(boards, measure, output_format.value, score=score))
    elif output_format is BoardFormat.JSON:
        chosen = download({**site, "boards": boards})
        typer.echo(json.dumps(chosen, indent=1, ensure_ascii=False))
    elif output_format is BoardFormat.CSV:
        typer.echo(board_csv({**site, "boards": boards}), nl=False)
    else:
        typer.echo(render_boards(boards, output_format.value, score))
    _list_left_out(checked.findings)


@app.command("build")
@long_command
def build_command(
    output: OutputFolder,
    leaderboard: Leaderboard = _DEFAULT,
    skip_invalid: SkipInvalid = False,
    date: Date = None,
) -> None:
    """Build the page: static files for any web host, or to open from disk."""
    from chorus_bench.leaderboard.site import build_site

    with progress_bar("Reading entries") as progress:
        left_out = build_site(
            leaderboard,
            output,
            date=date or _today(),
            skip_invalid=skip_invalid,
            progress=progress,
        )
    _list_left_out(left_out)
    typer.echo(f"wrote {output}/index.html")


def _list_left_out(findings: object) -> None:
    for finding in findings if isinstance(findings, list | tuple) else ():
        typer.echo(f"warning: left out: {finding}", err=True)


@app.command("verify")
@uses_cache
@long_command
def verify_command(
    entry: Annotated[Path, typer.Argument(help="The entry's folder.")],
    submission: Annotated[
        str | None,
        typer.Option(help="The submitted archive.", autocompletion=completion.submissions),
    ] = None,
    rerun: Annotated[
        bool,
        typer.Option("--rerun", help="Make the submission again from the entry's recipe."),
    ] = False,
    split: Annotated[
        str | None,
        typer.Option(
            help="The split that the signature names, if it is not shipped.",
            autocompletion=completion.splits,
        ),
    ] = None,
    body: Body = None,
    by: Annotated[
        str, typer.Option(help="Name of the verifier.")
    ] = "chorus-bench leaderboard verify",
    url: Annotated[str | None, typer.Option(help="Address of the verification run.")] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the new result.")] = None,
    workers: Threads = None,
    date: Date = None,
) -> None:
    """Score an entry's submission again and mark the entry if the outcome is identical.

    With --submission the archive is scored (status verified), with --rerun it is first made again
    from the recipe that the entry records (status reproduced).
    """
    from chorus_bench.errors import InputError
    from chorus_bench.leaderboard.verification import Verifier, reproduce_entry, verify_entry

    if (submission is None) is not rerun:
        raise InputError(
            "verify takes the submitted archive or its recipe",
            expected="either --submission ARCHIVE or --rerun",
        )
    verifier = Verifier(by, date or _today(), split, body, url, output, workers)
    if submission is None:
        lines = StageLines().update
        verifier = replace(verifier, progress=partial(lines, "scoring"))
        manifest = reproduce_entry(entry, verifier, making=partial(lines, "making the submission"))
    else:
        with progress_bar("Scoring samples") as progress:
            manifest = verify_entry(entry, submission, replace(verifier, progress=progress))
    typer.echo(f"{manifest.status}: '{manifest.method}' scores the same; wrote {entry}/entry.yaml")
