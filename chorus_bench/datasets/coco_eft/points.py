"""The 24 body points that a camera is fitted to.

``spin24`` is the original's choice, the last 24 of SPIN's 49 joints: twelve SMPL joints, seven
of SPIN's nine regressed ones, and five vertices of the face. It requires SMPL's own topology and
SPIN's regressor. ``smpl24`` is the set of the 24 SMPL joints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float64
from chorus_bench.datasets.sources import SPIN_REGRESSOR
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import JOINTS, POSE_FEATURES, BodyModel
from chorus_bench.geometry.motions import blended_motions
from chorus_bench.geometry.rotations import axis_angle_to_matrix

#: Number of vertices of SMPL, and of joints that SPIN's regressor adds.
SMPL_VERTICES, EXTRA_JOINTS = 6890, 9

#: Vertices of SMPL at nose, right eye, left eye, right ear and left ear.
FACE_VERTICES = (332, 6260, 2800, 4071, 583)

#: Indices of the points among 24 SMPL joints, 5 face vertices and 9 regressed joints.
#: Source of the order: docs/method.md M10.
_ORDER = (
    8,
    5,
    29,
    30,
    4,
    7,
    21,
    19,
    17,
    16,
    18,
    20,
    31,
    32,
    33,
    34,
    35,
    36,
    37,
    24,
    26,
    25,
    28,
    27,
)


class PointSet(Protocol):
    """24 points of a posed body."""

    name: str

    def points(self, pose: ArrayLike, betas: ArrayLike | None) -> Float64:
        """Return the points (24, 3) in metres for a pose (72,) and a shape (10,) or None."""
        ...


class SmplPoints:
    """The 24 SMPL joints of a body.

    Args:
        body: any SMPL-format body.
    """

    name = "smpl24"

    def __init__(self, body: BodyModel) -> None:
        self.body = body

    def points(self, pose: ArrayLike, betas: ArrayLike | None) -> Float64:
        """Return the joints (24, 3) in metres for a pose (72,) and a shape (10,) or None."""
        return self.body.bone_transforms(pose, betas)[1]


class SpinPoints:
    """SPIN's 24 points. Only the vertices that they need are posed.

    Args:
        body: a body of SMPL's topology.
        regressor: SPIN's, (9, 6890), from posed vertices to joints.
    """

    name = "spin24"

    def __init__(self, body: BodyModel, regressor: Float64) -> None:
        self.body = body
        used = np.flatnonzero((regressor != 0).any(axis=0))
        self._vertices = np.concatenate([used, FACE_VERTICES])
        self._regressor = regressor[:, used]
        self._weights = body.weights_by_joint[:, self._vertices]
        self._directions: Float64 | None = None
        if body.pose_directions is not None:
            directions = body.pose_directions[self._vertices].reshape(-1, POSE_FEATURES)
            self._directions = np.ascontiguousarray(directions.T, dtype=np.float64)

    def points(self, pose: ArrayLike, betas: ArrayLike | None) -> Float64:
        """Return the points (24, 3) in metres for a pose (72,) and a shape (10,) or None."""
        transforms, joints = self.body.bone_transforms(pose, betas)
        vertices = self._posed(np.asarray(pose, dtype=np.float64), betas, transforms)
        faces = len(FACE_VERTICES)
        regressed = exact.total(self._regressor[:, :, None] * vertices[:-faces], axis=1)
        return np.concatenate([joints, vertices[-faces:], regressed])[list(_ORDER)]

    def _posed(self, pose: Float64, betas: ArrayLike | None, transforms: Float64) -> Float64:
        rest = self.body.shaped_template(betas)[self._vertices]
        if self._directions is not None:
            rotations = axis_angle_to_matrix(pose.reshape(JOINTS, 3))[1:]
            features = (rotations - np.eye(3)).reshape(1, POSE_FEATURES)
            rest = rest + exact.product(features, self._directions).reshape(-1, 3)
        return blended_motions(transforms, self._weights, rest)


def point_set(body: BodyModel, regressor: str | Path | None) -> PointSet:
    """Return the points for a body: SPIN's where possible, else the SMPL joints.

    Args:
        body: the body.
        regressor: the path of SPIN's ``J_regressor_extra.npy``, or None.

    Raises:
        InputError: the file is missing or is not SPIN's regressor.
    """
    if regressor is None:
        return SmplPoints(body)
    matrix = read_regressor(SPIN_REGRESSOR.require(regressor))
    return SpinPoints(body, matrix) if body.vertices == SMPL_VERTICES else SmplPoints(body)


def read_regressor(path: Path) -> Float64:
    """Read SPIN's regressor, (9, 6890).

    Raises:
        InputError: it is not a plain array of that shape with finite numbers.
    """
    expected = f"a plain array of shape ({EXTRA_JOINTS}, {SMPL_VERTICES})"
    try:
        with path.open("rb") as stream:
            matrix = np.lib.format.read_array(stream, allow_pickle=False)
    except Exception as error:
        raise InputError(
            f"cannot be read as .npy: {error}",
            where=path,
            expected=expected,
            fix=SPIN_REGRESSOR.instruction(),
        ) from error
    shape = getattr(matrix, "shape", None)
    if shape != (EXTRA_JOINTS, SMPL_VERTICES) or matrix.dtype.kind not in "fiu":
        raise InputError(
            f"holds {shape if shape is not None else 'more or less than one array'}",
            where=path,
            expected=expected,
            fix=SPIN_REGRESSOR.instruction(),
        )
    if not np.isfinite(matrix).all():
        raise InputError("has numbers that are not finite", where=path, expected=expected)
    return matrix.astype(np.float64)
