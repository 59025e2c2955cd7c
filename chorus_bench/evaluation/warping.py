"""Canonical points of the probe voxels, remembered for the samples that came last.

Scores in 3D and pictures follow PAP on the same samples. Of a small split, such as the demo's, no
sample is then warped twice.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float32
from chorus_bench.geometry.body import BodyModel, without_global_orientation
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings, warp_backward

#: Samples whose points are remembered, 1.3 MB each on the protocol's grid; those of grids that are
#: finer than this are not.
REMEMBERED, FINEST = 32, 64


def canonical_points(
    body: BodyModel,
    pose: ArrayLike,
    grid: GridSpec,
    settings: SkinningSettings,
    *,
    threads: int = 1,
    device: str = "cpu",
) -> Float32:
    """Return what `warp_backward` returns, (N**3, 3) metres, read-only; for arguments see there."""
    if grid.resolution > FINEST:
        return warp_backward(body, pose, grid, settings, threads=threads, device=device)
    own = without_global_orientation(pose).tobytes()
    return _warped(body, own, grid, settings, threads, device)


def forget() -> None:
    """Forget all points: for measurements, and to free the memory."""
    _warped.cache_clear()


@lru_cache(maxsize=REMEMBERED)
def _warped(
    body: BodyModel,
    pose: bytes,
    grid: GridSpec,
    settings: SkinningSettings,
    threads: int,
    device: str,
) -> Float32:
    points = warp_backward(
        body, np.frombuffer(pose), grid, settings, threads=threads, device=device
    )
    points.flags.writeable = False
    return points
