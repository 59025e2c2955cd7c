"""Reading many transformed copies of one field at the prepared points of a sample.

A copy that is moved, scaled or reflected along the axes is never built: it is the same field, read
at other points. Each axis is mapped separately, so what all copies say at the centres of the probe
voxels is a few slices of the field. It is kept side by side, one row a voxel, and an entry that
posing does not move fetches one row.

At the other entries the voxel index is computed once per axis and distinct map, and translations
that differ along z alone are read together (`Words`): one gather fetches the levels of up to eight
of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Int32, Int64, UInt8
from chorus_bench.evaluation.rays import Rays
from chorus_bench.evaluation.scoring import level_table
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.protocol import Protocol

_WORD = 8  # readings that are fetched together
_TABLE = 1 << 24  # bytes of a table of words
_PROBED = 1 << 27  # bytes of the levels at probe voxels


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
    def top(self) -> Any:  # noqa: ANN401 - a number of the table's type
        """The largest value."""
        return self.table.max()

    @property
    def side(self) -> int:
        """Voxels along each axis, N + 2."""
        return self.spec.resolution + 2

    def layers(self, coordinates: Float32, axis: int, maps: Sequence[AxisMap]) -> Int32:
        """Return the layer of `block` that each map reads along one axis, (maps, m).

        It is 0 or N + 1 where outside. The arithmetic is that of `GridSpec.indices`, so the
        identity reads the same voxel. A layer never decreases with the coordinate if the scale is
        positive.

        Args:
            coordinates: (m,) of the points, metres.
            axis: 0, 1 or 2.
            maps: the axis maps.
        """
        found = np.empty((len(maps), len(coordinates)), dtype=np.int32)
        place = np.empty(len(coordinates), dtype=np.float32)
        low, size = self.spec.low.astype(np.float32)[axis], np.float32(self.spec.voxel_size)
        for row, how in zip(found, maps, strict=True):
            given = coordinates if how.scale == 1 else coordinates * np.float32(how.scale)
            np.add(given, np.float32(how.offset), out=place)
            place -= low
            place /= size
            np.clip(place, -1, self.spec.resolution, out=place)
            row[...] = place  # toward zero
        found += 1
        return found

    def read(self, columns: Float32, readings: Sequence[Reading]) -> NDArray[Any]:
        """Return what some readings read at some points, (C, n) from columns (3, n)."""
        values = np.empty((len(readings), columns.shape[1]), dtype=self.table.dtype)
        for row, reading in zip(values, readings, strict=True):
            along = zip(columns, reading, strict=True)
            place, y, z = (self.layers(c, axis, [how])[0] for axis, (c, how) in enumerate(along))
            for layer in (y, z):
                place *= np.int32(self.side)
                place += layer
            self.table.take(place, out=row, mode="clip")  # never clips
        return values

    @property
    def block(self) -> NDArray[Any]:
        """The values with their layer of zeros, (N + 2, N + 2, N + 2)."""
        return self.table.reshape(self.side, self.side, self.side)

    def first_places(self, axis: int, how: AxisMap) -> Float32:
        """Return the smallest coordinate at which a map reads each of the indices 0 to N."""
        indices = np.arange(self.side - 1)
        below, above = (np.full(self.side - 1, _number(end)) for end in (-_FAR, _FAR))
        while (above - below > 1).any():
            middle = (below + above) // 2
            reached = self.layers(_coordinate(middle), axis, [how])[0] > indices
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
        table: (K * (N + 2)**2, B) levels of the maps at each of K possible sums and at (i, j).
        maps: the maps of z, at most B.
        cube: the levels of the field.
    """

    table: UInt8
    maps: tuple[AxisMap, ...]
    cube: PaddedCube

    @classmethod
    def of(cls, cube: PaddedCube, maps: Sequence[AxisMap]) -> tuple[Words, ...]:
        """Return tables of some maps along z, as many as their size demands."""
        size = _WORD
        while size > 1 and cube.side**2 * (size * cube.side) * size > _TABLE:
            size //= 2
        groups = [tuple(maps[begin : begin + size]) for begin in range(0, len(maps), size)]
        return tuple(cls._of(cube, group) for group in groups)

    @classmethod
    def _of(cls, cube: PaddedCube, maps: tuple[AxisMap, ...]) -> Words:
        changes = np.concatenate([cube.first_places(2, how) for how in maps])
        layers = cube.layers(changes, 2, maps)
        width = 1 << (len(maps) - 1).bit_length()  # a gather is fast for powers of two
        known = np.zeros((len(maps) * (cube.side - 1) + 1, width), dtype=np.int64)
        known[layers.sum(axis=0), : len(maps)] = layers.T
        table = np.empty((len(known), cube.side**2, width), dtype=np.uint8)
        for layer, part in zip(known.T, np.moveaxis(table, -1, 0), strict=True):
            part[...] = cube.table.reshape(-1, cube.side).T[layer]
        return cls(table.reshape(-1, width), maps, cube)

    def images(
        self, rays: Rays, x: Sequence[AxisMap], y: Sequence[AxisMap]
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield for every map of x the largest levels under all maps of y and z, (Y, p, Z).

        They are those of the sample's moving entries.
        """
        cube, (across, up, along) = self.cube, rays.columns
        start = cube.layers(along, 2, self.maps).sum(axis=0, dtype=np.int32)
        start *= np.int32(cube.side**2)
        rows = cube.layers(up, 1, y)
        rows += start
        words = np.empty((*rows.shape, self.table.shape[1]), dtype=np.uint8)
        place = np.empty_like(start)
        for first in cube.layers(across, 0, x):
            first *= np.int32(cube.side)
            for row, out in zip(rows, words, strict=True):
                np.add(row, first, out=place)
                self.table.take(place, axis=0, out=out, mode="clip")  # never clips
            yield rays.moving.largest(words)[..., : len(self.maps)]


@dataclass(frozen=True, eq=False)
class Box:
    """Every combination of maps along x, y and z, x slowest, z fastest.

    Attributes:
        x: X maps.
        y: Y maps.
        words: the field, with the Z maps of z.
        probed: (V, X * Y * Z) levels at the probe voxels' centres.
        cube: the levels of the field.
    """

    x: tuple[AxisMap, ...]
    y: tuple[AxisMap, ...]
    words: tuple[Words, ...]
    probed: UInt8
    cube: PaddedCube

    @classmethod
    def of(cls, cube: PaddedCube, maps: Sequence[Sequence[AxisMap]], probes: Float32) -> list[Box]:
        """Return all combinations, in as many boxes as their size demands.

        Args:
            cube: the levels of a field.
            maps: those of x, y and z.
            probes: (V, 3) the centres of the probe voxels, see `probe_points`.
        """
        x, y, z = map(tuple, maps)
        words = Words.of(cube, z)
        size = max(1, _PROBED // (len(probes) * len(y) * len(z)))
        groups = [x[begin : begin + size] for begin in range(0, len(x), size)]
        return [
            cls(group, y, words, _probed(cube, (group, y, z), probes), cube) for group in groups
        ]

    def images(self, rays: Rays) -> UInt8:
        """Return the sample's images, (P, X * Y * Z) levels."""
        return rays.images(self.probed, self._moving(rays))

    def _moving(self, rays: Rays) -> UInt8:
        count = sum(len(one.maps) for one in self.words)
        size = (len(rays.moving.pixels), len(self.x), len(self.y), count)
        found, end = np.empty(size, dtype=np.uint8), 0
        for one in self.words:
            part = found[..., end : end + len(one.maps)]
            for number, images in enumerate(one.images(rays, self.x, self.y)):
                part[:, number] = images.transpose(1, 0, 2)
            end += len(one.maps)
        return found.reshape(len(found), -1)


def _probed(cube: PaddedCube, maps: Sequence[Sequence[AxisMap]], probes: Float32) -> UInt8:
    """Return the levels at the probe voxels' centres under all combinations of maps, (V, C)."""
    x, y, z = (cube.layers(c, axis, maps[axis]) for axis, c in enumerate(_axes(probes)))
    n, side = x.shape[1], cube.side
    along_z = np.ascontiguousarray(cube.block[:, :, z.T])
    planes = np.empty((side, n, n, len(y), len(z)), dtype=np.uint8)
    for number, layers in enumerate(y):
        planes[:, :, :, number] = along_z[:, layers]
    rows = planes.reshape(side, n * n, -1)
    probed = np.empty((n, n * n, len(x), rows.shape[-1]), dtype=np.uint8)
    for part, layers in zip(probed, x.T, strict=True):
        part[...] = rows[layers].transpose(1, 0, 2)
    return probed.reshape(n**3, -1)


def _axes(probes: Float32) -> list[Float32]:
    """Return the coordinates of the probe voxels' centres along each axis, (N,) each."""
    n = round(len(probes) ** (1 / 3))
    cube = probes.reshape(n, n, n, 3)
    return [cube[:, 0, 0, 0], cube[0, :, 0, 1], cube[0, 0, :, 2]]


@dataclass(frozen=True, eq=False)
class Readings:
    """Some readings of the values of a field.

    Attributes:
        cube: the values.
        readings: C readings.
        probed: (V, C) their values at the probe voxels' centres.
    """

    cube: PaddedCube
    readings: tuple[Reading, ...]
    probed: NDArray[Any]

    @classmethod
    def of(cls, cube: PaddedCube, readings: Sequence[Reading], probes: Float32) -> Readings:
        """Return some readings.

        Args:
            cube: the values of a field.
            readings: the readings.
            probes: (V, 3) the centres of the probe voxels, see `probe_points`.
        """
        probed = np.empty((len(probes), len(readings)), dtype=cube.table.dtype)
        for column, reading in zip(probed.T, readings, strict=True):
            axes = zip(_axes(probes), reading, strict=True)
            layers = (cube.layers(c, axis, [how])[0] for axis, (c, how) in enumerate(axes))
            column[...] = cube.block[np.ix_(*layers)].ravel()
        return cls(cube, tuple(readings), probed)

    def images(self, rays: Rays, nothing: float = 0) -> NDArray[Any]:
        """Return the sample's images, (P, C).

        Args:
            rays: the sample's entries.
            nothing: the value of a pixel without entries, and the least.
        """
        read = self.cube.read(rays.columns, self.readings)
        return images_of_values(rays, self.probed, read, nothing)


def images_of_values(
    rays: Rays, probed: NDArray[Any], read: NDArray[Any], nothing: float
) -> NDArray[Any]:
    """Return the images of C readings, (P, C).

    Args:
        rays: the sample's entries.
        probed: (V, C) what they read at the centres of the probe voxels.
        read: (C, n) what they read at the moving entries.
        nothing: the value of a pixel without entries, and the least.
    """
    moving = rays.moving.largest(read[..., None])[..., 0]
    return rays.images(probed, moving.T, nothing)
