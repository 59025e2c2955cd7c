"""Reading many transformed copies of one field at the prepared points of a sample.

A copy that is moved, scaled or reflected along the axes is never built: it is the same field, read
at other points. Because each axis is mapped separately, the voxel index of every point is computed
once per axis and distinct map, and a trial is two sums, a gather and a maximum.

Translations that differ along z alone are read together (`Words`): one gather fetches the levels
of up to eight of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.array_types import Float32, Float64, Int32, Int64, UInt8
from chorus_bench.evaluation.rays import Rays
from chorus_bench.evaluation.scoring import level_table
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.pap import TARGET, PixelCounts, average_precision
from chorus_bench.metrics.protocol import Protocol

_BLOCK = 8  # samples that are scored together
_WORD = 8  # readings that are fetched together
_TABLE = 1 << 24  # bytes of a table of words


class AxisMap(NamedTuple):
    """The map of one axis of a copy, which is read at ``scale * x + offset``, metres."""

    scale: float = 1.0
    offset: float = 0.0


#: The maps of the axes x, y, z.
Reading = tuple[AxisMap, AxisMap, AxisMap]

IDENTITY: Reading = (AxisMap(), AxisMap(), AxisMap())


def moved(translation: float) -> AxisMap:
    """Return the map of one axis of a field moved by ``translation``, metres: read at x - t."""
    return AxisMap(offset=-float(translation))


def translated(translation: Sequence[float]) -> Reading:
    """Return the maps of a field moved by ``translation`` (3,), metres: it is read at p - t."""
    x, y, z = map(moved, translation)
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
class PaddedCube:
    """The values of a field's voxels with a layer of zeros on every side, for "outside".

    Attributes:
        table: ((N + 2)**3,) values, C order of (i, j, k).
        spec: the field's grid of N voxels a side.
    """

    table: NDArray[Any]
    spec: GridSpec

    @classmethod
    def of(cls, field: OccupancyGrid) -> PaddedCube:
        """Return the probabilities of a field."""
        return cls(np.pad(field.values, 1).ravel(), field.spec)

    @classmethod
    def levels(cls, field: OccupancyGrid, protocol: Protocol) -> PaddedCube:
        """Return the number of thresholds that each voxel reaches, uint8."""
        levels = level_table(field, protocol)[:-1].reshape(field.spec.shape)
        return cls(np.pad(levels, 1).ravel(), field.spec)

    @property
    def side(self) -> int:
        """Voxels along each axis, N + 2."""
        return self.spec.resolution + 2

    def axis_index(self, coordinates: Float32, axis: int, how: AxisMap) -> Int32:
        """Return the index that a map reads along one axis, (m,): -1 or N where outside.

        The arithmetic is that of `GridSpec.indices`, so the identity reads the same voxel. An index
        never decreases with the coordinate if the scale is positive.

        Args:
            coordinates: (m,) of the points, metres.
            axis: 0, 1 or 2.
            how: the axis map.
        """
        given = coordinates if how.scale == 1 else coordinates * np.float32(how.scale)
        place = given + np.float32(how.offset)
        place -= self.spec.low.astype(np.float32)[axis]
        place /= np.float32(self.spec.voxel_size)
        np.clip(place, -1, self.spec.resolution, out=place)
        return place.astype(np.int32)

    def read(self, rays: Rays, reading: Reading) -> NDArray[Any]:
        """Return the values that a reading reads at each of a sample's entries, (n,)."""
        along = zip(rays.columns, reading, strict=True)
        place, y, z = (self.axis_index(c, axis, how) for axis, (c, how) in enumerate(along))
        for index in (y, z):
            place *= np.int32(self.side)
            place += index
        place += np.int32((self.side + 1) * self.side + 1)  # the voxel (0, 0, 0)
        return self.table.take(place, mode="clip")  # never clips

    def first_places(self, axis: int, how: AxisMap) -> Float32:
        """Return the smallest coordinate at which a map reads each of the indices 0 to N."""
        indices = np.arange(self.side - 1)
        below, above = (np.full(self.side - 1, _number(end)) for end in (-_FAR, _FAR))
        while (above - below > 1).any():
            middle = (below + above) // 2
            reached = self.axis_index(_coordinate(middle), axis, how) >= indices
            below, above = np.where(reached, below, middle), np.where(reached, middle, above)
        return _coordinate(above)


_FAR = np.float32(1e30)  # metres


def _number(coordinate: np.float32) -> Int64:
    """Return the number of a float32 in their ascending order; 0 has the number 0."""
    bits = np.abs(coordinate).view(np.int32).astype(np.int64)
    return np.asarray(np.where(coordinate < 0, -bits, bits))


