"""Rasterisation of triangles, in integer arithmetic.

Corners are rounded to 1/256 pixel; which pixel centres a triangle covers is then decided
exactly, so that masks are the same on every machine. A pixel (column, row) has its
centre at (column + 1/2, row + 1/2). Shared edges belong to exactly one triangle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float64, Int32, Int64
from chorus_bench.geometry import exact

STEPS_PER_PIXEL = 256
_FACE_BITS = 24
_DEPTH_UNIT = 2.0**32


@dataclass(frozen=True, eq=False)
class Fragments:
    """Pixels covered by triangles, one entry per triangle and pixel.

    Args:
        face: (n,) the triangle.
        pixel: (n,) flat index, row * width + column.
        weights: (n, 3) barycentric weights of the triangle's corners, in the image plane.
    """

    face: Int64
    pixel: Int64
    weights: Float64


def fragments(corners: Float64, faces: Int32, height: int, width: int) -> Fragments:
    """Find the pixels whose centre lies in a triangle.

    Args:
        corners: (V, 2) image coordinates (x right, y down) in pixels.
        faces: (F, 3); only those that run clockwise on the screen (positive area with y down)
            are drawn.
        height: rows.
        width: columns.
    """
    q = np.rint(corners * STEPS_PER_PIXEL).astype(np.int64)
    a, b, c = (q[faces[:, k]] for k in range(3))
    area = _cross(b - a, c - a)
    half = STEPS_PER_PIXEL // 2
    limit = np.array([width - 1, height - 1])
    first = np.maximum(-((half - np.minimum(np.minimum(a, b), c)) // STEPS_PER_PIXEL), 0)
    last = np.minimum((np.maximum(np.maximum(a, b), c) - half) // STEPS_PER_PIXEL, limit)
    size = last - first + 1
    drawn = np.flatnonzero((area > 0) & (size[:, 0] > 0) & (size[:, 1] > 0))
    face, column, row = _box_pixels(drawn, first[drawn], size[drawn])
    x, y = column * STEPS_PER_PIXEL + half, row * STEPS_PER_PIXEL + half
    sides = ((b, c), (c, a), (a, b))
    edges = [_edge(start, end, face, x, y) for start, end in sides]
    kept = [e + _owns_edge(r - p)[face] > 0 for e, (p, r) in zip(edges, sides, strict=True)]
    inside = np.flatnonzero(kept[0] & kept[1] & kept[2])
    face = face[inside]
    weights = np.stack([e[inside] for e in edges], axis=1) / area[face][:, None]
    return Fragments(face, row[inside] * width + column[inside], weights)


def _box_pixels(drawn: Int64, first: Int64, size: Int64) -> tuple[Int64, Int64, Int64]:
    """List every pixel of every triangle's bounding box: face, column, row."""
    count = size[:, 0] * size[:, 1]
    which = np.repeat(np.arange(len(drawn)), count)
    place = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(place, size[which, 0])
    return drawn[which], first[which, 0] + column, first[which, 1] + row


def _cross(u: Int64, v: Int64) -> Int64:
    product: Int64 = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    return product


def _edge(start: Int64, end: Int64, face: Int64, x: Int64, y: Int64) -> Int64:
    step = end - start
    value: Int64 = step[face, 0] * (y - start[face, 1]) - step[face, 1] * (x - start[face, 0])
    return value


def _owns_edge(step: Int64) -> NDArray[np.bool_]:
    """Decide which of two triangles owns their common edge, whose direction differs in them."""
    owned: NDArray[np.bool_] = (step[:, 1] < 0) | ((step[:, 1] == 0) & (step[:, 0] > 0))
    return owned


@dataclass(frozen=True, eq=False)
class Raster:
    """The nearest surface at each pixel.

    Args:
        face: (H, W) the triangle, -1 for none.
        weights: (H, W, 3) weights of its corners on the surface (perspective corrected).
        depth: (H, W) depth in metres; infinite where there is none.
    """

    face: Int32
    weights: Float64
    depth: Float64


def draw(
    points: Float64, faces: Int32, intrinsics: Float64, size: tuple[int, int], near: float
) -> Raster:
    """Render the outside of closed meshes with a z-buffer.

    Args:
        points: (V, 3) metres, camera frame (x right, y down, z away).
        faces: (F, 3), counter-clockwise from outside, F below 2**24.
        intrinsics: (3, 3) K.
        size: height and width in pixels.
        near: triangles with a corner nearer than this, in metres, are left out.
    """
    height, width = size
    ahead = points[:, 2] >= near
    front = np.where(ahead, points[:, 2], 1.0)
    corners = exact.product(points, intrinsics[:2].T) / front[:, None]
    kept = np.flatnonzero(ahead[faces[:, 0]] & ahead[faces[:, 1]] & ahead[faces[:, 2]])
    f = fragments(np.where(ahead[:, None], corners, 0.0), faces[kept][:, ::-1], height, width)
    face, weights = kept[f.face], f.weights[:, ::-1]
    over_depth = weights / front[faces[face]]
    nearness = over_depth[:, 0] + over_depth[:, 1] + over_depth[:, 2]
    key = (np.rint(nearness * _DEPTH_UNIT).astype(np.int64) << _FACE_BITS) | face
    best = np.full(height * width, -1, dtype=np.int64)
    np.maximum.at(best, f.pixel, key)
    seen = np.flatnonzero(best[f.pixel] == key)
    raster = Raster(
        np.full(height * width, -1, dtype=np.int32),
        np.zeros((height * width, 3)),
        np.full(height * width, np.inf),
    )
    pixel = f.pixel[seen]
    raster.face[pixel] = face[seen]
    raster.weights[pixel] = over_depth[seen] / nearness[seen][:, None]
    raster.depth[pixel] = 1 / nearness[seen]
    return Raster(
        raster.face.reshape(size),
        raster.weights.reshape(*size, 3),
        raster.depth.reshape(size),
    )
