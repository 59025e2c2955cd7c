"""Other kinds of predictions as a submission: `convert` reads, converts, writes and says how."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chorus_bench.adapters.fields import PosedFields, Settings, category_field, grid_fields
from chorus_bench.adapters.inputs import Found, find_inputs
from chorus_bench.adapters.kinds import KINDS, UNITS, Kind
from chorus_bench.adapters.shape_files import read_shapes
from chorus_bench.adapters.shapes import blurred, shapes_field
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.axes import BODY_AXES, Axes
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.names import given_categories
from chorus_bench.progress import Progress, ProgressLike, reported
from chorus_bench.submission import field_warnings, write_posed_submission, write_submission
from chorus_bench.submission.manifest import TRACKS, Track

_CANONICAL_ONLY = ("contact", "shapes")
_MOST_DETAILS = 60


@checked
@dataclass(frozen=True)
class Conversion:
    """A submission that was converted.

    Attributes:
        folder: the submission.
        categories: number of categories.
        notes: how it was converted, as the submission states it.
        warnings: why it may score badly.
    """

    folder: Path
    categories: int
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


@checked
def convert(
    kind: str,
    source: str | Path,
    output: str | Path,
    *,
    method: str | None = None,
    track: Track = "canonical",
    body: BodyModel | str | Path = "default",
    grid: GridSpec | None = None,
    axes: str = "xyz",
    units: str = "m",
    radius: float | None = None,
    sigma: float = 0.0,
    categories: str | Sequence[str] | None = None,
    overwrite: bool = False,
    progress: ProgressLike = None,
) -> Conversion:
    """Convert predictions of another kind to a submission, whose manifest names the conversion.

    Args:
        kind: one of `KINDS`; docs/converting.md describes each.
        source: a file, or a folder with ``<category>.<suffix>`` or
            ``<category>/<sample>.<suffix>``.
        output: the submission's folder.
        method: the method's name; by default the name of the source.
        track: ``canonical``, or ``posed`` for one field per sample.
        body: the body of poses and vertices.
        grid: the grid of the fields; by default the protocol's, and for the kind ``grids`` each
            category's own cube, or one around its box.
        axes: axes of coordinates and arrays, see `chorus_bench.geometry.axes`.
        units: of lengths, see `UNITS`.
        radius: of the balls around points and vertices in contact, metres.
        sigma: standard deviation of the object's position along each axis, metres, by which the
            fields are blurred.
        categories: only this one, or these.
        overwrite: replace an existing submission.
        progress: called with (categories done, categories in all), on the canonical track; by
            default a bar in terminals and notebooks, False for none.

    Raises:
        InputError: anything wrong with an argument or a file, which is named.
        MissingDependencyError: meshes without trimesh, ``.pt`` without torch.
    """
    if units not in UNITS:
        raise unknown_name("unit", units, UNITS)
    if track not in TRACKS:
        raise unknown_name("track", track, TRACKS)
    settings = Settings(
        _kind(kind, track), load_body(body), grid or GridSpec(), Axes.parse(axes), UNITS[units],
        radius, sigma,
    )  # fmt: skip
    place, name = Path(source), method or Path(source).stem
    wanted = given_categories(categories)
    with reported(progress, "Converting categories") as report:
        if track == "posed":
            found = _chosen(find_inputs(place, settings.kind), wanted)
            return _write_posed(found, settings, Path(output), name, overwrite)
        fields = _canonical_fields(place, wanted, settings, grid, report)
    notes = _notes(settings)
    write_submission(output, method=name, fields=fields, overwrite=overwrite, conversion=notes)
    return Conversion(Path(output), len(fields), tuple(notes), _warnings(fields, settings))


def _canonical_fields(
    place: Path,
    categories: Collection[str] | None,
    settings: Settings,
    grid: GridSpec | None,
    progress: Progress,
) -> dict[str, OccupancyGrid]:
    """Return the field of each category."""
    if settings.kind.name == "shapes":
        return _shapes(place, categories, settings)
    found = _chosen(find_inputs(place, settings.kind), categories)
    if settings.kind.name == "grids":
        return grid_fields(found, settings, grid)
    fields = {}
    for done, (name, files) in enumerate(found.items(), 1):
        fields[name] = blurred(category_field(files, settings), settings.sigma)
        progress(done, len(found))
    return fields


def _kind(name: str, track: Track) -> Kind:
    if name not in KINDS:
        raise unknown_name("kind", name, KINDS)
    if track == "posed" and name in _CANONICAL_ONLY:
        raise InputError(
            f"the kind '{name}' on the posed track",
            expected="--track canonical",
            fix="convert the posed object as points or as a mesh",
        )
    return KINDS[name]


def _chosen(found: Mapping[str, Any], categories: Collection[str] | None) -> dict[str, Any]:
    """Return what was found of some categories; None for all."""
    for name in categories or ():
        if name not in found:
            raise unknown_name("category", name, found)
    return {name: found[name] for name in found if categories is None or name in categories}


def _shapes(
    place: Path, categories: Collection[str] | None, settings: Settings
) -> dict[str, OccupancyGrid]:
    named = _chosen(read_shapes(place, settings.metres), categories)
    return {
        name: blurred(shapes_field(shapes, grid=settings.grid, axes=settings.axes), settings.sigma)
        for name, shapes in named.items()
    }


def _write_posed(
    found: Found, settings: Settings, output: Path, method: str, overwrite: bool
) -> Conversion:
    alone = [name for name, files in found.items() if isinstance(files, Path)]
    if alone:
        raise InputError(
            f"'{alone[0]}' is one file",
            expected="<category>/<sample_id>, one file for each sample of the split",
            fix="without --track posed it becomes a canonical field",
        )
    fields = {
        name: PosedFields(files, settings)
        for name, files in found.items()
        if isinstance(files, dict)
    }
    notes = _notes(settings)
    write_posed_submission(
        output,
        method=method,
        fields=fields,
        grid=settings.grid,
        overwrite=overwrite,
        conversion=notes,
    )
    return Conversion(output, len(fields), tuple(notes), ())


def _notes(settings: Settings) -> list[str]:
    """Return what the manifest says about the conversion."""
    kind = settings.kind
    notes = [f"converted from {kind.name}: {kind.assumes}", f"lost: {kind.loses}"]
    numbers = {
        "axes": settings.axes.label if settings.axes != BODY_AXES else None,
        "metres per unit": f"{settings.metres:g}" if settings.metres != 1 else None,
        "radius": f"{settings.radius:g} m" if settings.radius is not None else None,
        "sigma": f"{settings.sigma:g} m" if settings.sigma else None,
    }
    stated = [f"{name} {value}" for name, value in numbers.items() if value is not None]
    if stated:
        notes.append(", ".join(stated))
    if settings.samples:
        low, high = min(settings.samples), max(settings.samples)
        notes.append(
            f"{low} to {high} samples per category; largest standard error of a voxel "
            f"{max(settings.errors):.4f}"
        )
    return notes + list(settings.details)[:_MOST_DETAILS]


def _warnings(fields: Mapping[str, OccupancyGrid], settings: Settings) -> tuple[str, ...]:
    """Return why fields may score badly, each reason once, and what contact cannot know."""
    found: dict[str, list[str]] = {}
    for name, one in fields.items():
        for text in field_warnings(one.values, one.spec):
            found.setdefault(text, []).append(name)
    texts = [f"{', '.join(names)}: {text}" for text, names in found.items()]
    if settings.kind.name == "contact":
        texts.insert(0, f"Lost: {settings.kind.loses}.")
    return tuple(texts)
