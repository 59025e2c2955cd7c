"""Posed-space inference: the occupancy around a person in any pose.

Source: docs/method.md M19, docs/protocol.md P12 and P13; the paper, section 3.3.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.annotations import Count
from chorus_bench.array_types import Float32, Float64
from chorus_bench.boundary import checked
from chorus_bench.engines.devices import check_geometry_device
from chorus_bench.errors import InputError, reason, unknown_name
from chorus_bench.geometry.body import POSE_SIZE, BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import SkinningSettings, warp_backward
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.limits import MIB
from chorus_bench.io.npz_files import read_npy
from chorus_bench.io.untrusted_files import read_limited
from chorus_bench.submission import open_submission

_MAX_BYTES = 16 * MIB

_DEFAULT_GRID, _DEFAULT_SKINNING = GridSpec(), SkinningSettings()


@checked
def posed_field(
    field: ArrayLike | OccupancyGrid,
    pose: ArrayLike,
    body: BodyModel | str | Path = "default",
    grid: GridSpec = _DEFAULT_GRID,
    *,
    skinning: SkinningSettings = _DEFAULT_SKINNING,
    threads: Count = 1,
    device: str = "cpu",
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
        device: where the space is warped; any torch device but ``cpu`` needs the extra torch. The
            same bits.

    Returns:
        (N, N, N) float32 probabilities on ``grid``.

    Raises:
        InputError: a pose or field that is not finite or has a wrong shape, or a device that is
            not there.
    """
    check_geometry_device(device)
    canonical = field
    if not isinstance(canonical, OccupancyGrid):
        canonical = OccupancyGrid(np.asarray(canonical, dtype=np.float32), grid)
    model = load_body(body)
    posed = check_pose(pose)
    points = warp_backward(model, posed, grid, skinning, threads=threads, device=device)
    return canonical.at(points).reshape(grid.shape)


def canonical_field(
    submission: str | Path, category: str, interaction: str | None = None
) -> OccupancyGrid:
    """Return the field of a category of a submission, or of one of its interaction types.

    Args:
        submission: folder, archive or name, see `open_submission`.
        category: one of its categories.
        interaction: the name of one of the category's types; None for the category's field.

    Raises:
        InputError: a submission of the posed track, or no such category or type.
    """
    with open_submission(submission) as opened:
        if opened.track != "canonical":
            raise InputError(
                "a submission of the posed track", where=submission, expected="the canonical track"
            )
        if category not in opened.categories:
            raise unknown_name("category", category, opened.categories, where=submission)
        if interaction is not None:
            return opened.interaction_field(category, interaction)
        return opened.field(category)


def save_posed_field(posed: Float32, grid: GridSpec, path: str | Path) -> Path:
    """Write a posed field (N, N, N) as an .npz file: ``occupancy``, ``side_length``, ``center``."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        occupancy=posed,
        side_length=grid.side_length,
        center=grid.center,
    )
    return atomic_write_bytes(path, buffer.getvalue())


def read_pose(path: str | Path) -> Float64:
    """Return the pose (72,) of a .npy or .json file, see `check_pose`.

    Raises:
        InputError: no such file, or not a pose.
    """
    file = Path(path)
    try:
        content = read_limited(file, _MAX_BYTES)
        if file.suffix == ".npy":
            values = read_npy(content)
        else:
            values = json.loads(content)
        return check_pose(np.asarray(values, dtype=np.float64))
    except (InputError, OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"no pose: {reason(error)}", where=file, expected=".npy or .json with 72 numbers"
        ) from error


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
