"""Pictures of a rendered scene: light, shadow, ground and sky."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from chorus_bench.camera import PerspectiveCamera
from chorus_bench.datasets.simulated.meshes import Color, Mesh
from chorus_bench.datasets.simulated.randomness import Stream
from chorus_bench.datasets.simulated.rasterizer import draw
from chorus_bench.datasets.simulated.scenes import Placement, Rendering, Scene

Float64 = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

JPEG_QUALITY = 90
_NEAR = 0.05


@dataclass(frozen=True)
class Place:
    """The look of a place.

    Args:
        ground: colours of the ground, mixed by a pattern.
        grain: size of the pattern, metres.
        horizon: colour at the horizon.
        sky: colour overhead.
    """

    ground: tuple[Color, Color]
    grain: float
    horizon: Color
    sky: Color


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
    "room": Place(((0.6, 0.46, 0.34), (0.54, 0.41, 0.3)), 0.4, *_ROOM),
}


def encode_jpeg(picture: UInt8) -> bytes:
    """Return an RGB picture (H, W, 3) as JPEG."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return bytes(data)


def shade(scene: Scene, rendering: Rendering, camera: PerspectiveCamera, stream: Stream) -> UInt8:
    """Return an RGB picture (H, W, 3) of a rendered scene.

    Args:
        scene: the scene.
        rendering: from `render`, with the same camera.
        camera: from the body frame to pixels.
        stream: draws light and background.
    """
    light = _light(stream)
    picture = _background(scene, camera, rendering, light, stream)
    face = rendering.picture.face
    seen = face >= 0
    to_world = scene.placement.root
    normals = _vertex_normals(rendering.mesh)[rendering.mesh.faces[face[seen]]] @ to_world.T
    normal = np.einsum("nk,nka->na", rendering.picture.weights[seen], normals)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    direct = np.clip(normal @ light, 0, 1)
    towards = -(camera.rotation[2].astype(np.float64) @ to_world.T)
    brightness = 0.38 + 0.12 * normal[:, 1] + 0.5 * direct + 0.14 * np.clip(normal @ towards, 0, 1)
    picture[seen] = rendering.mesh.colors[face[seen]] * brightness[:, None]
    noise = stream.uniforms(*face.shape, 1) * 0.03 - 0.015
    return np.clip((picture + noise) * 255 + 0.5, 0, 255).astype(np.uint8)


def _light(stream: Stream) -> Float64:
    """Return the direction (3,) towards the light, world."""
    angle = stream.uniform(0, 2 * np.pi)
    light = np.array([0.6 * np.cos(angle), 1.0, 0.6 * np.sin(angle)])
    unit: Float64 = light / np.linalg.norm(light)
    return unit


def _vertex_normals(mesh: Mesh) -> Float64:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    face_normal = np.cross(b - a, c - a)
    normals = np.empty_like(mesh.vertices)
    corners = mesh.faces.ravel()
    for axis in range(3):
        values = np.repeat(face_normal[:, axis], 3)
        normals[:, axis] = np.bincount(corners, values, minlength=len(normals))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    out: Float64 = normals / np.maximum(length, 1e-12)
    return out


def _background(
    scene: Scene,
    camera: PerspectiveCamera,
    rendering: Rendering,
    light: Float64,
    stream: Stream,
) -> Float64:
    """Return ground with shadow, and sky, as RGB (H, W, 3) in [0, 1]."""
    place = PLACES[scene.place]
    height, width = rendering.picture.face.shape
    rays, eye = _world_rays(scene.placement, camera, height, width)
    up = rays[..., 1] / np.linalg.norm(rays, axis=-1)
    blend = np.clip(up[..., None] * 2.5, 0, 1)
    picture = (1 - blend) * np.asarray(place.horizon) + blend * np.asarray(place.sky)
    picture = _distant_hills(picture, rays, place, stream)
    below = up < -1e-3
    distance = (scene.placement.floor - eye[1]) / np.where(below, rays[..., 1], -1.0)
    ground = eye[[0, 2]] + rays[..., [0, 2]] * distance[..., None]
    pattern = _pattern(ground[below] / place.grain, stream)[:, None]
    color = (1 - pattern) * np.asarray(place.ground[0]) + pattern * np.asarray(place.ground[1])
    dark = _shadow(scene, rendering, camera, light)[below]
    color = color * np.where(dark, 0.55, 1.0)[:, None]
    haze = np.clip(distance[below] / 60, 0, 0.85)[:, None]
    picture[below] = (1 - haze) * color + haze * np.asarray(place.horizon)
    return picture


def _world_rays(
    placement: Placement, camera: PerspectiveCamera, height: int, width: int
) -> tuple[Float64, Float64]:
    """Return viewing directions (H, W, 3) and the camera's place (3,), world."""
    v, u = np.mgrid[0:height, 0:width] + 0.5
    K = camera.intrinsics.astype(np.float64)
    local = np.stack([(u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1], np.ones_like(u)], -1)
    to_world = camera.rotation.astype(np.float64) @ placement.root.T
    return local @ to_world, placement.to_world(camera.center)


def _distant_hills(picture: Float64, rays: Float64, place: Place, stream: Stream) -> Float64:
    """Draw a row of hills, trees or walls along the horizon."""
    angle = np.arctan2(rays[..., 0], rays[..., 2])
    phases = stream.uniforms(3) * 2 * np.pi
    crest = sum(
        a * np.sin(k * angle + p)
        for a, k, p in zip((0.03, 0.02, 0.01), (2, 5, 13), phases, strict=True)
    )
    slope = rays[..., 1] / np.hypot(rays[..., 0], rays[..., 2])
    hills = slope < 0.05 + crest
    tint = 0.75 * np.asarray(place.horizon) + 0.25 * np.asarray(place.ground[1])
    return np.where(hills[..., None], tint * 0.88, picture)


def _pattern(where: Float64, stream: Stream) -> Float64:
    """Return a smooth irregular pattern (n,) in [0, 1] on the plane."""
    angles, phases = stream.uniforms(4) * np.pi, stream.uniforms(4) * 2 * np.pi
    total = np.zeros(len(where))
    for k, (angle, phase) in enumerate(zip(angles, phases, strict=True)):
        wave = where @ np.array([np.cos(angle), np.sin(angle)]) * (1 + 0.7 * k)
        total += np.sin(wave * 2 + phase + np.sin(0.5 * total))
    return np.clip(0.5 + total / 6, 0, 1)


def _shadow(
    scene: Scene, rendering: Rendering, camera: PerspectiveCamera, light: Float64
) -> NDArray[np.bool_]:
    """Return the pixels (H, W) of the ground that lie in the scene's shadow."""
    world = scene.placement.to_world(rendering.mesh.vertices)
    above = np.maximum(world[:, 1] - scene.placement.floor, 0)
    flat = scene.placement.to_body(world - above[:, None] / light[1] * light)
    points = flat @ camera.rotation.astype(np.float64).T + camera.translation
    size = rendering.picture.face.shape
    K = camera.intrinsics.astype(np.float64)
    shadow = draw(points, rendering.mesh.faces, K, (size[0], size[1]), _NEAR)
    return shadow.face >= 0
