"""``chorus-bench datasets``: build, inspect, verify and push datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

import chorus_bench.cli.dataset_builders as dataset_builders
from chorus_bench.cli.added_options import long_command, uses_cache
from chorus_bench.cli.extensions import print_broken
from chorus_bench.cli.options import (
    FORMAT,
    BuiltDataset,
    DataFormat,
    OneCategory,
    OutputFolder,
    Overwrite,
    one_category,
)
from chorus_bench.cli.progress import progress_bar
from chorus_bench.errors import count_of

app = typer.Typer(help="Build, inspect, verify and push datasets.", no_args_is_help=True)
app.add_typer(dataset_builders.app, name="build")


@app.command("list")
def list_command() -> None:
    """List the installed builders, their licenses, and what you must bring."""
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
    typer.echo(
        "\nSee `chorus-bench datasets build NAME --help`; errors say where to get missing files."
    )


@app.command("import-images")
@long_command
def import_images_command(
    folder: Annotated[Path, typer.Argument(help="Image files, or one folder per keyword.")],
    category: OneCategory,
    output: OutputFolder,
    prompt: Annotated[
        str | None, typer.Option(help="Prompt of all images; by default the folder's name.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Turn a folder of crawled images into training rows (source "image_search")."""
    dataset_builders.build(
        "image-search",
        output,
        "Reading images",
        overwrite=overwrite,
        folder=folder,
        category=one_category(category),
        prompt=prompt,
    )


@app.command("info")
@uses_cache
@long_command
def info_command(
    dataset: BuiltDataset,
    output_format: Annotated[DataFormat, FORMAT] = DataFormat.TABLE,
    plots: Annotated[
        Path | None, typer.Option(help="Folder for pictures: cameras, azimuths, counts.")
    ] = None,
) -> None:
    """Print the description, counts and camera statistics of a built dataset."""
    from chorus_bench.datasets.folder import DatasetInfo
    from chorus_bench.datasets.named import dataset_folder
    from chorus_bench.datasets.statistics import folder_statistics
    from chorus_bench.report.dataset_tables import render_dataset

    if plots is not None:
        from chorus_bench.report.canvas import require_matplotlib

        require_matplotlib()
    path = dataset_folder(dataset)
    with progress_bar("Reading rows"):
        info, statistics = DatasetInfo.load(path), folder_statistics(path)
    if output_format is DataFormat.JSON:
        content = {**info.to_json(), "statistics": statistics.as_dict()}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        typer.echo(render_dataset(info, statistics))
    if plots is not None:
        from chorus_bench.report.dataset_plots import write_dataset_plots

        for file in write_dataset_plots(statistics, plots):
            typer.echo(f"wrote {file}", err=True)


@app.command("verify")
@uses_cache
@long_command
def verify_command(dataset: BuiltDataset) -> None:
    """Read all rows, recompute the fingerprint, and compare counts and files."""
    from chorus_bench.datasets.named import dataset_folder
    from chorus_bench.datasets.verify import verify_dataset

    with progress_bar("Reading rows"):
        result = verify_dataset(dataset_folder(dataset))
    if result.ok:
        typer.echo(f"{result.info.label}: {count_of(result.rows, 'row')}, no problem found")
        return
    for problem in result.problems:
        typer.echo(problem, err=True)
    typer.echo(f"{dataset}: {count_of(len(result.problems), 'problem')}; build it again", err=True)
    raise typer.Exit(2)


@app.command("card")
@uses_cache
def card_command(
    dataset: BuiltDataset,
) -> None:
    """Rewrite the card (README.md) of a built dataset."""
    from chorus_bench.datasets.card import write_card
    from chorus_bench.datasets.folder import CARD_FILE, DatasetInfo
    from chorus_bench.datasets.named import dataset_folder

    path = dataset_folder(dataset)
    write_card(path, DatasetInfo.load(path))
    typer.echo(f"wrote {path / CARD_FILE}")


@app.command("push")
@uses_cache
@long_command
def push_command(
    dataset: BuiltDataset,
    repo: Annotated[str, typer.Argument(help="Target repository: organisation/name.")],
    public: Annotated[
        bool,
        typer.Option(
            "--public/--private", help="Whether a new repository is public; respect the licenses."
        ),
    ] = False,
) -> None:
    """Verify a built dataset and push it to the Hugging Face hub."""
    from chorus_bench.datasets.hub import push_dataset
    from chorus_bench.datasets.named import dataset_folder

    with progress_bar("Verifying and pushing"):
        pushed = push_dataset(dataset_folder(dataset), repo, private=not public)
    typer.echo(f"pushed: {pushed}")
