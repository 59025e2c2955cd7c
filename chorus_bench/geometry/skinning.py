"""Skinning weights of voxels, and the warps between the canonical and the posed space.

A voxel near the body moves with the body; a voxel far from it stays in place (it belongs to the
pelvis, which does not move when the global orientation is zero). All steps that give a voxel its
weights are linear in the vertices' weights: a mean over the nearest vertices, a blend with the
identity, and smoothing passes on the grid. Together they are one sparse operator, which can be
applied to the vertices' 24 weights or, with the same result, to their 12 transform entries.

Source: docs/protocol.md P7 to P12; the paper, section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import JOINTS, BodyModel, without_global_orientation
from chorus_bench.geometry.grid import GridSpec

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_PELVIS = 0
_FACE_NEIGHBOURS = ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))


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
    """

    neighbours: int = 30
    distance_scale: float = 0.8
    y_scale: float = 0.5
    identity_distance: float = 0.8
    smoothing_steps: int = 30
    smoothing_share: float = 0.3

    @property
    def label(self) -> str:
        """The settings as they stand in a signature."""
        label = f"k{self.neighbours},d{self.distance_scale},y{self.y_scale},s{self.smoothing_steps}"
        if self.identity_distance != self.distance_scale:
            label += f",i{self.identity_distance}"
        if self.smoothing_share != 0.3:
            label += f",share{self.smoothing_share}"
        return label


@dataclass(frozen=True)
class VoxelSkinning:
    """The sparse operator from values at vertices to values at voxels.

    Args:
        grid: the grid of voxels.
        near: (n,) flat indices, ascending, of the voxels that move with the body.
        blend: (n, V) sparse: mean over the nearest vertices times the share of the body.
        smooth: (n, n) sparse: one smoothing pass over the moving voxels.
        steps: number of smoothing passes.
    """

    grid: GridSpec
    near: Int64
    blend: sparse.csr_array
    smooth: sparse.csr_array
    steps: int

    def apply(self, vertex_values: ArrayLike) -> Float32:
        """Return values (n, C) at the moving voxels.

        Args:
            vertex_values: (V, C) values at the vertices, **relative to the value of the
                identity**, so that voxels that do not move have the value zero.
        """
        values = self.blend @ np.asarray(vertex_values, dtype=np.float32)
        for _ in range(self.steps):
            values = self.smooth @ values
        return np.asarray(values, dtype=np.float32)


def voxel_skinning(
    vertices: ArrayLike,
    grid: GridSpec,
    settings: SkinningSettings = SkinningSettings(),
    *,
    threads: int = 1,
) -> VoxelSkinning:
    """Compute how voxels follow a body.

    Args:
        vertices: (V, 3) metres: the canonical template for the forward warp, the posed body
            for the backward warp.
        grid: the grid, in the same frame.
        settings: see `SkinningSettings`.
        threads: threads for the nearest-neighbour query.

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
    near, distances, neighbours = _nearest_vertices(vertices, grid, settings, threads)
    body_share = 1 - _identity_share(distances[:, 0], settings)
    blend = _blend_matrix(distances, neighbours, body_share, len(vertices))
    smooth = _smoothing_matrix(near, grid.resolution, settings.smoothing_share)
    return VoxelSkinning(grid, near, blend, smooth, settings.smoothing_steps)


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
    at_vertices = body.weights.astype(np.float64) @ (bones - bones[_PELVIS])
    blended: Float64 = operator.apply(at_vertices) + bones[_PELVIS]
    return blended.reshape(-1, 3, 4)


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
    points[operator.near] = np.einsum("nab,nb->na", T[..., :3], moved) + T[..., 3]
    return points


def warp_backward(
    body: BodyModel,
    pose: ArrayLike,
    grid: GridSpec,
    settings: SkinningSettings = SkinningSettings(),
    *,
    threads: int = 1,
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

    Returns:
        (N**3, 3) canonical points in metres, float32; not finite where the blended transform
        cannot be inverted.

    Source: docs/protocol.md P12; the paper, section 3.3.
    """
    body_pose = without_global_orientation(pose)
    operator = voxel_skinning(body.pose(body_pose), grid, settings, threads=threads)
    T = forward_transforms(operator, body, body.canonical_to_posed(body_pose))
    points = grid.centers().copy()
    points[operator.near] = _solve(T[..., :3], points[operator.near] - T[..., 3])
    return points.astype(np.float32)


