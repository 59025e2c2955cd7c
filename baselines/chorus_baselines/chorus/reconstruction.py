"""A 3D object beside a person: the surface of a posed field, written to a mesh file.

Source: docs/method.md M20; the paper, section 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chorus_baselines.chorus.inference import check_pose, posed_field
from chorus_bench.annotations import Count
from chorus_bench.array_types import Float32, Float64, Int32
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, import_extra, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import SkinningSettings
from chorus_bench.io.files import atomic_write_bytes

_DEFAULT_GRID, _DEFAULT_SKINNING = GridSpec(), SkinningSettings()

#: The mesh formats by file suffix.
MESH_FORMATS = ("obj", "ply", "glb")

#: The default level of a surface, as a share of the field's maximum.
SHARE = 0.7
#: How far a level that voxels have is moved toward the next lower value, as a share of the way.
_NUDGE = 1e-2

#: The colours of the meshes by name, RGBA.
COLORS = {"object": (230, 140, 60, 255), "person": (150, 165, 190, 255)}
_OTHER_COLOR = (200, 200, 200, 255)


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh; seen from outside, corners run counter-clockwise.

    Args:
        vertices: (V, 3) metres, body frame.
        faces: (F, 3) vertex indices.
    """

    vertices: Float64
    faces: Int32


@dataclass(frozen=True, eq=False)
class Scene:
    """A person with the expected object.

    Attributes:
        meshes: ``object`` and ``person``, in the body frame of the person.
        level: the level of the object's surface.
        highest: the largest value of the posed field.
    """

    meshes: Mapping[str, Mesh]
    level: float
    highest: float


def surface(field: ArrayLike, grid: GridSpec = _DEFAULT_GRID, level: float | None = None) -> Mesh:
    """Return the surface at which a field reaches a level, by marching cubes.

    Values are at the voxel centres. Outside the cube the field is 0, so that the surface is closed.
    A voxel at the level itself is inside.

    Args:
        field: (N, N, N) probabilities on ``grid``.
        grid: the field's grid.
        level: level of the surface, more than 0; by default `SHARE` of the field's maximum.

    Raises:
        InputError: no voxel reaches the level, or the level is not positive.
        MissingDependencyError: scikit-image is not installed.
    """
    values = OccupancyGrid(np.asarray(field, dtype=np.float32), grid).values
    level = surface_level(values) if level is None else level
    if not 0 < level <= 1:
        raise InputError(f"level {level}", expected="more than 0 and at most 1")
    highest = float(values.max())
    if highest < np.float32(level):
        raise InputError(
            f"no surface at level {level:.4g}: the largest value of the field is {highest:.4g}",
            fix=f"choose a lower level, for example {SHARE * highest:.2g}",
        )
    measure = import_extra(
        "skimage.measure",
        extra="mesh",
        purpose="finding the surface of a field",
        package="scikit-image",
    )
    padded, reached = np.pad(values, 1), _between(values, level)
    vertices, faces, _, _ = measure.marching_cubes(padded, reached, gradient_direction="ascent")
    places = grid.low + grid.voxel_size * (vertices.astype(np.float64) - 0.5)
    return Mesh(places, faces.astype(np.int32))


def surface_level(field: Float32) -> float:
    """Return the default level of a field's surface: `SHARE` of its maximum.

    Raises:
        InputError: the field is 0 everywhere.
    """
    highest = float(np.max(field))
    if not highest > 0:
        raise InputError(
            "no surface: the field is 0 everywhere", fix="use a field that is not empty"
        )
    return SHARE * highest


def _between(values: Float32, level: float) -> float:
    """Return a level that no voxel has, and that divides the voxels as ``level`` does.

    Marching cubes leaves holes and needles where voxels equal the level.
    """
    if not (values == np.float32(level)).any():
        return level
    below = float(values[values < np.float32(level)].max(initial=0.0))
    return level - _NUDGE * (level - below)


def person_mesh(body: BodyModel, pose: ArrayLike) -> Mesh:
    """Return the posed body, with a zero global orientation and the mean shape.

    Args:
        body: the body.
        pose: (72,) axis-angle in radians.
    """
    return Mesh(body.pose(check_pose(pose)), body.faces)


