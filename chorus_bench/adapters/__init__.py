"""Adapters: predictions of other kinds as occupancy fields and submissions.

`convert` converts files; the functions convert arrays: `points_field`, `mesh_field`,
`canonical_field` (pairs), `shapes_field`, `distance_field`, `contact_field`, `box_grid` and
`smpl_pose`. docs/converting.md says what each assumes and loses.
"""

from chorus_bench.adapters.convert import Conversion, convert
from chorus_bench.adapters.grids import BoxGrid, box_grid, cube_of, grid_field
from chorus_bench.adapters.kinds import KINDS, UNITS, Kind
from chorus_bench.adapters.meshes import mesh_field
from chorus_bench.adapters.pairs import (
    MonteCarloField,
    Pair,
    canonical_field,
    smpl_pose,
    to_body_frame,
)
from chorus_bench.adapters.shapes import (
    Ball,
    Box,
    blurred,
    contact_field,
    distance_field,
    points_field,
    shapes_field,
)

__all__ = [
    "KINDS",
    "UNITS",
    "Ball",
    "Box",
    "BoxGrid",
    "Conversion",
    "Kind",
    "MonteCarloField",
    "Pair",
    "blurred",
    "box_grid",
    "canonical_field",
    "contact_field",
    "convert",
    "cube_of",
    "distance_field",
    "grid_field",
    "mesh_field",
    "points_field",
    "shapes_field",
    "smpl_pose",
    "to_body_frame",
]
