"""Golden comparisons of the geometry: body, skinning weights, warps, azimuth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.engines.threads import cpu_count
from chorus_bench.geometry.body import star_pose, without_global_orientation
from chorus_bench.geometry.camera import azimuth_bins, azimuth_degrees
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import (
    SkinningSettings,
    skinning_weights,
    voxel_skinning,
    warp_backward,
    warp_forward,
)
from chorus_bench.selftest.comparison import Comparison, differing, largest
from chorus_bench.selftest.data import golden, golden_body

GRID = GridSpec()
WEIGHT_TOLERANCE = 1e-4
VERTEX_TOLERANCE = 1e-5
POINT_TOLERANCE = 1e-4
#: Azimuths agree to the last bit or two of the arc tangent; their bins agree exactly.
DEGREE_TOLERANCE = 1e-12
#: Number of voxels of a pose, of 110,592, that may read a different voxel than in the original.
BOUNDARY_VOXELS = 20


def compare_body() -> list[Comparison]:
    """Pose the golden body: the canonical template, four poses, one other shape."""
    body, star, warp = golden_body(), golden("skinning"), golden("warp")
    poses = without_global_orientation(warp["poses"])
    vertices = warp["vertices"]
    joints = body.bone_transforms(star_pose())[1]
    shaped = body.pose(poses[0], warp["betas"])[vertices]
    posed = body.pose(poses)[:, vertices]
    return [
        _metres("canonical template", body.canonical_vertices, star["star_vertices"]),
        _metres("canonical joints", joints, star["star_joints"]),
        _metres("rest joints", body.rest_joints(), star["rest_joints"]),
        _metres("posed vertices", posed, warp["posed_vertices"]),
        _metres("posed vertices of another shape", shaped, warp["posed_vertices_betas"]),
    ]


def compare_weights() -> list[Comparison]:
    """Skin the voxels of the canonical grid, before and after smoothing."""
    body, theirs = golden_body(), golden("skinning")
    comparisons = []
    for name, suffix, settings in (
        ("skinning weights", "", SkinningSettings()),
        (
            "skinning weights before smoothing",
            "_unsmoothed",
            replace(SkinningSettings(), smoothing_steps=0),
        ),
    ):
        ours = skinning_weights(body.canonical_vertices, body.weights, GRID, settings)
        means = ours.sum(axis=0, dtype=np.float64) / GRID.voxels
        their_means = theirs[f"joint_sums{suffix}"] / GRID.voxels
        comparisons += [
            _weights(name, ours[theirs["voxels"]], theirs[f"weights{suffix}"]),
            _weights(f"{name}, mean over the grid", means, their_means),
        ]
    return comparisons


def compare_forward_warp() -> list[Comparison]:
    """Map voxel centres to the posed space of four people."""
    body, theirs = golden_body(), golden("warp")
    operator = voxel_skinning(body.canonical_vertices, GRID, threads=cpu_count())
    ours = [warp_forward(operator, body, pose)[theirs["voxels"]] for pose in theirs["poses"]]
    return [_points("forward warp", ours, theirs["forward_points"])]


def compare_backward_warp() -> list[Comparison]:
    """Map voxel centres of four people's posed grids back to the canonical space."""
    body, theirs = golden_body(), golden("warp")
    comparisons = []
    for i, pose in enumerate(theirs["poses"]):
        points = warp_backward(body, pose, GRID, threads=cpu_count())
        name = f"backward map, pose {theirs['pose_names'][i]}"
        read = theirs[f"backward_index_p{i}"]
        voxels = np.arange(GRID.voxels) if len(read) == GRID.voxels else theirs["index_voxels"]
        comparisons += [
            _points(name, points[theirs["voxels"]], theirs["backward_points"][i]),
            *_voxels_read(name, GRID.indices(points[voxels]), read, theirs[f"fragile_p{i}"]),
        ]
    return comparisons


def compare_azimuth() -> list[Comparison]:
    """Compute azimuths and their bins on every branch, in both precisions."""
    theirs = golden("units")
    x, z, double, single = theirs["azimuth"].T[:4]
    comparisons = []
    for name, degrees, reference, bins in (
        ("double", azimuth_degrees(x, z), double, theirs["bins_double"]),
        (
            "single",
            azimuth_degrees(x.astype(np.float32), z.astype(np.float32)),
            single,
            theirs["bins_single"],
        ),
    ):
        label = f"azimuth, {name} precision"
        comparisons += [
            largest(label, "largest difference", "degrees", degrees, reference, DEGREE_TOLERANCE),
            differing(label, "bins that differ", "views", azimuth_bins(degrees), bins, 0),
        ]
    return comparisons


def _voxels_read(
    name: str,
    ours: NDArray[np.int32],
    theirs: NDArray[np.int32],
    packed_fragile: NDArray[np.uint8],
) -> list[Comparison]:
    """Compare the voxels that are read; -1 is the original's mark for "outside the cube"."""
    theirs = np.where(theirs < 0, GRID.voxels, theirs)
    fragile = np.unpackbits(packed_fragile, count=len(theirs)).astype(bool)
    allowed = BOUNDARY_VOXELS * len(theirs) // GRID.voxels
    sure = ~fragile
    quantity = "voxels that read another one"
    return [
        differing(name, quantity, "voxels", ours, theirs, allowed),
        differing(name, f"{quantity}, away from boundaries", "voxels", ours[sure], theirs[sure], 0),
    ]


def _metres(name: str, ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    return largest(name, "largest difference", "m", ours, theirs, VERTEX_TOLERANCE)


def _points(name: str, ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    return largest(name, "largest difference", "m", ours, theirs, POINT_TOLERANCE)


def _weights(name: str, ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    return largest(name, "largest difference", "", ours, theirs, WEIGHT_TOLERANCE)
