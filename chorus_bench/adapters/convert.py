"""Other kinds of predictions as a submission: `convert` reads, converts, writes and says how."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.adapters.grids import BoxGrid, box_grid, cube_of, grid_field
from chorus_bench.adapters.inputs import ONE, Arrays, Found, find_inputs, read_item
from chorus_bench.adapters.kinds import KINDS, UNITS, Kind
from chorus_bench.adapters.pairs import Pair, canonical_field, posed_object, stacked_pairs
from chorus_bench.adapters.shape_files import read_shapes
from chorus_bench.adapters.shapes import (
    blurred,
    contact_field,
    distance_field,
    mesh_field,
    points_field,
    shapes_field,
)
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.axes import BODY_AXES, Axes
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.submission import field_warnings, write_posed_submission, write_submission
from chorus_bench.submission.manifest import TRACKS, Track

#: Called with (categories done, categories in all).
Progress = Callable[[int, int], None]

_COORDINATES = ("points", "vertices")
_PLACES = (*_COORDINATES, "translation", "pelvis")
_OBJECTS = ("points", "meshes", "pairs", "object-centred")
_CANONICAL_ONLY = ("contact", "shapes")
_MOST_DETAILS = 60


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


@dataclass(frozen=True)
class _Settings:
    """How things are converted, and what came out that the submission should state."""

    kind: Kind
    body: BodyModel
    grid: GridSpec
    axes: Axes
    metres: float
    radius: float | None
    sigma: float
    samples: list[int] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    details: dict[str, None] = field(default_factory=dict)


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
    categories: list[str] | None = None,
    overwrite: bool = False,
    progress: Progress = lambda done, total: None,
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
        grid: the grid of the fields; by default the protocol's, and for the kind ``grids`` the
            cube that holds all of them.
        axes: axes of coordinates and arrays, see `chorus_bench.geometry.axes`.
        units: of lengths, see `UNITS`.
        radius: of the balls around points and vertices in contact, metres.
        sigma: standard deviation of the object's position along each axis, metres, by which the
            fields are blurred.
        categories: only these.
        overwrite: replace an existing submission.
        progress: called with (categories done, categories in all); canonical track only.

    Raises:
        InputError: anything wrong with an argument or a file, which is named.
        MissingDependencyError: meshes without trimesh, ``.pt`` without torch.
    """
    if units not in UNITS:
        raise unknown_name("unit", units, UNITS)
    if track not in TRACKS:
        raise unknown_name("track", track, TRACKS)
    settings = _Settings(
        _kind(kind, track), load_body(body), grid or GridSpec(), Axes.parse(axes), UNITS[units],
        radius, sigma,
    )  # fmt: skip
    place = Path(source)
    if kind == "grids" and track == "canonical":
        fields, settings = _grids(
            _chosen(find_inputs(place, settings.kind), categories), settings, grid
        )
    elif kind == "shapes":
        fields = _shapes(place, categories, settings)
    else:
        found = _chosen(find_inputs(place, settings.kind), categories)
        if track == "posed":
            return _write_posed(found, settings, Path(output), method or place.stem, overwrite)
        fields = {}
        for done, (name, files) in enumerate(found.items(), 1):
            fields[name] = blurred(_category(files, settings), sigma)
            progress(done, len(found))
    notes, name = _notes(settings), method or place.stem
    write_submission(
        output,
        method=name,
        fields=fields,
        grid=settings.grid,
        overwrite=overwrite,
        conversion=notes,
    )
    return Conversion(Path(output), len(fields), tuple(notes), _warnings(fields, settings))


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


def _chosen(found: Mapping[str, Any], categories: list[str] | None) -> dict[str, Any]:
    """Return what was found of some categories; None for all."""
    for name in categories or ():
        if name not in found:
            raise unknown_name("category", name, found)
    return {name: found[name] for name in found if categories is None or name in categories}


def _grids(
    found: Found, settings: _Settings, grid: GridSpec | None
) -> tuple[dict[str, OccupancyGrid], _Settings]:
    """Return grids on one cube, and the settings with that cube."""
    boxes: dict[str, BoxGrid] = {}
    for name, files in found.items():
        boxes[name] = _located(_one_file(files, name), lambda file: _box(file, settings, grid))
        settings.details.update(dict.fromkeys(f"{name}: {note}" for note in boxes[name].notes))
    cube = cube_of(list(boxes.values())) if grid is None else grid
    for name, box in boxes.items():
        if box.spec != cube:
            shape = "x".join(map(str, box.values.shape))
            size = "x".join(f"{side:g}" for side in box.size)
            settings.details[f"{name}: {shape} voxels of {size} m read at {cube.label}"] = None
    chosen = replace(settings, grid=cube)
    fields = {}
    for name, box in boxes.items():
        field = _located(_one_file(found[name], name), partial(_read_box, box, cube))
        fields[name] = blurred(field, settings.sigma)
    return fields, chosen


