"""Checks of rotation matrices, intrinsic matrices and poses.

Files and annotators may contain reflections, transposed matrices and degrees, each of which would
give a plausible score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry import exact

#: Largest deviation of R R^T from the identity, and of det R from 1: float16 files are accepted,
#: scaled or averaged matrices are not.
ROTATION_TOLERANCE = 5e-3
#: No estimator turns a joint by more than one and a half turns; poses in degrees do.
LARGEST_ANGLE = 3 * np.pi
_PIXEL_ROW_TOLERANCE = 1e-6


def check_rotations(matrices: ArrayLike, name: str, *, where: object | None = None) -> None:
    """Refuse matrices that are not rotations.

    Args:
        matrices: (..., 3, 3), finite.
        name: their name in errors.
        where: place to name in errors.

    Raises:
        InputError: one that is not orthonormal, or is a reflection; the first is named.
    """
    m = np.asarray(matrices, dtype=np.float64).reshape(-1, 3, 3)
    products = exact.product(m, np.swapaxes(m, 1, 2))
    skewed = np.abs(products - np.eye(3)).max(axis=(1, 2), initial=0.0) > ROTATION_TOLERANCE
    determinants = exact.determinant(m)
    wrong = skewed | (determinants < 0)
    if not wrong.any():
        return
    first = int(np.argmax(wrong))
    raise InputError(
        f"{name}{'' if len(m) == 1 else f' number {first}'} "
        + ("is not orthonormal" if skewed[first] else "is a reflection, not a rotation")
        + f" (determinant {determinants[first]:.4g})",
        where=where,
        expected="rotation matrices: R R^T the identity, determinant 1",
        fix="orthonormalise the matrices; a determinant of -1 is a mirrored axis",
    )


def check_intrinsics(matrices: ArrayLike, name: str, *, where: object | None = None) -> None:
    """Refuse matrices that are not intrinsic matrices.

    Args:
        matrices: (..., 3, 3), finite, pixels.
        name: their name in errors.
        where: place to name in errors.

    Raises:
        InputError: a last row other than 0, 0, 1 (a transposed matrix), an entry below the
            diagonal, or a focal length that is not positive.
    """
    K = np.asarray(matrices, dtype=np.float64).reshape(-1, 3, 3)
    last = np.abs(K[:, 2] - [0, 0, 1]).max(axis=-1, initial=0.0) > _PIXEL_ROW_TOLERANCE
    focal = np.minimum(K[:, 0, 0], K[:, 1, 1])
    wrong = last | (K[:, 1, 0] != 0) | (focal <= 0)
    if not wrong.any():
        return
    first = K[int(np.argmax(wrong))]
    raise InputError(
        f"{name} is {np.array2string(first, precision=4, separator=', ')}".replace("\n", ""),
        where=where,
        expected="[[fx, s, cx], [0, fy, cy], [0, 0, 1]] with fx and fy above 0, in pixels",
        fix="transpose it if it is stored by columns",
    )


def check_pose(pose: ArrayLike, name: str, *, where: object | None = None) -> None:
    """Refuse axis-angle vectors that must be in degrees.

    Args:
        pose: (..., 3 J) axis-angle, finite.
        name: its name in errors.
        where: place to name in errors.

    Raises:
        InputError: a joint turned by more than `LARGEST_ANGLE`.
    """
    joints: NDArray[np.float64] = np.asarray(pose, dtype=np.float64).reshape(-1, 3)
    largest = float(exact.norm(joints).max(initial=0.0))
    if largest > LARGEST_ANGLE:
        raise InputError(
            f"{name} turns a joint by {largest:.4g}",
            where=where,
            expected=f"axis-angle vectors in radians, at most {LARGEST_ANGLE:.2f} long",
            fix="convert degrees to radians",
        )
