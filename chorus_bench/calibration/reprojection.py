"""The reprojection loss of many people and its derivative.

The last axis is the person everywhere and no operation runs along it. So a person's numbers
do not depend, to the last bit, on who else is in the batch; nor on the processor, because the
arithmetic is that of `chorus_bench.geometry.exact`.

Source: docs/method.md M11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.geometry.exact import sin_cos, total
from chorus_bench.geometry.rotations import ANGLE_OFFSET, Floats, rotation_entries

Flags = NDArray[np.bool_]

#: Unknowns of a person: 3 of the axis-angle rotation, 3 of the translation, the focal length.
UNKNOWNS = 7


@dataclass(frozen=True)
class Problem:
    """The fitting problem of P people with J points.

    Attributes:
        points: zero-orientation body points in metres, shape (J, 3, P).
        targets: pixel coordinates (x, y), shape (J, 2, P).
        size: image width and height in pixels, shape (2, P).
        start: initial values of the unknowns, shape (7, P): axis-angle in radians, translation in
            metres, focal length in image widths.
    """

    points: Floats
    targets: Floats
    size: Floats
    start: Floats

    def __len__(self) -> int:
        return int(self.start.shape[1])

    def take(self, people: Flags) -> Problem:
        """Return the problem of the people who are flagged."""
        return Problem(
            np.compress(people, self.points, axis=-1),
            np.compress(people, self.targets, axis=-1),
            np.compress(people, self.size, axis=-1),
            np.compress(people, self.start, axis=-1),
        )


@dataclass(frozen=True)
class Solution:
    """The result of a solver for P people; NaN where it found nothing.

    Attributes:
        rotation: axis-angle vectors in radians, shape (P, 3).
        translation: in metres, shape (P, 3).
        focal: focal lengths in image widths, shape (P,).
        loss: Frobenius norm of the residual over the number of points, in pixels, shape (P,).
        steps: updates made, shape (P,).
        converged: whether the solver ended by its own test, shape (P,).
    """

    rotation: Floats
    translation: Floats
    focal: Floats
    loss: Floats
    steps: NDArray[np.int64]
    converged: Flags

    @classmethod
    def empty(cls, people: int) -> Solution:
        """Return a solution in which nobody has a camera yet."""
        return cls(
            rotation=np.full((people, 3), np.nan),
            translation=np.full((people, 3), np.nan),
            focal=np.full(people, np.nan),
            loss=np.full(people, np.nan),
            steps=np.zeros(people, dtype=np.int64),
            converged=np.zeros(people, dtype=np.bool_),
        )


def loss_and_gradient(problem: Problem, unknowns: Floats) -> tuple[Floats, Floats]:
    """Return every person's loss and its derivative.

    The loss is the Frobenius norm of the (J, 2) residual divided by J, in pixels. A point
    lands at ``f W (x / z) + W / 2`` and ``f W (y / z) + H / 2`` with (x, y, z) = R X + t.

    Args:
        problem: the points and their targets.
        unknowns: shape (7, P), as in `Problem.start`.

    Returns:
        Losses of shape (P,) and derivatives of shape (7, P). An exact fit or a point in the
        camera's plane gives a derivative that is not finite.
    """
    theta, shift, focal = unknowns[:3], unknowns[3:6], unknowns[6] * problem.size[0]
    rotation, turn = _rotation(theta)
    points, joints = problem.points, len(problem.points)
    posed = np.empty_like(points)
    for i, (a, b, c) in enumerate(rotation):
        posed[:, i] = a * points[:, 0] + b * points[:, 1] + c * points[:, 2] + shift[i]
    inverse_depth = 1 / posed[:, 2:]
    plane = posed[:, :2] * inverse_depth
    residual = plane * focal + problem.size / 2 - problem.targets
    norm = np.sqrt(total(total(residual * residual)))

    by_pixel = residual / (norm * joints)
    by_posed = np.empty_like(points)
    np.multiply(by_pixel, focal * inverse_depth, out=by_posed[:, :2])
    by_depth = by_posed[:, :2] * plane
    np.negative(by_depth[:, 0] + by_depth[:, 1], out=by_posed[:, 2])
    by_rotation = total(by_posed[:, :, None] * points[:, None])
    gradient = np.empty_like(unknowns)
    gradient[:3] = _rotation_derivative(list(by_rotation), theta, turn)
    gradient[3:6] = total(by_posed)
    gradient[6] = total(total(by_pixel * plane)) * problem.size[0]
    return norm / joints, gradient


@dataclass(frozen=True)
class _Turn:
    """The intermediate values from axis-angle to quaternion that its derivative needs."""

    moved: Floats
    angle: Floats
    axis: Floats
    cosine: Floats
    sine: Floats
    length: Floats
    quaternion: Floats


def _rotation(theta: Floats) -> tuple[list[list[Floats]], _Turn]:
    """Return the rotation entries of axis-angle vectors (3, P) and the steps to them.

    The same conversion as `chorus_bench.geometry.rotations.axis_angle_to_matrix`, person last.
    """
    moved = theta + ANGLE_OFFSET
    angle = np.sqrt(total(moved * moved))
    axis = theta / angle
    half = angle / 2
    sine, cosine = sin_cos(half)
    raw = np.concatenate([cosine[None], sine * axis])
    length = np.sqrt(total(raw * raw))
    quaternion = raw / length
    w, x, y, z = quaternion
    turn = _Turn(moved, angle, axis, cosine, sine, length, quaternion)
    return rotation_entries(w, x, y, z), turn


def _rotation_derivative(g: Sequence[Floats], theta: Floats, turn: _Turn) -> Floats:
    """Turn a derivative by the rotation, three rows of (3, P), into one by the axis-angle."""
    w, x, y, z = q = turn.quaternion
    a, b, c = g[2][1] - g[1][2], g[0][2] - g[2][0], g[1][0] - g[0][1]
    d, e, f = g[0][1] + g[1][0], g[0][2] + g[2][0], g[1][2] + g[2][1]
    g00, g11, g22 = g[0][0], g[1][1], g[2][2]
    by_unit = 2 * np.stack(
        [
            w * (g00 + g11 + g22) + x * a + y * b + z * c,
            x * (g00 - g11 - g22) + y * d + z * e + w * a,
            y * (g11 - g00 - g22) + x * d + z * f + w * b,
            z * (g22 - g00 - g11) + x * e + y * f + w * c,
        ]
    )
    by_raw = (by_unit - q * total(q * by_unit)) / turn.length
    by_half = turn.cosine * total(turn.axis * by_raw[1:]) - turn.sine * by_raw[0]
    by_axis = turn.sine * by_raw[1:]
    by_angle = by_half / 2 - total(by_axis * theta) / (turn.angle * turn.angle)
    result: Floats = by_axis / turn.angle + by_angle * turn.moved / turn.angle
    return result
