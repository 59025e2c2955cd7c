"""Ground truth in 3D: the voxels that an object occupies, in the posed and canonical space.

A voxel is occupied if its centre lies inside a part of the object. Parts thinner than a voxel
could miss the centres; for them, every voxel that the surface touches counts (surface points are
taken on three families of lines a quarter of a voxel apart).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.occupancy import POSED_GRID
from chorus_bench.geometry import exact
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.rasterizer import Fragments, fragments
from chorus_bench.simulation.meshes import Mesh

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

_LINES_PER_VOXEL = 4


def occupancy(mesh: Mesh, grid: GridSpec = POSED_GRID) -> Bool:
    """Return the voxels (N, N, N) that an object occupies.

    Args:
        mesh: the object, in the grid's frame, metres.
        grid: the grid.
    """
    scaled = (mesh.vertices - grid.low) / grid.voxel_size
    inside = _centers_inside(scaled, mesh.faces, grid.resolution)
    thin = _thin_parts(mesh, grid.voxel_size)[mesh.parts]
    if thin.any():
        inside |= _touched(scaled, mesh.faces[thin], grid.resolution)
    return inside


def _thin_parts(mesh: Mesh, voxel: float) -> Bool:
    """Return which parts are thin: twice the volume over the area is less than a voxel.

    That ratio is the thickness of a plate, the radius of a bar, 2/3 of the radius of a ball.
    """
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    volume = np.bincount(mesh.parts, exact.inner(a, exact.cross(b, c)) / 6)
    area = np.bincount(mesh.parts, exact.norm(exact.cross(b - a, c - a)) / 2)
    thin: Bool = 2 * np.abs(volume) < voxel * area
    return thin


def _centers_inside(scaled: Float64, faces: Int32, resolution: int) -> Bool:
    """Count crossings of the lines along z: a centre with a winding number is inside."""
    N = resolution
    change = np.zeros((N * N, N + 1), dtype=np.int32)
    for step, turned in ((1, faces), (-1, faces[:, ::-1])):
        hits = fragments(scaled[:, :2], turned, N, N)
        first = np.ceil(_along(scaled[:, 2], turned, hits) - 0.5)
        np.add.at(change, (hits.pixel, np.clip(first, 0, N).astype(np.int64)), step)
    winding = np.cumsum(change[:, :N], axis=1).reshape(N, N, N)
    return np.ascontiguousarray((winding != 0).transpose(1, 0, 2))


def _touched(scaled: Float64, faces: Int32, resolution: int) -> Bool:
    """Return the voxels that contain a point where a line of the three families hits."""
    N, fine = resolution, resolution * _LINES_PER_VOXEL
    touched = np.zeros((N, N, N), dtype=bool)
    for u, v, w in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        for turned in (faces, faces[:, ::-1]):
            hits = fragments(scaled[:, [u, v]] * _LINES_PER_VOXEL, turned, fine, fine)
            row, column = np.divmod(hits.pixel, fine)
            depth = np.floor(_along(scaled[:, w], turned, hits)).astype(np.int64)
            index = np.empty((len(depth), 3), dtype=np.int64)
            index[:, u], index[:, v] = column // _LINES_PER_VOXEL, row // _LINES_PER_VOXEL
            index[:, w] = depth
            index = index[(depth >= 0) & (depth < N)]
            touched[tuple(index.T)] = True
    return touched


def _along(values: Float64, faces: Int32, hits: Fragments) -> Float64:
    """Return the values at corners (V,) interpolated at the fragments (n,)."""
    return np.asarray(exact.inner(hits.weights, values[faces[hits.face]]))
