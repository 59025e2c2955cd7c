"""`fields.npz.xz`: a method's canonical fields, small, for the page's 3D view.

One array per category, one per interaction type (``category: type``), and ``grid``: resolution,
side length, centre. New entries have values in 32 steps of each field's maximum, which take two
thirds of the room of 255 steps and look the same. Entries of earlier versions have all steps, or a
`fields.npz` with the same arrays.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chorus_bench.array_types import UInt8
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.limits import MAX_CATEGORIES
from chorus_bench.io.npz_files import Arrays
from chorus_bench.leaderboard.arrays import AGAIN, arrays_bytes, read_arrays
from chorus_bench.report.fields import MAX_RESOLUTION, SmallFields

GRID_KEY = "grid"
#: Steps of a stored field between 0 and its maximum.
STEPS = 32
_LARGEST = MAX_RESOLUTION**3 + 4096


def fields_bytes(fields: SmallFields) -> bytes:
    """Return the content of `fields.npz.xz`."""
    if GRID_KEY in fields.values:
        raise InputError(f"a category is called '{GRID_KEY}'")
    grid = np.array([fields.grid.resolution, fields.grid.side_length, *fields.grid.center])
    return arrays_bytes({GRID_KEY: grid, **fields.values})


def in_steps(fields: SmallFields) -> SmallFields:
    """Return fields with their values rounded to `STEPS` steps of each one's maximum."""
    return SmallFields(fields.grid, {n: _in_steps(v) for n, v in fields.values.items()})


def _in_steps(values: UInt8) -> UInt8:
    """Return values rounded to `STEPS` steps of their maximum."""
    most = int(values.max())
    if most <= STEPS:
        return values
    table = np.rint(np.rint(np.arange(most + 1) / most * STEPS) * most / STEPS)
    return table.astype(np.uint8)[values]


def read_fields(file: Path) -> SmallFields:
    """Read `fields.npz.xz` or `fields.npz`.

    Raises:
        InputError: it is damaged or too large, or has unexpected arrays.
    """
    arrays = read_arrays(file, most=MAX_CATEGORIES + 1, largest=_LARGEST)
    grid = _grid(arrays, file)
    for name, array in arrays.items():
        if array.dtype != np.uint8 or array.shape != grid.shape:
            raise InputError(
                f"field '{name}' is {array.dtype} of shape {array.shape}",
                where=file,
                expected=f"uint8 of shape {grid.shape}",
                fix=AGAIN,
            )
    return SmallFields(grid, dict(sorted(arrays.items())))


def _grid(arrays: Arrays, file: Path) -> GridSpec:
    """Remove the grid from the arrays and return it."""
    numbers = arrays.pop(GRID_KEY, np.zeros(0))
    if numbers.shape != (5,) or numbers.dtype.kind not in "fiu" or not np.isfinite(numbers).all():
        raise InputError(
            f"has no '{GRID_KEY}' of five numbers",
            where=file,
            expected="resolution, side length and centre",
            fix=AGAIN,
        )
    resolution, side, x, y, z = (float(number) for number in numbers)
    return GridSpec(int(resolution), side, (x, y, z))
