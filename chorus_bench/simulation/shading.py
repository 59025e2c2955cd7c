"""Pictures of a rendered scene: light, shadow, ground and sky."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.array_types import Float64, UInt8
from chorus_bench.geometry import exact
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rasterizer import draw
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import unit
from chorus_bench.simulation.meshes import Color, Mesh
from chorus_bench.simulation.scenes import Placement, Rendering, Scene

JPEG_QUALITY = 90
_NEAR = 0.05
_LEVEL = 1e-3


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
    seen = rendering.raster.face >= 0
    picture = np.empty((*seen.shape, 3))
    picture[seen] = _surface(scene, rendering, camera, light)
    rays, eye = _world_rays(scene.placement, camera, ~seen)
    dark = _shadow(scene, rendering, camera, light)[~seen]
    picture[~seen] = _background(scene, rays, eye, dark, stream.fork("background"))
    grain = stream.fork("grain").uniforms(*seen.shape, 1) * 0.03 - 0.015
    return np.clip((picture + grain) * 255 + 0.5, 0, 255).astype(np.uint8)


def _surface(
    scene: Scene, rendering: Rendering, camera: PerspectiveCamera, light: Float64
) -> Float64:
    """Return the colours (n, 3) of the pixels that show a mesh, in row order."""
    mesh, raster = rendering.mesh, rendering.raster
    seen = raster.face >= 0
    face, to_world = raster.face[seen], scene.placement.root
    corners = _vertex_normals(mesh)[mesh.faces[face]]
    own = exact.inner(raster.weights[seen][:, None], np.swapaxes(corners, 1, 2))
    normal = exact.product(own, to_world.T)
    normal = normal / (exact.norm(normal) + 1e-12)[:, None]
    towards = -exact.apply(to_world, camera.rotation[2].astype(np.float64))
    lit, near = (np.clip(exact.inner(normal, way), 0, 1) for way in (light, towards))
    brightness = 0.38 + 0.12 * normal[:, 1] + (0.5 * lit + 0.14 * near)
    colors: Float64 = mesh.colors[face] * brightness[:, None]
    return colors


def _light(stream: Stream) -> Float64:
    """Return the direction (3,) towards the light, world."""
    sine, cosine = exact.sin_cos(stream.uniform(0, 2 * np.pi))
    return unit((0.6 * float(cosine), 1.0, 0.6 * float(sine)))


def _vertex_normals(mesh: Mesh) -> Float64:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    face_normal = exact.cross(b - a, c - a)
    normals = np.empty_like(mesh.vertices)
    corners = mesh.faces.ravel()
    for axis in range(3):
        values = np.repeat(face_normal[:, axis], 3)
        normals[:, axis] = np.bincount(corners, values, minlength=len(normals))
    out: Float64 = normals / np.maximum(exact.norm(normals), 1e-12)[:, None]
    return out


def _world_rays(
    placement: Placement, camera: PerspectiveCamera, where: NDArray[np.bool_]
) -> tuple[Float64, Float64]:
    """Return viewing directions (n, 3) of the chosen pixels (H, W) and the camera's place (3,)."""
    v, u = np.nonzero(where)
    K = camera.intrinsics.astype(np.float64)
    across, down = (u + 0.5 - K[0, 2]) / K[0, 0], (v + 0.5 - K[1, 2]) / K[1, 1]
    to_world = exact.product(camera.rotation.astype(np.float64), placement.root.T)
    rays = across * to_world[0, :, None] + down * to_world[1, :, None] + to_world[2, :, None]
    return rays.T, placement.to_world(camera.center[None])[0]


def _background(
    scene: Scene, rays: Float64, eye: Float64, dark: NDArray[np.bool_], stream: Stream
) -> Float64:
    """Return the colours (n, 3) of sky and ground.

    Args:
        scene: the scene.
        rays: (n, 3) viewing directions, world.
        eye: (3,) the camera's place, world, metres.
        dark: (n,) which pixels of the ground lie in shadow.
        stream: draws hills and pattern.
    """
    place = PLACES[scene.place]
    slope = rays[:, 1] / exact.norm(rays[:, [0, 2]])
    colors = _mix(place.horizon, place.sky, np.clip(slope * 2.2, 0, 1))
    if place.skyline:
        hills = _mix(place.horizon, place.ground[1], 0.25) * 0.88
        colors[slope < _crest(rays, place.skyline, stream.fork("hills"))] = hills
    below = slope < -_LEVEL
    down = rays[below]
    distance = (scene.placement.floor - eye[1]) / down[:, 1]
    ground = eye[[0, 2]] + down[:, [0, 2]] * distance[:, None]
    color = _mix(*place.ground, _pattern(ground / place.grain, stream.fork("ground")))
    color *= np.where(dark[below], 0.55, 1.0)[:, None]
    haze = np.clip(distance / 60, 0, 0.85)[:, None]
    colors[below] = (1 - haze) * color + haze * np.asarray(place.horizon)
    return colors


def _mix(first: Color, second: Color, share: ArrayLike) -> Float64:
    """Return colours (n, 3), or one colour (3,), between two colours."""
    a, b = np.asarray(first), np.asarray(second)
    mixed: Float64 = a + np.asarray(share)[..., None] * (b - a)
    return mixed


def _wave(angle: Float64) -> Float64:
    """Return a wave (n,) that is within 0.002 of the sine, for a tenth of its cost."""
    turns = angle * (1 / (2 * np.pi))
    t = turns - np.rint(turns)
    bow = (8 - 16 * np.abs(t)) * t
    out: Float64 = bow + 0.225 * (bow * np.abs(bow) - bow)
    return out


def _crest(rays: Float64, height: float, stream: Stream) -> Float64:
    """Return the slope of the hills' upper edge in every direction (n,)."""
    angle = exact.arctan2(rays[:, 0], rays[:, 2])
    crest = np.full(len(angle), height)
    waves = zip((0.03, 0.02, 0.01), (2, 5, 13), stream.uniforms(3) * 2 * np.pi, strict=True)
    for size, count, phase in waves:
        crest += size * _wave(count * angle + phase)
    return crest


def _pattern(where: Float64, stream: Stream) -> Float64:
    """Return a smooth irregular pattern (n,) in [0, 1] at points (n, 2) of the plane."""
    angles, phases = stream.uniforms(4) * np.pi, stream.uniforms(4) * 2 * np.pi
    total = np.zeros(len(where))
    for k, (angle, phase) in enumerate(zip(angles, phases, strict=True)):
        sine, cosine = exact.sin_cos(angle)
        along = exact.inner(where, np.array([cosine, sine]) * (2 + 1.4 * k))
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
    shadow = draw(points, rendering.mesh.faces, K, (size[0], size[1]), _NEAR)
    return shadow.face >= 0