@checked
def reconstruct(
    field: ArrayLike | OccupancyGrid,
    pose: ArrayLike,
    path: str | Path,
    *,
    body: BodyModel | str | Path = "default",
    grid: GridSpec = _DEFAULT_GRID,
    level: float | None = None,
    skinning: SkinningSettings = _DEFAULT_SKINNING,
    threads: Count = 1,
) -> Path:
    """Write a mesh of the object that a canonical field predicts for a pose, and of the person.

    Args:
        field: canonical probabilities; see `posed_field`.
        pose: (72,) axis-angle in radians; the global orientation is ignored.
        path: the mesh file, ending in .obj, .ply or .glb.
        body: the body of the pose.
        grid: the grid of the posed space.
        level: the object is where the field reaches it; by default `SHARE` of its maximum.
        skinning: how voxels follow the body.
        threads: threads for the nearest-neighbour query.

    Returns:
        ``path``.

    Raises:
        InputError: an unknown format, an unusable pose or field, or no voxel at the level.
        MissingDependencyError: scikit-image or trimesh is not installed.
        WriteError: the file cannot be written.
    """
    mesh_format(path)
    scene = scene_of(field, pose, body, grid=grid, level=level, skinning=skinning, threads=threads)
    return save_meshes(path, scene.meshes)


def scene_of(
    field: ArrayLike | OccupancyGrid,
    pose: ArrayLike,
    body: BodyModel | str | Path = "default",
    *,
    grid: GridSpec = _DEFAULT_GRID,
    level: float | None = None,
    skinning: SkinningSettings = _DEFAULT_SKINNING,
    threads: Count = 1,
) -> Scene:
    """Return the meshes that `reconstruct` writes, with the same arguments.

    Raises:
        InputError: an unusable pose or field, or no voxel at the level.
        MissingDependencyError: scikit-image is not installed.
    """
    model = load_body(body)
    posed = posed_field(field, pose, model, grid, skinning=skinning, threads=threads)
    reached = surface_level(posed) if level is None else level
    meshes = {"object": surface(posed, grid, reached), "person": person_mesh(model, pose)}
    return Scene(meshes, reached, float(posed.max()))


def mesh_format(path: str | Path) -> str:
    """Return the format given by a mesh file's suffix.

    Raises:
        InputError: it is not one of `MESH_FORMATS`.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in MESH_FORMATS:
        raise unknown_name("mesh format", ending, MESH_FORMATS, where=path)
    return ending


def check_mesh_output(path: str | Path) -> None:
    """Check that a mesh can be written to a file before one is made.

    Raises:
        InputError: an unknown format.
        MissingDependencyError: scikit-image or trimesh is not installed.
    """
    mesh_format(path)
    import_extra("skimage", extra="mesh", purpose="a surface", package="scikit-image")
    import_extra("trimesh", extra="mesh", purpose="writing mesh files")


def save_meshes(path: str | Path, meshes: Mapping[str, Mesh]) -> Path:
    """Write meshes to one file, atomically.

    GLB and OBJ distinguish them by name; PLY only by colour.

    Args:
        path: the mesh file, ending in .obj, .ply or .glb.
        meshes: name -> mesh.

    Raises:
        InputError: an unknown format.
        MissingDependencyError: trimesh is not installed.
        WriteError: the file cannot be written.
    """
    kind = mesh_format(path)
    trimesh = import_extra("trimesh", extra="mesh", purpose="writing mesh files")
    parts = {name: _colored(trimesh, name, mesh) for name, mesh in meshes.items()}
    if kind == "ply":
        data = trimesh.util.concatenate(list(parts.values())).export(file_type=kind)
    else:
        data = trimesh.Scene(parts).export(file_type=kind)
    return atomic_write_bytes(path, data.encode() if isinstance(data, str) else data)


def _colored(trimesh: Any, name: str, mesh: Mesh) -> Any:  # noqa: ANN401 - an untyped library
    color = np.tile(np.array(COLORS.get(name, _OTHER_COLOR), np.uint8), (len(mesh.vertices), 1))
    return trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=color, process=False)