def _read_box(box: BoxGrid, cube: GridSpec, file: Path) -> OccupancyGrid:
    del file  # it has been read; its name is for errors
    return grid_field(box, cube)


def _box(file: Path, settings: _Settings, grid: GridSpec | None) -> BoxGrid:
    arrays = read_item(file, settings.kind)
    given = {} if grid is None else {"side_length": grid.side_length / settings.metres}
    return box_grid(
        arrays,
        axes=settings.axes,
        metres=settings.metres,
        probabilities=settings.kind.name != "distances",
        center=None if grid is None else tuple(c / settings.metres for c in grid.center),
        **given,
    )


def _one_file(files: Path | dict[str, Path], name: str) -> Path:
    if isinstance(files, Path):
        return files
    raise InputError(
        f"'{name}' has a file for each sample",
        where=next(iter(files.values())).parent,
        expected="one file for each category on the canonical track",
        fix="write a posed submission with --track posed",
    )


def _shapes(
    place: Path, categories: list[str] | None, settings: _Settings
) -> dict[str, OccupancyGrid]:
    named = _chosen(read_shapes(place, settings.metres), categories)
    return {
        name: blurred(shapes_field(shapes, grid=settings.grid, axes=settings.axes), settings.sigma)
        for name, shapes in named.items()
    }


def _category(files: Path | dict[str, Path], settings: _Settings) -> OccupancyGrid:
    """Return the canonical field of a category."""
    if isinstance(files, Path):
        return _located(files, lambda file: _canonical(_item(file, settings), settings))
    if settings.kind.name not in _OBJECTS:
        _one_file(files, next(iter(files.values())).parent.name)

    def pairs() -> Iterator[Pair]:
        for file in files.values():
            yield from _located(file, lambda file: _pairs_of(_item(file, settings)))

    return _average(pairs(), settings)


def _pairs_of(item: Arrays) -> list[Pair]:
    if "pose" not in item:
        raise InputError(
            "a sample without 'pose'",
            expected="the person's pose, (72,) axis-angle in radians",
            fix="give a pose to average over the samples in canonical space, or write a posed "
            "submission with --track posed",
        )
    return list(stacked_pairs(item))


def _canonical(item: Arrays, settings: _Settings) -> OccupancyGrid:
    kind = settings.kind.name
    if kind == "contact":
        contact = item.get("contact", item.get("contact_label", item.get(ONE)))
        if contact is None:
            raise InputError(f"holds {', '.join(item)}", expected="'contact' (V,) or (samples, V)")
        return contact_field(contact, settings.body, grid=settings.grid, radius=settings.radius)
    if kind == "distances":
        return _distances(item, settings)
    if "pose" in item or kind in ("pairs", "object-centred"):
        return _average(iter(_pairs_of(item)), settings)
    return _in_frame(item, settings)


def _distances(item: Arrays, settings: _Settings) -> OccupancyGrid:
    longest = settings.grid.side_length / settings.metres
    center = [c / settings.metres for c in settings.grid.center]
    box = box_grid(
        item,
        side_length=longest,
        center=center,
        axes=settings.axes,
        metres=settings.metres,
        probabilities=False,
    )
    far = float(np.finfo(np.float32).max)
    return distance_field(box.on(settings.grid, outside=far), grid=settings.grid)


def _average(pairs: Iterator[Pair], settings: _Settings) -> OccupancyGrid:
    found = canonical_field(pairs, settings.body, grid=settings.grid, radius=settings.radius)
    settings.samples.append(found.samples)
    settings.errors.append(found.largest_error)
    return found.field


def _in_frame(item: Arrays, settings: _Settings) -> OccupancyGrid:
    """Return the field of points or a mesh that are in its frame already."""
    if "faces" in item and "vertices" in item:
        return mesh_field(item["vertices"], item["faces"], grid=settings.grid)
    if "points" not in item:
        raise InputError(
            f"holds {', '.join(item) or 'nothing'}",
            expected="'points' (n, 3), or 'vertices' (V, 3) with 'faces' (F, 3)",
            fix="numpy.savez(file, points=points)",
        )
    weights = item.get("weights")
    return points_field(item["points"], weights, grid=settings.grid, radius=settings.radius)


