"""Pictures of a body with a field around it, as arrays; no plotting library is needed.

The camera is orthographic. Body and field are composited in depth: the field in front of the body
covers it; the field behind is visible beside the body, and faintly through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Float64
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.rasterizer import fragments

#: Positions of the viewer: azimuth in degrees from the front, toward the person's left.
SIDES = {"front": 0.0, "left": 90.0, "back": 180.0, "right": 270.0}

_BODY = np.array([0.72, 0.74, 0.78])
_LIGHT = np.array([0.35, 0.55, 0.75])
#: Colours from yellow to dark red; below the first limit nothing is drawn, above the second all.
_SCALE = (0.0, 0.4, 0.7, 1.0)
_COLOURS = np.array([[1.0, 0.93, 0.5], [1.0, 0.75, 0.2], [0.93, 0.35, 0.1], [0.6, 0.0, 0.15]])
_FAINT, _FULL = 0.2, 0.75
#: Opacity of the field behind the body.
_HIDDEN = 0.3
_STEPS = 64


@dataclass(frozen=True)
class Viewer:
    """A viewer at some azimuth, at eye level, far away.

    Args:
        azimuth: degrees from the front (+z), toward the person's left (+x).
        pixels: side of the square picture.
        width: width of the picture about the middle of the grid, metres.
    """

    azimuth: float
    pixels: int = 300
    width: float = 2.8

    @property
    def axes(self) -> Float64:
        """Right, up, and toward the viewer, (3, 3) rows, body frame."""
        angle = np.radians(self.azimuth)
        toward = np.array([np.sin(angle), 0.0, np.cos(angle)])
        up = np.array([0.0, 1.0, 0.0])
        return np.stack([np.cross(up, toward), up, toward])

    def project(self, points: Float64) -> Float64:
        """Return pixel x (right), pixel y (down), and metres toward the viewer, (n, 3)."""
        seen = points @ self.axes.T
        scale = self.pixels / self.width
        seen[:, 0] = self.pixels / 2 + scale * seen[:, 0]
        seen[:, 1] = self.pixels / 2 - scale * seen[:, 1]
        return seen


def draw_field(field: OccupancyGrid, body: BodyModel, viewer: Viewer, top: float = 1.0) -> Float64:
    """Return a picture of a canonical field around the canonical body.

    Args:
        field: occupancy probabilities.
        body: the body, drawn in the canonical pose.
        viewer: position of the viewer.
        top: the probability of the darkest colour.

    Returns:
        (pixels, pixels, 3) colours from 0 to 1.

    Raises:
        InputError: ``top`` is not positive.
    """
    if not top > 0:
        raise InputError(f"top {top}", expected="more than 0")
    picture, depth = _draw_body(body, viewer)
    front, behind = (heat / top for heat in _largest_along_rays(field, viewer, depth))
    picture = tint(picture, behind, np.where(np.isfinite(depth), _HIDDEN, 1.0))
    return tint(picture, front)


@lru_cache(maxsize=4)
def _draw_body(body: BodyModel, viewer: Viewer) -> tuple[Float64, Float64]:
    """Return the shaded body on white, and metres toward the viewer (-inf where it is not)."""
    vertices = body.canonical_vertices
    seen = viewer.project(vertices)
    hits = fragments(seen[:, :2], body.faces[:, ::-1], viewer.pixels, viewer.pixels)
    corners = body.faces[:, ::-1][hits.face]
    depths = np.einsum("nk,nk->n", hits.weights, seen[:, 2][corners])
    order = np.argsort(depths)  # the nearest is written last
    pixel = hits.pixel[order]
    normals = _vertex_normals(vertices, body.faces)
    normal = np.einsum("nk,nkc->nc", hits.weights[order], normals[corners[order]])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    light = viewer.axes.T @ (_LIGHT / np.linalg.norm(_LIGHT))
    shade = 0.45 + 0.55 * np.clip(normal @ light, 0, 1)
    picture = np.ones((viewer.pixels**2, 3))
    depth = np.full(viewer.pixels**2, -np.inf)
    picture[pixel] = shade[:, None] * _BODY
    depth[pixel] = depths[order]
    shape = (viewer.pixels, viewer.pixels)
    return picture.reshape(*shape, 3), depth.reshape(shape)


def _vertex_normals(vertices: Float64, faces: NDArray[np.int32]) -> Float64:
    """Return outward normals (V, 3): the sum of the normals of adjacent faces."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    of_face = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, faces[:, k], of_face)
    return normals


