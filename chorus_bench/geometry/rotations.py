"""Rotations as axis-angle vectors and as matrices.

Axis-angle vectors are in radians. Matrices act on column vectors. Every function takes any
number of leading axes and keeps the floating type of its input (other types become float64).

Source: docs/protocol.md P3 and P32.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry import exact

Floats = NDArray[np.floating[Any]]
Part = TypeVar("Part", float, Floats)

#: Added to each component before the angle is taken, as SPIN and smplx do.
ANGLE_OFFSET = 1e-8

#: If the antisymmetric part is shorter than this, its direction is mostly rounding error.
SINE_FLOOR = 1e-3


def axis_angle_to_matrix(theta: Floats) -> Floats:
    """Convert axis-angle vectors to rotation matrices via a unit quaternion.

    This is SPIN's conversion, which the paper's code uses for poses and cameras:
    ``a = |theta + 1e-8|``, ``axis = theta / a``, ``q = (cos a/2, axis sin a/2)``, normalised.
    A zero vector gives exactly the identity. Where ``a`` is 0 the original yields
    NaN; here it is the identity too.

    Args:
        theta: axis-angle vectors in radians, shape (..., 3).

    Returns:
        Rotation matrices, shape (..., 3, 3), of the same floating type.

    Raises:
        InputError: the last axis is not of length 3.
    """
    theta = _as_floats(theta, (3,), "theta")
    angle, axis = _angle_and_axis(theta)
    sine, cosine = _sin_cos(angle * theta.dtype.type(0.5))
    quaternion = np.concatenate([cosine, sine * axis], axis=-1)
    quaternion /= exact.norm(quaternion)[..., None]
    return quaternion_to_matrix(quaternion)


def turn(vector: Sequence[float]) -> NDArray[np.float64]:
    """Return the matrix (3, 3) of one axis-angle vector: that of `axis_angle_to_matrix`.

    Written in single numbers, it takes a tenth of the time.

    Args:
        vector: (3,) axis times angle, radians.
    """
    x, y, z = (float(part) for part in vector)
    angle = _length(x + ANGLE_OFFSET, y + ANGLE_OFFSET, z + ANGLE_OFFSET)
    sine, w = exact.sin_cos_of(angle * 0.5)
    x, y, z = (x / angle, y / angle, z / angle) if angle > 0 else (0.0, 0.0, 0.0)
    x, y, z = sine * x, sine * y, sine * z
    length = _length(w, x, y, z)
    return np.array(rotation_entries(w / length, x / length, y / length, z / length))


def _length(*parts: float) -> float:
    squares = [part * part for part in parts]
    return math.sqrt(functools.reduce(operator.add, squares))


def quaternion_to_matrix(quaternion: Floats) -> Floats:
    """Convert unit quaternions to rotation matrices.

    Args:
        quaternion: (w, x, y, z) of length 1, shape (..., 4).

    Returns:
        Rotation matrices, shape (..., 3, 3), of the same floating type.

    Raises:
        InputError: the last axis is not of length 4.
    """
    q = _as_floats(quaternion, (4,), "quaternion")
    rows = rotation_entries(q[..., 0], q[..., 1], q[..., 2], q[..., 3])
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def rotation_entries(w: Part, x: Part, y: Part, z: Part) -> list[list[Part]]:
    """Return the nine entries of the rotations of unit quaternions, row by row.

    Args:
        w: the real parts, any shape or single numbers.
        x: first imaginary parts, of the same shape.
        y: second imaginary parts.
        z: third imaginary parts.

    Returns:
        Three rows of three of the same shape.
    """
    ww, xx, yy, zz = w * w, x * x, y * y, z * z
    # Doubled by adding: a factor of 2 would widen single float32 numbers under NumPy 1.
    products = (w * x, w * y, w * z, x * y, x * z, y * z)
    wx, wy, wz, xy, xz, yz = (product + product for product in products)
    return [
        [ww + xx - yy - zz, xy - wz, wy + xz],
        [wz + xy, ww - xx + yy - zz, yz - wx],
        [xz - wy, wx + yz, ww - xx - yy + zz],
    ]


def matrix_to_quaternion(matrix: Floats) -> Floats:
    """Convert rotation matrices to unit quaternions with w >= 0.

    Of the four ways to read a quaternion off a matrix, the one with the largest divisor is used,
    so the result is accurate for every rotation.

    Args:
        matrix: rotation matrices, shape (..., 3, 3).

    Returns:
        Quaternions (w, x, y, z), shape (..., 4), of the same floating type.

    Raises:
        InputError: the last two axes are not (3, 3).
    """
    m = _as_floats(matrix, (3, 3), "matrix")
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = (m[..., j, i] - m[..., i, j] for i, j in ((1, 2), (2, 0), (0, 1)))
    xy, xz, yz = (m[..., i, j] + m[..., j, i] for i, j in ((0, 1), (0, 2), (1, 2)))
    one = m.dtype.type(1)
    # Row i is 4 q_i q, so its own entry i is 4 q_i^2; the four of them add to 4.
    outer = np.stack(
        [
            np.stack([one + d0 + d1 + d2, wx, wy, wz], axis=-1),
            np.stack([wx, one + d0 - d1 - d2, xy, xz], axis=-1),
            np.stack([wy, xy, one - d0 + d1 - d2, yz], axis=-1),
            np.stack([wz, xz, yz, one - d0 - d1 + d2], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    row = np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :]
    row = row * np.where(row[..., :1] < 0, -1, 1).astype(m.dtype)
    unit: Floats = row / exact.norm(row)[..., None]
    return unit


def matrix_to_axis_angle(matrix: Floats) -> Floats:
    """Convert rotation matrices to axis-angle vectors, stably for every angle.

    The identity gives zero, and half turns give a vector of length pi (about either of the two
    opposite axes). The paper's code yields NaN for both; elsewhere the two agree.

    Args:
        matrix: rotation matrices, shape (..., 3, 3).

    Returns:
        Axis-angle vectors in radians, no longer than pi, shape (..., 3), of the same
        floating type.

    Raises:
        InputError: the last two axes are not (3, 3).
    """
    quaternion = matrix_to_quaternion(matrix)
    w, vector = quaternion[..., :1], quaternion[..., 1:]
    sine = exact.norm(vector)[..., None]
    angle = 2 * exact.arctan2(sine, w).astype(sine.dtype)
    ratio = np.divide(angle, sine, out=np.full_like(sine, 2), where=sine > 0)
    axis_angle: Floats = vector * ratio
    return axis_angle


def matrix_to_axis_angle_antisymmetric(matrix: Floats) -> Floats:
    """Convert rotation matrices to axis-angle vectors as the paper's code does.

    ``r = (m21 - m12, m02 - m20, m10 - m01)``, axis ``r / |r|``, angle
    ``atan2(|r|, trace - 1)``. Within about 1e-2 of a half turn this loses digits in float32
    (people who stand upright and face the camera have such a root rotation), so a build that
    follows the original number for number must start from these values. Where ``|r|`` is below
    1e-3, rounding would decide, and the stable `matrix_to_axis_angle` is used.

    Args:
        matrix: rotation matrices, shape (..., 3, 3). float32 gives the original's figures.

    Returns:
        Axis-angle vectors in radians, no longer than pi, shape (..., 3), of the same
        floating type.

    Raises:
        InputError: the last two axes are not (3, 3).
    """
    m = _as_floats(matrix, (3, 3), "matrix")
    r = np.stack([m[..., j, i] - m[..., i, j] for i, j in ((1, 2), (2, 0), (0, 1))], axis=-1)
    length = exact.norm(r)[..., None]
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    angle = exact.arctan2(length, trace[..., None] - 1).astype(m.dtype)
    clear = length >= SINE_FLOOR
    axis = np.divide(r, length, out=np.zeros_like(r), where=clear)
    return np.where(clear, axis * angle, matrix_to_axis_angle(m))


def _angle_and_axis(theta: Floats) -> tuple[Floats, Floats]:
    """Return ``|theta + 1e-8|`` of shape (..., 1) and ``theta`` over it (0 where it is 0)."""
    moved = theta + theta.dtype.type(ANGLE_OFFSET)
    angle = exact.norm(moved)[..., None]
    axis = np.divide(theta, angle, out=np.zeros_like(theta), where=angle > 0)
    return angle, axis


def _sin_cos(angle: Floats) -> tuple[Floats, Floats]:
    """Return sine and cosine in the floating type of the angles."""
    sine, cosine = exact.sin_cos(angle)
    return sine.astype(angle.dtype), cosine.astype(angle.dtype)


def _as_floats(array: Floats, tail: tuple[int, ...], name: str) -> Floats:
    """Return ``array`` as floats whose last axes are ``tail``; raise an `InputError` otherwise."""
    out = np.asarray(array)
    if out.shape[-len(tail) :] != tail:
        wanted = ", ".join(str(n) for n in tail)
        raise InputError(
            f"shape {out.shape} of '{name}'", expected=f"an array of shape (..., {wanted})"
        )
    return out if np.issubdtype(out.dtype, np.floating) else out.astype(np.float64)
