"""Reading many transformed copies of one field at the prepared points of a sample.

A copy that is moved, scaled or reflected along the axes is never built: it is the same field, read
at other points. Because each axis is mapped separately, the voxel index of every probe point is
computed once per axis and distinct map, and a trial is two sums, a gather and a maximum.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float32, Int32, Int64, UInt8
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.scoring import level_table
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.pap import category_mean, score_table
from chorus_bench.metrics.protocol import Protocol

_BLOCK = 8  # samples that are scored together
_SLACK = np.float32(1e-3)  # voxels; more than rounding can move a place


class AxisMap(NamedTuple):
    """The map of one axis of a copy, which is read at ``scale * x + offset``, metres."""

    scale: float = 1.0
    offset: float = 0.0


#: The maps of the axes x, y, z.
Reading = tuple[AxisMap, AxisMap, AxisMap]

IDENTITY: Reading = (AxisMap(), AxisMap(), AxisMap())


def translated(translation: Sequence[float]) -> Reading:
    """Return the maps of a field moved by ``translation`` (3,), metres: it is read at p - t."""
    x, y, z = (AxisMap(offset=-float(t)) for t in translation)
    return x, y, z


def scaled(factor: float, center: Sequence[float]) -> Reading:
    """Return the maps of a field scaled by ``factor``: it is read at c + (p - c) / factor.

    Args:
        factor: positive; 1 gives the unchanged field, to the last bit.
        center: (3,) the fixed point c, metres.
    """
    x, y, z = (AxisMap(1 / factor, float(c) * (1 - 1 / factor)) for c in center)
    return x, y, z


#: The maps of a field's mirror image, with left and right exchanged: read at (-x, y, z).
MIRRORED: Reading = (AxisMap(-1.0), AxisMap(), AxisMap())


@dataclass(frozen=True, eq=False)
class LevelCube:
    """The number of thresholds that each voxel reaches, with a layer of zeros as "outside".

    Attributes:
        table: ((N + 1)**3,) uint8 levels, C order of (i, j, k).
        spec: the field's grid of N voxels a side.
        filled: ((N + 1)**3,) int32 number of voxels before i, j and k that reach any threshold.
    """

    table: UInt8
    spec: GridSpec
    filled: Int32

    @classmethod
    def of(cls, field: OccupancyGrid, protocol: Protocol) -> LevelCube:
        """Return the levels of a field under a protocol."""
        levels = level_table(field, protocol)[:-1].reshape(field.spec.shape)
        filled = np.pad(levels > 0, (1, 0)).astype(np.int32)
        for axis in range(3):
            np.cumsum(filled, axis=axis, out=filled)
        return cls(np.pad(levels, (0, 1)).ravel(), field.spec, filled.ravel())

    def places(self, coordinates: Float32, axis: int, how: AxisMap) -> Float32:
        """Return the positions that a map reads along one axis, (m,) in voxels from the low side.

        The arithmetic is that of `GridSpec.indices`, so the identity reads the same voxel.

        Args:
            coordinates: (m,) of the probe points, metres.
            axis: 0, 1 or 2.
            how: the axis map.
        """
        low = self.spec.low.astype(np.float32)[axis]
        moved = coordinates * np.float32(how.scale) + np.float32(how.offset)
        return (moved - low) / np.float32(self.spec.voxel_size)

    def axis_index(self, coordinates: Float32, axis: int, how: AxisMap) -> Int32:
        """Return the voxel index that a map reads along one axis, (m,); N where outside."""
        index = np.trunc(self.places(coordinates, axis, how))
        inside = (index >= 0) & (index < self.spec.resolution)
        return np.where(inside, index, self.spec.resolution).astype(np.int32)

    def count(self, low: Sequence[Int32], high: Sequence[Int32]) -> Int64:
        """Return the number of voxels in a box that reach any threshold.

        Args:
            low: the first indices along the three axes, (m,) each.
            high: one more than the last.
        """
        side = self.spec.resolution + 1
        total = np.zeros(len(low[0]), dtype=np.int64)
        for corner in itertools.product((0, 1), repeat=3):
            i, j, k = ((low, high)[end][axis] for axis, end in enumerate(corner))
            sign = 1 if sum(corner) % 2 else -1
            total += sign * self.filled.take((i * side + j) * side + k)
        return total


def level_images(sample: PreparedSample, cube: LevelCube, readings: Sequence[Reading]) -> UInt8:
    """Return the occupancy image of every reading, as levels.

    Args:
        sample: the prepared sample of P pixels.
        cube: the field.
        readings: C readings. The maps of one axis must be translations, or scales about one
            point, so that the first and the last in order bound the positions of the others.

    Returns:
        (C, P) number of thresholds that the largest value on each pixel reaches.
    """
    images = np.zeros((len(readings), len(sample.classes)), dtype=np.uint8)
    maps = [sorted({reading[axis] for reading in readings}) for axis in range(3)]
    kept = _useful(sample.points, cube, maps)
    if not len(kept):
        return images
    pixels, starts = _segments(sample, kept)
    side = cube.spec.resolution + 1
    index = []
    for axis, column in enumerate(sample.points[kept].T.copy()):
        stride = np.int32(side ** (2 - axis))
        index.append({how: cube.axis_index(column, axis, how) * stride for how in maps[axis]})
    flat, levels = np.empty(len(kept), np.int32), np.empty(len(kept), np.uint8)
    for image, (x, y, z) in zip(images, readings, strict=True):
        np.add(index[0][x], index[1][y], out=flat)
        np.add(flat, index[2][z], out=flat)
        np.take(cube.table, flat, out=levels, mode="clip")  # never clips; spares a copy
        image[pixels] = np.maximum.reduceat(levels, starts)
    return images


def _useful(points: Float32, cube: LevelCube, maps: Sequence[Sequence[AxisMap]]) -> Int64:
    """Return the entries at which any reading may be non-zero, ascending."""
    last = cube.spec.resolution - 1
    inside = np.ones(len(points), dtype=bool)
    spans = []
    for axis, column in enumerate(points.T.copy()):
        ends = [cube.places(column, axis, maps[axis][end]) for end in (0, -1)]
        first, final = np.minimum(*ends) - _SLACK, np.maximum(*ends) + _SLACK
        inside &= (final > -1) & (first < last + 1)  # false for NaN
        spans.append((first, final))
    kept = np.flatnonzero(inside)
    low = [np.clip(first[kept], 0, last).astype(np.int32) for first, _ in spans]
    high = [np.clip(final[kept], 0, last).astype(np.int32) + np.int32(1) for _, final in spans]
    useful: Int64 = kept[cube.count(low, high) > 0]
    return useful


def _segments(sample: PreparedSample, kept: Int64) -> tuple[Int32, Int64]:
    """Return the pixels of the kept entries, and where each pixel's entries begin."""
    sizes = np.diff(sample.starts, append=len(sample.points))
    owner = np.repeat(np.arange(len(sample.pixels)), sizes)[kept]
    used, starts = np.unique(owner, return_index=True)
    return sample.pixels[used], starts.astype(np.int64)


