"""Skinning weights of voxels, and the warps between the canonical and the posed space.

A voxel near the body moves with the body; a voxel far from it stays in place (it belongs to the
pelvis, which does not move when the global orientation is zero). All steps that give a voxel its
weights are linear in the vertices' weights: a mean over the nearest vertices, a blend with the
identity, and smoothing passes on the grid. Together they are one linear operator, which can be
applied to the vertices' 24 weights or, with the same result, to their 12 transform entries.

Source: docs/protocol.md P7 to P12; the paper, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import JOINTS, BodyModel, without_global_orientation
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.nearest import nearest_points
from chorus_bench.geometry.smoothing import smoothed

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_PELVIS = 0
#: The smallest and largest value of each setting.
_RANGES = {
    "neighbours": (1, 1000),
    "distance_scale": (1e-3, 1e3),
    "y_scale": (1e-3, 1e3),
    "identity_distance": (1e-3, 1e3),
    "smoothing_steps": (0, 10_000),
    "smoothing_share": (0, 1),
}
# So many that their neighbours and shares stay in a processor's cache.
_VOXELS_AT_ONCE = 1024
# Values of a vertex that are read together, as one number of 16 bytes.
_AT_ONCE = 4


@dataclass(frozen=True)
class SkinningSettings:
    """Settings of the voxels' skinning weights; the defaults are those of the paper's evaluation.

    Args:
        neighbours: number of nearest vertices that are averaged.
        distance_scale: distance in metres from which on the weight is the identity.
        y_scale: scale of the exponent in the blend with the identity.
        identity_distance: voxels farther than this from every vertex, in metres, never move.
        smoothing_steps: number of smoothing passes over the grid.
        smoothing_share: share of the six neighbours' mean in one pass.

    Raises:
        InputError: a number is out of its range.
    """

    neighbours: int = 30
    distance_scale: float = 0.8
    y_scale: float = 0.5
    identity_distance: float = 0.8
    smoothing_steps: int = 30
    smoothing_share: float = 0.3

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                expected = f"{low:g} to {high:g}"
                raise InputError(f"{name} is {value}", where="skinning", expected=expected)

    @property
    def label(self) -> str:
        """The settings as they appear in a signature."""
        label = f"k{self.neighbours},d{self.distance_scale},y{self.y_scale},s{self.smoothing_steps}"
        if self.identity_distance != self.distance_scale:
            label += f",i{self.identity_distance}"
        if self.smoothing_share != 0.3:
            label += f",share{self.smoothing_share}"
        return label


@dataclass(frozen=True, eq=False)
class VoxelSkinning:
    """The linear operator from values at vertices to values at voxels.

    Args:
        grid: the grid of voxels.
        near: (n,) flat indices, ascending, of the voxels that move with the body.
        neighbours: (k, n) the nearest vertices of each, the nearest one first; int64 of NumPy, or
            of torch on a device.
        shares: (k, n) what each of them counts: its share of the mean times that of the body;
            float32, likewise.
        settings: how voxels get their weights.
    """

    grid: GridSpec
    near: Int64
    neighbours: Any
    shares: Any
    settings: SkinningSettings

    def apply(self, vertex_values: ArrayLike) -> Float32:
        """Return values (n, C) at the moving voxels.

        Args:
            vertex_values: (V, C) values at the vertices, **relative to the value of the
                identity**, so that voxels that do not move have the value zero.
        """
        values = np.asarray(vertex_values, dtype=np.float32)
        blended = np.empty((values.shape[1], len(self.near)), dtype=np.float32)
        for begin in range(0, len(blended), _AT_ONCE):
            self._blend(values[:, begin : begin + _AT_ONCE], blended[begin : begin + _AT_ONCE])
        steps, share = self.settings.smoothing_steps, self.settings.smoothing_share
        return smoothed(blended, self.near, self.grid.resolution, steps, share).T

    def _blend(self, values: Float32, blended: Float32) -> None:
        """Put weighted means of values (V, c) into (c, n), neighbour after neighbour."""
        padded = np.zeros((len(values), _AT_ONCE), dtype=np.float32)
        padded[:, : len(blended)] = values
        together = padded.view(np.complex128)[:, 0]
        for begin in range(0, len(self.near), _VOXELS_AT_ONCE):
            some = slice(begin, begin + _VOXELS_AT_ONCE)
            parts = together.take(self.neighbours[:, some]).view(np.float32)
            parts *= self.shares[:, some].repeat(_AT_ONCE, axis=1)
            means = parts[0]
            for part in parts[1:]:
                means += part
            blended[:, some] = means.reshape(-1, _AT_ONCE).T[: len(blended)]


class _DeviceSkinning(VoxelSkinning):
    """The same with neighbours and shares on a device of torch."""

    def apply(self, vertex_values: ArrayLike) -> Float32:
        """Return values (n, C) at the moving voxels; see `VoxelSkinning.apply`."""
        from chorus_bench.geometry.torch_skinning import smoothed_means

        columns = np.ascontiguousarray(np.asarray(vertex_values).T, dtype=np.float32)
        steps, share = self.settings.smoothing_steps, self.settings.smoothing_share
        numbers, weights = self.neighbours, self.shares
        resolution = self.grid.resolution
        return smoothed_means(columns, numbers, weights, self.near, resolution, steps, share).T


def voxel_skinning(
    vertices: ArrayLike,
    grid: GridSpec,
    settings: SkinningSettings = SkinningSettings(),
    *,
    threads: int = 1,
    device: str = "cpu",
) -> VoxelSkinning:
    """Compute how voxels follow a body.

    Args:
        vertices: (V, 3) metres: the canonical template for the forward warp, the posed body
            for the backward warp.
        grid: the grid, in the same frame.
        settings: see `SkinningSettings`.
        threads: threads for the nearest-neighbour query.
        device: ``cpu``, or a device of torch with double precision; the same bits.

    Returns:
        The operator. Voxels farther than ``identity_distance`` from every vertex are not in it.

    Source: docs/protocol.md P8 to P10.
    """
    vertices = np.asarray(vertices, dtype=np.float64)
    if len(vertices) < settings.neighbours:
        raise InputError(
            f"a body of {len(vertices)} vertices",
            expected=f"at least {settings.neighbours}, the number of neighbours that are averaged",
        )
    candidates = _voxels_within(vertices, grid, settings.identity_distance)
    centers = grid.centers()[candidates]
    if device != "cpu":
        return _on_device(vertices, centers, candidates, grid, settings, device)
    count, spacing = settings.neighbours, grid.voxel_size
    distances, numbers = nearest_points(vertices, centers, count, spacing=spacing, threads=threads)
    near = np.flatnonzero(distances[0] <= settings.identity_distance)
    shares = _shares(distances.take(near, axis=1), settings)
    neighbours = numbers.take(near, axis=1)
    return VoxelSkinning(grid, candidates[near], neighbours, shares, settings)


def _on_device(
    vertices: Float64,
    centers: Float64,
    candidates: Int64,
    grid: GridSpec,
    settings: SkinningSettings,
    device: str,
) -> VoxelSkinning:
    """Return the operator with its neighbours and shares on a device."""
    from chorus_bench.geometry.torch_skinning import nearest_vertices, on_device

    distances, numbers = nearest_vertices(vertices, centers, settings.neighbours, device)
    near = np.flatnonzero(distances[0] <= settings.identity_distance)
    shares = on_device(_shares(distances[:, near], settings), device)
    neighbours = numbers[:, on_device(near, device)]
    return _DeviceSkinning(grid, candidates[near], neighbours, shares, settings)


def skinning_weights(
    vertices: ArrayLike,
    vertex_weights: ArrayLike,
    grid: GridSpec,
    settings: SkinningSettings = SkinningSettings(),
) -> Float32:
    """Return the skinning weights (N**3, 24) of every voxel; rows sum to 1.

    Args:
        vertices: (V, 3) metres, in the frame of the grid.
        vertex_weights: (V, 24) the body's skinning weights.
        grid: the grid.
        settings: see `SkinningSettings`.
    """
    identity = np.zeros(JOINTS, dtype=np.float32)
    identity[_PELVIS] = 1
    operator = voxel_skinning(vertices, grid, settings)
    weights = np.tile(identity, (grid.voxels, 1))
    weights[operator.near] += operator.apply(np.asarray(vertex_weights) - identity)
    return weights


def forward_transforms(
    operator: VoxelSkinning, body: BodyModel, bone_transforms: ArrayLike
) -> Float64:
    """Blend bone transforms at the moving voxels.

    Args:
        operator: from `voxel_skinning`.
        body: the body whose skinning weights are used.
        bone_transforms: (24, 4, 4) canonical to posed, `BodyModel.canonical_to_posed`.

    Returns:
        (n, 3, 4) affine transforms, canonical to posed, for the voxels ``operator.near``.
    """
    bones = np.asarray(bone_transforms, dtype=np.float64)[:, :3].reshape(JOINTS, 12)
    at_vertices = exact.product((bones - bones[_PELVIS]).T, body.weights_by_joint).T
    entries = operator.apply(at_vertices).T + bones[_PELVIS][:, None]
    return np.moveaxis(entries.reshape(3, 4, -1), -1, 0)


def warp_forward(operator: VoxelSkinning, body: BodyModel, pose: ArrayLike) -> Float64:
    """Map every voxel centre of the canonical grid to the posed space.

    Args:
        operator: `voxel_skinning` of the canonical template: computed once per body and grid.
        body: the body.
        pose: (72,) axis-angle in radians; the global orientation is ignored.

    Returns:
        (N**3, 3) posed points in metres, body frame.

    Source: docs/protocol.md P11.
    """
    points = operator.grid.centers().copy()
    T = forward_transforms(operator, body, body.canonical_to_posed(pose))
    moved = points[operator.near]
    points[operator.near] = exact.inner(T[..., :3], moved[:, None]) + T[..., 3]
    return points


def warp_backward(
    body: BodyModel,
    pose: ArrayLike,
    grid: GridSpec,
    settings: SkinningSettings = SkinningSettings(),
    *,
    threads: int = 1,
    device: str = "cpu",
) -> Float32:
    """Map every voxel centre of the posed grid back to the canonical space.

    The weights are computed from the **posed** vertices, and the blended transform is inverted for
    each voxel.

    Args:
        body: the body.
        pose: (72,) axis-angle in radians; the global orientation is ignored.
        grid: the grid of the posed space.
        settings: see `SkinningSettings`.
        threads: threads for the nearest-neighbour query.
        device: where neighbours, blend and smoothing are computed; see `voxel_skinning`.

    Returns:
        (N**3, 3) canonical points in metres, float32; not finite where the blended transform
        cannot be inverted.

    Source: docs/protocol.md P12; the paper, section 3.3.
    """
    body_pose = without_global_orientation(pose)
    posed = body.pose(body_pose)
    operator = voxel_skinning(posed, grid, settings, threads=threads, device=device)
    T = forward_transforms(operator, body, body.canonical_to_posed(body_pose))
    points = grid.centers().copy()
    points[operator.near] = _solve(T[..., :3], points[operator.near] - T[..., 3])
    return points.astype(np.float32)


def _solve(A: Float64, y: Float64) -> Float64:
    """Solve (n, 3, 3) systems by Cramer's rule; not finite where A is singular."""
    r0, r1, r2 = A[:, 0], A[:, 1], A[:, 2]
    c0, c1, c2 = exact.cross(r1, r2), exact.cross(r2, r0), exact.cross(r0, r1)
    determinant = exact.inner(r0, c0)
    with np.errstate(divide="ignore", invalid="ignore"):
        solution: Float64 = (c0 * y[:, :1] + c1 * y[:, 1:2] + c2 * y[:, 2:]) / determinant[:, None]
    return solution


