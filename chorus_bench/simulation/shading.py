"""Pictures of a rendered scene: light, shadow, ground and sky."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.array_types import Float64, Int64, UInt8
from chorus_bench.geometry import exact
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rasterizer import covered
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import unit
from chorus_bench.simulation.meshes import Color, Mesh
from chorus_bench.simulation.scenes import Placement, Rendering, Scene

JPEG_QUALITY = 90
_NEAR = 0.05
_LEVEL = 1e-3
#: Heights of the hills' waves above and below the skyline, as slopes, and how many go around.
_HILLS = ((0.03, 2), (0.02, 5), (0.01, 13))
_HIGHEST_HILL = 0.061


@dataclass(frozen=True)
class Place:
    """The appearance of a place.

    Args:
        ground: colours of the ground, mixed by a pattern.
        grain: size of the pattern, metres.
        horizon: colour at the horizon.
        sky: colour overhead.
        skyline: height of the hills along the horizon, as a slope; 0 for none.
    """

    ground: tuple[Color, Color]
    grain: float
    horizon: Color
    sky: Color
    skyline: float = 0.05


_DAY: tuple[Color, Color] = ((0.82, 0.88, 0.93), (0.45, 0.65, 0.88))
_ROOM: tuple[Color, Color] = ((0.85, 0.82, 0.76), (0.75, 0.72, 0.68))

PLACES: dict[str, Place] = {
    "sea": Place(((0.1, 0.36, 0.5), (0.35, 0.62, 0.7)), 0.7, *_DAY),
    "beach": Place(((0.85, 0.76, 0.58), (0.78, 0.68, 0.5)), 0.25, *_DAY),
    "snow": Place(((0.93, 0.95, 0.98), (0.82, 0.87, 0.94)), 0.8, *_DAY),
    "street": Place(((0.5, 0.5, 0.5), (0.44, 0.44, 0.45)), 0.15, *_DAY),
    "park": Place(((0.42, 0.58, 0.28), (0.34, 0.5, 0.22)), 0.2, *_DAY),
    "court": Place(((0.24, 0.45, 0.62), (0.22, 0.42, 0.58)), 1.5, *_DAY),
    "diamond": Place(((0.68, 0.48, 0.32), (0.62, 0.43, 0.28)), 0.3, *_DAY),
    "room": Place(((0.6, 0.46, 0.34), (0.54, 0.41, 0.3)), 0.4, *_ROOM, skyline=0.0),
}


def encode_jpeg(picture: UInt8) -> bytes:
    """Return an RGB picture (H, W, 3) as JPEG."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data)


def shade(scene: Scene, rendering: Rendering, camera: PerspectiveCamera, stream: Stream) -> UInt8:
    """Return an RGB picture (H, W, 3) of a rendered scene.

    Args:
        scene: the scene.
        rendering: result of `render` with the same camera.
        camera: from the body frame to pixels.
        stream: draws light and background.
    """
    light = _light(stream.fork("light"))
    shape = rendering.raster.face.shape
    face = rendering.raster.face.ravel()
    seen, empty = np.flatnonzero(face >= 0), np.flatnonzero(face < 0)
    rays, eye = _world_rays(scene.placement, camera, shape, empty)
    dark = _shadow(scene, rendering, camera, light).ravel()[empty]
    grain = stream.fork("grain").uniforms(face.size)
    grain *= 0.03
    grain -= 0.015
    picture = np.empty((3, face.size), dtype=np.uint8)
    _paint(picture, seen, _surface(scene, rendering, seen, camera, light), grain)
    for some, colors in _background(scene, rays, eye, dark, stream.fork("background")):
        _paint(picture, empty[some], colors, grain)
    return np.asarray(cv2.merge(list(picture.reshape(3, *shape))))


