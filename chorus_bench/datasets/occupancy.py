"""Occupied voxels in a row: the columns ``object_occupancy`` and ``true_object_occupancy``."""

from __future__ import annotations

import zlib

import numpy as np

from chorus_bench.array_types import Bool
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec

#: The grid of these columns, in the posed body's frame: 48 voxels a side, 3 m.
POSED_GRID = GridSpec()


def encode_occupancy(voxels: Bool) -> bytes:
    """Return a grid (N, N, N) as bytes: bits in C order, first bit highest, zlib."""
    return zlib.compress(np.packbits(np.asarray(voxels, dtype=bool)).tobytes())


def decode_occupancy(data: bytes, resolution: int = POSED_GRID.resolution) -> Bool:
    """Return the boolean grid (N, N, N) from `encode_occupancy`.

    Raises:
        InputError: the bytes are not such a grid.
    """
    try:
        raw = zlib.decompress(data)
    except zlib.error as error:
        raise InputError(f"not an occupancy grid: {error}") from error
    if len(raw) != -(-(resolution**3) // 8):
        raise InputError(
            f"an occupancy grid of {len(raw)} bytes",
            expected=f"{-(-(resolution**3) // 8)} bytes for {resolution} voxels per side",
        )
    bits = np.unpackbits(np.frombuffer(raw, dtype=np.uint8), count=resolution**3)
    return bits.astype(bool).reshape((resolution,) * 3)
