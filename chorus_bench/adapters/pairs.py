"""Canonical fields from samples of a person and an object: a Monte Carlo estimate.

Each sample is a pose and an object in the same space. Every voxel centre of the canonical grid is
warped forward into the posed space of a sample (docs/protocol.md P11), where it reads whether the
object is there; the readings are averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.adapters.meshes import checked_mesh, mesh_voxels
from chorus_bench.adapters.shapes import checked_points, points_field
from chorus_bench.array_types import Float32, Float64
from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import POSE_SIZE, BodyModel
from chorus_bench.geometry.checks import check_pose
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.geometry.skinning import voxel_skinning, warp_forward

_DEFAULT_GRID = GridSpec()
#: Numbers of a pose by model. The first 22 joints of all three are the same: pelvis to wrists.
POSE_SIZES = {"SMPL": POSE_SIZE, "SMPL-H": 156, "SMPL-X": 165}
_COMMON = 3 * 22


@checked
@displayed
@dataclass(frozen=True)
class Pair:
    """One sample of a person and an object.

    Person and object share one space, whose axes and origin are free: the object is taken to the
    body frame with the global orientation in ``pose`` and with ``pelvis`` or ``translation``.

    Args:
        pose: axis-angle in radians: 72 numbers of SMPL, 156 of SMPL-H or 165 of SMPL-X.
        points: (n, 3) metres, points that fill the object; or
        vertices: (V, 3) metres, of its mesh, with
        faces: (F, 3) vertex indices.
        weights: (n,) probability at each point.
        translation: (3,) metres, SMPL's: added to the posed vertices.
        pelvis: (3,) metres, where the posed pelvis is; in place of ``translation``.
        betas: (S,) shape of the person, which places the pelvis of a ``translation``.
    """

    pose: ArrayLike
    points: ArrayLike | None = None
    vertices: ArrayLike | None = None
    faces: ArrayLike | None = None
    weights: ArrayLike | None = None
    translation: ArrayLike | None = None
    pelvis: ArrayLike | None = None
    betas: ArrayLike | None = None


@checked
@displayed
@dataclass(frozen=True)
class MonteCarloField:
    """A field estimated from samples.

    Attributes:
        field: the mean over the samples.
        standard_error: (N, N, N) standard error of that mean, from the spread of the samples; 0
            for a single one.
        samples: number of samples.
    """

    field: OccupancyGrid
    standard_error: Float32
    samples: int

    @property
    def largest_error(self) -> float:
        """The largest standard error of a voxel."""
        return float(self.standard_error.max())


@checked
def smpl_pose(pose: ArrayLike) -> Float64:
    """Return a pose of SMPL, SMPL-H or SMPL-X as one of SMPL, (72,) axis-angle in radians.

    The three have pelvis to wrists in common, in the same order. Fingers, jaw and eyes are lost;
    SMPL's two hand joints, which the others lack, are straight.

    Args:
        pose: 72, 156 (SMPL-H: body, left hand, right hand) or 165 numbers (SMPL-X: body, jaw,
            eyes, hands), hands in full axis-angle.

    Raises:
        InputError: another number, values that are not finite, or degrees.
    """
    values = real_array(pose, "pose").astype(np.float64).ravel()
    if len(values) not in POSE_SIZES.values():
        sizes = ", ".join(f"{size} ({name})" for name, size in POSE_SIZES.items())
        raise InputError(
            f"a pose of {len(values)} numbers",
            expected=f"axis-angle in radians: {sizes}",
            fix="put global orientation and body pose together; hands as principal components are "
            "expanded by smplx (use_pca=False)",
        )
    if not np.isfinite(values).all():
        raise InputError("the pose has values that are NaN or infinite")
    check_pose(values, "the pose")
    if len(values) == POSE_SIZE:
        return values
    common = np.zeros(POSE_SIZE)
    common[:_COMMON] = values[:_COMMON]
    return common


@checked
def to_body_frame(points: ArrayLike, pair: Pair, body: BodyModel) -> Float64:
    """Return points in the posed body frame of a sample: without global orientation, at the origin.

    With the global rotation R and the pelvis q in the samples' space and p in the body frame, a
    point x becomes R^T (x - q) + p.

    Args:
        points: (n, 3) metres, in the space of the sample.
        pair: the sample.
        body: the body to which the pose is applied, with the mean shape.

    Raises:
        InputError: the pelvis is not known.
    """
    turn = axis_angle_to_matrix(smpl_pose(pair.pose)[:3])
    rest = body.rest_joints()[0]
    moved = checked_points(points, "points") - _pelvis(pair, body)
    return np.asarray(exact.product(moved, turn) + rest)


def _pelvis(pair: Pair, body: BodyModel) -> Float64:
    """Return where the pelvis is in the samples' space, (3,)."""
    if pair.pelvis is not None:
        return _place(pair.pelvis, "pelvis")
    if np.size(real_array(pair.pose, "pose")) != POSE_SIZE:
        raise InputError(
            "a pose of another model than SMPL without the place of the pelvis",
            expected="'pelvis' (3,), metres: its first joint after posing",
            fix="smplx returns it: model(...).joints[:, 0]; 'translation' is not enough, because "
            "the templates of the models have other origins",
        )
    shift = np.zeros(3) if pair.translation is None else _place(pair.translation, "translation")
    return np.asarray(shift + body.rest_joints(pair.betas)[0])