def _paint(picture: UInt8, pixels: Int64, colors: Float64, grain: Float64) -> None:
    """Write colours (3, n) with their grain into the pixels of a picture (3, H W)."""
    colors += grain.take(pixels)
    colors *= 255
    colors += 0.5
    levels = np.clip(colors, 0, 255, out=colors).astype(np.uint8)
    for channel, values in zip(picture, levels, strict=True):
        channel[pixels] = values


def _surface(
    scene: Scene, rendering: Rendering, seen: Int64, camera: PerspectiveCamera, light: Float64
) -> Float64:
    """Return the colours (3, n) of the pixels that show a mesh, given by their flat indices."""
    mesh, raster = rendering.mesh, rendering.raster
    face, to_world = raster.face.ravel().take(seen), scene.placement.root
    weights = np.moveaxis(raster.weights, -1, 0).reshape(3, -1).take(seen, axis=1).T
    corners = mesh.faces.take(face, axis=0)
    own = np.stack([exact.inner(weights, axis.take(corners)) for axis in _vertex_normals(mesh)])
    normal = exact.product(to_world, own)
    normal /= exact.norm(normal.T) + 1e-12
    towards = -exact.apply(to_world, camera.rotation[2].astype(np.float64))
    lit, near = (np.clip(exact.inner(normal.T, way), 0, 1) for way in (light, towards))
    brightness = 0.38 + 0.12 * normal[1] + (0.5 * lit + 0.14 * near)
    colors: Float64 = np.ascontiguousarray(mesh.colors.T).take(face, axis=1)
    colors *= brightness
    return colors


def _light(stream: Stream) -> Float64:
    """Return the direction (3,) towards the light, world."""
    sine, cosine = exact.sin_cos(stream.uniform(0, 2 * np.pi))
    return unit((0.6 * float(cosine), 1.0, 0.6 * float(sine)))


def _vertex_normals(mesh: Mesh) -> Float64:
    """Return the mean directions (3, V) of the faces at each vertex."""
    corners = mesh.faces.ravel().astype(np.intp)
    axes = np.ascontiguousarray(mesh.vertices.T)
    a, b, c = (axes.take(corners[k::3], axis=1) for k in range(3))
    face_normals = exact.cross((b - a).T, (c - a).T).T
    each = [np.repeat(values, 3) for values in face_normals]
    sums = np.stack([np.bincount(corners, values, minlength=len(mesh.vertices)) for values in each])
    normals: Float64 = sums / np.maximum(exact.norm(sums.T), 1e-12)
    return normals


def _world_rays(
    placement: Placement, camera: PerspectiveCamera, size: tuple[int, int], pixels: Int64
) -> tuple[Float64, Float64]:
    """Return viewing directions (3, n) of pixels, flat indices, and the camera's place (3,)."""
    K = camera.intrinsics.astype(np.float64)
    across = (np.arange(size[1]) + 0.5 - K[0, 2]) / K[0, 0]
    down = (np.arange(size[0]) + 0.5 - K[1, 2]) / K[1, 1]
    to_world = exact.product(camera.rotation.astype(np.float64), placement.root.T)
    rays = np.empty((3, len(pixels)))
    for axis, (x, y, z) in enumerate(to_world.T):
        rays[axis] = (across * x + (down * y)[:, None] + z).take(pixels)
    return rays, placement.to_world(camera.center[None])[0]


