"""Fields in the form that pages show: coarse, as whole numbers."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import UInt8
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import MIN_RESOLUTION, GridSpec, OccupancyGrid

MAX_RESOLUTION = 48


@dataclass(frozen=True, eq=False)
class SmallFields:
    """Fields of several categories on one grid of at most 48 voxels per axis.

    Attributes:
        grid: their grid.
        values: category -> (N, N, N) uint8, 255 times the probability; x, y, z.
    """

    grid: GridSpec
    values: Mapping[str, UInt8]

    @classmethod
    def of(cls, fields: Mapping[str, OccupancyGrid]) -> SmallFields:
        """Return coarse fields: the largest value of each block of voxels, in steps of 1/255.

        Args:
            fields: category -> field. Fields on different grids come to one cube around all.

        Raises:
            InputError: no field.
        """
        specs = {field.spec: None for field in fields.values()}
        if not specs:
            raise InputError("no field to show", expected="one or more")
        if len(specs) > 1:
            cube = _cube_around(list(specs))
            return cls(cube, {name: _levels(_moved(field, cube)) for name, field in fields.items()})
        (spec,) = specs
        step = -(-spec.resolution // MAX_RESOLUTION)
        values = {name: _levels(_shrunk(field.values, step)) for name, field in fields.items()}
        resolution = -(-spec.resolution // step)
        side = spec.voxel_size * step * resolution
        x, y, z = (float(low) + side / 2 for low in np.broadcast_to(spec.low, 3))
        return cls(GridSpec(resolution, side, (x, y, z)), values)

    def data(self) -> dict[str, Any]:
        """Return the fields in the format of the pages' scripts.

        Returns:
            ``grid`` (``resolution``, ``side_length`` in metres, ``center``) and ``fields``:
            base64 of the zlib-compressed values of each, x slowest; ``{"same": category}`` where
            an earlier category has the same values.
        """
        first: dict[bytes, str] = {}
        same = {
            name: first.setdefault(values.tobytes(), name) for name, values in self.values.items()
        }
        return {
            "grid": {
                "resolution": self.grid.resolution,
                "side_length": self.grid.side_length,
                "center": [float(c) for c in self.grid.center],
            },
            "fields": {
                name: _packed(values) if same[name] == name else {"same": same[name]}
                for name, values in self.values.items()
            },
        }


def _cube_around(specs: Sequence[GridSpec]) -> GridSpec:
    """Return a cube of at most 48 voxels a side around some cubes, as fine as their finest."""
    low = np.min([spec.low for spec in specs], axis=0)
    high = np.max([spec.low + spec.side_length for spec in specs], axis=0)
    side = float((high - low).max())
    needed = math.ceil(side / min(spec.voxel_size for spec in specs) - 1e-6)
    x, y, z = ((low + high) / 2).tolist()
    return GridSpec(min(max(needed, MIN_RESOLUTION), MAX_RESOLUTION), side, (x, y, z))


def _moved(field: OccupancyGrid, cube: GridSpec) -> NDArray[np.float32]:
    """Return a field (N, N, N) on another cube: the largest of the voxels in and around each."""
    found = np.append(field.at(cube.centers()), np.float32(0))
    np.maximum.at(found, cube.indices(field.spec.centers()), field.values.ravel())
    return found[:-1].reshape(cube.shape)


def _shrunk(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return the largest value of each block of voxels, so that thin parts are kept."""
    if step == 1:
        return values
    size = -(-len(values) // step)
    padded = np.pad(values, [(0, size * step - len(values))] * 3)
    blocks = padded.reshape(size, step, size, step, size, step)
    return np.asarray(blocks.max(axis=(1, 3, 5)))


def _levels(values: NDArray[np.float32]) -> UInt8:
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def _packed(values: UInt8) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 6)).decode("ascii")
