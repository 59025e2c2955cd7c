"""Distances between the surfaces of a field and of the ground truth, and between their centres.

The surface of a field at a level is the boundary of the voxels whose probability reaches it, as the
centres of the voxel faces between inside and outside. All lengths are metres.

Conventions where something is empty (papers differ): if both are empty, the F-score is 1 and the
Chamfer distance 0. If one is, the F-score is 0, and the Chamfer distance is the diagonal of the
cube, than which no distance in it is longer; the same holds for the centre of an empty field.
Against an empty truth there is no centre error.

Source: docs/evaluation.md, Scores in 3D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float64
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec

#: Distances within which a surface point counts as found, metres.
NEAR, FAR = 0.05, 0.10


@dataclass(frozen=True)
class SurfaceScores:
    """Two surfaces compared.

    Attributes:
        chamfer: mean of the two mean distances to the nearest point of the other surface, metres.
        f_5cm: F-score: harmonic mean of the shares of points within 5 cm of the other surface.
        f_10cm: the same within 10 cm.
    """

    chamfer: float
    f_5cm: float
    f_10cm: float


def surface_points(voxels: ArrayLike, grid: GridSpec) -> Float64:
    """Return the centres of the faces between inside and outside, (n, 3) metres.

    Args:
        voxels: (N, N, N) booleans; outside the cube is outside.
        grid: the grid.

    Raises:
        InputError: another shape.
    """
    inside = np.asarray(voxels, dtype=bool)
    if inside.shape != grid.shape:
        raise InputError(f"voxels of shape {inside.shape}", expected=f"shape {grid.shape}")
    padded = np.pad(inside, 1)
    found = []
    for axis in range(3):
        change = np.argwhere(np.diff(padded, axis=axis))  # index of the voxel before the face
        place = change - 0.5  # padding shifts by one, voxel centres by a half
        place[:, axis] += 0.5
        found.append(place)
    return np.asarray(grid.low + grid.voxel_size * np.concatenate(found))


def compare_surfaces(first: Float64, second: Float64, grid: GridSpec) -> SurfaceScores:
    """Compare two sets of surface points.

    Args:
        first: (n, 3) metres.
        second: (m, 3) metres.
        grid: the cube of both.
    """
    if not len(first) or not len(second):
        same = len(first) == len(second)
        return SurfaceScores(0.0 if same else diagonal(grid), float(same), float(same))
    away, back = _distances(first, second), _distances(second, first)
    return SurfaceScores(
        float((away.mean() + back.mean()) / 2), *(_f_score(away, back, d) for d in (NEAR, FAR))
    )


def _distances(here: Float64, there: Float64) -> Float64:
    """Return the distance of each point to the nearest of others, (n,)."""
    from scipy.spatial import cKDTree  # slow to import, for 3D scores only

    return np.asarray(cKDTree(there).query(here)[0])


def _f_score(away: Float64, back: Float64, distance: float) -> float:
    # The distances are sums of rounded numbers: what is 10 cm away counts.
    precision, recall = (float((d <= distance + 1e-9).mean()) for d in (away, back))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def centre_error(probabilities: ArrayLike, truth: ArrayLike, grid: GridSpec) -> float:
    """Return the distance between the centre of mass of a field and that of the truth, metres.

    Args:
        probabilities: (N, N, N) in [0, 1].
        truth: (N, N, N) booleans.
        grid: the grid of both.

    Returns:
        The distance; the cube's diagonal for an empty field; NaN for an empty truth.
    """
    centers = grid.centers()
    weights = [np.asarray(v, dtype=np.float64).ravel() for v in (probabilities, truth)]
    if not weights[1].any():
        return float("nan")
    if not weights[0].any():
        return diagonal(grid)
    first, second = ((w[:, None] * centers).sum(axis=0) / w.sum() for w in weights)
    return float(np.linalg.norm(first - second))


def diagonal(grid: GridSpec) -> float:
    """Return the diagonal of a cube, metres."""
    return float(np.sqrt(3) * grid.side_length)
