"""Fields from triangle meshes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from chorus_bench.adapters.shapes import checked_points
from chorus_bench.array_types import Bool, Float64, Int32, Int64
from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.voxels import thin_parts, voxels_inside, voxels_touched

_DEFAULT_GRID = GridSpec()


@checked
def mesh_field(
    vertices: ArrayLike, faces: ArrayLike, *, grid: GridSpec = _DEFAULT_GRID
) -> OccupancyGrid:
    """Return the field of a triangle mesh: 1 in what it encloses.

    Closed parts that are at least a voxel thick are filled, whatever their orientation. Of parts
    that are thin or not closed, every voxel that the surface touches counts.

    Args:
        vertices: (V, 3) metres, in the field's frame; equal ones are merged.
        faces: (F, 3) vertex indices.
        grid: the field's grid.

    Raises:
        InputError: no faces, indices of vertices that do not exist, or values that are not finite.
    """
    v, f = checked_mesh(vertices, faces)
    return OccupancyGrid(mesh_voxels(v, f, grid).astype(np.float32), grid)


def mesh_voxels(vertices: Float64, faces: Int32, grid: GridSpec) -> Bool:
    """Return the voxels (N, N, N) of a checked mesh, see `mesh_field`."""
    v, f = _merged(vertices, faces)
    part = _parts(len(v), f)
    closed = _closed(f, part)
    solid = closed & ~thin_parts(v, f, part, grid.voxel_size)
    f = _outward(v, f, part)
    found = np.zeros(grid.shape, dtype=bool)
    for chosen, voxels in ((closed, voxels_inside), (~solid, voxels_touched)):
        if chosen.any():
            found |= voxels(v, f[chosen[part]], grid)
    return found


def is_closed(vertices: ArrayLike, faces: ArrayLike) -> bool:
    """Whether every part of a mesh encloses a volume."""
    v, f = _merged(*checked_mesh(vertices, faces))
    return bool(_closed(f, _parts(len(v), f)).all())


def _merged(vertices: Float64, faces: Int32) -> tuple[Float64, Int32]:
    """Merge equal vertices, and leave out faces without an area."""
    unique, number = np.unique(vertices, axis=0, return_inverse=True)
    f = number.reshape(-1)[faces].astype(np.int32)
    a, b, c = f.T
    return unique, f[(a != b) & (b != c) & (c != a)]


def _parts(vertices: int, faces: Int32) -> Int64:
    """Return the number (F,) of the connected part of each face, without gaps."""
    ends = np.concatenate([faces[:, :2], faces[:, 1:]])
    graph = coo_array((np.ones(len(ends)), tuple(ends.T)), shape=(vertices, vertices))
    _, label = connected_components(graph, directed=False)
    return np.unique(label[faces[:, 0]], return_inverse=True)[1].astype(np.int64)


def _closed(faces: Int32, part: Int64) -> Bool:
    """Return which parts have every edge in two faces, once in each direction."""
    edges = np.concatenate([faces[:, [k, (k + 1) % 3]] for k in range(3)]).astype(np.int64)
    size = int(faces.max(initial=0)) + 1
    forth, back = edges[:, 0] * size + edges[:, 1], edges[:, 1] * size + edges[:, 0]
    _, number, count = np.unique(forth, return_inverse=True, return_counts=True)
    lonely = (count[number.reshape(-1)] != 1) | ~np.isin(forth, back)
    return np.asarray(np.bincount(np.tile(part, 3), lonely) == 0)


def _outward(vertices: Float64, faces: Int32, part: Int64) -> Int32:
    """Return the faces, parts of negative volume turned inside out."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    volume = np.bincount(part, exact.inner(a, exact.cross(b, c)))
    turned = faces.copy()
    wrong = (volume < 0)[part]
    turned[wrong] = turned[wrong][:, ::-1]
    return turned


def checked_mesh(vertices: ArrayLike, faces: ArrayLike) -> tuple[Float64, Int32]:
    """Return a mesh as arrays.

    Raises:
        InputError: no faces, indices of vertices that do not exist, or values that are not finite.
    """
    v, f = checked_points(vertices, "vertices"), real_array(faces, "faces")
    if f.ndim != 2 or f.shape[1:] != (3,) or not len(f) or f.dtype.kind not in "iu":
        raise InputError(
            f"faces of shape {f.shape} and dtype {f.dtype}",
            expected="(F, 3) indices of vertices, at least one triangle",
            fix="triangulate the mesh; a cloud of points is converted with the kind 'points'",
        )
    if f.min() < 0 or f.max() >= len(v):
        raise InputError(f"faces name vertex {f.max()}", expected=f"indices from 0 to {len(v) - 1}")
    return v, f.astype(np.int32)
