"""Commands of the baselines: demo, reproduce, infer, reconstruct, import-chorus, synthesize."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from chorus_baselines.demo import Demo
    from chorus_baselines.reproduce import Workplace

reproduce_app = typer.Typer(
    help="The paper's comparisons, on the simulated world or on your data.", no_args_is_help=True
)

Body = Annotated[
    str | None, typer.Option(help="SMPL-format .npz or .pkl; the free body by default.")
]
Seed = Annotated[int, typer.Option(help="Of the simulated world and of draws.")]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes and threads; one a processor by default.")
]
Samples = Annotated[int, typer.Option(min=1, help="Simulated test samples a category.")]
Images = Annotated[int, typer.Option(min=1, help="Simulated images per prompt and view.")]


def register(app: typer.Typer) -> None:
    """Add the commands to chorus-bench (entry-point group ``chorus_bench.commands``)."""
    from chorus_baselines import posed_cli, synthesize_cli

    app.command("demo")(demo_command)
    app.add_typer(reproduce_app, name="reproduce")
    app.command("infer")(posed_cli.infer_command)
    app.command("reconstruct")(posed_cli.reconstruct_command)
    app.command("import-chorus")(posed_cli.import_chorus_command)
    synthesize_cli.register(app)


def demo_command(
    output: Annotated[Path, typer.Option(help="The folder to write.")] = Path("chorus-demo"),
    seed: Seed = 0,
    workers: Workers = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier demo.")] = False,
) -> None:
    """Simulate images, learn from them, score three methods and draw pictures, in a minute."""
    from chorus_baselines.demo import run_demo

    demo = run_demo(
        output, seed=seed, workers=workers, overwrite=overwrite, progress=_StageLines().update
    )
    _print_demo(demo)


def _print_demo(demo: Demo) -> None:
    from chorus_bench.report.tables import render_ranking
    from chorus_bench.report.volumetric import render_truth

    first = next(iter(demo.results.values()))
    typer.echo(
        f"\n{demo.images} simulated training images, {first.samples.num_rows} test samples, "
        f"{len(first.categories)} categories. Scores in the simulated world say nothing about "
        "scores on real images.\n"
    )
    typer.echo(render_ranking(demo.ranking) + "\n")
    typer.echo(render_truth(demo.truth, demo.results) + "\n")
    typer.echo(f"Signature: {first.signature}")
    if demo.pictures:
        typer.echo(f"Look at {', '.join(demo.pictures)} in {demo.folder / 'pictures'}")
    else:
        typer.echo("No pictures: they need matplotlib. What to do: pip install '.[plots]'")
    typer.echo(f"Wrote {demo.folder} in {demo.seconds:.0f} s")


@reproduce_app.command("table1")
def table1_command(
    output: Annotated[Path, typer.Option(help="For datasets, submissions and results.")] = Path(
        "chorus-table1"
    ),
    crawled: Annotated[
        Path | None, typer.Option(help="Annotated training rows of crawled images.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Test split; simulated by default.")] = None,
    body: Body = None,
    category: Annotated[str, typer.Option(help="Which.")] = "motorcycle",
    images_per_prompt_view: Images = 40,
    samples: Samples = 30,
    seed: Seed = 0,
    workers: Workers = None,
) -> None:
    """Image search against synthetic images, small and large sets, with their statistics."""
    from chorus_baselines.reproduce import reproduce_table1
    from chorus_baselines.table_text import render_table

    table = reproduce_table1(
        _workplace(output, body, seed, workers),
        crawled=crawled,
        split=split,
        category=category,
        images_per_prompt_view=images_per_prompt_view,
        samples=samples,
    )
    typer.echo(render_table(table))


@reproduce_app.command("table2")
def table2_command(
    output: Annotated[Path, typer.Option(help="For datasets, submissions and results.")] = Path(
        "chorus-table2"
    ),
    data: Annotated[Path | None, typer.Option(help="Training set; simulated by default.")] = None,
    split: Annotated[str | None, typer.Option(help="The test split to --data.")] = None,
    body: Body = None,
    categories: Annotated[
        list[str] | None, typer.Option(help="Only this category; may be repeated.")
    ] = None,
    images_per_prompt_view: Images = 12,
    samples: Samples = 30,
    seed: Seed = 0,
    workers: Workers = None,
) -> None:
    """The ablations: keypoint filter, canonicalization, 1 % and 10 % of the images."""
    from chorus_baselines.reproduce import reproduce_table2
    from chorus_baselines.table_text import render_table

    table = reproduce_table2(
        _workplace(output, body, seed, workers),
        data=data,
        split=split,
        categories=categories,
        images_per_prompt_view=images_per_prompt_view,
        samples=samples,
    )
    typer.echo(render_table(table))


def _workplace(folder: Path, body: str | None, seed: int, workers: int | None) -> Workplace:
    from chorus_baselines.reproduce import Workplace
    from chorus_bench.body import BodyModel

    return Workplace(
        folder=folder,
        body=BodyModel.load("default" if body is None else body),
        seed=seed,
        workers=workers or os.cpu_count() or 1,
        progress=_StageLines().update,
    )


class _StageLines:
    """Writes a line to standard error when a stage of a longer job begins."""

    def __init__(self) -> None:
        self._stage, self._started = "", time.monotonic()

    def update(self, stage: str, done: int, total: int) -> None:
        """Take what the job tells."""
        del done, total
        if stage != self._stage:
            self._stage = stage
            typer.echo(f"{time.monotonic() - self._started:5.1f} s  {stage}", err=True)
