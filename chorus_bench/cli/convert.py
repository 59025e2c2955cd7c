"""``chorus-bench convert``: predictions of other kinds as a submission."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from chorus_bench.cli.options import Body, Categories, OutputFolder, Overwrite
from chorus_bench.cli.progress import progress_bar
from chorus_bench.errors import count_of


class KindName(StrEnum):
    """What is converted."""

    POINTS = "points"
    MESHES = "meshes"
    PAIRS = "pairs"
    OBJECT_CENTRED = "object-centred"
    SHAPES = "shapes"
    DISTANCES = "distances"
    CONTACT = "contact"
    GRIDS = "grids"


class TrackName(StrEnum):
    """One field per category, or one per sample."""

    CANONICAL = "canonical"
    POSED = "posed"


class UnitName(StrEnum):
    """Units of length."""

    METRES = "m"
    CENTIMETRES = "cm"
    MILLIMETRES = "mm"
    INCHES = "in"
    FEET = "ft"


def convert_command(
    kind: Annotated[KindName, typer.Argument(help="What the predictions are.")],
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A file, or a folder with CATEGORY.SUFFIX and CATEGORY/SAMPLE.SUFFIX.",
        ),
    ],
    output: OutputFolder,
    method: Annotated[
        str | None, typer.Option(help="Name of the method; the input's name by default.")
    ] = None,
    track: Annotated[
        TrackName, typer.Option(help="One field per category, or 'posed': one per sample.")
    ] = TrackName.CANONICAL,
    body: Body = None,
    axes: Annotated[
        str,
        typer.Option(help="Axes of the input: 'xzy', or as the person has them: 'z-up, x-left'."),
    ] = "xyz",
    units: Annotated[UnitName, typer.Option(help="Unit of the input's lengths.")] = UnitName.METRES,
    radius: Annotated[
        float | None, typer.Option(min=0, help="Of the balls around points and vertices, metres.")
    ] = None,
    sigma: Annotated[
        float,
        typer.Option(min=0, help="Standard deviation of the object's place, metres: blurs fields."),
    ] = 0.0,
    resolution: Annotated[
        int | None, typer.Option(min=8, max=256, help="Voxels a side of the fields; 48 by default.")
    ] = None,
    side_length: Annotated[
        float | None, typer.Option(min=0, help="Side of the fields' cube, metres; 3 by default.")
    ] = None,
    categories: Categories = None,
    overwrite: Overwrite = False,
) -> None:
    """Convert points, meshes, pairs, contact, grids and more to a submission.

    The submission's manifest names the conversion. docs/converting.md says for each kind which
    files it takes, what it assumes and what it loses.
    """
    from chorus_bench.adapters import convert
    from chorus_bench.geometry.grid import GridSpec

    usual = GridSpec()
    given = resolution is not None or side_length is not None
    with progress_bar("Converting categories") as progress:
        made = convert(
            kind.value,
            source,
            output,
            method=method,
            track=track.value,
            body=body or "default",
            grid=GridSpec(resolution or usual.resolution, side_length or usual.side_length)
            if given
            else None,
            axes=axes,
            units=units.value,
            radius=radius,
            sigma=sigma,
            categories=categories,
            overwrite=overwrite,
            progress=progress,
        )
    for text in made.warnings:
        typer.echo(f"Warning: {text}", err=True)
    for note in made.notes:
        typer.echo(note)
    typer.echo(f"wrote {made.folder}: {count_of(made.categories, 'category')}")
