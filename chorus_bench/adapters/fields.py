"""Fields of the files of a category or a sample, by the kind of prediction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.adapters.grids import BoxGrid, box_grid, cube_of, grid_field
from chorus_bench.adapters.inputs import ONE, Arrays, Found, contact_of, read_item
from chorus_bench.adapters.kinds import Kind
from chorus_bench.adapters.meshes import mesh_field
from chorus_bench.adapters.pairs import Pair, canonical_field, posed_object, stacked_pairs
from chorus_bench.adapters.shapes import blurred, contact_field, distance_field, points_field
from chorus_bench.errors import InputError
from chorus_bench.geometry.axes import BODY_AXES, Axes
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid

_COORDINATES = ("points", "vertices")
_PLACES = (*_COORDINATES, "translation", "pelvis")
_OBJECTS = ("points", "meshes", "pairs", "object-centred")


@dataclass(frozen=True)
class Settings:
    """How things are converted, and what came out that the submission should state.

    Attributes:
        kind: what is converted.
        body: the body of poses and vertices.
        grid: the grid of the fields.
        axes: of coordinates and arrays.
        metres: how long a unit is.
        radius: of the balls around points and vertices, metres.
        sigma: standard deviation of the object's place, metres.
        samples: the number of samples of each category.
        errors: the largest standard error of each of these.
        details: what else was converted, in order.
    """

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


def grid_fields(
    found: Found, settings: Settings, grid: GridSpec | None
) -> dict[str, OccupancyGrid]:
    """Return each grid on the cube ``grid``; by default on its own, or on one around its box."""
    boxes: dict[str, BoxGrid] = {}
    for name, files in found.items():
        boxes[name] = _located(_one_file(files, name), lambda file: _box(file, settings, grid))
        settings.details.update(dict.fromkeys(f"{name}: {note}" for note in boxes[name].notes))
    fields = {}
    for name, box in boxes.items():
        cube = cube_of(box) if grid is None else grid
        if box.spec != cube:
            shape = "x".join(map(str, box.values.shape))
            size = "x".join(f"{side:g}" for side in box.size)
            settings.details[f"{name}: {shape} voxels of {size} m read at {cube.label}"] = None
        field = _located(_one_file(found[name], name), partial(_read_box, box, cube))
        fields[name] = blurred(field, settings.sigma)
    return fields


def _read_box(box: BoxGrid, cube: GridSpec, file: Path) -> OccupancyGrid:
    del file  # it has been read; its name is for errors
    return grid_field(box, cube)


def _box(file: Path, settings: Settings, grid: GridSpec | None) -> BoxGrid:
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


def category_field(files: Path | dict[str, Path], settings: Settings) -> OccupancyGrid:
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


def _canonical(item: Arrays, settings: Settings) -> OccupancyGrid:
    kind = settings.kind.name
    if kind == "contact":
        contact = contact_of(item)
        return contact_field(contact, settings.body, grid=settings.grid, radius=settings.radius)
    if kind == "distances":
        return _distances(item, settings)
    if "pose" in item or kind in ("pairs", "object-centred"):
        return _average(iter(_pairs_of(item)), settings)
    return _in_frame(item, settings)


def _distances(item: Arrays, settings: Settings) -> OccupancyGrid:
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


def _average(pairs: Iterator[Pair], settings: Settings) -> OccupancyGrid:
    found = canonical_field(pairs, settings.body, grid=settings.grid, radius=settings.radius)
    settings.samples.append(found.samples)
    settings.errors.append(found.largest_error)
    return found.field


def _in_frame(item: Arrays, settings: Settings) -> OccupancyGrid:
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


def _item(file: Path, settings: Settings) -> Arrays:
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


class PosedFields(Mapping[str, OccupancyGrid]):
    """The posed fields of a category, made when they are asked for."""

    def __init__(self, files: dict[str, Path], settings: Settings) -> None:
        self._files, self._settings = files, settings

    def __getitem__(self, sample: str) -> OccupancyGrid:
        made = _located(self._files[sample], lambda file: _posed(file, self._settings))
        return blurred(made, self._settings.sigma)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _posed(file: Path, settings: Settings) -> OccupancyGrid:
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
