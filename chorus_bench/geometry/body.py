"""SMPL-format bodies: posing, bone transforms.

Frames and units: metres and radians; the template's own origin; x to the person's left,
y up, z forward. A posed body has no translation, and here always a zero global orientation
unless the caller says otherwise: the orientation toward a camera is part of the camera.

Source: docs/protocol.md P2 to P6.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float32, Float64, Int32
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.motions import blended_motions, inverse_motions, shaped_points
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.geometry.skeleton import bones, forward_kinematics

JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2",
    "left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar",
    "right_collar", "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
    "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
JOINTS = len(JOINT_NAMES)
POSE_SIZE = 3 * JOINTS
POSE_FEATURES = 9 * (JOINTS - 1)

#: Rows of regressors that were fitted, and stored in float32, sum to 1 within this.
_REGRESSOR_TOLERANCE = 1e-2
#: Metres from the soles to the top of the head, infants included.
_HEIGHTS = (0.3, 3.0)


def star_pose() -> Float64:
    """Return the pose of the canonical ("star") body, (72,) axis-angle in radians.

    All zero except the hips, which are turned outward by 30 degrees about z.
    """
    pose = np.zeros(POSE_SIZE)
    pose[5], pose[8] = np.pi / 6, -np.pi / 6
    return pose


@checked
@displayed
@dataclass(frozen=True, eq=False)
class BodyModel:
    """A body in SMPL's format. Read one with `body_files.load_body`.

    Args:
        name: a short name, used in signatures.
        template: (V, 3) vertices of the rest (T) pose, metres.
        weights: (V, 24) skinning weights, rows summing to 1.
        joint_regressor: (24, V) from template vertices to joints.
        faces: (F, 3) vertex indices.
        pose_directions: (V, 3, 207) pose blend shapes, metres; None if there are none.
        shape_directions: (V, 3, S) shape blend shapes, metres; None if there are none.
        keypoint_vertices: (5,) vertices at nose, left eye, right eye, left ear and right ear,
            or None if the file does not name them.

    Raises:
        InputError: wrong number of joints, mismatched shapes, or values that are not finite.

    Source: SMPL (Loper et al. 2015), equations 2 to 9.
    """

    name: str
    template: Float32
    weights: Float32
    joint_regressor: Float32
    faces: Int32
    pose_directions: Float32 | None = None
    shape_directions: Float32 | None = None
    keypoint_vertices: Int32 | None = None

    def __post_init__(self) -> None:
        _check_shapes(self)
        _check_values(self)

    @property
    def vertices(self) -> int:
        """The number of vertices, V."""
        return len(self.template)

    @cached_property
    def fingerprint(self) -> str:
        """The first 12 hex digits of a SHA-256 over every array that affects a score."""
        digest = hashlib.sha256()
        for key in ("template", "weights", "joint_regressor", "pose_directions"):
            value = getattr(self, key)
            value = np.zeros(0, np.float32) if value is None else value
            digest.update(f"{key}:{value.shape};".encode())
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()[:12]

    @property
    def label(self) -> str:
        """The body as it appears in a signature, ``name@fingerprint``."""
        return f"{self.name}@{self.fingerprint}"

    @checked
    def shaped_template(self, betas: Annotated[ArrayLike, Shape("S")] | None = None) -> Float64:
        """Return the rest-pose vertices (V, 3) in metres for shape coefficients (S,)."""
        return shaped_points(self.template, self.shape_directions, betas)

    @checked
    def rest_joints(self, betas: Annotated[ArrayLike, Shape("S")] | None = None) -> Float64:
        """Return the joints (24, 3) in metres of the rest pose."""
        return shaped_points(self._mean_joints, self._joint_directions, betas)

    @cached_property
    def _mean_joints(self) -> Float64:
        return self._regressed(self.template)

    @cached_property
    def _joint_directions(self) -> Float64 | None:
        """How the joints move with the shape, (24, 3, S)."""
        if self.shape_directions is None:
            return None
        directions = np.moveaxis(self.shape_directions, -1, 0)
        return np.stack([self._regressed(direction) for direction in directions], axis=-1)

    def _regressed(self, values: Float32) -> Float64:
        """Take values (V, 3) at the vertices to the joints, (24, 3)."""
        used = np.flatnonzero(self.joint_regressor.any(axis=0))
        shares = self.joint_regressor[:, used].astype(np.float64)
        products = shares.T[:, :, None] * values[used, None, :].astype(np.float64)
        return np.asarray(exact.total(products))

    @checked
    def bone_transforms(
        self, pose: ArrayLike, betas: Annotated[ArrayLike, Shape("S")] | None = None
    ) -> tuple[Float64, Float64]:
        """Return SMPL's bone transforms and the posed joints.

        Args:
            pose: (..., 72) axis-angle in radians, global orientation included.
            betas: (S,) shape coefficients; None for the mean shape.

        Returns:
            A (..., 24, 4, 4), which map rest-pose points to posed points and are the identity
            for a zero pose; joints (..., 24, 3) in metres.
        """
        rest = self.rest_joints(betas)
        local: Float64 = np.asarray(axis_angle_to_matrix(_as_joint_rotations(pose)), np.float64)
        joints, turned = forward_kinematics(local, bones(rest))
        transforms = np.zeros((*turned.shape[:-2], 4, 4))
        transforms[..., :3, :3] = turned
        transforms[..., :3, 3] = joints - exact.apply(turned, rest)
        transforms[..., 3, 3] = 1
        return transforms, joints

    @checked
    def pose(
        self, pose: ArrayLike, betas: Annotated[ArrayLike, Shape("S")] | None = None
    ) -> Float64:
        """Return the posed vertices by linear blend skinning, pose blend shapes included.

        Args:
            pose: (..., 72) axis-angle in radians, global orientation included.
            betas: (S,) shape coefficients; None for the mean shape.

        Returns:
            (..., V, 3) vertices in metres, without any translation.
        """
        return self._skinned(slice(None), pose, betas)

    @checked
    def pose_vertices(
        self,
        numbers: Annotated[ArrayLike, Shape("n")],
        pose: ArrayLike,
        betas: Annotated[ArrayLike, Shape("S")] | None = None,
    ) -> Float64:
        """Return some of the posed vertices: a part of what `pose` returns, in less time.

        Args:
            numbers: (n,) indices of vertices, 0 to V - 1.
            pose: (..., 72) axis-angle in radians, global orientation included.
            betas: (S,) shape coefficients; None for the mean shape.

        Returns:
            (..., n, 3) vertices in metres, without any translation.

        Raises:
            InputError: a number that is no index of a vertex.
        """
        which = np.asarray(numbers)
        known = which.dtype.kind in "iu" and ((which >= 0) & (which < self.vertices)).all()
        if len(which) and not known:
            raise InputError(
                f"{self.name}: not all numbers are indices of vertices",
                expected=f"whole numbers from 0 to {self.vertices - 1}",
            )
        return self._skinned(which.astype(np.intp), pose, betas)

    def _skinned(
        self, which: slice | NDArray[np.intp], pose: ArrayLike, betas: ArrayLike | None
    ) -> Float64:
        transforms, _ = self.bone_transforms(pose, betas)
        directions = None if self.shape_directions is None else self.shape_directions[which]
        rest = shaped_points(self.template[which], directions, betas)
        rest = rest + self._pose_offsets(pose, which)
        return blended_motions(transforms, self.weights_by_joint[:, which], rest)

    @cached_property
    def weights_by_joint(self) -> Float64:
        """The skinning weights as (24, V)."""
        return np.ascontiguousarray(self.weights.T, dtype=np.float64)

    @cached_property
    def _offsets_by_feature(self) -> Float32 | None:
        """The pose blend shapes as (207, V, 3)."""
        if self.pose_directions is None:
            return None
        return np.ascontiguousarray(np.moveaxis(self.pose_directions, -1, 0))

    def _pose_offsets(self, pose: ArrayLike, which: slice | NDArray[np.intp]) -> Float64 | float:
        directions = self._offsets_by_feature
        if directions is None:
            return 0.0
        rotations = axis_angle_to_matrix(_as_joint_rotations(pose))[..., 1:, :, :]
        features = (rotations - np.eye(3)).reshape(*rotations.shape[:-3], 1, POSE_FEATURES)
        chosen = directions[:, which].reshape(POSE_FEATURES, -1)
        offsets = exact.product(features.astype(np.float32), chosen)
        return offsets.reshape(*features.shape[:-2], -1, 3).astype(np.float64)

    @cached_property
    def canonical_vertices(self) -> Float64:
        """The canonical template: the vertices (V, 3) of the star pose, metres. Read-only."""
        vertices = self.pose(star_pose())
        vertices.flags.writeable = False
        return vertices

    @cached_property
    def _rest_from_canonical(self) -> Float64:
        return inverse_motions(self.bone_transforms(star_pose())[0])

    @checked
    def canonical_to_posed(self, pose: ArrayLike) -> Float64:
        """Return ``C_j = A_j(pose) A_j(star)^-1`` for every bone.

        Args:
            pose: (..., 72) axis-angle in radians; the global orientation is set to zero.

        Returns:
            (..., 24, 4, 4) transforms from the canonical to the posed body frame, metres.
        """
        posed, _ = self.bone_transforms(without_global_orientation(pose))
        return np.asarray(exact.product(posed, self._rest_from_canonical))

    def dominant_joints(self) -> Int32:
        """Return the joint (0 to 23) with the largest skinning weight of each vertex, (V,)."""
        return np.argmax(self.weights, axis=1).astype(np.int32)

    def _facts(self) -> dict[str, object]:
        return {"name": self.name, "vertices": self.vertices, "fingerprint": self.fingerprint}


@checked
def without_global_orientation(pose: Annotated[ArrayLike, Shape("... 72")]) -> Float64:
    """Return a copy of poses (..., 72) with the first three numbers set to zero."""
    body_pose = np.array(pose, dtype=np.float64)
    body_pose[..., :3] = 0
    return body_pose


def _as_joint_rotations(pose: ArrayLike) -> Float64:
    pose = np.asarray(pose, dtype=np.float64)
    if pose.ndim == 0 or pose.shape[-1] != POSE_SIZE:
        raise InputError(
            f"pose of shape {pose.shape}", expected=f"(..., {POSE_SIZE}) axis-angle in radians"
        )
    return pose.reshape(*pose.shape[:-1], JOINTS, 3)


def _check_shapes(body: BodyModel) -> None:
    V = len(body.template) if body.template.ndim else 0
    directions = body.shape_directions
    S = directions.shape[-1] if directions is not None and directions.ndim else 0
    expected: dict[str, tuple[int, ...]] = {
        "template": (V, 3),
        "weights": (V, JOINTS),
        "joint_regressor": (JOINTS, V),
        "faces": (len(body.faces) if body.faces.ndim else 0, 3),
        "pose_directions": (V, 3, POSE_FEATURES),
        "shape_directions": (V, 3, S),
        "keypoint_vertices": (5,),
    }
    for key, shape in expected.items():
        value = getattr(body, key)
        if value is not None and value.shape != shape:
            raise InputError(
                f"{key} has shape {value.shape}",
                where=f"body '{body.name}'",
                expected=f"{shape}, as SMPL has it ({JOINTS} joints, {V} vertices)",
                fix="use an SMPL-format body; SMPL-H, SMPL-X and MANO have other joints",
            )
    if V < 30:
        raise InputError(
            f"only {V} vertices", where=f"body '{body.name}'", expected="at least 30 vertices"
        )


def _check_stance(body: BodyModel, where: str) -> None:
    """Refuse a joint regressor whose rows do not sum to 1, and a body in other units or axes."""
    sums = exact.total(body.joint_regressor.astype(np.float64), axis=1)
    worst = int(np.abs(sums - 1).argmax())
    if abs(sums[worst] - 1) > _REGRESSOR_TOLERANCE:
        raise InputError(
            f"row {worst} ({JOINT_NAMES[worst]}) of joint_regressor sums to {sums[worst]:.4f}",
            where=where,
            expected="rows that sum to 1: a joint is a mean of vertices",
        )
    joints = dict(zip(JOINT_NAMES, body.rest_joints(), strict=True))
    trunk, hips = joints["head"] - joints["pelvis"], joints["left_hip"] - joints["right_hip"]
    if not (np.argmax(np.abs(trunk)) == 1 and trunk[1] > 0):
        raise InputError(
            f"the head is at {np.round(trunk, 3).tolist()} from the pelvis",
            where=where,
            expected="y up: x to the person's left, y up, z forward",
            fix="rotate the body's vertices and blend shapes",
        )
    if not (np.argmax(np.abs(hips)) == 0 and hips[0] > 0):
        raise InputError(
            f"the left hip is at {np.round(hips, 3).tolist()} from the right one",
            where=where,
            expected="x to the person's left",
            fix="rotate the body's vertices and blend shapes, or mirror them",
        )
    height = float(np.ptp(body.template[:, 1]))
    if not _HEIGHTS[0] <= height <= _HEIGHTS[1]:
        raise InputError(
            f"the body is {height:.4g} units high",
            where=where,
            expected=f"metres: {_HEIGHTS[0]} to {_HEIGHTS[1]} m",
            fix="convert vertices and blend shapes to metres",
        )


def _check_values(body: BodyModel) -> None:
    where = f"body '{body.name}'"
    for key in ("template", "weights", "joint_regressor", "pose_directions", "shape_directions"):
        value = getattr(body, key)
        bad = 0 if value is None else int(np.count_nonzero(~np.isfinite(value)))
        if bad:
            raise InputError(f"{key} has {bad} values that are NaN or infinite", where=where)
    sums = exact.total(body.weights.astype(np.float64), axis=1)
    if np.abs(sums - 1).max() > 1e-3 or body.weights.min() < -1e-6:
        raise InputError(
            f"the skinning weights of vertex {int(np.abs(sums - 1).argmax())} sum to "
            f"{sums[np.abs(sums - 1).argmax()]:.4f} (smallest weight {body.weights.min():.4f})",
            where=where,
            expected="non-negative weights that sum to 1 for every vertex",
        )
    _check_stance(body, where)
    for key in ("faces", "keypoint_vertices"):
        value = getattr(body, key)
        if value is not None and value.size and not 0 <= value.min() <= value.max() < len(sums):
            raise InputError(f"{key} refers to vertices that do not exist", where=where)
