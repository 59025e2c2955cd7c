"""`fields.npz`: a method's canonical fields, small, for the page's 3D view."""

from __future__ import annotations

import base64
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.report.web import fields_data

UInt8 = NDArray[np.uint8]

GRID_KEY = "grid"
MAX_RESOLUTION = 48
_MAX_MEMBER_BYTES = MAX_RESOLUTION**3 + 4096
_MAX_MEMBERS = 1_000


@dataclass(frozen=True, eq=False)
class Fields:
    """Fields of several categories on one grid.

    Attributes:
        grid: geometry of the fields.
        values: category -> (N, N, N) uint8, 255 times the probability.
    """

    grid: GridSpec
    values: Mapping[str, UInt8]

    def data(self) -> dict[str, Any]:
        """Return the content of the page's ``data/<slug>-fields.js``."""
        grids = {
            name: OccupancyGrid((v / np.float32(255)).astype(np.float32), self.grid)
            for name, v in self.values.items()
        }
        return fields_data(grids)

    def save(self, file: Path) -> None:
        """Write `fields.npz`."""
        if GRID_KEY in self.values:
            raise InputError(f"a category is called '{GRID_KEY}'", where=file)
        grid = np.array([self.grid.resolution, self.grid.side_length, *self.grid.center])
        with file.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **{GRID_KEY: grid}, **self.values)


def small_fields(fields: Mapping[str, OccupancyGrid]) -> Fields:
    """Return fields for the page: uint8, at most 48 voxels per side.

    Args:
        fields: category -> field, all on one grid; at least one.
    """
    data = fields_data(fields)
    grid = data["grid"]
    spec = GridSpec(grid["resolution"], grid["side_length"], tuple(grid["center"]))
    values = {
        name: np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(spec.shape)
        for name, text in data["fields"].items()
    }
    return Fields(spec, values)


def read_fields(file: Path) -> Fields:
    """Read `fields.npz`; its size is checked before anything is unpacked.

    Raises:
        InputError: it is damaged or too large, or has unexpected arrays.
    """
    try:
        _check_members(file)
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError) as e:
        if isinstance(e, InputError):
            raise
        raise InputError(f"cannot be read: {e}", where=file, fix="add the entry again") from e
    return _checked(arrays, file)


def _check_members(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    largest = max((member.file_size for member in members), default=0)
    if len(members) > _MAX_MEMBERS or largest > _MAX_MEMBER_BYTES:
        raise InputError(
            f"has {len(members)} arrays, the largest of {largest} bytes",
            where=file,
            expected=f"at most {_MAX_MEMBERS} arrays of {MAX_RESOLUTION} voxels a side, uint8",
            fix="let `chorus-bench leaderboard add` write it",
        )


def _checked(arrays: dict[str, NDArray[np.generic]], file: Path) -> Fields:
    numbers = np.asarray(arrays.pop(GRID_KEY, np.zeros(0)))
    if numbers.shape != (5,) or numbers.dtype.kind not in "fiu" or not np.isfinite(numbers).all():
        raise InputError(
            f"has no '{GRID_KEY}' of five numbers",
            where=file,
            expected="resolution, side length and centre",
        )
    resolution, side, *center = (float(n) for n in numbers)
    grid = GridSpec(int(resolution), side, (center[0], center[1], center[2]))
    for name, array in arrays.items():
        if array.dtype != np.uint8 or array.shape != grid.shape:
            raise InputError(
                f"field '{name}' is {array.dtype} of shape {array.shape}",
                where=file,
                expected=f"uint8 of shape {grid.shape}",
            )
    return Fields(grid, {name: arrays[name].view(np.uint8) for name in sorted(arrays)})
