"""Grids of any kind on one cube: boxes, sparse voxels, other dtypes, axes and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Float64
from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry.axes import BODY_AXES, Axes
from chorus_bench.geometry.grid import MAX_RESOLUTION, MIN_RESOLUTION, GridSpec, OccupancyGrid
from chorus_bench.submission.arrays import TENSOR_NAME

#: Most voxels of a grid that is converted.
_MOST_VOXELS = 2**28
_SPARSE = ("coordinates", "values", "shape")


@checked
@displayed
@dataclass(frozen=True, eq=False)
class BoxGrid:
    """Values on a box of voxels, axes x, y, z of the body frame.

    Args:
        values: (A, B, C) numbers.
        size: (3,) sides of the box, metres.
        center: (3,) of the box, metres.
        notes: what was converted to get here.
    """

    values: Float32
    size: tuple[float, float, float]
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    notes: tuple[str, ...] = ()

    @property
    def voxel(self) -> Float64:
        """The sides of a voxel, (3,) metres."""
        return np.asarray(self.size) / self.values.shape

    @property
    def low(self) -> Float64:
        """The corner with the smallest coordinates, (3,) metres."""
        return np.asarray(self.center) - np.asarray(self.size) / 2

    @property
    def spec(self) -> GridSpec | None:
        """The same geometry as a cube of an allowed resolution; None if it is none."""
        n, sides = self.values.shape[0], set(self.size)
        cube = len(sides) == 1 and self.values.shape == (n, n, n)
        if not cube or not MIN_RESOLUTION <= n <= MAX_RESOLUTION:
            return None
        return GridSpec(n, self.size[0], self.center)

    @checked
    def on(self, grid: GridSpec, outside: float = 0.0) -> Float32:
        """Return the values (N, N, N) on a cube; each voxel reads the one around its centre.

        Args:
            grid: the cube.
            outside: the value outside the box.
        """
        if self.spec == grid:
            return self.values
        place = (grid.centers() - self.low) / self.voxel
        index = np.floor(place + 1e-9).astype(np.int64)
        inside = ((index >= 0) & (index < self.values.shape)).all(axis=1)
        found = np.full(grid.voxels, outside, dtype=np.float32)
        found[inside] = self.values[tuple(index[inside].T)]
        return found.reshape(grid.shape)


@checked
def box_grid(
    arrays: Mapping[str, NDArray[Any]],
    *,
    side_length: float | None = None,
    center: Sequence[float] | None = None,
    axes: Axes = BODY_AXES,
    metres: float = 1.0,
    probabilities: bool = True,
) -> BoxGrid:
    """Return a grid as somebody stored it.

    Args:
        arrays: ``occupancy``, or a single array of any name, (A, B, C) of any real dtype; or
            sparse, as ``coordinates`` (n, 3) whole numbers, ``values`` (n,) and ``shape`` (3,).
            Beside it optionally ``size`` (3,) or ``side_length``, ``center`` (3,) and ``axes``,
            which take precedence over the arguments.
        side_length: the longest side of the box, whose voxels are then cubes; by default 3 m.
        center: of the box; by default the origin.
        axes: the axes along which the array runs, and those of ``size`` and ``center``.
        metres: how long a unit of all lengths is.
        probabilities: uint8 means 255 times the probability.

    Raises:
        InputError: no such array, another number of axes, or sizes that are not positive.
    """
    named = "axes" in arrays
    axes = Axes.parse(str(arrays["axes"])) if named else axes
    values, notes = _values(arrays, probabilities)
    longest = _number(arrays, "side_length", side_length or 3.0 / metres)
    voxel = longest / max(values.shape)
    size = _three(arrays, "size", [n * voxel for n in values.shape])
    place = _three(arrays, "center", center or (0.0, 0.0, 0.0))
    if min(size) <= 0:
        raise InputError(f"a box of {size}", expected="three positive lengths")
    if axes.along != (0, 1, 2) or axes.signs != (1, 1, 1):
        notes.append(f"axes {axes.label}")
    if metres != 1:
        notes.append(f"lengths multiplied by {metres:g}")
    x, y, z = (float(size[axes.along.index(axis)]) * metres for axis in range(3))
    moved = axes.points(place) * metres
    return BoxGrid(
        np.ascontiguousarray(axes.array(values), dtype=np.float32),
        (x, y, z),
        (float(moved[0]), float(moved[1]), float(moved[2])),
        tuple(notes),
    )


@checked
def cube_of(box: BoxGrid) -> GridSpec:
    """Return the cube of a box's field: its own geometry if that is allowed, else one around it.

    Its voxels are as large as the box's smallest side of a voxel, unless that would take more than
    256 a side. Box and cube share the corner with the smallest coordinates.

    Args:
        box: the box.
    """
    if box.spec is not None:
        return box.spec
    low, side, voxel = box.low, max(box.size), float(box.voxel.min())
    needed = int(np.ceil(side / voxel - 1e-6))
    resolution = min(max(needed, MIN_RESOLUTION), MAX_RESOLUTION)
    if needed <= resolution:
        side = resolution * voxel
    x, y, z = (float(corner) + side / 2 for corner in low)
    return GridSpec(resolution, side, (x, y, z))


@checked
def grid_field(grid: BoxGrid, spec: GridSpec) -> OccupancyGrid:
    """Return the field of a box grid of probabilities on a cube; 0 outside the box.

    Raises:
        InputError: values that are not probabilities.
    """
    return OccupancyGrid(grid.on(spec), spec)


def _values(
    arrays: Mapping[str, NDArray[Any]], probabilities: bool
) -> tuple[NDArray[Any], list[str]]:
    """Return the dense array and what was converted."""
    notes: list[str] = []
    if "coordinates" in arrays:
        values = _dense(arrays)
        notes.append("sparse voxels made dense")
    else:
        values = real_array(_only(arrays), "the grid")
    if values.ndim != 3 or not values.size:
        raise InputError(
            f"a grid of shape {values.shape}",
            expected="three axes",
            fix="a batch or channel axis of length 1 is removed with values.squeeze()",
        )
    if values.dtype != np.float32:
        notes.append(f"{values.dtype} to float32")
    if probabilities and values.dtype == np.uint8:
        return np.divide(values, np.float32(255), dtype=np.float32), notes
    return values.astype(np.float32), notes


def _only(arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    if TENSOR_NAME in arrays:
        return arrays[TENSOR_NAME]
    others = [name for name in arrays if name not in ("size", "side_length", "center", "axes")]
    if len(others) != 1:
        raise InputError(
            f"holds {len(others)} arrays: {list_some(others)}",
            expected=f"one array, or one named '{TENSOR_NAME}', or {', '.join(_SPARSE)}",
            fix=f"numpy.savez(file, {TENSOR_NAME}=values)",
        )
    return arrays[others[0]]


def _dense(arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    missing = [name for name in _SPARSE if name not in arrays]
    if missing:
        raise InputError(
            f"a sparse grid without {', '.join(missing)}",
            expected="coordinates (n, 3) whole numbers, values (n,), shape (3,)",
            fix="numpy.savez(file, coordinates=..., values=..., shape=(48, 48, 48))",
        )
    index, shape = np.asarray(arrays["coordinates"]), np.asarray(arrays["shape"])
    values = real_array(arrays["values"], "values")
    if index.shape != (len(values), 3) or index.dtype.kind not in "iu" or shape.shape != (3,):
        raise InputError(
            f"coordinates of shape {index.shape} and dtype {index.dtype} with {len(values)} values",
            expected="(n, 3) whole numbers, one row for each value, and a shape of three",
        )
    if shape.min() < 1 or np.prod(shape.astype(np.float64)) > _MOST_VOXELS:
        raise InputError(
            f"a sparse grid of shape {shape.tolist()}", expected=f"1 to {_MOST_VOXELS} voxels"
        )
    if len(index) and (index.min() < 0 or (index >= shape).any()):
        raise InputError(
            "coordinates outside the sparse grid's shape", expected=f"0 to {shape - 1}"
        )
    dense = np.zeros(tuple(int(n) for n in shape), dtype=values.dtype)
    dense[tuple(index.T)] = values
    return dense


def _number(arrays: Mapping[str, NDArray[Any]], name: str, default: float) -> float:
    value = np.asarray(arrays.get(name, default), dtype=np.float64)
    if value.size != 1 or not np.isfinite(value).all() or value.item() <= 0:
        raise InputError(f"{name} {value.tolist()}", expected="one positive number")
    return float(value.item())


def _three(
    arrays: Mapping[str, NDArray[Any]], name: str, default: Sequence[float]
) -> tuple[float, float, float]:
    value = np.asarray(arrays.get(name, default), dtype=np.float64)
    if value.shape != (3,) or not np.isfinite(value).all():
        raise InputError(f"{name} {value.tolist()}", expected="three finite numbers")
    x, y, z = value.tolist()
    return x, y, z
