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
    x, y = np.rint(corners.T * STEPS_PER_PIXEL).astype(np.int64)
    corner = np.ascontiguousarray(faces.T, dtype=np.intp)
    xs, ys = x[corner], y[corner]
    area = _twice_area(xs, ys)
    front = np.flatnonzero(area > 0)
    left, columns = _pixel_range(xs[:, front], width)
    top, rows = _pixel_range(ys[:, front], height)
    shown = np.flatnonzero((columns > 0) & (rows > 0))
    drawn, left, top = front[shown], left[shown], top[shown]
    box, row = _counted(rows[shown])
    line, column = _counted(columns[shown][box])
    sides = _sides(xs[:, drawn] - _centre(left), ys[:, drawn] - _centre(top))
    edges = [_edge(side, box, row, line, column) for side in sides]
    inside = np.flatnonzero((edges[0] > 0) & (edges[1] > 0) & (edges[2] > 0))
    line, column = line[inside], column[inside]
    which, row = box[line], row[line]
    face = drawn[which]
    doubled = [edge[inside] - side.owned[which] for edge, side in zip(edges, sides, strict=True)]
    weights = np.stack(doubled, axis=1) / area[face][:, None]
    return Fragments(face, (top[which] + row) * width + (left[which] + column), weights)


def _twice_area(xs: Int64, ys: Int64) -> Int64:
    area: Int64 = (xs[1] - xs[0]) * (ys[2] - ys[0]) - (ys[1] - ys[0]) * (xs[2] - xs[0])
    return area


def _pixel_range(places: Int64, pixels: int) -> tuple[Int64, Int64]:
    """Return the first pixel (F,) whose centre three corners span along an axis, and how many."""
    half = STEPS_PER_PIXEL // 2
    low = np.minimum(np.minimum(places[0], places[1]), places[2])
    high = np.maximum(np.maximum(places[0], places[1]), places[2])
    first = np.maximum(-((half - low) // STEPS_PER_PIXEL), 0)
    return first, np.minimum((high - half) // STEPS_PER_PIXEL, pixels - 1) - first + 1


def _centre(pixel: Int64) -> Int64:
    return pixel * STEPS_PER_PIXEL + STEPS_PER_PIXEL // 2


def _counted(counts: Int64) -> tuple[Int64, Int64]:
    """Return each number as often as its count says, and how often it came before."""
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)


@dataclass(frozen=True, eq=False)
class _Side:
    """The sides of triangles opposite to one corner.

    Args:
        value: (n,) at the first pixel of a triangle's box: twice the area of the triangle of the
            side and the pixel's centre, plus one where the side is owned. Owned sides belong to
            their triangle: of two triangles with a common side, one.
        across: (n,) what is added to the value from one column to the next.
        down: (n,) the same from one row to the next.
        owned: (n,) whether the triangle owns the side.
    """

    value: Int64
    across: Int64
    down: Int64
    owned: NDArray[np.bool_]


def _sides(xs: Int64, ys: Int64) -> list[_Side]:
    """Return the three sides of triangles whose corners (3, n) are relative to their box."""
    sides = []
    for start, end in ((1, 2), (2, 0), (0, 1)):
        dx, dy = xs[end] - xs[start], ys[end] - ys[start]
        owned = (dy < 0) | ((dy == 0) & (dx > 0))
        value = dy * xs[start] - dx * ys[start] + owned
        sides.append(_Side(value, -dy * STEPS_PER_PIXEL, dx * STEPS_PER_PIXEL, owned))
    return sides


def _edge(side: _Side, box: Int64, row: Int64, line: Int64, column: Int64) -> Int64:
    """Return a side's values at pixels, given by box and row of each line, line and column."""
    begin = side.value[box] + row * side.down[box]
    out: Int64 = begin[line] + column * side.across[box][line]
    return out


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
    f, front = _fragments_ahead(points, faces, intrinsics, size, near)
    over_depth = f.weights / front[faces[f.face]]
    nearness = over_depth[:, 0] + over_depth[:, 1] + over_depth[:, 2]
    key = (np.rint(nearness * _DEPTH_UNIT).astype(np.int64) << _FACE_BITS) | f.face
    best = np.full(height * width, -1, dtype=np.int64)
    np.maximum.at(best, f.pixel, key)
    seen = np.flatnonzero(best[f.pixel] == key)
    raster = Raster(
        np.full(height * width, -1, dtype=np.int32),
        np.zeros((height * width, 3)),
        np.full(height * width, np.inf),
    )
    pixel = f.pixel[seen]
    raster.face[pixel] = f.face[seen]
    raster.weights[pixel] = over_depth[seen] / nearness[seen][:, None]
    raster.depth[pixel] = 1 / nearness[seen]
    return Raster(
        raster.face.reshape(size),
        raster.weights.reshape(*size, 3),
        raster.depth.reshape(size),
    )


def covered(
    points: Float64, faces: Int32, intrinsics: Float64, size: tuple[int, int], near: float
) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that show the outside of closed meshes; arguments as in `draw`."""
    hits, _ = _fragments_ahead(points, faces, intrinsics, size, near)
    shown = np.zeros(size[0] * size[1], dtype=bool)
    shown[hits.pixel] = True
    return shown.reshape(size)


def _fragments_ahead(
    points: Float64, faces: Int32, intrinsics: Float64, size: tuple[int, int], near: float
) -> tuple[Fragments, Float64]:
    """Return the fragments of `draw`, with faces and corners as given, and the depths (V,)."""
    ahead = points[:, 2] >= near
    front = np.where(ahead, points[:, 2], 1.0)
    corners = exact.product(points, intrinsics[:2].T) / front[:, None]
    kept = np.flatnonzero(ahead[faces[:, 0]] & ahead[faces[:, 1]] & ahead[faces[:, 2]])
    turned = faces[kept][:, ::-1]
    f = fragments(np.where(ahead[:, None], corners, 0.0), turned, *size)
    return Fragments(kept[f.face], f.pixel, f.weights[:, ::-1]), front