def _coordinate(numbers: Int64) -> Float32:
    """Undo `_number`."""
    sizes = np.abs(numbers).astype(np.int32).view(np.float32)
    return np.asarray(np.where(numbers < 0, -sizes, sizes), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Words:
    """The levels of several translations along z, side by side in one table.

    The indices that the maps read along z change at few coordinates, and never decrease. So their
    sum says each of them.

    Attributes:
        table: ((N + 2)**2 * K, B) levels of the maps at (i, j) and each of K possible sums.
        maps: the maps of z, at most B.
        cube: the levels of the field.
    """

    table: UInt8
    maps: tuple[AxisMap, ...]
    cube: PaddedCube

    @classmethod
    def of(cls, cube: PaddedCube, maps: Sequence[AxisMap]) -> list[Words]:
        """Return tables of some maps along z, as many as their size demands."""
        size = _WORD
        while size > 1 and cube.side**2 * (size * cube.side) * size > _TABLE:
            size //= 2
        groups = [tuple(maps[begin : begin + size]) for begin in range(0, len(maps), size)]
        return [cls._of(cube, group) for group in groups]

    @classmethod
    def _of(cls, cube: PaddedCube, maps: tuple[AxisMap, ...]) -> Words:
        changes = np.concatenate([cube.first_places(2, how) for how in maps])
        layers = np.stack([cube.axis_index(changes, 2, how) for how in maps]) + 1
        width = 1 << (len(maps) - 1).bit_length()  # a gather is fast for powers of two
        known = np.zeros((len(maps) * (cube.side - 1) + 1, width), dtype=np.int64)
        known[layers.sum(axis=0), : len(maps)] = layers.T
        table = cube.table.reshape(-1, cube.side)[:, known.ravel()]
        return cls(np.ascontiguousarray(table).reshape(-1, width), maps, cube)

    @property
    def width(self) -> int:
        """The number of levels in a word, B."""
        return self.table.shape[1]

    def images(
        self, rays: Rays, x: Sequence[AxisMap], y: Sequence[AxisMap]
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield for every map of x the images of all maps of y and z, (Y, p, Z) levels."""
        cube, sums = self.cube, len(self.table) // self.cube.side**2
        start = cube.axis_index(rays.columns[2], 2, self.maps[0])
        for how in self.maps[1:]:
            start += cube.axis_index(rays.columns[2], 2, how)
        start += np.int32((cube.side + 1) * sums + len(self.maps))  # index -1 is the first layer
        rows = [cube.axis_index(rays.columns[1], 1, how) * np.int32(sums) for how in y]
        words = np.empty((len(y), len(start), self.width), dtype=np.uint8)
        place = np.empty_like(start)
        for how in x:
            first = cube.axis_index(rays.columns[0], 0, how)
            first *= np.int32(cube.side * sums)
            first += start
            for row, out in zip(rows, words, strict=True):
                np.add(first, row, out=place)
                np.take(self.table, place, axis=0, out=out, mode="clip")  # never clips
            top = rays.largest(words.reshape(len(y), -1), self.width)
            yield top.reshape(len(y), -1, self.width)[..., : len(self.maps)]


def box_counts(
    rays: Rays, words: Sequence[Words], x: Sequence[AxisMap], y: Sequence[AxisMap], thresholds: int
) -> Int32:
    """Return the pixels of a sample by level and class under every combination of three maps.

    Args:
        rays: the sample's entries.
        words: the field, with the maps of z.
        x: X maps.
        y: Y maps.
        thresholds: T.

    Returns:
        (T + 1, 2, X * Y * Z) number of pixels off the target and on it, x slowest, z fastest.
    """
    parts = []
    for one in words:
        counted = [level_counts(rays, images, thresholds) for images in one.images(rays, x, y)]
        parts.append(np.stack(counted, axis=2))  # (T + 1, 2, X, Y, Z)
    return np.concatenate(parts, axis=-1).reshape(thresholds + 1, 2, -1)


def reading_counts(
    rays: Rays, cube: PaddedCube, readings: Sequence[Reading], thresholds: int
) -> Int32:
    """Return the pixels of a sample by level and class, (T + 1, 2, C), under C readings."""
    levels = rays.largest(np.stack([cube.read(rays, reading) for reading in readings]))
    return level_counts(rays, levels[..., None], thresholds).reshape(thresholds + 1, 2, -1)


def level_counts(rays: Rays, images: ArrayLike, thresholds: int) -> Int32:
    """Return the pixels of some images by level and class.

    Args:
        rays: the sample's entries.
        images: (Y, p, Z) levels of the sample's pixels that have entries, 0 to T.
        thresholds: T.

    Returns:
        (T + 1, 2, Y, Z) number of the sample's pixels off the target and on it; those without
        entries have level 0.
    """
    levels = np.asarray(images).astype(np.int64)
    rows, _, columns = levels.shape
    levels *= 2 * rows * columns
    levels += (rays.on_target * (rows * columns))[:, None]
    levels += (np.arange(rows) * columns)[:, None, None] + np.arange(columns)
    counts = np.bincount(levels.ravel(), minlength=(thresholds + 1) * 2 * rows * columns)
    found = counts.reshape(thresholds + 1, 2, rows, columns).astype(np.int32)
    targets = int(np.count_nonzero(rays.classes & TARGET))
    for side, pixels in enumerate((len(rays.classes) - targets, targets)):
        found[0, side] += np.int32(pixels - np.count_nonzero(rays.on_target == side))
    return found


def mean_pap(counts: Sequence[Int32], *, closed: bool) -> list[float]:
    """Return a category's PAP for every candidate, as `category_mean` gives it.

    Args:
        counts: for each of the S samples the pixels of C candidates, (T + 1, 2, C).
        closed: whether the last recall step counts.
    """
    used = [one for one in counts if one[:, 1, 0].any()]
    blocks = [
        _pap(np.stack(used[begin : begin + _BLOCK], axis=1), closed=closed)
        for begin in range(0, len(used), _BLOCK)
    ]
    scores = np.concatenate(blocks).T.tolist()
    return [math.fsum(of_candidate) / len(used) for of_candidate in scores]


def _pap(counts: Int32, *, closed: bool) -> Float64:
    """Return PAP, (S, C), from counts (T + 1, S, 2, C)."""
    at_least = np.cumsum(counts[::-1], axis=0, dtype=np.int64)[::-1]
    predicted, hit = at_least[1:].sum(axis=2), at_least[1:, :, 1]
    found = PixelCounts(np.moveaxis(predicted, 0, -1), np.moveaxis(hit, 0, -1), at_least[0, :, 1])
    return average_precision(found, closed=closed)[0]
