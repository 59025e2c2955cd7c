"""``chorus-bench datasets``: build, look at, check and push datasets."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chorus_bench.cli.extensions import print_broken
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    from chorus_bench.datasets.export import Built

app = typer.Typer(help="Build, look at, check and push datasets.", no_args_is_help=True)
build_app = typer.Typer(help="Build a dataset into a folder.", no_args_is_help=True)
app.add_typer(build_app, name="build")

#: So many notes are printed one by one; all of them are in the folder.
SHOWN_NOTES = 20


class Solver(StrEnum):
    """How cameras are fitted."""

    ADAM = "adam"
    LM = "lm"


@app.command("list")
def list_command() -> None:
    """Print the builders that are installed, their licenses, and what users must bring."""
    from tabulate import tabulate

    from chorus_bench.datasets.registry import find_builders

    found = find_builders()
    rows = [
        (
            spec.name,
            spec.summary,
            spec.license,
            "\n".join(f"{source.option}: {source.file}" for source in spec.needs) or "nothing",
        )
        for spec in found.specs.values()
    ]
    headers = ("builder", "what", "license", "you bring")
    typer.echo(tabulate(rows, headers=headers, maxcolwidths=[None, 40, 20, None]))
    print_broken(found)
    typer.echo("\n`chorus-bench datasets build NAME --help` says how; missing files are explained.")


@build_app.command("coco-eft")
def build_coco_eft_command(
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    annotations: Annotated[
        Path | None, typer.Option(help="COCO's instances_val2014.json, gzipped or not.")
    ] = None,
    fits: Annotated[
        Path | None, typer.Option(help="EFT's COCO2014-Val-ver10.json, gzipped or not.")
    ] = None,
    body: Annotated[
        str, typer.Option(help="SMPL-format .npz or .pkl; the free body by default.")
    ] = "default",
    joint_regressor: Annotated[
        Path | None, typer.Option(help="SPIN's J_regressor_extra.npy (with SMPL only).")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of val2014 images, to embed them.")
    ] = None,
    solver: Annotated[
        Solver, typer.Option(help="'adam': the original's path; 'lm': the least-squares minimum.")
    ] = Solver.ADAM,
    categories: Annotated[
        list[str] | None, typer.Option(help="Only this category; may be repeated.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the folder if it is there.")] = False,
) -> None:
    """Build the extended COCO-EFT test split from files that you download yourself."""
    from chorus_bench.datasets.builders import build_dataset

    with progress_bar("Fitting cameras") as progress:
        built = build_dataset(
            "coco-eft",
            output,
            overwrite=overwrite,
            progress=progress,
            annotations=annotations,
            fits=fits,
            body=body,
            joint_regressor=joint_regressor,
            images=images,
            solver=solver.value,
            categories=categories,
            command=command_line(),
        )
    print_built(built)


@build_app.command("simulated")
def build_simulated_command(
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    split: Annotated[
        str, typer.Option(help="'test': clean, true cameras; 'train': with annotators' failures.")
    ] = "test",
    categories: Annotated[
        list[str] | None, typer.Option(help="Only this category; may be repeated.")
    ] = None,
    per_category: Annotated[int, typer.Option(min=1, help="Test samples of each category.")] = 30,
    images_per_prompt_view: Annotated[
        int, typer.Option(min=1, help="Training images for each prompt and view.")
    ] = 1,
    seed: Annotated[int, typer.Option(help="Of the whole dataset.")] = 0,
    body: Annotated[
        str, typer.Option(help="SMPL-format .npz or .pkl; the free body by default.")
    ] = "default",
    size: Annotated[int, typer.Option(help="Side of training images, pixels.")] = 256,
    images: Annotated[bool, typer.Option(help="With pictures.")] = True,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    overwrite: Annotated[bool, typer.Option(help="Replace the folder if it is there.")] = False,
) -> None:
    """Build a dataset of the simulated world; nothing has to be downloaded."""
    from chorus_bench.datasets.builders import build_dataset

    with progress_bar("Simulating") as progress:
        built = build_dataset(
            "simulated",
            output,
            overwrite=overwrite,
            workers=workers,
            progress=progress,
            split=split,
            categories=categories,
            per_category=per_category,
            images_per_prompt_view=images_per_prompt_view,
            seed=seed,
            body=body,
            size=size,
            images=images,
            command=command_line(),
        )
    print_built(built)


@app.command("import-images")
def import_images_command(
    folder: Annotated[Path, typer.Argument(help="Image files, or one folder a keyword.")],
    category: Annotated[str, typer.Option(help="What was searched for.")],
    output: Annotated[Path, typer.Option(help="The folder to write.")],
    prompt: Annotated[
        str | None, typer.Option(help="Of all images; by default the folder's name.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace the folder if it is there.")] = False,
) -> None:
    """Turn a folder of crawled images into training rows (source "image_search")."""
    from chorus_bench.datasets.builders import build_dataset

    with progress_bar("Reading images") as progress:
        built = build_dataset(
            "image-search",
            output,
            overwrite=overwrite,
            progress=progress,
            folder=folder,
            category=category,
            prompt=prompt,
            command=command_line(),
        )
    print_built(built)


@app.command("info")
def info_command(
    path: Annotated[Path, typer.Argument(help="A built dataset.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for pictures: cameras, azimuths, counts.")
    ] = None,
) -> None:
    """Print what a built dataset is, its counts, and where its cameras stand."""
    from chorus_bench.datasets.folder import DatasetInfo
    from chorus_bench.datasets.statistics import folder_statistics
    from chorus_bench.report.dataset_tables import render_dataset

    info, statistics = DatasetInfo.load(path), folder_statistics(path)
    if as_json:
        content = {**info.to_json(), "statistics": statistics.as_dict()}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        typer.echo(render_dataset(info, statistics))
    if plots is not None:
        from chorus_bench.report.dataset_plots import write_dataset_plots

        for file in write_dataset_plots(statistics, plots):
            typer.echo(f"wrote {file}", err=True)


@app.command("verify")
def verify_command(
    path: Annotated[Path, typer.Argument(help="A built dataset.")],
) -> None:
    """Read all rows, compute the fingerprint again, and compare counts and files."""
    from chorus_bench.datasets.verify import verify_dataset

    result = verify_dataset(path)
    if result.ok:
        typer.echo(f"{result.info.label}: {result.rows} rows, all as they should be")
        return
    for problem in result.problems:
        typer.echo(problem, err=True)
    typer.echo(f"{path}: {len(result.problems)} problems; build it again", err=True)
    raise typer.Exit(2)


@app.command("card")
def card_command(
    path: Annotated[Path, typer.Argument(help="A built dataset.")],
) -> None:
    """Write the card (README.md) of a built dataset again."""
    from chorus_bench.datasets.card import write_card
    from chorus_bench.datasets.folder import CARD_FILE, DatasetInfo

    write_card(path, DatasetInfo.load(path))
    typer.echo(f"wrote {path / CARD_FILE}")


@app.command("push")
def push_command(
    path: Annotated[Path, typer.Argument(help="A built dataset.")],
    repo: Annotated[str, typer.Argument(help="Where to: organisation/name.")],
    public: Annotated[
        bool,
        typer.Option(
            "--public/--private", help="Whether a new repository is public. Mind the licences."
        ),
    ] = False,
) -> None:
    """Push a built dataset to the Hugging Face hub, after checking it."""
    from chorus_bench.datasets.hub import push_dataset

    typer.echo(f"pushed: {push_dataset(path, repo, private=not public)}")


def command_line() -> str:
    """Return this run's command line with paths cut to their names, for a card."""
    names = [Path(part).name if "/" in part or "\\" in part else part for part in sys.argv[1:]]
    return " ".join(["chorus-bench", *(f"'{n}'" if " " in n else n for n in names)])


def print_built(built: Built) -> None:
    """Print what a build gave: its notes, its counts, and where it is."""
    from chorus_bench.datasets.folder import NOTES_FILE

    for note in built.notes[:SHOWN_NOTES]:
        typer.echo(f"note: {note}", err=True)
    if len(built.notes) > SHOWN_NOTES:
        more = len(built.notes) - SHOWN_NOTES
        typer.echo(f"note: and {more} more, see {built.path / NOTES_FILE}", err=True)
    for title, counts in (("left out", built.info.left_out), ("noted", built.info.noted)):
        for reason, count in counts.items():
            typer.echo(f"{title}: {count} x {reason}", err=True)
    info = built.info
    typer.echo(f"{info.label}: {info.rows} rows in {len(info.categories)} categories")
    typer.echo(f"wrote {built.path}")
