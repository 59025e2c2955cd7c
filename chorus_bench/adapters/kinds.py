"""The kinds of predictions that can be converted: what each takes, assumes and loses."""

from __future__ import annotations

from dataclasses import dataclass

from chorus_bench.boundary import checked


@checked
@dataclass(frozen=True)
class Kind:
    """A kind of prediction.

    Attributes:
        name: as the command line has it.
        takes: the files it reads.
        assumes: what must be true of them.
        loses: what the field no longer knows.
        suffixes: of the files.
    """

    name: str
    takes: str
    assumes: str
    loses: str
    suffixes: tuple[str, ...]


_ARRAYS = (".npz", ".npy", ".safetensors", ".pt")
_MESHES = (".obj", ".ply", ".stl", ".off", ".glb")

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "points",
            "points (n, 3), optionally weights (n,) and a pose",
            "points fill the object; each is a ball, and where balls overlap the largest weight "
            "counts",
            "how densely the points lie, and anything smaller than a ball",
            _ARRAYS,
        ),
        Kind(
            "meshes",
            "a triangle mesh, optionally beside it an .npz with a pose",
            "closed parts are solid; of thin and open parts the voxels that the surface touches "
            "count",
            "details below a voxel, and the hollow of a closed part",
            (*_MESHES, ".npz"),
        ),
        Kind(
            "pairs",
            "pose (S, 72) with points (S, n, 3), or with vertices (S, V, 3) and faces",
            "samples are independent draws; every person is posed with the body's mean shape",
            "the person's shape, and what varies between the samples but for its mean",
            _ARRAYS,
        ),
        Kind(
            "object-centred",
            "the object in its own frame, with the pose, global orientation and pelvis of each "
            "person in that frame",
            "as for pairs",
            "as for pairs; an occupancy of people without their poses is declined",
            _ARRAYS,
        ),
        Kind(
            "shapes",
            "a YAML file: category -> center with radius, or center with size and rotation",
            "the object fills the ball or the box",
            "its form",
            (".yaml", ".yml"),
        ),
        Kind(
            "distances",
            "a grid of signed distances, negative inside",
            "the surface is at distance 0",
            "distances other than their sign",
            _ARRAYS,
        ),
        Kind(
            "contact",
            "labels or probabilities on the body's vertices, (V,) or (S, V)",
            "the object is within the radius of the vertices in contact, inside and outside of "
            "the skin",
            "everything beyond the touching surface: contact does not know how far the object "
            "reaches, and says nothing about objects that touch nobody",
            _ARRAYS,
        ),
        Kind(
            "grids",
            "a grid of probabilities: any dtype, box, resolution, axes and unit, or sparse voxels",
            "each voxel of the cube reads the voxel around its centre; outside the box it is 0",
            "detail where the cube is coarser than the grid",
            _ARRAYS,
        ),
    )
}

#: How many metres a unit is.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
