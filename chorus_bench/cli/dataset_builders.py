"""``chorus-bench datasets build``: shipped builders, and those of other packages."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from chorus_bench.cli.added_options import long_command
from chorus_bench.cli.extensions import print_broken
from chorus_bench.cli.options import (
    Body,
    Categories,
    OutputFolder,
    Overwrite,
    PluginOptions,
    Processes,
    Seed,
    command_line,
    key_values,
)
from chorus_bench.cli.progress import progress_bar
from chorus_bench.errors import count_of

if TYPE_CHECKING:
    from chorus_bench.datasets.export import Built
    from chorus_bench.datasets.registry import BuilderSpec

#: Number of notes that are printed; all of them are in the folder.
SHOWN_NOTES = 20


#: How cameras are fitted.
Solver = StrEnum("Solver", ["ADAM", "LM"])


class BuilderGroup(TyperGroup):
    """Commands of builders: those below, and one for every other installed builder."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - a context of Click
        """Return the names of all builders."""
        from chorus_bench.datasets.registry import find_builders

        found = find_builders()
        print_broken(found)
        ours = super().list_commands(ctx)
        return [*ours, *(name for name in found.specs if name not in ours)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - of Click
        """Return the command of a builder; None if there is no such builder."""
        from chorus_bench.datasets.registry import find_builders

        command = super().get_command(ctx, cmd_name)
        spec = find_builders().specs.get(cmd_name) if command is None else None
        return command if spec is None else _command_of(spec)


app = typer.Typer(cls=BuilderGroup, help="Build a dataset into a folder.", no_args_is_help=True)


@app.command("coco-eft")
@long_command
def coco_eft_command(
    output: OutputFolder,
    annotations: Annotated[
        Path | None, typer.Option(help="COCO's instances_val2014.json, gzipped or not.")
    ] = None,
    fits: Annotated[
        Path | None, typer.Option(help="EFT's COCO2014-Val-ver10.json, gzipped or not.")
    ] = None,
    body: Body = None,
    joint_regressor: Annotated[
        Path | None, typer.Option(help="SPIN's J_regressor_extra.npy (with SMPL only).")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="Folder of val2014 images to embed.")] = None,
    solver: Annotated[
        Solver, typer.Option(help="'adam': the original's path; 'lm': the least-squares minimum.")
    ] = Solver.ADAM,
    fits_name: Annotated[
        str | None,
        typer.Option(help="Whose fits they are, where the file does not say: 'eft' or another."),
    ] = None,
    categories: Categories = None,
    overwrite: Overwrite = False,
) -> None:
    """Build the extended COCO-EFT test split from files that you download yourself."""
    build(
        "coco-eft",
        output,
        "Fitting cameras",
        overwrite=overwrite,
        annotations=annotations,
        fits=fits,
        body=body or "default",
        joint_regressor=joint_regressor,
        images=images,
        solver=solver.value,
        categories=categories,
        fits_name=fits_name,
    )


@app.command("simulated")
@long_command
def simulated_command(
    output: OutputFolder,
    split: Annotated[
        str,
        typer.Option(help="'test': clean, true cameras; 'train': with annotation failures."),
    ] = "test",
    categories: Categories = None,
    per_category: Annotated[int, typer.Option(min=1, help="Test samples per category.")] = 30,
    images_per_prompt_view: Annotated[
        int, typer.Option(min=1, help="Training images for each prompt and view.")
    ] = 1,
    seed: Seed = 0,
    body: Body = None,
    size: Annotated[int, typer.Option(help="Side of training images, pixels.")] = 256,
    images: Annotated[bool, typer.Option(help="Include pictures.")] = True,
    workers: Processes = 1,
    overwrite: Overwrite = False,
) -> None:
    """Build a dataset of the simulated world; no download needed."""
    build(
        "simulated",
        output,
        "Simulating",
        overwrite=overwrite,
        workers=workers,
        split=split,
        categories=categories,
        per_category=per_category,
        images_per_prompt_view=images_per_prompt_view,
        seed=seed,
        body=body or "default",
        size=size,
        images=images,
    )


def build(name: str, output: Path, label: str, **arguments: Any) -> None:  # noqa: ANN401
    """Build a dataset and print the outcome.

    Args:
        name: name of the builder.
        output: the folder to write.
        label: label of the progress bar.
        **arguments: see `chorus_bench.datasets.builders.build_dataset`.
    """
    from chorus_bench.datasets.builders import build_dataset

    with progress_bar(label) as progress:
        built = build_dataset(name, output, progress=progress, command=command_line(), **arguments)
    _print_built(built)


def _command_of(spec: BuilderSpec) -> object:
    """Return the command of a builder without its own: its options are KEY=VALUE."""
    single = typer.Typer(add_completion=False, rich_markup_mode=None)

    @single.command(spec.name, help=_help(spec))
    @long_command
    def command(
        output: OutputFolder,
        option: PluginOptions = None,
        workers: Processes = 1,
        overwrite: Overwrite = False,
    ) -> None:
        options = key_values(option, "--option")
        build(spec.name, output, "Building", overwrite=overwrite, workers=workers, **options)

    return typer.main.get_command(single)


def _help(spec: BuilderSpec) -> str:
    """Return a builder's description, with its options if it can be imported."""
    from chorus_bench.errors import ChorusBenchError

    try:
        options = [
            f"  {option}" + (f": {option.meaning}" if option.meaning else "")
            for option in spec.option_table()
        ]
    except ChorusBenchError as error:
        options = [f"  {error}"]
    return "\n".join([f"Build {spec.summary}.", "\n\b", "Options (--option KEY=VALUE):", *options])


def _print_built(built: Built) -> None:
    """Print the outcome of a build: its notes, its counts, and its folder."""
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
    categories = count_of(len(info.categories), "category")
    typer.echo(f"{info.label}: {count_of(info.rows, 'row')} in {categories}")
    typer.echo(f"wrote {built.path}")