def _voxels_within(vertices: Float64, grid: GridSpec, distance: float) -> Int64:
    """Return every voxel within ``distance`` of a vertex, and a few that are farther.

    A voxel that is left out is farther by 1e-9 at least, whatever rounding does here.
    """
    from scipy.ndimage import distance_transform_edt  # not needed where geometry is in a cache

    index = np.floor((vertices - grid.low) / grid.voxel_size).astype(np.int64)
    if (index < 0).any() or (index >= grid.resolution).any():
        return np.arange(grid.voxels)  # a body that leaves the cube: look everywhere
    free = np.ones(grid.shape, dtype=bool)
    free[tuple(index.T)] = False
    to_occupied = distance_transform_edt(free, sampling=grid.voxel_size)
    half_diagonal = grid.voxel_size * np.sqrt(3) / 2
    return np.flatnonzero(to_occupied <= distance + half_diagonal + 2e-9)


def _shares(distances: Float64, settings: SkinningSettings) -> Float32:
    """Return what each of the neighbours counts, (k, n), from their distances."""
    with np.errstate(divide="ignore"):
        inverse = 1 / distances
    on_vertex = distances[0] == 0
    inverse[:, on_vertex] = 0
    inverse[0, on_vertex] = 1
    inverse *= _body_share(distances[0], settings) / exact.total(inverse)
    return inverse.astype(np.float32)


def _body_share(nearest: Float64, settings: SkinningSettings) -> Float64:
    """Return the share of the body, ``exp(-y artanh r)``; that of the identity is the rest.

    With ``artanh r = log((1 + r) / (1 - r)) / 2`` it is ``((1 - r) / (1 + r)) ** (y / 2)``.
    """
    ratio = np.clip(nearest / settings.distance_scale, 0, 1)
    quotient = (1 - ratio) / (1 + ratio)
    if settings.y_scale == 0.5:
        return np.asarray(np.sqrt(np.sqrt(quotient)))
    return exact.power(quotient, settings.y_scale / 2)
