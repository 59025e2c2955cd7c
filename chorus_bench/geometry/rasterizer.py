"""Rasterisation of triangles, in integer arithmetic.

Corners are rounded to 1/256 pixel; which pixel centres a triangle covers is then decided
exactly, so that masks are the same on every machine. A pixel (column, row) has its
centre at (column + 1/2, row + 1/2). Shared edges belong to exactly one triangle.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    hits = _hits(corners, faces, height, width)
    return Fragments(hits.face, hits.pixel, np.ascontiguousarray(hits.weights().T))


@dataclass(frozen=True, eq=False)
class _Hits:
    """Pixels covered by triangles, from which weights can be computed.

    Args:
        face: (n,) the triangle.
        pixel: (n,) flat index, row * width + column.
        sides: the three sides of the drawn triangles.
        which: (n,) the triangle among the drawn ones.
        row: (n,) the pixel's row in the triangle's box.
        column: (n,) its column.
        area: (n,) twice the area of the triangle.
    """

    face: Int64
    pixel: Int64
    sides: Sequence[_Side]
    which: Int64
    row: Int64
    column: Int64
    area: Int64

    def weights(self) -> Float64:
        """Return the barycentric weights (3, n) of the triangle's corners, in the image plane."""
        a, b = (side.at(self.which, self.row, self.column) for side in self.sides[:2])
        weights = np.empty((3, len(self.face)))
        for weight, doubled in zip(weights, (a, b, self.area - a - b), strict=True):
            np.divide(doubled, self.area, out=weight)
        return weights


def _hits(corners: Float64, faces: Int32, height: int, width: int) -> _Hits:
    """Find the pixels whose centre lies in a triangle; arguments as for `fragments`."""
    x, y = np.rint(corners.T * STEPS_PER_PIXEL).astype(np.int64)
    corner = np.ascontiguousarray(faces.T, dtype=np.intp)
    xs, ys = x.take(corner), y.take(corner)
    area = _twice_area(xs, ys)
    front = np.flatnonzero(area > 0)
    left, columns = _pixel_range(xs.take(front, axis=1), width)
    top, rows = _pixel_range(ys.take(front, axis=1), height)
    shown = np.flatnonzero((columns > 0) & (rows > 0))
    drawn, left, top = front[shown], left[shown], top[shown]
    box, row = _counted(rows[shown])
    xs, ys = xs.take(drawn, axis=1) - _centre(left), ys.take(drawn, axis=1) - _centre(top)
    sides = _sides(xs, ys)
    line, column = _inside(sides, box, row, columns[shown])
    which, row = box[line], row[line]
    face = drawn[which]
    pixel = (top[which] + row) * width + (left[which] + column)
    return _Hits(face, pixel, sides, which, row, column, area[face])


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
            side and the pixel's centre.
        across: (n,) what is added to the value from one column to the next.
        down: (n,) the same from one row to the next.
        owned: (n,) whether pixel centres on the side are inside: of two triangles with a common
            side, in one.
    """

    value: Int64
    across: Int64
    down: Int64
    owned: NDArray[np.bool_]

    def at(self, which: Int64, row: Int64, column: Int64 | None = None) -> Int64:
        """Return the values (m,) of triangles at pixels of their boxes, by default the first."""
        values: Int64 = self.value.take(which) + row * self.down.take(which)
        return values if column is None else values + column * self.across.take(which)


def _sides(xs: Int64, ys: Int64) -> list[_Side]:
    """Return the three sides of triangles whose corners (3, n) are relative to their box."""
    sides = []
    for start, end in ((1, 2), (2, 0), (0, 1)):
        dx, dy = xs[end] - xs[start], ys[end] - ys[start]
        owned = (dy < 0) | ((dy == 0) & (dx > 0))
        value = dy * xs[start] - dx * ys[start]
        sides.append(_Side(value, -dy * STEPS_PER_PIXEL, dx * STEPS_PER_PIXEL, owned))
    return sides


def _inside(sides: Sequence[_Side], box: Int64, row: Int64, columns: Int64) -> tuple[Int64, Int64]:
    """Return the pixels inside all sides of a triangle: numbers of lines, and columns.

    A side's value grows or falls along a line, so they go from one column to another.

    Args:
        sides: the three sides of n triangles.
        box: (lines,) the triangle of each line of pixels.
        row: (lines,) its row in the triangle's box.
        columns: (n,) how many columns the boxes have.
    """
    first, last = np.zeros_like(row), columns[box] - 1
    for side in sides:
        begin, step = side.at(box, row) + side.owned[box] - 1, side.across[box]
        steps = begin // np.maximum(np.abs(step), 1)
        np.maximum(first, np.where(step > 0, -steps, 0), out=first)
        np.minimum(last, np.where(step < 0, steps, last), out=last)
        last[(step == 0) & (begin < 0)] = -1
    line, place = _counted(np.maximum(last - first + 1, 0))
    return line, first[line] + place


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
    pixels = size[0] * size[1]
    hits, kept, front = _hits_ahead(points, faces, intrinsics, size, near)
    owner = kept[hits.face]
    over_depth = hits.weights()[::-1] / front.take(faces.take(owner, axis=0)).T
    nearness = over_depth[0] + over_depth[1] + over_depth[2]
    key = (np.rint(nearness * _DEPTH_UNIT).astype(np.int64) << _FACE_BITS) | owner
    best = np.full(pixels, -1, dtype=np.int64)
    np.maximum.at(best, hits.pixel, key)
    seen = np.flatnonzero(best[hits.pixel] == key)
    pixel, nearest = hits.pixel[seen], nearness[seen]
    face, weights = np.full(pixels, -1, dtype=np.int32), np.zeros((3, pixels))
    depth = np.full(pixels, np.inf)
    face[pixel] = owner[seen]
    for weight, over in zip(weights, over_depth, strict=True):
        weight[pixel] = over.take(seen) / nearest
    depth[pixel] = 1 / nearest
    return Raster(face.reshape(size), weights.T.reshape(*size, 3), depth.reshape(size))


def covered(
    points: Float64, faces: Int32, intrinsics: Float64, size: tuple[int, int], near: float
) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that show the outside of closed meshes; arguments as in `draw`."""
    hits, _, _ = _hits_ahead(points, faces, intrinsics, size, near)
    shown = np.zeros(size[0] * size[1], dtype=bool)
    shown[hits.pixel] = True
    return shown.reshape(size)


def _hits_ahead(
    points: Float64, faces: Int32, intrinsics: Float64, size: tuple[int, int], near: float
) -> tuple[_Hits, Int64, Float64]:
    """Return the hits of `draw`, the faces (n,) that they number, and the depths (V,).

    The faces' corners are in reverse.
    """
    ahead = points[:, 2] >= near
    front = np.where(ahead, points[:, 2], 1.0)
    corners = exact.product(points, intrinsics[:2].T) / front[:, None]
    kept = np.flatnonzero(ahead[faces[:, 0]] & ahead[faces[:, 1]] & ahead[faces[:, 2]])
    turned = faces.take(kept, axis=0)[:, ::-1]
    return _hits(np.where(ahead[:, None], corners, 0.0), turned, *size), kept, front
