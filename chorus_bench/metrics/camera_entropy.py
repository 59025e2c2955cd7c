"""Camera entropy: how evenly the cameras of a dataset look at the person.

Every camera's direction (its centre in the body frame, normalised) is a Gaussian in geodesic
distance on the unit sphere; the entropy of their mixture is high when views come from all
directions. The paper prints bits of a discretised density without stating the cells, so the cells
are stated here, and the differential entropy, which needs none, is given as well.

Source: docs/method.md M21; the paper, table 1 ("camera entropy").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from chorus_bench.array_types import Float64
from chorus_bench.errors import InputError

SIGMA = 0.01
CELLS = 2**19
_REACH = 5.0  # standard deviations beyond which a Gaussian counts as zero
_CHUNK = 2000


@dataclass(frozen=True)
class CameraEntropy:
    """The entropy of a mixture of directions.

    Attributes:
        bits: entropy of the mixture discretised into ``cells`` equal areas, in bits.
        differential_bits: differential entropy in bits; log2(4 pi) = 3.65 for uniform directions.
        cameras: number of directions.
        cells: equal-area cells of the sphere (a Fibonacci lattice).
        sigma: standard deviation of each Gaussian, radians.
    """

    bits: float
    differential_bits: float
    cameras: int
    cells: int
    sigma: float


def camera_entropy(
    centers: ArrayLike, *, sigma: float = SIGMA, cells: int = CELLS
) -> CameraEntropy:
    """Return the entropy of camera directions.

    Args:
        centers: (n, 3) camera centres in the body frame, of any length but zero.
        sigma: standard deviation of the geodesic distance, radians.
        cells: number of equal-area cells; their spacing must be finer than sigma.

    Raises:
        InputError: no cameras, centres that are zero or not finite, cells too coarse.
    """
    directions = _directions(centers)
    if np.sqrt(4 * np.pi / cells) > sigma:
        raise InputError(
            f"{cells} cells are too coarse for a sigma of {sigma}",
            expected=f"at least {int(np.ceil(4 * np.pi / sigma**2))} cells",
        )
    mass = _mixture(directions, sigma, cells)
    occupied = mass[mass > 0]
    bits = float(-(occupied * np.log2(occupied)).sum())
    return CameraEntropy(
        bits=bits,
        differential_bits=bits + float(np.log2(4 * np.pi / cells)),
        cameras=len(directions),
        cells=cells,
        sigma=sigma,
    )


def fibonacci_sphere(cells: int) -> Float64:
    """Return the centres (cells, 3) of equal-area cells of the unit sphere."""
    number = np.arange(cells) + 0.5
    y = 1 - 2 * number / cells
    angle = np.pi * (1 + np.sqrt(5)) * number
    radius = np.sqrt(1 - y**2)
    return np.stack([radius * np.cos(angle), y, radius * np.sin(angle)], axis=1)


def _directions(centers: ArrayLike) -> Float64:
    centers = np.asarray(centers, dtype=np.float64).reshape(-1, 3)
    lengths = np.linalg.norm(centers, axis=1)
    if not len(centers):
        raise InputError("no cameras", expected="at least one camera centre")
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        bad = int(np.argmin(np.isfinite(lengths) & (lengths > 0)))
        raise InputError(f"camera centre {centers[bad]} (number {bad}) has no direction")
    return centers / lengths[:, None]


def _mixture(directions: Float64, sigma: float, cells: int) -> Float64:
    """Return the mass (cells,) of the mixture in each cell; each camera carries 1 / n."""
    lattice = cKDTree(fibonacci_sphere(cells))
    mass = np.zeros(cells)
    reach = 2 * np.sin(min(_REACH * sigma, np.pi) / 2)  # the chord of the geodesic distance
    for begin in range(0, len(directions), _CHUNK):
        chunk = cKDTree(directions[begin : begin + _CHUNK])
        pairs = chunk.sparse_distance_matrix(lattice, reach, output_type="ndarray")
        geodesic = 2 * np.arcsin(np.clip(pairs["v"] / 2, 0, 1))
        weight = np.exp(-0.5 * (geodesic / sigma) ** 2)
        weight /= np.bincount(pairs["i"], weight, minlength=chunk.n)[pairs["i"]]
        mass += np.bincount(pairs["j"], weight, minlength=cells)
    return mass / len(directions)