def _solve(A: Float64, y: Float64) -> Float64:
    """Solve (n, 3, 3) systems by Cramer's rule; not finite where A is singular."""
    r0, r1, r2 = A[:, 0], A[:, 1], A[:, 2]
    c0, c1, c2 = np.cross(r1, r2), np.cross(r2, r0), np.cross(r0, r1)
    determinant = np.einsum("na,na->n", r0, c0)
    with np.errstate(divide="ignore", invalid="ignore"):
        solution: Float64 = (c0 * y[:, :1] + c1 * y[:, 1:2] + c2 * y[:, 2:]) / determinant[:, None]
    return solution


def _nearest_vertices(
    vertices: Float64, grid: GridSpec, settings: SkinningSettings, threads: int
) -> tuple[Int64, Float64, Int64]:
    """Return the moving voxels (n,), their k distances (n, k) and vertices (n, k)."""
    candidates = _voxels_within(vertices, grid, settings.identity_distance)
    # Measured: midpoint splits without shrunken nodes make queries a quarter faster here.
    tree = cKDTree(vertices, leafsize=16, compact_nodes=False, balanced_tree=False)
    found = tree.query(grid.centers()[candidates], k=settings.neighbours, workers=threads)
    distances, neighbours = (np.asarray(array) for array in found)
    keep = distances[:, 0] <= settings.identity_distance
    return candidates[keep], distances[keep], neighbours[keep]


def _voxels_within(vertices: Float64, grid: GridSpec, distance: float) -> Int64:
    """Return every voxel within ``distance`` of a vertex, and a few farther ones."""
    index = np.floor((vertices - grid.low) / grid.voxel_size).astype(np.int64)
    if (index < 0).any() or (index >= grid.resolution).any():
        return np.arange(grid.voxels)  # a body that leaves the cube: look everywhere
    free = np.ones(grid.shape, dtype=bool)
    free[tuple(index.T)] = False
    to_occupied = distance_transform_edt(free, sampling=grid.voxel_size)
    half_diagonal = grid.voxel_size * np.sqrt(3) / 2
    return np.flatnonzero(to_occupied <= distance + half_diagonal + 1e-9)


def _identity_share(nearest: Float64, settings: SkinningSettings) -> Float64:
    ratio = np.clip(nearest / settings.distance_scale, 0, 1)
    with np.errstate(divide="ignore"):
        share: Float64 = 1 - np.exp(-settings.y_scale * np.arctanh(ratio))
    return share


def _blend_matrix(
    distances: Float64, neighbours: Int64, body_share: Float64, vertices: int
) -> sparse.csr_array:
    with np.errstate(divide="ignore"):
        inverse = 1 / distances
    on_vertex = distances[:, 0] == 0
    inverse[on_vertex] = 0
    inverse[on_vertex, 0] = 1
    inverse *= (body_share / inverse.sum(axis=1))[:, None]
    n, k = distances.shape
    starts = np.arange(0, n * k + 1, k, dtype=np.int32)
    data = (inverse.astype(np.float32).ravel(), neighbours.astype(np.int32).ravel(), starts)
    return sparse.csr_array(data, shape=(n, vertices))


def _smoothing_matrix(near: Int64, resolution: int, share: float) -> sparse.csr_array:
    """One pass: interior voxels move toward the mean of their six neighbours.

    Voxels outside ``near`` hold zero (the identity) before and after every pass, so they need
    neither rows nor columns; the border layer of the cube keeps its values.
    """
    n = len(near)
    number = np.full(resolution**3, -1, dtype=np.int64)
    number[near] = np.arange(n)
    ijk = np.stack(np.unravel_index(near, (resolution,) * 3), axis=1)
    interior = ((ijk > 0) & (ijk < resolution - 1)).all(axis=1)
    rows, columns = [np.arange(n)], [np.arange(n)]
    values = [np.where(interior, 1 - share, 1.0)]
    inner = np.flatnonzero(interior)
    for offset in _FACE_NEIGHBOURS:
        step = int(np.dot(offset, (resolution**2, resolution, 1)))
        neighbour = number[near[inner] + step]
        rows.append(inner[neighbour >= 0])
        columns.append(neighbour[neighbour >= 0])
        values.append(np.full(len(rows[-1]), share / 6))
    entries = (
        np.concatenate(values).astype(np.float32),
        (np.concatenate(rows), np.concatenate(columns)),
    )
    return sparse.csr_array(entries, shape=(n, n))
