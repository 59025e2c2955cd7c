"""``chorus-bench demo``: from simulated images to scores and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chorus_bench.cli.options import OutputFolder, Overwrite, Seed, Threads
from chorus_bench.cli.progress import StageLines
from chorus_bench.errors import count_of, install_command

if TYPE_CHECKING:
    from chorus_bench.demo import Demo


def demo_command(
    output: OutputFolder = Path("chorus-demo"),
    seed: Seed = 0,
    workers: Threads = None,
    overwrite: Overwrite = False,
) -> None:
    """Simulate images, learn fields, score three methods and draw pictures, in a minute."""
    from chorus_bench.demo import run_demo

    demo = run_demo(
        output, seed=seed, workers=workers, overwrite=overwrite, progress=StageLines().update
    )
    _print_demo(demo)


def _print_demo(demo: Demo) -> None:
    from chorus_bench.report.tables import render_ranking
    from chorus_bench.report.volumetric import render_truth

    first = next(iter(demo.results.values()))
    typer.echo(
        f"\n{demo.images} simulated training images, {first.samples.num_rows} test samples, "
        f"{count_of(len(first.categories), 'category')}. Scores in the simulated world say nothing "
        "about scores on real images.\n"
    )
    typer.echo(render_ranking(demo.ranking) + "\n")
    typer.echo(render_truth(demo.truth, demo.results) + "\n")
    typer.echo(f"Signature: {first.signature}")
    if demo.pictures:
        typer.echo(f"Look at {', '.join(demo.pictures)} in {demo.folder / 'pictures'}")
    else:
        typer.echo(f"No pictures: they need matplotlib. What to do: {install_command('plots')}")
    typer.echo(f"wrote {demo.folder} in {demo.seconds:.0f} s")
