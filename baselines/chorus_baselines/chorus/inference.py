"""Posed-space inference: the occupancy around a person in any pose.

Source: docs/method.md M19, docs/protocol.md P12 and P13; the paper, section 3.3.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import POSE_SIZE, BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import SkinningSettings, warp_backward

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_DEFAULT_GRID, _DEFAULT_SKINNING = GridSpec(), SkinningSettings()


def posed_field(
    field: ArrayLike | OccupancyGrid,
    pose: ArrayLike,
    body: BodyModel | str | Path = "default",
    grid: GridSpec = _DEFAULT_GRID,
    *,
    skinning: SkinningSettings = _DEFAULT_SKINNING,
    threads: int = 1,
) -> Float32:
    """Warp a canonical field into the space of a posed body.

    Every voxel of the posed grid is mapped back to the canonical space and reads the voxel there;
    outside the grid, it reads 0.

    Args:
        field: canonical probabilities, (N, N, N) on ``grid``, or an `OccupancyGrid`.
        pose: (72,) axis-angle in radians, or (69,) without the global orientation, which is
            ignored.
        body: the body of the pose.
        grid: the grid of the posed space, body frame, metres.
        skinning: how voxels follow the body.
        threads: threads for the nearest-neighbour query.

    Returns:
        (N, N, N) float32 probabilities on ``grid``.

    Raises:
        InputError: a pose or field that is not finite or has a wrong shape.
    """
    canonical = field
    if not isinstance(canonical, OccupancyGrid):
        canonical = OccupancyGrid(np.asarray(canonical, dtype=np.float32), grid)
    model = load_body(body)
    points = warp_backward(model, check_pose(pose), grid, skinning, threads=threads)
    return canonical.at(points).reshape(grid.shape)


def check_pose(pose: ArrayLike) -> Float64:
    """Return a pose as (72,) with a zero global orientation.

    Args:
        pose: (72,) axis-angle in radians, or (69,) without the global orientation.

    Raises:
        InputError: a wrong length, or values that are not finite.
    """
    values = np.asarray(pose, dtype=np.float64).reshape(-1)
    if values.size not in (POSE_SIZE, POSE_SIZE - 3):
        raise InputError(
            f"a pose of {values.size} numbers", expected=f"{POSE_SIZE} axis-angle numbers, radians"
        )
    values = np.concatenate([np.zeros(3), values[-(POSE_SIZE - 3) :]])
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        raise InputError(f"the pose has {bad} values that are NaN or infinite")
    return values
