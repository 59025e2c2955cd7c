"""``chorus-bench annotators``: the list of generators and annotators, and their check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.extensions import print_broken
from chorus_bench.cli.options import key_values, one_category
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    from chorus_bench.synthesis.annotator_check import AnnotatorCheck
    from chorus_bench.synthesis.settings import SynthesisSettings


def annotators_command(
    check: Annotated[
        bool,
        typer.Option("--check", help="Load the annotators of a configuration and run each."),
    ] = False,
    preset: Annotated[
        str | None,
        typer.Option(
            help="For --check: a shipped configuration, e.g. paper.",
            autocompletion=completion.presets,
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="For --check: a YAML configuration.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="For --check: one setting, e.g. annotations.pose=nlf."),
    ] = None,
    categories: Annotated[
        list[str] | None,
        typer.Option("--category", help="For --check: the object to look for."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="For --check: a JPEG or PNG; a simulated one by default.")
    ] = None,
    device: Annotated[
        str, typer.Option(help="For --check: device of the models: cpu, cuda, cuda:1, mps.")
    ] = "cpu",
    batch: Annotated[int, typer.Option(min=1, help="For --check: pictures at a time.")] = 1,
    output: Annotated[Path, typer.Option(help="For --check: the picture to write, a PNG.")] = Path(
        "annotators.png"
    ),
) -> None:
    """List generators and annotators, with their weights and licenses; or check them.

    With --check, every annotator of a configuration is loaded and run on one picture, and speeds
    and an overlay show what it does: the first thing to do on a new machine.
    """
    if not check:
        _list()
        return
    from chorus_bench.synthesis.annotator_check import check_annotators_on_picture
    from chorus_bench.synthesis.jobs import RunSettings
    from chorus_bench.synthesis.settings import read_settings

    changes: dict[str, Any] = key_values(set_, "--set")
    if categories:
        changes["categories"] = [one_category(categories)]
    settings = read_settings(preset, config, changes)
    with progress_bar("Loading and running annotators"):
        found = check_annotators_on_picture(settings, RunSettings(device, batch), picture)
    _print(found, device)
    if any(not one.problem for one in found.checked):
        _draw(found, settings, output)
    if not found.ok:
        raise typer.Exit(2)


def _list() -> None:
    from tabulate import tabulate

    from chorus_bench.synthesis.registry import GROUPS, find_components

    for kind in GROUPS:
        found = find_components(kind)
        rows = [
            (spec.name, spec.summary, spec.weights, spec.license, spec.extra)
            for spec in found.specs.values()
        ]
        headers = (kind, "what", "weights", "license", "extra")
        typer.echo(tabulate(rows, headers=headers, maxcolwidths=[None, 30, 30, 30, None]) + "\n")
        print_broken(found)


def _print(found: AnnotatorCheck, device: str) -> None:
    from tabulate import tabulate

    rows = [
        (one.role, one.name, f"{one.load_seconds:.2f}", f"{one.seconds:.4f}", one.found)
        for one in found.checked
        if not one.problem
    ]
    headers = ("role", "annotator", "s to load", "s per picture", "found")
    height, width = found.picture.size
    source = "simulated" if found.picture.address is not None else "yours"
    typer.echo(f"{found.picture.sample_id} ({source}), {width} x {height}, on {device}")
    if rows:
        typer.echo("\n" + tabulate(rows, headers=headers, disable_numparse=True))
    if found.given and rows:
        typer.echo(
            "\nThere is no person from a segmenter; keypoints and poses are those of the true one."
        )
    for one in found.checked:
        if one.problem:
            typer.echo(f"\n{one.role} '{one.name}' cannot be used: {one.problem}", err=True)
        else:
            typer.echo(f"\n{one.role}: {one.model}")


def _draw(found: AnnotatorCheck, settings: SynthesisSettings, output: Path) -> None:
    from chorus_bench.geometry.body_files import load_body
    from chorus_bench.io.files import atomic_write_bytes
    from chorus_bench.report.annotations import draw_annotations
    from chorus_bench.report.overlays import picture_bytes

    drawn = draw_annotations(
        found.picture.pixels,
        found.people,
        found.objects,
        found.keypoints,
        found.fits,
        load_body(settings.body),
        confidence=settings.filters.keypoint_confidence,
    )
    atomic_write_bytes(output, picture_bytes(drawn))
    typer.echo(f"\nwrote {output}")
