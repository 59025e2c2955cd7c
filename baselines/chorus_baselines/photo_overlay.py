"""A photograph with a person and an object drawn over it, as their meshes say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from chorus_baselines.chorus.reconstruction import COLORS, Mesh
from chorus_bench.array_types import Float64, Int32, UInt8
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rasterizer import draw
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.synthesis.image_files import encode_picture

_NEAR = 0.05
#: Weights of the drawing over the photograph, and of light that comes from the viewer.
_OPACITY, _AMBIENT = 0.72, 0.35
_GREY = 0.5


def draw_overlay(photo: UInt8, meshes: Mapping[str, Mesh], camera: PerspectiveCamera) -> UInt8:
    """Return a photograph with meshes drawn over it, shaded, the nearest in front.

    Args:
        photo: (H, W, 3) RGB, 0 to 255.
        meshes: ``person``, ``object``, or both -> mesh in the body frame, metres.
        camera: from the body frame to pixels of the photograph.

    Returns:
        (H, W, 3) RGB, 0 to 255.
    """
    vertices = [camera.to_camera(mesh.vertices) for mesh in meshes.values()]
    starts = np.cumsum([0, *map(len, vertices)])
    faces = [mesh.faces + start for mesh, start in zip(meshes.values(), starts, strict=False)]
    points, triangles = np.concatenate(vertices), np.concatenate(faces).astype(np.int32)
    colors = np.repeat([COLORS[name][:3] for name in meshes], list(map(len, faces)), axis=0)
    raster = draw(points, triangles, camera.intrinsics.astype(np.float64), photo.shape[:2], _NEAR)
    seen = raster.face >= 0
    ground = photo.astype(np.float64)
    light = ground.mean(axis=2, keepdims=True)
    picture = _GREY * ground + (1 - _GREY) * (127.5 + light / 2)
    drawn = (colors * _shades(points, triangles)[:, None])[raster.face[seen]]
    picture[seen] = (1 - _OPACITY) * ground[seen] + _OPACITY * drawn
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def _shades(points: Float64, faces: Int32) -> Float64:
    """Return how bright each face is under a light at the camera, (F,) up to 1."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1) * np.linalg.norm(a, axis=1)
    facing = np.abs((normal * a).sum(axis=1)) / np.maximum(length, 1e-12)
    return np.asarray(_AMBIENT + (1 - _AMBIENT) * facing)


def save_overlay(
    path: str | Path, photo: UInt8, meshes: Mapping[str, Mesh], camera: PerspectiveCamera
) -> Path:
    """Write `draw_overlay` as a PNG, atomically.

    Raises:
        WriteError: the file cannot be written.
    """
    return atomic_write_bytes(
        path, encode_picture(draw_overlay(photo, meshes, camera), "png", quality=100)
    )
