"""``chorus-bench synthesize``."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from chorus_bench.errors import count_of

if TYPE_CHECKING:
    from chorus_bench.synthesis.estimate import Estimate
    from chorus_bench.synthesis.pipeline import Synthesis
    from chorus_bench.synthesis.settings import SynthesisSettings

_GIBIBYTE = 2**30


class Stage(StrEnum):
    """A stage of the synthesis."""

    PROMPTS = "prompts"
    IMAGES = "images"
    ANNOTATIONS = "annotations"
    FILTERS = "filters"
    CAMERAS = "cameras"


DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Estimate images, time and disk space from a measured sample."),
]
DryRunImages = Annotated[
    int,
    typer.Option(min=0, help="Number of images in the sample; with 0, images are only counted."),
]


def synthesize_command(
    output: StagedOutput,
    categories: Annotated[
        list[str] | None,
        typer.Option("--category", help="An object, e.g. surfboard; may be repeated."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="A shipped configuration: tiny, paper, paper-24 or current.",
            autocompletion=completion.presets,
        ),
    ] = None,
    config: Config = None,
    prompts: Annotated[
        str | None,
        typer.Option(help="'shipped', 'chat' (a language model), or a folder of <category>.txt."),
    ] = None,
    images_per_prompt_view: Annotated[
        int | None, typer.Option(min=1, help="Number of images for each prompt and view.")
    ] = None,
    joint_regressor: Annotated[
        Path | None,
        typer.Option(help="SPIN's J_regressor_extra.npy (with SMPL only), for the cameras."),
    ] = None,
    set_: SettingValues = None,
    stage: Annotated[Stage | None, typer.Option(help="Run only this stage.")] = None,
    redo: Annotated[
        Stage | None, typer.Option(help="Repeat this stage and all later ones.")
    ] = None,
    engine: Engine = None,
    workers: Workers = 1,
    address: Address = None,
    gpus: Gpus = 0.0,
    device: Device = "cpu",
    batch: BatchSize = 8,
    prepare_threads: PrepareThreads = None,
    dry_run: DryRun = False,
    dry_run_images: DryRunImages = 8,
    overwrite: Overwrite = False,
) -> None:
    """Make a training set: prompts, images, annotations, filters, cameras.

    An interrupted run continues with the same command. `chorus-bench synthesize --preset tiny
    --output DATASET` tries all stages in a minute, without a model.
    """
    from chorus_bench.synthesis.jobs import RunSettings
    from chorus_bench.synthesis.settings import read_settings

    changes = _changes(set_, categories, prompts, images_per_prompt_view, joint_regressor)
    settings = read_settings(preset, config, changes)
    run = RunSettings(device=device, batch=batch, prepare_threads=prepare_threads)
    if dry_run:
        from chorus_bench.synthesis.estimate import estimate

        typer.echo(_estimate_text(estimate(settings, run, sample=dry_run_images)))
        return
    from chorus_bench.synthesis.pipeline import synthesize

    made = synthesize(
        settings,
        output,
        stage=stage,
        redo=redo,
        overwrite=overwrite,
        engine=engine_settings(engine, workers, address, gpus),
        run=run,
        progress=StageLines().update,
        command=command_line(),
    )
    print_synthesis(made, settings, output)


def _changes(
    pairs: Sequence[str] | None,
    categories: list[str] | None,
    prompts: str | None,
    per_prompt_view: int | None,
    joint_regressor: Path | None,
) -> dict[str, Any]:
    """Return the settings given as options, by dotted name."""
    changes = key_values(pairs, "--set")
    if categories:
        changes["categories"] = categories
    if prompts is not None:
        changes["prompts.source"] = prompts
    if per_prompt_view is not None:
        changes["images.per_prompt_view"] = per_prompt_view
    if joint_regressor is not None:
        changes["cameras.joint_regressor"] = str(joint_regressor)
    return changes


def _estimate_text(found: Estimate) -> str:
    from tabulate import tabulate

    rows = [(name, count) for name, count in found.images.items()]
    parts = [
        tabulate([*rows, ("in all", found.total)], headers=("category", "images")),
        count_of(found.shards, "shard"),
    ]
    if found.sample:
        stages = [
            (stage, f"{seconds:.4f}", f"{1 / seconds:.2f}", f"{found.hours(stage):.2f}")
            for stage, seconds in found.seconds.items()
        ]
        headers = ("stage", "s per image", "images/s", "hours of one worker (GPU)")
        parts += [
            tabulate(
                stages, headers=headers, disable_numparse=True, colalign=("left",) + ("right",) * 3
            ),
            f"disk: {found.disk_bytes / _GIBIBYTE:.2f} GiB ({found.image_bytes / 1000:.0f} kB per "
            "image; stages and dataset)",
            f"Measured on {count_of(found.sample, 'image')} on this machine; nothing was kept.",
        ]
    return "\n\n".join(parts)


def print_synthesis(made: Synthesis, settings: SynthesisSettings, output: Path) -> None:
    """Print what each stage did and, at the end, the statistics and the next command."""
    from chorus_bench.synthesis.card import statistics_table

    for report in made.stages:
        speed = (
            f", {report.rows / report.seconds:.2f} per second and worker" if report.seconds else ""
        )
        if report.stage == "prompts":
            typer.echo(f"prompts: {report.rows} for {count_of(len(report.counts), 'category')}")
            continue
        there = f", {count_of(report.found, 'shard')} existed" if report.found else ""
        typer.echo(f"{report.stage}: {count_of(report.rows, 'image')} now{speed}{there}")
        if report.stage in ("images", "annotations"):
            for what, count in report.counts.items():
                typer.echo(f"  {what}: {count}")
    if made.dataset is None or made.statistics is None:
        typer.echo(f"wrote {made.work}")
        return
    typer.echo("\n" + statistics_table(made.statistics, "simple"))
    info = made.dataset.info
    categories = count_of(len(info.categories), "category")
    typer.echo(f"\n{info.label}: {count_of(info.rows, 'row')} in {categories}")
    typer.echo(f"wrote {output}; the stages are in {made.work} and may be removed")
    made.check_kept()
    for category in made.stages[-1].empty:
        typer.echo(f"warning: no image of the category '{category}' is kept", err=True)
    body = f" --body {settings.body}" if settings.body != "default" else ""
    typer.echo(f"Next: chorus-bench baseline run chorus --data {output} --output submission{body}")
