"""Ground truth in 3D: the voxels that an object occupies, in the posed and canonical space.

A voxel is occupied if its centre lies inside a part of the object. Parts thinner than a voxel
could miss the centres; for them, every voxel that the surface touches counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.occupancy import POSED_GRID
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.voxels import thin_parts, voxels_inside, voxels_touched
from chorus_bench.simulation.meshes import Mesh

Bool = NDArray[np.bool_]


def occupancy(mesh: Mesh, grid: GridSpec = POSED_GRID) -> Bool:
    """Return the voxels (N, N, N) that an object occupies.

    Args:
        mesh: the object, in the grid's frame, metres.
        grid: the grid.
    """
    inside = voxels_inside(mesh.vertices, mesh.faces, grid)
    thin = thin_parts(mesh.vertices, mesh.faces, mesh.parts, grid.voxel_size)[mesh.parts]
    if thin.any():
        inside |= voxels_touched(mesh.vertices, mesh.faces[thin], grid)
    return inside
