"""Points that move with bones, and with shape coefficients.

Source: docs/protocol.md P2 to P6.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float64
from chorus_bench.boundary import checked
from chorus_bench.geometry import exact


@checked
def blended_motions(
    transforms: Annotated[Float64, Shape("... 24 4 4")],
    weights: Annotated[Float64, Shape("24 n")],
    rest: Annotated[Float64, Shape("... n 3")],
) -> Float64:
    """Move points by linear blend skinning.

    Args:
        transforms: (..., 24, 4, 4) of the bones.
        weights: (24, n) of the points.
        rest: (..., n, 3) the points at rest.

    Returns:
        (..., n, 3) the points, moved.
    """
    entries = transforms[..., :3, :].reshape(*transforms.shape[:-2], 12)
    blended = exact.product(np.swapaxes(entries, -1, -2), weights)
    rows = blended.reshape(*blended.shape[:-2], 3, 4, weights.shape[1])
    x, y, z = (rest[..., None, :, axis] for axis in range(3))
    moved = rows[..., 0, :] * x + rows[..., 1, :] * y + rows[..., 2, :] * z + rows[..., 3, :]
    return np.ascontiguousarray(np.swapaxes(moved, -1, -2))


def shaped_points(
    mean: NDArray[np.floating], directions: NDArray[np.floating] | None, betas: ArrayLike | None
) -> Float64:
    """Return points (n, 3) moved along directions (n, 3, S) by shape coefficients."""
    points = np.array(mean, dtype=np.float64)
    if betas is None or directions is None or not np.any(betas):
        return points
    coefficients = np.asarray(betas, dtype=np.float64)
    for number in range(min(len(coefficients), directions.shape[-1])):
        points += directions[..., number].astype(np.float64) * coefficients[number]
    return points


def inverse_motions(motions: Float64) -> Float64:
    """Return the inverses of rotations with a shift, (..., 4, 4)."""
    inverse = np.zeros_like(motions)
    turned_back = np.swapaxes(motions[..., :3, :3], -1, -2)
    inverse[..., :3, :3] = turned_back
    inverse[..., :3, 3] = -exact.apply(turned_back, motions[..., :3, 3])
    inverse[..., 3, 3] = 1
    return inverse
