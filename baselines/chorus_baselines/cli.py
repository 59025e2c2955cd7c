"""Commands of the baselines: reproduce, and those of other modules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.added_options import long_command, uses_cache
from chorus_bench.cli.options import (
    FORMAT,
    BoardFormat,
    Body,
    Categories,
    OneCategory,
    OutputFolder,
    Seed,
    Threads,
    one_category,
)
from chorus_bench.cli.progress import StageLines, say_written

if TYPE_CHECKING:
    from chorus_baselines.reproduce import Table, Workplace

reproduce_app = typer.Typer(
    help="The paper's comparisons, on the simulated world or on your data.", no_args_is_help=True
)

Samples = Annotated[int, typer.Option(min=1, help="Number of simulated test samples per category.")]
Images = Annotated[int, typer.Option(min=1, help="Number of simulated images per prompt and view.")]

ImageSearch = Annotated[
    str | None,
    typer.Option(help="Annotated pictures of an image search, see annotate; simulated by default."),
]
Synthesized = Annotated[
    str | None,
    typer.Option(help="Annotated synthesised images, see synthesize; simulated by default."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to chorus-bench (entry-point group ``chorus_bench.commands``)."""
    from chorus_baselines import clusters_cli, posed_cli, reconstruct_cli

    app.add_typer(reproduce_app, name="reproduce")
    app.command("clusters")(long_command(clusters_cli.clusters_command))
    app.command("infer")(uses_cache(long_command(posed_cli.infer_command)))
    app.command("reconstruct")(uses_cache(long_command(reconstruct_cli.reconstruct_command)))
    app.command("import-chorus")(long_command(posed_cli.import_chorus_command))


@reproduce_app.command("table1")
@uses_cache
@long_command
def table1_command(
    output: OutputFolder = Path("chorus-table1"),
    image_search: ImageSearch = None,
    synthesized: Synthesized = None,
    split: Annotated[
        str | None,
        typer.Option(help="Test split; simulated by default.", autocompletion=completion.splits),
    ] = None,
    body: Body = None,
    category: OneCategory = ["motorcycle"],  # noqa: B006 - read only
    images: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Images of a large set, drawn; by default the smaller source's, at most 10000.",
        ),
    ] = None,
    images_per_prompt_view: Images = 40,
    samples: Samples = 30,
    seed: Seed = 0,
    workers: Threads = None,
    output_format: Annotated[BoardFormat, FORMAT] = BoardFormat.TABLE,
) -> None:
    """Image search against synthetic images, in small and large sets, with statistics."""
    from chorus_baselines.image_sources import reproduce_table1
    from chorus_bench.io.locks import only_run

    with only_run(output):
        table = reproduce_table1(
            _workplace(output, body, seed, workers),
            image_search=image_search,
            synthesized=synthesized,
            split=split,
            category=one_category(category),
            images=images,
            images_per_prompt_view=images_per_prompt_view,
            samples=samples,
        )
    _print_table(table, output, output_format)


@reproduce_app.command("table2")
@uses_cache
@long_command
def table2_command(
    output: OutputFolder = Path("chorus-table2"),
    image_search: ImageSearch = None,
    synthesized: Synthesized = None,
    split: Annotated[
        str | None,
        typer.Option(help="The test split for these sets.", autocompletion=completion.splits),
    ] = None,
    body: Body = None,
    categories: Categories = None,
    images_per_prompt_view: Images = 12,
    samples: Samples = 30,
    seed: Seed = 0,
    workers: Threads = None,
    output_format: Annotated[BoardFormat, FORMAT] = BoardFormat.TABLE,
) -> None:
    """The ablations: keypoint filter, canonicalization, 1 % and 10 % of the images."""
    from chorus_baselines.reproduce import reproduce_table2
    from chorus_bench.io.locks import only_run

    with only_run(output):
        table = reproduce_table2(
            _workplace(output, body, seed, workers),
            image_search=image_search,
            synthesized=synthesized,
            split=split,
            categories=categories,
            images_per_prompt_view=images_per_prompt_view,
            samples=samples,
        )
    _print_table(table, output, output_format)


def _print_table(table: Table, folder: Path, output_format: BoardFormat) -> None:
    """Write a table into the folder in every format, and print it in one."""
    from chorus_baselines.table_text import render_table, save_table

    files = save_table(table, folder)
    written = {file.suffix: file for file in files}
    data = {BoardFormat.CSV: ".csv", BoardFormat.JSON: ".json"}
    if output_format in data:
        typer.echo(written[data[output_format]].read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo(render_table(table, output_format.value))
    say_written(files, output_format)


def _workplace(folder: Path, body: str | None, seed: int, workers: int | None) -> Workplace:
    from chorus_baselines.reproduce import Workplace
    from chorus_bench.engines.threads import cpu_count
    from chorus_bench.geometry.body_files import load_body

    return Workplace(
        folder=folder,
        body=load_body("default" if body is None else body),
        seed=seed,
        workers=workers or cpu_count(),
        progress=StageLines().update,
    )