def histograms(images: ArrayLike, classes: UInt8, thresholds: int) -> Int32:
    """Return the pixels of some images by class and level, (C, 4, T + 1).

    Args:
        images: (C, P) levels, 0 to T.
        classes: (P,) of the sample, see `pixel_classes`.
        thresholds: T.
    """
    levels = np.asarray(images)
    cells = 4 * (thresholds + 1)
    codes = np.arange(len(levels))[:, None] * cells + classes.astype(np.int64) * (thresholds + 1)
    counts = np.bincount((codes + levels).ravel(), minlength=len(levels) * cells)
    return counts.reshape(len(levels), 4, thresholds + 1).astype(np.int32)


def category_means(counts: Sequence[Int32], *, closed: bool) -> list[dict[str, float]]:
    """Return the four means of a category for every candidate.

    Args:
        counts: for each of the S samples the histograms (C, 4, T + 1) of the C candidates.
        closed: whether the last recall step counts.

    Returns:
        C dictionaries, see `category_mean`.
    """
    blocks = [
        score_table(np.stack(counts[begin : begin + _BLOCK]), closed=closed)
        for begin in range(0, len(counts), _BLOCK)
    ]
    scores = np.concatenate([block[0] for block in blocks])
    areas = np.concatenate([block[1] for block in blocks])
    return [category_mean(scores[:, c], areas[:, c]) for c in range(scores.shape[1])]
