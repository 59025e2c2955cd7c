"""The ceiling of the metric: the target mask itself as a graded field.

PAP counts only recall that is lost between two thresholds, so a field that knows the answer
spreads its values from `LOWEST` to `HIGHEST`: the object vanishes step by step from its edge
inward, and nothing remains at the last threshold, 0.99.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import distance_transform_edt

from chorus_bench.array_types import Float32

#: The values of the first and the last element to vanish.
LOWEST, HIGHEST = 0.01, 0.98


def graded_mask(target: ArrayLike, reached: ArrayLike) -> Float32:
    """Return the occupancy image of a target that is extruded along the rays of its camera.

    All probe voxels that project to a pixel of the target get the same value, which is higher the
    deeper the pixel lies inside the target; all others get 0.

    Every mask of this image lies inside the target and nothing remains at 0.99, so its PAP is the
    share of the target that probe voxels reach. No field can score more: precision is at most 1,
    and recall never exceeds that share.

    Args:
        target: (H, W) mask of the small image; non-zero is on.
        reached: (H, W) whether a probe voxel projects to the pixel.

    Returns:
        (H, W) values from 0 to `HIGHEST`.
    """
    on = np.not_equal(target, 0)
    depth = distance_transform_edt(np.pad(on, 1))[1:-1, 1:-1]
    shown = on & np.not_equal(reached, 0)
    image = np.zeros(on.shape, dtype=np.float32)
    image[shown] = graded(depth[shown])
    return image


def graded(depth: ArrayLike) -> Float32:
    """Return values from `LOWEST` to `HIGHEST` in equal steps, in the order of the depths (n,)."""
    depths = np.asarray(depth)
    values = np.empty(len(depths), dtype=np.float32)
    order = np.argsort(depths, kind="stable")
    values[order] = np.linspace(LOWEST, HIGHEST, len(depths), dtype=np.float32)
    return values
