"""``chorus-bench baseline``: methods that make submissions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chorus_bench.cli.extensions import print_broken
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    from chorus_bench.plugins import BaselineSpec

app = typer.Typer(help="Methods that make submissions.", no_args_is_help=True)


@app.command("list")
def list_command() -> None:
    """Print the baselines that are installed, those of other packages included."""
    from tabulate import tabulate

    from chorus_bench.plugins import find_baselines

    found = find_baselines()
    rows = [(spec.name, spec.reads, spec.summary) for spec in found.specs.values()]
    typer.echo(tabulate(rows, headers=("baseline", "reads", "what")))
    print_broken(found)


@app.command("show")
def show_command(name: Annotated[str, typer.Argument(help="A baseline.")]) -> None:
    """Print what is known of a baseline, with published figures."""
    from tabulate import tabulate

    from chorus_bench.plugins import get_baseline

    spec = get_baseline(name)
    typer.echo(tabulate(_details(spec), tablefmt="plain"))
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
        ("options", _options(spec)),
        ("function", spec.function),
        ("paper", spec.paper or "none"),
        ("license", spec.license),
    ]


def _options(spec: BaselineSpec) -> str:
    """Return the options of a baseline, one a line; a function that is broken says why."""
    from chorus_bench.errors import ChorusBenchError

    try:
        return "\n".join(map(str, spec.option_table())) or "none"
    except ChorusBenchError as error:
        return str(error)


@app.command("run")
def run_command(
    name: Annotated[str, typer.Argument(help="A baseline.")],
    data: Annotated[str, typer.Option(help="A built dataset, or a folder of Parquet files.")],
    output: Annotated[Path, typer.Option(help="The submission's folder.")],
    body: Annotated[
        str | None, typer.Option(help="SMPL-format .npz or .pkl; the free body by default.")
    ] = None,
    resolution: Annotated[int, typer.Option(help="Voxels along each axis.")] = 48,
    side_length: Annotated[float, typer.Option(help="Side of the cube, metres.")] = 3.0,
    categories: Annotated[
        list[str] | None, typer.Option(help="Only this category; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 0,
    device: Annotated[
        str | None,
        typer.Option(
            help="For baselines that can: cpu, cuda, or auto for CUDA when present (extra torch)."
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", help="An option of the baseline, NAME=VALUE; may be repeated."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace a submission that is there.")] = False,
) -> None:
    """Run a baseline on a dataset and write a submission."""
    from chorus_bench.baseline import run_baseline
    from chorus_bench.geometry.grid import GridSpec

    with progress_bar("Rows") as progress:
        run_baseline(
            name,
            data,
            output,
            body=body,
            grid=GridSpec(resolution, side_length),
            categories=categories,
            seed=seed,
            options=dict(map(_option, options or [])) | ({"device": device} if device else {}),
            overwrite=overwrite,
            progress=progress,
        )
    typer.echo(f"wrote {output}")


def _option(text: str) -> tuple[str, Any]:
    """Return name and value of NAME=VALUE; the value is read as YAML."""
    from chorus_bench.errors import InputError
    from chorus_bench.io.yaml_files import yaml_value

    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InputError(f"option '{text}'", expected="NAME=VALUE, for example ratio=0.5")
    return name, yaml_value(value, f"option {name}")