def _background(
    scene: Scene, rays: Float64, eye: Float64, dark: NDArray[np.bool_], stream: Stream
) -> Iterator[tuple[Int64, Float64]]:
    """Yield the pixels of the sky, numbers (m,), and their colours (3, m); then the ground's.

    Args:
        scene: the scene.
        rays: (3, n) viewing directions, world.
        eye: (3,) the camera's place, world, metres.
        dark: (n,) which pixels of the ground lie in shadow.
        stream: draws hills and pattern.
    """
    place = PLACES[scene.place]
    slope = rays[1] / np.sqrt(rays[0] * rays[0] + rays[2] * rays[2])
    above, below = np.flatnonzero(slope >= -_LEVEL), np.flatnonzero(slope < -_LEVEL)
    yield above, _sky(place, rays, slope, above, stream.fork("hills"))
    down = rays.take(below, axis=1)
    distance = (scene.placement.floor - eye[1]) / down[1]
    x, z = ((eye[k] + down[k] * distance) / place.grain for k in (0, 2))
    colors = _mix(*place.ground, _pattern(x, z, stream.fork("ground")))
    colors *= np.where(dark[below], 0.55, 1.0)
    haze = np.clip(distance / 60, 0, 0.85)
    colors *= 1 - haze
    colors += haze * np.asarray(place.horizon)[:, None]
    yield below, colors


def _sky(place: Place, rays: Float64, slope: Float64, above: Int64, stream: Stream) -> Float64:
    """Return the colours (3, m) of sky and hills at those of the viewing directions (3, n)."""
    slope = slope.take(above)
    colors = _mix(place.horizon, place.sky, np.clip(slope * 2.2, 0, 1))
    if place.skyline:
        low = np.flatnonzero(slope < place.skyline + _HIGHEST_HILL)
        hidden = low[slope[low] < _crest(rays.take(above[low], axis=1), place.skyline, stream)]
        colors[:, hidden] = _mix(place.horizon, place.ground[1], 0.25) * 0.88
    return colors


def _mix(first: Color, second: Color, share: ArrayLike) -> Float64:
    """Return the colours (3, n) between two colours, or (3, 1) for one share."""
    a, b = (np.asarray(color)[:, None] for color in (first, second))
    mixed: Float64 = np.asarray(share) * (b - a)
    mixed += a
    return mixed


def _wave(angle: Float64) -> Float64:
    """Return a wave (n,) that is within 0.002 of the sine, for a tenth of its cost."""
    turns = angle * (1 / (2 * np.pi))
    turns -= np.rint(turns)
    bow = np.abs(turns)
    bow *= -16
    bow += 8
    bow *= turns
    out: Float64 = np.abs(bow)
    out *= bow
    out -= bow
    out *= 0.225
    out += bow
    return out


def _crest(rays: Float64, height: float, stream: Stream) -> Float64:
    """Return the slope of the hills' upper edge in directions (3, n)."""
    angle = exact.arctan2(rays[0], rays[2])
    crest = np.full(len(angle), height)
    phases = stream.uniforms(3) * 2 * np.pi
    for (size, count), phase in zip(_HILLS, phases, strict=True):
        crest += size * _wave(count * angle + phase)
    return crest


def _pattern(x: Float64, z: Float64, stream: Stream) -> Float64:
    """Return a smooth irregular pattern (n,) in [0, 1] at points of the plane."""
    angles, phases = stream.uniforms(4) * np.pi, stream.uniforms(4) * 2 * np.pi
    total = np.zeros(len(x))
    for k, (angle, phase) in enumerate(zip(angles, phases, strict=True)):
        sine, cosine = exact.sin_cos(angle)
        scale = 2 + 1.4 * k
        along = x * (cosine * scale) + z * (sine * scale)
        total += _wave(along + phase + _wave(0.5 * total))
    return np.clip(0.5 + total / 6, 0, 1)


def _shadow(
    scene: Scene, rendering: Rendering, camera: PerspectiveCamera, light: Float64
) -> NDArray[np.bool_]:
    """Return the pixels (H, W) of the ground that lie in the scene's shadow."""
    world = scene.placement.to_world(rendering.mesh.vertices)
    above = np.maximum(world[:, 1] - scene.placement.floor, 0)
    flat = scene.placement.to_body(world - above[:, None] / light[1] * light)
    points = camera.to_camera(flat)
    size = rendering.raster.face.shape
    K = camera.intrinsics.astype(np.float64)
    return covered(points, rendering.mesh.faces, K, (size[0], size[1]), _NEAR)