def _place(values: ArrayLike, name: str) -> Float64:
    place = real_array(values, name).astype(np.float64)
    if place.shape != (3,) or not np.isfinite(place).all():
        raise InputError(f"{name} of shape {place.shape}", expected="three finite numbers, metres")
    return place


def posed_object(pair: Pair, body: BodyModel, grid: GridSpec, radius: float | None) -> Float32:
    """Return the object of a sample in its posed space, (N, N, N) from 0 to 1.

    Args:
        pair: the sample.
        body: the body.
        grid: the grid of the posed space.
        radius: of the balls around points, see `points_field`.

    Raises:
        InputError: no object, or anything wrong with it.
    """
    if pair.points is not None:
        points = to_body_frame(pair.points, pair, body)
        return points_field(points, pair.weights, grid=grid, radius=radius).values
    if pair.vertices is None or pair.faces is None:
        raise InputError(
            "a sample without an object",
            expected="'points' (n, 3), or 'vertices' (V, 3) and 'faces' (F, 3)",
            fix="vertices without faces are points that fill the object's surface only",
        )
    vertices, faces = checked_mesh(pair.vertices, pair.faces)
    inside = mesh_voxels(to_body_frame(vertices, pair, body), faces, grid)
    return inside.astype(np.float32)


@checked
def canonical_field(
    pairs: Iterable[Pair],
    body: BodyModel,
    *,
    grid: GridSpec = _DEFAULT_GRID,
    radius: float | None = None,
) -> MonteCarloField:
    """Return the canonical field of samples of a person and an object.

    Args:
        pairs: the samples, one at a time.
        body: the body; every person is posed with its mean shape.
        grid: the grid of the canonical and of the posed space.
        radius: of the balls around points, see `points_field`.

    Raises:
        InputError: no sample, or anything wrong with one, which is named by its number.
    """
    operator = voxel_skinning(body.canonical_vertices, grid)
    total, squares, count = np.zeros(grid.voxels), np.zeros(grid.voxels), 0
    for number, pair in enumerate(pairs):
        try:
            posed = OccupancyGrid(posed_object(pair, body, grid, radius), grid)
        except InputError as error:
            raise InputError(
                error.found,
                where=f"sample {number}",
                expected=error.expected,
                fix=error.fix,
            ) from error
        read = posed.at(warp_forward(operator, body, smpl_pose(pair.pose))).astype(np.float64)
        total += read
        squares += read**2
        count += 1
    if not count:
        raise InputError("no samples", expected="at least one pair of a person and an object")
    return _estimate(total, squares, count, grid)


def _estimate(total: Float64, squares: Float64, count: int, grid: GridSpec) -> MonteCarloField:
    mean = np.clip(total / count, 0, 1)
    spread = np.maximum(squares / count - mean**2, 0) / max(1, count - 1)
    error = np.sqrt(spread).astype(np.float32).reshape(grid.shape)
    return MonteCarloField(
        OccupancyGrid(mean.astype(np.float32).reshape(grid.shape), grid), error, count
    )


def stacked_pairs(arrays: dict[str, NDArray[np.generic]]) -> Sequence[Pair]:
    """Return the samples in stacked arrays.

    Args:
        arrays: ``pose`` (S, 72, 156 or 165); the object as ``points`` (S, n, 3), or ``vertices``
            (S, V, 3) with ``faces`` (F, 3), or without the first axis where all samples share it;
            optionally ``weights``, ``translation``, ``pelvis`` and ``betas``, with or without
            the first axis.

    Raises:
        InputError: no poses, or arrays of other lengths.
    """
    poses = real_array(arrays["pose"], "pose") if "pose" in arrays else np.zeros((0, 0))
    if poses.ndim == 1:
        poses = poses[None]
    if poses.ndim != 2 or not len(poses):
        raise InputError(
            f"'pose' of shape {poses.shape}" if "pose" in arrays else "there is no 'pose'",
            expected="'pose' (samples, 72), axis-angle in radians",
        )
    own = {"points": 2, "weights": 1, "vertices": 2, "translation": 1, "pelvis": 1, "betas": 1}
    known = {
        name: _each(arrays[name], name, axes, len(poses))
        for name, axes in own.items()
        if name in arrays
    }
    return [
        Pair(pose, faces=arrays.get("faces"), **{name: values[k] for name, values in known.items()})
        for k, pose in enumerate(poses)
    ]


def _each(
    values: NDArray[np.generic], name: str, axes: int, samples: int
) -> Sequence[NDArray[np.generic]]:
    """Return the values of every sample; what all share is given once."""
    if values.ndim == axes:
        return [values] * samples
    if values.ndim != axes + 1 or len(values) != samples:
        raise InputError(
            f"'{name}' of shape {values.shape}",
            expected=f"one for each of the {samples} poses along the first axis, or one for all",
        )
    return list(values)
