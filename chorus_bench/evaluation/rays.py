"""The entries of a prepared sample, in an order in which the largest value of each pixel is cheap.

An entry is a probe voxel that projects to a pixel. Most of them are *still*: posing does not move
the voxel, so its canonical point is the voxel's own centre, which is the same in every sample, and
what a field says there is looked up by the voxel's number. The others are *moving* and have a
point of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Int64, UInt8
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.geometry.grid import GridSpec

_PIXELS = 64  # in a block


@dataclass(frozen=True, eq=False)
class Bundle:
    """Some entries of a sample, in blocks of pixels that have about as many.

    In a block every pixel has the same number of places (the last entry of one with fewer is
    repeated): first a place of each pixel, then the next of each. So the maximum over a pixel's
    entries is that of a few contiguous rows, whatever is kept for an entry: one value, or those of
    several readings.

    Attributes:
        pixels: (p,) the pixels that have entries, those with most first.
        entries: (n,) the number of the entry at every place.
        blocks: the pixels and the places of every block.
    """

    pixels: Int64
    entries: Int64
    blocks: tuple[tuple[slice, slice], ...]

    @classmethod
    def of(cls, pixels: NDArray[np.integer], entries: Int64, sizes: Int64) -> Bundle:
        """Sort entries into blocks.

        Args:
            pixels: (q,) pixels.
            entries: the numbers of their entries, pixel after pixel.
            sizes: (q,) how many each has, perhaps none.
        """
        most_first = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
        first, last = (np.cumsum(sizes) - sizes)[most_first], (np.cumsum(sizes) - 1)[most_first]
        parts, blocks, end = [np.zeros(0, dtype=np.int64)], [], 0
        for begin in range(0, len(most_first), _PIXELS):
            block = slice(begin, min(begin + _PIXELS, len(most_first)))
            ranks = np.arange(sizes[most_first[begin]])[:, None]
            parts.append(np.minimum(first[block] + ranks, last[block]).ravel())
            blocks.append((block, slice(end, end + len(parts[-1]))))
            end += len(parts[-1])
        order = np.concatenate(parts)
        return cls(pixels[most_first].astype(np.int64), entries[order], tuple(blocks))

    def largest(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the largest values on each of ``pixels``, (A, p, B), of values (A, n, B)."""
        rows, _, width = values.shape
        top = np.empty((rows, len(self.pixels), width), dtype=values.dtype)
        for block, places in self.blocks:
            size = (block.stop - block.start) * width
            part = values[:, places].reshape(rows, -1, size)
            np.maximum.reduce(part, axis=1, out=top[:, block].reshape(rows, size))
        return top

    def largest_rows(self, table: NDArray[Any], rows: Int64) -> NDArray[Any]:
        """Return the largest values on each of ``pixels``, (p, C).

        Args:
            table: (V, C) values.
            rows: (n,) the row of the table that each place reads.
        """
        width = table.shape[1]
        top = np.empty((len(self.pixels), width), dtype=table.dtype)
        longest = max((places.stop - places.start for _, places in self.blocks), default=0)
        read = np.empty((longest, width), dtype=table.dtype)
        for block, places in self.blocks:
            part = read[: places.stop - places.start]
            table.take(rows[places], axis=0, out=part, mode="clip")  # never clips
            size = (block.stop - block.start) * width
            np.maximum.reduce(part.reshape(-1, size), axis=0, out=top[block].reshape(size))
        return top


@dataclass(frozen=True, eq=False)
class Rays:
    """A sample's entries.

    Attributes:
        shape: height and width of the image of P pixels.
        classes: (P,) uint8 class of every pixel, see `pixel_classes`.
        still: the entries that posing does not move.
        voxels: the probe voxel of each of their places.
        moving: the others.
        columns: (3, n) float32 canonical points of their places, one row for each axis, metres;
            infinite where a point is not finite, which is outside every field.
    """

    shape: tuple[int, int]
    classes: UInt8
    still: Bundle
    voxels: Int64
    moving: Bundle
    columns: Float32

    @classmethod
    def of(cls, sample: PreparedSample, centers: Float32) -> Rays:
        """Sort the entries of a sample.

        Args:
            sample: the sample.
            centers: the centres of the probe voxels, see `probe_points`.
        """
        x, y, z = (sample.points != centers.take(sample.voxels, axis=0)).T
        moves = x | y | z
        sizes = np.diff(sample.starts, append=len(moves))
        moved = np.add.reduceat(moves, sample.starts, dtype=np.int64)
        moving = Bundle.of(sample.pixels, np.flatnonzero(moves), moved)
        still = Bundle.of(sample.pixels, np.flatnonzero(~moves), sizes - moved)
        columns = np.ascontiguousarray(sample.points.take(moving.entries, axis=0).T)
        columns[~np.isfinite(columns)] = np.inf
        voxels = sample.voxels.take(still.entries).astype(np.int64)
        return cls((sample.height, sample.width), sample.classes, still, voxels, moving, columns)

    def images(self, table: NDArray[Any], moving: NDArray[Any], nothing: float = 0) -> NDArray[Any]:
        """Return the images of C readings, (P, C).

        Args:
            table: (V, C) what they read at the centres of the probe voxels.
            moving: (p, C) the largest of what they read at the moving entries, for their pixels.
            nothing: the value of a pixel without entries, and the least.
        """
        images = np.full((len(self.classes), table.shape[1]), nothing, dtype=table.dtype)
        images[self.still.pixels] = self.still.largest_rows(table, self.voxels)
        images[self.moving.pixels] = np.maximum(images[self.moving.pixels], moving)
        return images


def probe_points(probes: GridSpec) -> Float32:
    """Return the centres of the probe voxels as points are kept, (N**3, 3) float32, metres."""
    return probes.centers().astype(np.float32)
