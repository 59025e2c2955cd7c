"""Decimation to a left-right symmetric, watertight mesh, and transfer of values to it.

Frame: x to the person's left, y up, z forward; metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import fast_simplification
import numpy as np
import trimesh
from makehuman import Floats, Ints
from scipy.spatial import cKDTree

NEAREST_TRIANGLES = 24
"""Triangles tried (by distance to their centre) when a point is put onto a surface."""


QUADRIC_UNITS = 1000.0
"""Units per metre while decimating: with fine units the cheapest collapses come first."""


@dataclass(frozen=True)
class Half:
    """The left half of a mirror-symmetric mesh, cut open along the mid-plane.

    Attributes:
        ids: Vertices of the whole mesh that it consists of, shape (H,).
        faces: Triangles over `ids`, shape (F, 3).
    """

    ids: Ints
    faces: Ints


@dataclass(frozen=True)
class Mirrored:
    """A decimated half, mirrored and welded along the mid-plane into a closed mesh.

    The first vertices are the half's own; copies of those off the mid-plane follow.

    Attributes:
        corners: Source vertices (of the whole mesh) around each half vertex, shape (N, 3).
        shares: Barycentric coordinates in them, shape (N, 3).
        mirror: Each final vertex's mirror image, shape (V,); itself on the mid-plane.
        faces: Triangles over the final vertices, shape (F, 3), oriented like the source.
    """

    corners: Ints
    shares: Floats
    mirror: Ints
    faces: Ints

    @property
    def copied(self) -> Ints:
        """The half vertices that have a copy on the other side, in the copies' order."""
        return np.flatnonzero(self.mirror[: len(self.corners)] != np.arange(len(self.corners)))

    def carry(self, values: Floats, flip: Floats | Ints) -> Floats:
        """Brings per-vertex values from the source mesh over to this one.

        Args:
            values: Shape (source vertices, C).
            flip: How mirroring acts on C: signs (floats) or a permutation (ints), shape (C,).

        Returns:
            Values of shape (V, C), exactly mirror-symmetric.
        """
        half = np.einsum("nk,nkc->nc", self.shares, values[self.corners])
        flipped = half[:, flip] if flip.dtype.kind == "i" else half * flip
        copied = self.copied
        middle = np.setdiff1d(np.arange(len(half)), copied)
        half[middle] = (half[middle] + flipped[middle]) / 2
        return np.concatenate([half, flipped[copied]])


def left_half(quads: Ints, mirror: Ints, x: Floats) -> Half:
    """Cuts a symmetric quad mesh along the mid-plane and splits its left half into triangles.

    Args:
        quads: Faces, shape (Q, 4); none crosses the mid-plane.
        mirror: Mirror image of each vertex, shape (V,).
        x: Left-right coordinate of each vertex, shape (V,).
    """
    is_left = (x > 0) | (mirror[: len(x)] == np.arange(len(x)))
    kept = quads[is_left[quads].all(axis=1)]
    triangles = np.concatenate([kept[:, [0, 1, 2]], kept[:, [0, 2, 3]]])
    ids, faces = np.unique(triangles, return_inverse=True)
    return Half(ids, faces.reshape(-1, 3))


def decimate_and_mirror(half: Half, points: Floats, face_count: int) -> Mirrored:
    """Decimates the half by quadric error, puts it back onto its surface, and mirrors it.

    Args:
        half: The left half.
        points: Where its vertices are while errors are measured, shape (H, 3); small parts
            keep few vertices. Vertices on the cut have x = 0.
        face_count: Triangles wanted for the whole mesh.
    """
    coarse, faces = fast_simplification.simplify(
        (points * QUADRIC_UNITS).astype(np.float32),
        half.faces.astype(np.int32),
        target_count=face_count // 2,
    )
    used, flat = np.unique(faces, return_inverse=True)
    coarse, faces = coarse[used].astype(np.float64) / QUADRIC_UNITS, flat.reshape(-1, 3)
    on_cut = _border_vertices(faces)
    coarse[on_cut, 0] = 0.0
    triangle, shares = _project(coarse, points[half.faces])
    mirror, whole = _weld_with_mirror_image(faces, on_cut, len(coarse))
    return Mirrored(half.ids[half.faces[triangle]], shares, mirror, whole)


def _border_vertices(faces: Ints) -> Ints:
    """Returns the vertices on edges that belong to one face only."""
    edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[counts == 1])


def _project(points: Floats, triangles: Floats) -> tuple[Ints, Floats]:
    """Returns the nearest triangle of each point and the barycentric coordinates in it."""
    _, near = cKDTree(triangles.mean(axis=1)).query(points, k=NEAREST_TRIANGLES)
    repeated = np.repeat(points, NEAREST_TRIANGLES, axis=0)
    closest: Floats = trimesh.triangles.closest_point(triangles[near.ravel()], repeated)  # type: ignore[no-untyped-call]
    distance = np.linalg.norm(closest - repeated, axis=1).reshape(near.shape)
    best = distance.argmin(axis=1)
    rows = np.arange(len(points))
    triangle = near[rows, best]
    spots = closest.reshape(*near.shape, 3)[rows, best]
    shares = trimesh.triangles.points_to_barycentric(triangles[triangle], spots)  # type: ignore[no-untyped-call]
    shares = np.clip(shares, 0.0, 1.0)
    return triangle, shares / shares.sum(axis=1, keepdims=True)


def _weld_with_mirror_image(faces: Ints, on_cut: Ints, count: int) -> tuple[Ints, Ints]:
    """Returns each vertex's mirror image and the faces of the closed mesh."""
    copied = np.setdiff1d(np.arange(count), on_cut)
    image = np.arange(count)
    image[copied] = count + np.arange(len(copied))
    return np.concatenate([image, copied]), np.concatenate([faces, image[faces][:, ::-1]])
