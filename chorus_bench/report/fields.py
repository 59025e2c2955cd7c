"""Fields in the form that pages show: coarse, as whole numbers."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import UInt8
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid

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
            fields: category -> field, all on the same grid.

        Raises:
            InputError: no field, or fields on different grids.
        """
        specs = {field.spec for field in fields.values()}
        if len(specs) != 1:
            raise InputError(
                f"fields on {len(specs)} grids", expected="one or more fields on the same grid"
            )
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
            base64 of the zlib-compressed values of each, x slowest.
        """
        return {
            "grid": {
                "resolution": self.grid.resolution,
                "side_length": self.grid.side_length,
                "center": [float(c) for c in self.grid.center],
            },
            "fields": {name: _packed(values) for name, values in self.values.items()},
        }


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
    return base64.b64encode(zlib.compress(values.tobytes(), 9)).decode("ascii")