def _item(file: Path, settings: _Settings) -> Arrays:
    """Return the arrays of a file in metres, the object along the axes of the body frame."""
    item = read_item(file, settings.kind)
    kind = settings.kind.name
    if kind in _OBJECTS:
        item = _named_points(item)
        _check_object_centred(item, kind)
        item |= {name: item[name] * settings.metres for name in _PLACES if name in item}
        if settings.axes != BODY_AXES:
            item |= {
                name: settings.axes.points(item[name]) for name in _COORDINATES if name in item
            }
    return item


def _named_points(item: Arrays) -> Arrays:
    """Return an array without a name, (n, 3) or (n, 4), as points with their weights."""
    values = item.get(ONE)
    if values is None or values.ndim != 2 or values.shape[1] not in (3, 4):
        return item
    weights = {"weights": values[:, 3]} if values.shape[1] == 4 else {}
    return {"points": values[:, :3], **weights}


def _check_object_centred(item: Arrays, kind: str) -> None:
    """Decline an occupancy of people around an object that says nothing about their poses."""
    placed = "pose" in item and ("pelvis" in item or "translation" in item)
    if kind != "object-centred" or placed:
        return
    raise InputError(
        f"holds {', '.join(item) or 'nothing'}: an occupancy of people around an object cannot be "
        "turned into one of the object around a person",
        expected="for each sample 'pose' with the global orientation, and 'pelvis' or "
        "'translation', all in the object's frame; and the object's 'points', or 'vertices' and "
        "'faces'",
        fix="the occupancy has lost which way each person faced and how they stood; export the "
        "samples from which it was made",
    )


class _PosedFields(Mapping[str, OccupancyGrid]):
    """The posed fields of a category, made when they are asked for."""

    def __init__(self, files: dict[str, Path], settings: _Settings) -> None:
        self._files, self._settings = files, settings

    def __getitem__(self, sample: str) -> OccupancyGrid:
        made = _located(self._files[sample], lambda file: _posed(file, self._settings))
        return blurred(made, self._settings.sigma)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _posed(file: Path, settings: _Settings) -> OccupancyGrid:
    """Return the posed field of one sample."""
    if settings.kind.name == "grids":
        return grid_field(_box(file, settings, settings.grid), settings.grid)
    item = _item(file, settings)
    if settings.kind.name == "distances":
        return _distances(item, settings)
    if "pose" not in item:
        return _in_frame(item, settings)
    pairs = _pairs_of(item)
    if len(pairs) != 1:
        raise InputError(f"{len(pairs)} poses", expected="one, of this sample")
    values = posed_object(pairs[0], settings.body, settings.grid, settings.radius)
    return OccupancyGrid(values, settings.grid)


def _write_posed(
    found: Found, settings: _Settings, output: Path, method: str, overwrite: bool
) -> Conversion:
    alone = [name for name, files in found.items() if isinstance(files, Path)]
    if alone:
        raise InputError(
            f"'{alone[0]}' is one file",
            expected="<category>/<sample_id>, one file for each sample of the split",
            fix="without --track posed it becomes a canonical field",
        )
    fields = {
        name: _PosedFields(files, settings)
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


def _located(file: Path, make: Callable[[Path], Any]) -> Any:  # noqa: ANN401 - whatever it makes
    """Return what a function makes of a file; its errors name the file."""
    try:
        return make(file)
    except InputError as error:
        where = error.where or ""
        raise InputError(
            error.found,
            where=where if str(file) in where else ": ".join(filter(None, [str(file), where])),
            expected=error.expected,
            fix=error.fix,
        ) from error


def _notes(settings: _Settings) -> list[str]:
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


def _warnings(fields: Mapping[str, OccupancyGrid], settings: _Settings) -> tuple[str, ...]:
    """Return why fields may score badly, each reason once, and what contact cannot know."""
    found: dict[str, list[str]] = {}
    for name, one in fields.items():
        for text in field_warnings(one.values, one.spec):
            found.setdefault(text, []).append(name)
    texts = [f"{', '.join(names)}: {text}" for text, names in found.items()]
    if settings.kind.name == "contact":
        texts.insert(0, f"Lost: {settings.kind.loses}.")
    return tuple(texts)
