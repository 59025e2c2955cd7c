"""Smoothing passes over some voxels of a grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chorus_bench.array_types import Float32, Int64

#: An array of NumPy, or of torch on a device.
Values = Any


def smoothed(values: Float32, voxels: Int64, resolution: int, steps: int, share: float) -> Float32:
    """Move voxels repeatedly toward the mean of their six neighbours.

    Voxels that are not listed are zero before and after every pass. The border layer of the cube
    keeps its values. For each voxel, a pass adds the neighbours and itself in the order of their
    flat indices, in float32.

    Args:
        values: (C, n) C values at each voxel.
        voxels: (n,) flat indices on the grid.
        resolution: resolution of the grid.
        steps: number of passes.
        share: share of the neighbours' mean in a pass.

    Returns:
        (C, n) the values after the passes.
    """
    box = SmoothingBox(voxels, resolution, share)
    return np.stack([box.smooth(column, steps) for column in values])


class SmoothingBox:
    """The smallest box about some voxels, with a layer of zeros around it, as a flat array.

    Args:
        voxels: (n,) flat indices on the grid.
        resolution: resolution of the grid.
        share: share of the neighbours' mean in a pass.
        library: whose arrays are smoothed: NumPy, or torch.
        put: makes an array of the library from one of NumPy.
    """

    def __init__(
        self,
        voxels: Int64,
        resolution: int,
        share: float,
        library: Any = np,  # noqa: ANN401 - a module
        put: Callable[[Int64 | Float32], Any] = np.asarray,
    ) -> None:
        ijk = np.stack(np.unravel_index(voxels, (resolution,) * 3))
        low = ijk.min(axis=1, initial=resolution)
        size = np.maximum(ijk.max(axis=1, initial=-1) - low + 1, 0) + 2
        place = np.ravel_multi_index(tuple(ijk - low[:, None] + 1), tuple(size))
        on_border = ((ijk == 0) | (ijk == resolution - 1)).any(axis=0)
        self._steps = (int(size[1] * size[2]), int(size[2]), 1)
        self._length = int(size[0] * size[1] * size[2])
        # Zero where no voxel is: what reaches such a place goes no further.
        of_neighbour, of_itself = np.zeros((2, self._length), dtype=np.float32)
        small = float(np.float32(share))
        of_neighbour[place], of_itself[place] = small / 6, 1 - small
        self._of_neighbour, self._of_itself = put(of_neighbour), put(of_itself)
        self._place, self._border = put(place), put(place[on_border])
        self._library = library

    def smooth(self, values: Values, steps: int) -> Values:
        """Return values (..., n), float32, after the passes."""
        far, line, one = self._steps
        xp, shape = self._library, (*values.shape[:-1], self._length)
        now, part, itself = (xp.zeros(shape, dtype=xp.float32) for _ in range(3))
        now[..., self._place] = values
        kept = now[..., self._border]
        middle = slice(far, self._length - far)
        sums = now[..., middle]
        for _ in range(steps):
            xp.multiply(now, self._of_neighbour, out=part)
            xp.multiply(now, self._of_itself, out=itself)
            xp.add(part[..., : -2 * far], _moved(part, -line, middle), out=sums)
            sums += _moved(part, -one, middle)
            sums += itself[..., middle]
            sums += _moved(part, one, middle)
            sums += _moved(part, line, middle)
            sums += part[..., 2 * far :]
            now[..., self._border] = kept
        return now[..., self._place]


def _moved(values: Values, step: int, middle: slice) -> Values:
    return values[..., middle.start + step : middle.stop + step]
