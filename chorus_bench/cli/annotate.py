"""``chorus-bench annotate``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.options import (
    Address,
    BatchSize,
    Config,
    Device,
    Engine,
    Gpus,
    Overwrite,
    PrepareThreads,
    SettingValues,
    StagedOutput,
    Workers,
    command_line,
    engine_settings,
    key_values,
)
from chorus_bench.cli.progress import StageLines


class PictureStage(StrEnum):
    """A stage of the annotation."""

    IMAGES = "images"
    ANNOTATIONS = "annotations"
    FILTERS = "filters"
    CAMERAS = "cameras"


Source = Annotated[
    str,
    typer.Argument(
        help="A picture, a folder of pictures (its folders' names are the prompts), a built "
        "dataset, or a Hugging Face dataset: a folder or its id."
    ),
]


def annotate_command(
    source: Source,
    output: StagedOutput,
    categories: Annotated[
        list[str] | None,
        typer.Option(
            "--category", help="The object in the pictures; of a built dataset only this one."
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A shipped configuration, for its annotators and filters.",
            autocompletion=completion.presets,
        ),
    ] = None,
    config: Config = None,
    set_: SettingValues = None,
    prompt: Annotated[
        str | None, typer.Option(help="Prompt of all pictures; by default their folder's name.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="The column of images of a Hugging Face dataset.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split of a Hugging Face dataset.")] = "train",
    subset: Annotated[
        str | None, typer.Option(help="The subset (config) of a Hugging Face dataset.")
    ] = None,
    revision: Annotated[
        str | None, typer.Option(help="Branch, tag or commit of a dataset on the hub.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Take only so many pictures, the first ones.")
    ] = None,
    stage: Annotated[PictureStage | None, typer.Option(help="Run only this stage.")] = None,
    redo: Annotated[
        PictureStage | None, typer.Option(help="Repeat this stage and all later ones.")
    ] = None,
    engine: Engine = None,
    workers: Workers = 1,
    address: Address = None,
    gpus: Gpus = 0.0,
    device: Device = "cpu",
    batch: BatchSize = 8,
    prepare_threads: PrepareThreads = None,
    overwrite: Overwrite = False,
) -> None:
    """Annotate pictures of any origin: people, objects, poses, filters, cameras.

    The result is a training set like that of `chorus-bench synthesize`. An interrupted run
    continues with the same command.
    """
    from chorus_bench.cli.synthesis import print_synthesis
    from chorus_bench.synthesis.annotating import annotate
    from chorus_bench.synthesis.jobs import RunSettings
    from chorus_bench.synthesis.picture_source import SourceOptions
    from chorus_bench.synthesis.settings import read_settings
    from chorus_bench.synthesis.sources import open_source

    settings = read_settings(preset, config, key_values(set_, "--set"))
    taken = SourceOptions(tuple(categories or ()), prompt, column, split, subset, revision, limit)
    made = annotate(
        open_source(source, taken),
        settings,
        output,
        stage=stage,
        redo=redo,
        overwrite=overwrite,
        engine=engine_settings(engine, workers, address, gpus),
        run=RunSettings(device=device, batch=batch, prepare_threads=prepare_threads),
        progress=StageLines().update,
        command=command_line(),
    )
    print_synthesis(made, settings, output)
