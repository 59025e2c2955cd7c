"""The cube of voxels: its geometry, and the occupancy grids defined on it.

Voxel (i, j, k) of a cube with side ``L``, centre ``c`` and resolution ``N`` has its centre at
``c - L / 2 + (L / N) * ((i, j, k) + 1 / 2)``, axes x, y, z in that order, metres.

Source: docs/protocol.md P7.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float32, Float64, Int32
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError, list_some

MIN_RESOLUTION, MAX_RESOLUTION = 8, 256


@checked
@displayed
@dataclass(frozen=True)
class GridSpec:
    """A cube of ``resolution ** 3`` voxels in the frame of the body template.

    Args:
        resolution: voxels along each axis, N, 8 to 256.
        side_length: side of the cube in metres.
        center: centre of the cube in metres, body frame; (0, 0, 0) is the template's origin.

    Raises:
        InputError: a value is out of range.
    """

    resolution: int = 48
    side_length: float = 3.0
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not MIN_RESOLUTION <= self.resolution <= MAX_RESOLUTION:
            raise InputError(
                f"grid resolution {self.resolution}",
                expected=f"a whole number from {MIN_RESOLUTION} to {MAX_RESOLUTION}",
            )
        if not (np.isfinite(self.side_length) and self.side_length > 0):
            raise InputError(
                f"grid side length {self.side_length}", expected="a positive number of metres"
            )
        if len(self.center) != 3 or not np.isfinite(self.center).all():
            raise InputError(f"grid center {self.center}", expected="three numbers in metres")

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape (N, N, N) of an array of values on this grid."""
        return (self.resolution, self.resolution, self.resolution)

    @property
    def voxels(self) -> int:
        """The number of voxels, N ** 3."""
        return self.resolution**3

    @property
    def voxel_size(self) -> float:
        """The side of one voxel in metres."""
        return self.side_length / self.resolution

    @property
    def low(self) -> Float64:
        """The corner of the cube with the smallest coordinates, (3,), metres."""
        return np.asarray(self.center, dtype=np.float64) - self.side_length / 2

    @property
    def label(self) -> str:
        """The grid as it appears in a signature, for example ``48x3.0``."""
        base = f"{self.resolution}x{self.side_length!r}"
        if any(self.center):
            base += "@" + ",".join(repr(float(c)) for c in self.center)
        return base

    def centers(self) -> Float64:
        """Return the voxel centres, (N**3, 3) in metres, in C order of (i, j, k). Read-only."""
        return _centers(self)

    @checked
    def indices(self, points: Annotated[ArrayLike, Shape("... 3")]) -> Int32:
        """Return the flat index of the voxel that is read at each point.

        The continuous index ``(p - low) / voxel_size`` is computed in float32 and truncated
        toward zero on each axis, as in the original: a point less than one voxel below the
        cube still reads the first layer.

        Args:
            points: (..., 3) in metres, the grid's frame.

        Returns:
            (...) int32 flat C-order indices; ``voxels`` (one past the end) where the point is
            outside the cube or not finite.

        Source: docs/protocol.md P13.
        """
        p = np.asarray(points, dtype=np.float32)
        with np.errstate(invalid="ignore"):
            index = np.trunc((p - self.low.astype(np.float32)) / np.float32(self.voxel_size))
            inside = ((index >= 0) & (index < self.resolution)).all(axis=-1)
        index = np.where(inside[..., None], index, 0).astype(np.int32)
        n = np.int32(self.resolution)
        flat = (index[..., 0] * n + index[..., 1]) * n + index[..., 2]
        return np.where(inside, flat, np.int32(self.voxels)).astype(np.int32)


@lru_cache(maxsize=8)
def _centers(spec: GridSpec) -> Float64:
    index = np.indices(spec.shape, dtype=np.float64).reshape(3, -1).T
    centers: Float64 = np.ascontiguousarray(spec.low + spec.voxel_size * (index + 0.5))
    centers.flags.writeable = False
    return centers


@checked
@displayed
@dataclass(frozen=True)
class OccupancyGrid:
    """Occupancy probabilities on a grid.

    Args:
        values: (N, N, N) probabilities in [0, 1], axes x, y, z; kept as float32.
        spec: the grid's geometry; by default a 3 m cube around the origin.

    Raises:
        InputError: a wrong shape, or values that are not finite or outside [0, 1].
    """

    values: Float32
    spec: GridSpec = GridSpec()

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        if values.shape != self.spec.shape:
            raise InputError(
                f"occupancy grid of shape {values.shape}", expected=f"shape {self.spec.shape}"
            )
        check_probabilities(values)
        object.__setattr__(self, "values", values)

    @checked
    def at(self, points: Annotated[ArrayLike, Shape("... 3")]) -> Float32:
        """Return the probabilities at ``points`` (..., 3), metres; 0 outside the cube."""
        table = np.append(self.values.reshape(-1), np.float32(0))
        read: Float32 = table[self.spec.indices(points)]
        return read

    def _facts(self) -> dict[str, object]:
        return {
            "grid": self.spec.label,
            "largest": float(self.values.max()),
        }


@checked
def check_probabilities(values: NDArray[np.floating], *, where: object | None = None) -> None:
    """Raise an `InputError` when values are not finite or lie outside [0, 1].

    The message gives the number of wrong values, and the first one with its index.
    """
    for kind, wrong in (
        ("NaN or infinite", ~np.isfinite(values)),
        ("outside [0, 1]", (values < 0) | (values > 1)),
    ):
        count = int(np.count_nonzero(wrong))
        if count:
            first = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise InputError(
                f"{count} of {values.size} values are {kind}; "
                f"the first is {values[first]!s} at index {list_some(first)}",
                where=where,
                expected="occupancy probabilities from 0 to 1",
            )