def _largest_along_rays(
    field: OccupancyGrid, viewer: Viewer, depth: Float64
) -> tuple[Float32, Float32]:
    """Return the largest probability in front of the body, and behind it (or without it).

    The viewer is at eye level, so a row of the picture is a height, and what all rows read at a
    step of a column lies above each other: the field is interpolated along y once, then between
    four such lines.
    """
    spec, (to_right, _, toward) = field.spec, viewer.axes
    axis = (np.arange(viewer.pixels) + 0.5 - viewer.pixels / 2) * viewer.width / viewer.pixels
    low, share, inside = _between(-axis, spec, 1)
    by_height = np.moveaxis(field.values, 1, 0)  # (y, x, z)
    lines = by_height[low].T * (inside - share) + by_height[low + 1].T * share  # (z, x, y)
    lines = np.ascontiguousarray(lines)
    front, behind = np.zeros((2, viewer.pixels, viewer.pixels), dtype=np.float32)  # column, row
    covered, surface = np.isfinite(depth.T), depth.T
    reach = spec.side_length * 0.75
    for step in np.linspace(-reach, reach, _STEPS):
        places = axis[:, None] * to_right + step * toward
        x, z = (_between(places[:, number], spec, number) for number in (0, 2))
        if not (x[2] * z[2]).any():
            continue  # outside the field
        values = _along_columns(lines, x, z)
        before = (step > surface) & covered
        np.maximum(front, np.where(before, values, 0), out=front)
        np.maximum(behind, np.where(before, 0, values), out=behind)
    return front.T, behind.T


#: For each place the lower of two neighbouring voxels, the share of the upper one times whether the
#: place lies between voxel centres, and whether it does.
_Places = tuple[NDArray[np.intp], Float32, Float32]


def _between(coordinates: Float64, spec: GridSpec, axis: int) -> _Places:
    """Return between which voxels of a grid some coordinates (m,), metres, lie along an axis."""
    place = (coordinates - spec.low[axis]) / spec.voxel_size - 0.5
    low = np.clip(np.floor(place), 0, spec.resolution - 2)
    inside = (place >= 0) & (place <= spec.resolution - 1)
    share = (place - low) * inside
    return low.astype(np.intp), share.astype(np.float32), inside.astype(np.float32)


def _along_columns(lines: Float32, x: _Places, z: _Places) -> Float32:
    """Return the values along some columns, (m, y), between the lines (Z, X, y) around each."""
    values = np.zeros((len(x[0]), lines.shape[2]), dtype=np.float32)
    for i, in_x in ((x[0], x[2] - x[1]), (x[0] + 1, x[1])):
        for k, in_z in ((z[0], z[2] - z[1]), (z[0] + 1, z[1])):
            values += lines[k, i] * (in_x * in_z)[:, None]
    return values


def heat_colours() -> tuple[tuple[float, ...], list[tuple[float, ...]]]:
    """Return the colours of the heat as `tint` draws them on white: shares of the top, and RGB."""
    shares = tuple(np.linspace(0, 1, 33).tolist())
    heated = tint(np.ones((1, len(shares), 3)), np.array([shares]))
    return shares, [tuple(colour) for colour in heated[0].tolist()]


def tint(
    picture: Float64, heat: NDArray[np.floating], opacity: NDArray[np.floating] | float = 1.0
) -> Float64:
    """Return a picture with a coloured heat map over it; small values are invisible.

    Args:
        picture: (H, W, 3) colours from 0 to 1.
        heat: (H, W), 1 and above for the darkest colour.
        opacity: (H, W) or one number, multiplies the opacity given by the heat.
    """
    ramp = np.clip((heat - _FAINT) / (_FULL - _FAINT), 0, 1)
    alpha = (opacity * ramp * ramp * (3 - 2 * ramp))[..., None]
    colours = [np.interp(np.clip(heat, 0, 1), _SCALE, channel) for channel in _COLOURS.T]
    return np.asarray((1 - alpha) * picture + alpha * np.stack(colours, axis=-1))
