"""Commands of the baselines: aggregate, reproduce, infer, reconstruct, import-chorus."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chorus_bench.cli.progress import StageLines, progress_bar
from chorus_bench.cli.synthesis import Address, Engine, EngineName, Overwrite

if TYPE_CHECKING:
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
    from chorus_baselines import posed_cli

    app.command("aggregate")(aggregate_command)
    app.add_typer(reproduce_app, name="reproduce")
    app.command("infer")(posed_cli.infer_command)
    app.command("reconstruct")(posed_cli.reconstruct_command)
    app.command("import-chorus")(posed_cli.import_chorus_command)


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
    from chorus_bench.io.locks import only_run

    with only_run(output):
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
    from chorus_bench.io.locks import only_run

    with only_run(output):
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
    from chorus_bench.geometry.body import BodyModel

    return Workplace(
        folder=folder,
        body=BodyModel.load("default" if body is None else body),
        seed=seed,
        workers=workers or os.cpu_count() or 1,
        progress=StageLines().update,
    )


def aggregate_command(
    dataset: Annotated[Path, typer.Argument(help="A built training set.")],
    output: Annotated[Path, typer.Option(help="The submission; votes go to OUTPUT.work.")],
    category: Annotated[
        list[str] | None, typer.Option(help="Only this object; may be repeated.")
    ] = None,
    body: Annotated[
        str, typer.Option(help="SMPL-format .npz or .pkl; the free body by default.")
    ] = "default",
    engine: Engine = EngineName.LOCAL,
    workers: Annotated[int, typer.Option(min=1, help="Processes, or actors of Ray.")] = 1,
    address: Address = None,
    overwrite: Overwrite = False,
) -> None:
    """Learn fields from a large training set, its files counted by many workers.

    The fields are those of `baseline run chorus`, bit by bit.
    """
    from chorus_baselines.chorus.sharded import aggregate_dataset
    from chorus_baselines.specs import PAPER
    from chorus_bench.engines import EngineSettings
    from chorus_bench.io.files import check_new_folder
    from chorus_bench.submission import write_submission
    from chorus_bench.submission.write import SUBMISSION

    check_new_folder(output, overwrite=overwrite, kind=SUBMISSION)
    settings = EngineSettings(engine.value, workers, address)
    with progress_bar("Counting votes") as progress:
        found = aggregate_dataset(
            dataset,
            output.with_name(f"{output.name}.work"),
            body=body,
            categories=category,
            engine=settings,
            progress=progress,
        )
    write_submission(
        output,
        method="chorus",
        fields={name: aggregation.field() for name, aggregation in found.items()},
        overwrite=overwrite,
        paper=PAPER,
        training_data=f"{dataset.name} (train)",
    )
    for name, aggregation in found.items():
        typer.echo(f"{name}: {aggregation.views} views")
    typer.echo(f"wrote {output}")
