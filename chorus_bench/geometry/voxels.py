"""The voxels that a surface encloses or touches.

Enclosed: the lines of voxel centres along z cross the surface; a centre with a winding number other
than zero is inside. Touched: points are taken on three families of lines a quarter of a voxel
apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chorus_bench.geometry import exact
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.rasterizer import Fragments, fragments

Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]

_LINES_PER_VOXEL = 4


def voxels_inside(vertices: Float64, faces: Int32, grid: GridSpec) -> Bool:
    """Return the voxels (N, N, N) whose centres a surface encloses.

    Args:
        vertices: (V, 3) metres, in the grid's frame.
        faces: (F, 3) of closed parts, all oriented in the same way.
        grid: the grid.
    """
    scaled, N = _scaled(vertices, grid), grid.resolution
    change = np.zeros((N * N, N + 1), dtype=np.int32)
    both = _both_sides(faces)
    hits = fragments(scaled[:, :2], both, N, N)
    first = np.ceil(_along(scaled[:, 2], both, hits) - 0.5)
    step = np.where(hits.face < len(faces), 1, -1)
    np.add.at(change, (hits.pixel, np.clip(first, 0, N).astype(np.int64)), step)
    winding = np.cumsum(change[:, :N], axis=1).reshape(N, N, N)
    return np.ascontiguousarray((winding != 0).transpose(1, 0, 2))


def voxels_touched(vertices: Float64, faces: Int32, grid: GridSpec) -> Bool:
    """Return the voxels (N, N, N) that contain a point where a line of the three families hits.

    Args:
        vertices: (V, 3) metres, in the grid's frame.
        faces: (F, 3); the surface need not be closed.
        grid: the grid.
    """
    scaled, N = _scaled(vertices, grid), grid.resolution
    fine = N * _LINES_PER_VOXEL
    touched = np.zeros((N, N, N), dtype=bool)
    both = _both_sides(faces)
    for u, v, w in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        hits = fragments(scaled[:, [u, v]] * _LINES_PER_VOXEL, both, fine, fine)
        row, column = np.divmod(hits.pixel, fine)
        depth = np.floor(_along(scaled[:, w], both, hits)).astype(np.int64)
        index = np.empty((len(depth), 3), dtype=np.int64)
        index[:, u], index[:, v] = column // _LINES_PER_VOXEL, row // _LINES_PER_VOXEL
        index[:, w] = depth
        index = index[(depth >= 0) & (depth < N)]
        touched[tuple(index.T)] = True
    return touched


def thin_parts(vertices: Float64, faces: Int32, part: NDArray[np.integer], voxel: float) -> Bool:
    """Return which parts are thin: twice the volume over the area is less than a voxel.

    That ratio is the thickness of a plate, the radius of a bar, 2/3 of the radius of a ball.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3).
        part: (F,) number of each face's part.
        voxel: side of a voxel, metres.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    volume = np.bincount(part, exact.inner(a, exact.cross(b, c)) / 6)
    area = np.bincount(part, exact.norm(exact.cross(b - a, c - a)) / 2)
    thin: Bool = 2 * np.abs(volume) < voxel * area
    return thin


def _scaled(vertices: Float64, grid: GridSpec) -> Float64:
    """Return points in voxels from the cube's corner."""
    return np.asarray((vertices - grid.low) / grid.voxel_size)


def _both_sides(faces: Int32) -> Int32:
    """Return faces (2 F, 3) as seen from the front, then from behind."""
    return np.concatenate([faces, faces[:, ::-1]])


def _along(values: Float64, faces: Int32, hits: Fragments) -> Float64:
    """Return the values at corners (V,) interpolated at the fragments (n,)."""
    return np.asarray(exact.inner(hits.weights, values.take(faces.take(hits.face, axis=0))))
