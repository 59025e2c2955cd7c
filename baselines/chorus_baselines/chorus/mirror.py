"""Left-right augmentation: every view a second time, mirrored.

The mirror is the plane x = 0 of the body frame. Left and right joints are exchanged, and the image
is flipped.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from chorus_baselines.chorus.views import View
from chorus_bench.array_types import Float64
from chorus_bench.datasets.masks import MaskRuns
from chorus_bench.geometry.body import JOINT_NAMES, JOINTS, POSE_SIZE
from chorus_bench.geometry.camera import PerspectiveCamera


def _swapped(name: str) -> str:
    side, _, rest = name.partition("_")
    return f"{ {'left': 'right', 'right': 'left'}[side] }_{rest}" if rest else name


_PARTNERS = [JOINT_NAMES.index(_swapped(name)) for name in JOINT_NAMES]
#: The diagonal of M.
_MIRROR = np.array([-1, 1, 1], dtype=np.float32)


def mirror_pose(pose: ArrayLike) -> Float64:
    """Return the pose (72,) in radians of the person's mirror image.

    Left and right joints are exchanged, and rotations about y and z change sign.
    """
    joints = np.asarray(pose, dtype=np.float64).reshape(JOINTS, 3)[_PARTNERS]
    return (joints * [1, -1, -1]).reshape(POSE_SIZE)


def mirror_camera(camera: PerspectiveCamera, width: int) -> PerspectiveCamera:
    """Return the camera that sees the mirrored person in the mirrored image.

    The rotation becomes ``M R M`` and the translation ``M t`` with M = diag(-1, 1, 1). The
    principal point is mirrored at the image's middle. The original leaves it unchanged, which is
    the same for cameras that look through the middle, as those of CHORUS do.

    Args:
        camera: camera of the image.
        width: the image's width in pixels.

    Source: docs/method.md M17.
    """
    R = _MIRROR[:, None] * camera.rotation * _MIRROR
    K = camera.intrinsics.copy()
    K[0] = np.float32(width) * K[2] - K[0]
    return PerspectiveCamera(R, _MIRROR * camera.translation, K * _MIRROR)


def mirror_view(view: View) -> View:
    """Return the mirror image of a view."""
    return View(
        runs=MaskRuns.of_mask(view.mask[:, ::-1]),
        pose=mirror_pose(view.pose),
        camera=mirror_camera(view.camera, view.runs.width),
        prompt=view.prompt,
    )
