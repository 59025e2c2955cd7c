"""One golden test image, from its field, pose and camera to what the metric compares."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from chorus_bench.body import BodyModel, without_global_orientation
from chorus_bench.camera import PerspectiveCamera, pixel_indices
from chorus_bench.grid import OccupancyGrid
from chorus_bench.skinning import warp_backward

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

SIDE = 32


@dataclass(frozen=True)
class Rendering:
    """What the metric compares for one image.

    Attributes:
        posed: (N**3,) probabilities of the posed grid's voxels.
        occupancy: (h, w) largest probability of the voxels on each pixel; minus infinity
            where none lands.
        human: (h, w) pixels that receive a vertex of the posed body.
        target: (h, w) the small object mask.
    """

    posed: Float32
    occupancy: Float32
    human: Bool
    target: Bool


def small_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of the small image; the shorter side is 32 pixels."""
    factor = SIDE / min(height, width)
    if height > width:
        return int(height * factor), SIDE
    return SIDE, int(width * factor) if width > height else SIDE


def small_target(mask: Bool) -> Bool:
    """Return the small object mask (h, w) of a full-size mask (H, W)."""
    height, width = small_size(*mask.shape)
    small = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small) != 0


def render(
    body: BodyModel,
    field: OccupancyGrid,
    pose: Float32,
    camera: PerspectiveCamera,
    mask: Bool,
) -> Rendering:
    """Render a field as one test image sees it.

    Args:
        body: the body.
        field: probabilities in the canonical space.
        pose: (72,) axis-angle in radians; the global orientation is ignored.
        camera: the camera of the full-size image.
        mask: (H, W) the object in the full-size image.
    """
    target = small_target(mask)
    small = camera.rescaled(SIDE / min(mask.shape))
    posed = field.at(warp_backward(body, pose, field.spec, threads=-1))
    occupancy = np.full(target.size + 1, -np.inf, dtype=np.float32)
    voxels = pixel_indices(small.project(field.spec.centers()), *target.shape)
    np.maximum.at(occupancy, voxels, posed)
    human = np.zeros(target.size + 1, dtype=bool)
    vertices = body.pose(without_global_orientation(pose))
    human[pixel_indices(small.project(vertices), *target.shape)] = True
    return Rendering(
        posed,
        occupancy[:-1].reshape(target.shape),
        human[:-1].reshape(target.shape),
        target,
    )
