"""Smoothing passes over some voxels of a grid."""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float32, Int64


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
    box = _Box(voxels, resolution)
    return np.stack([box.smooth(column, steps, np.float32(share)) for column in values])


class _Box:
    """The smallest box about some voxels, with a layer of zeros around it, as a flat array."""

    def __init__(self, voxels: Int64, resolution: int) -> None:
        ijk = np.stack(np.unravel_index(voxels, (resolution,) * 3))
        low = ijk.min(axis=1, initial=resolution)
        size = np.maximum(ijk.max(axis=1, initial=-1) - low + 1, 0) + 2
        self._steps = (int(size[1] * size[2]), int(size[2]), 1)
        self._place = np.ravel_multi_index(tuple(ijk - low[:, None] + 1), tuple(size))
        self._length = int(size[0] * size[1] * size[2])
        inside = ((ijk > 0) & (ijk < resolution - 1)).all(axis=0)
        self._inner, self._border = self._place[inside], self._place[~inside]

    def smooth(self, values: Float32, steps: int, share: np.float32) -> Float32:
        """Return values (n,) after the passes."""
        far, line, one = self._steps
        now, inner, kept = (np.zeros(self._length, dtype=np.float32) for _ in range(3))
        now[self._place], inner[self._inner] = values, 1
        kept[self._border] = now[self._border]
        of_neighbour, of_itself = np.float32(float(share) / 6), np.float32(1 - float(share))
        middle = slice(far, self._length - far)
        part, itself = np.empty_like(now), np.empty_like(now)
        for _ in range(steps):
            np.multiply(now, of_neighbour, out=part)
            np.multiply(now, of_itself, out=itself)
            sums = now[middle]
            np.add(part[: -2 * far], _moved(part, -line, middle), out=sums)
            sums += _moved(part, -one, middle)
            sums += itself[middle]
            sums += _moved(part, one, middle)
            sums += _moved(part, line, middle)
            sums += part[2 * far :]
            now *= inner
            if len(self._border):
                now += kept
        return now[self._place]


def _moved(values: Float32, step: int, middle: slice) -> Float32:
    return values[middle.start + step : middle.stop + step]
