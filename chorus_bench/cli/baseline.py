"""``chorus-bench baseline``: methods that produce submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.added_options import long_command, uses_cache
from chorus_bench.cli.extensions import print_broken
from chorus_bench.cli.options import (
    Address,
    Body,
    Categories,
    Engine,
    OutputFolder,
    Overwrite,
    PluginOptions,
    Seed,
    Workers,
    engine_settings,
    key_values,
)
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    from chorus_bench.plugins import BaselineSpec

app = typer.Typer(help="Methods that produce submissions.", no_args_is_help=True)


@app.command("list")
def list_command() -> None:
    """List the installed baselines, including those of other packages."""
    from tabulate import tabulate

    from chorus_bench.plugins import find_baselines

    found = find_baselines()
    rows = [(spec.name, spec.reads, spec.summary) for spec in found.specs.values()]
    typer.echo(tabulate(rows, headers=("baseline", "reads", "what")))
    print_broken(found)


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="A baseline.", autocompletion=completion.baselines)],
) -> None:
    """Describe a baseline: what it reads, its options, published figures."""
    from tabulate import tabulate

    from chorus_bench.plugins import get_baseline

    spec = get_baseline(name)
    typer.echo(tabulate(_details(spec), tablefmt="plain"))
    typer.echo(f"\n{_options(spec)}")
    for expected in spec.expected:
        typer.echo(f"\n{expected.source}: {expected.setting}")
        scores = [(score, f"{value:.2f}") for score, value in expected.scores.items()]
        typer.echo(tabulate(scores, tablefmt="plain", disable_numparse=True))


def _details(spec: BaselineSpec) -> list[tuple[str, str]]:
    return [
        ("name", spec.name),
        ("what", spec.summary),
        (
            "reads",
            {"any": "any dataset", "train": "a training set"}.get(spec.reads, "a test split"),
        ),
        ("columns", ", ".join(spec.needs) or "category"),
        ("track", spec.track),
        ("function", spec.function),
        ("paper", spec.paper or "none"),
        ("license", spec.license),
    ]


def _options(spec: BaselineSpec) -> str:
    """Return the table of a baseline's options; for a broken function, the reason."""
    from tabulate import tabulate

    from chorus_bench.errors import ChorusBenchError

    try:
        options = spec.option_table()
    except ChorusBenchError as error:
        return str(error)
    rows = [
        (one.name, one.type, one.default_text or "must be given", one.meaning) for one in options
    ]
    if not rows:
        return "It has no options."
    headers = ("option (--option KEY=VALUE)", "type", "default", "meaning")
    return tabulate(rows, headers, maxcolwidths=[None, 24, None, 48], disable_numparse=True)


@app.command("run")
@uses_cache
@long_command
def run_command(
    name: Annotated[str, typer.Argument(help="A baseline.", autocompletion=completion.baselines)],
    data: Annotated[
        str,
        typer.Option(
            help="A built dataset, Parquet files in a folder, or a name: example, simulated.",
            autocompletion=completion.splits,
        ),
    ],
    output: OutputFolder,
    body: Body = None,
    resolution: Annotated[int, typer.Option(help="Voxels along each axis.")] = 48,
    side_length: Annotated[float, typer.Option(help="Side of the cube, metres.")] = 3.0,
    categories: Categories = None,
    seed: Seed = 0,
    device: Annotated[
        str | None,
        typer.Option(help="If supported: cpu, cuda, or auto for CUDA if present (extra torch)."),
    ] = None,
    by_prompt: Annotated[
        bool,
        typer.Option("--by-prompt", help="If supported: also learn a field for each prompt."),
    ] = False,
    part: Annotated[
        list[str] | None,
        typer.Option(
            help="If supported: also learn a field for each of these body parts; may be repeated. "
            "`chorus-bench clusters` lists them."
        ),
    ] = None,
    option: PluginOptions = None,
    engine: Engine = None,
    workers: Workers = 1,
    address: Address = None,
    overwrite: Overwrite = False,
) -> None:
    """Run a baseline on a dataset and write a submission.

    With --engine or --workers, many workers share the files of a built dataset, for baselines that
    support it; the fields are the same to the last bit. Finished work is kept in OUTPUT.work, and
    the same command continues from there.
    """
    from chorus_bench.baseline import run_baseline
    from chorus_bench.geometry.grid import GridSpec

    shared = engine is not None or workers > 1 or address is not None
    flags = {"device": device, "by_prompt": by_prompt, "parts": part}
    given = {name: value for name, value in flags.items() if value}
    with progress_bar("Learning") as progress:
        run_baseline(
            name,
            data,
            output,
            body=body,
            grid=GridSpec(resolution, side_length),
            categories=categories,
            seed=seed,
            options=key_values(option, "--option") | given,
            engine=engine_settings(engine, workers, address) if shared else None,
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(f"wrote {output}")
