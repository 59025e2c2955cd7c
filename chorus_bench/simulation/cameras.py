"""Cameras: the viewpoints from which a scene is pictured.

Yaw is the angle of the camera about the person, seen from above: 0 is in front of the face,
90 degrees at the person's left, 180 behind. Elevation is the angle above the horizon.
A text-to-image model follows the words for a viewpoint only partly, so every view condition
is a mixture: usually what it says, sometimes the viewpoints that are common in any case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.geometry.camera import focal_from_fov
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import cross, rotation, unit
from chorus_bench.simulation.meshes import vector

#: Nothing may be nearer to a camera than this, metres.
NEAREST = 0.12
_ABOVE_FLOOR = 0.08


@dataclass(frozen=True)
class ViewBias:
    """The distribution of cameras under one view condition.

    Args:
        yaws: means of the mixture, degrees.
        shares: their shares; the remainder to 1 is spread evenly over all yaws.
        spread: standard deviation about each mean, degrees.
        elevation: mean elevation, degrees.
        elevation_spread: its standard deviation, degrees.
        framings: what is in the picture, with shares.
        fill: least and largest share of the picture that it fills.
    """

    yaws: tuple[float, ...] = (0.0,)
    shares: tuple[float, ...] = (0.8,)
    spread: float = 30.0
    elevation: float = 6.0
    elevation_spread: float = 6.0
    framings: tuple[tuple[str, float], ...] = (("full", 0.75), ("upper", 0.25))
    fill: tuple[float, float] = (0.7, 0.98)


_PLAIN = ViewBias()
_SIDE = replace(_PLAIN, yaws=(90.0, -90.0, 0.0), shares=(0.38, 0.38, 0.12), spread=22.0)
_BACK = replace(_PLAIN, yaws=(180.0, 0.0), shares=(0.75, 0.15), spread=28.0)
_CLOSE = (("upper", 0.6), ("head", 0.25), ("full", 0.15))
_HAND = (("hand", 0.45), ("upper", 0.3), ("full", 0.25))
_FACE = (("head", 0.55), ("upper", 0.35), ("full", 0.1))

#: The test split's cameras: photographs as people take them. The interaction decides the framing.
PHOTOGRAPH = ViewBias(
    yaws=(0.0, 90.0, -90.0),
    shares=(0.4, 0.18, 0.18),
    spread=38.0,
    elevation=7.0,
    elevation_spread=8.0,
    fill=(0.6, 0.95),
)

VIEW_BIAS: dict[str, ViewBias] = {
    "plain": _PLAIN,
    "side_view": _SIDE,
    "back_view": _BACK,
    "front_view": replace(_PLAIN, shares=(0.92,), spread=18.0),
    "top_view": replace(_PLAIN, elevation=42.0, elevation_spread=18.0, shares=(0.6,)),
    "bottom_view": replace(_PLAIN, elevation=-10.0, elevation_spread=8.0),
    "realistic": _PLAIN,
    "from_side": _SIDE,
    "from_back": _BACK,
    "various_views": replace(_PLAIN, shares=(0.35,)),
    "from_close": replace(_PLAIN, framings=_CLOSE, fill=(0.85, 1.1)),
    "from_far": replace(_PLAIN, framings=(("full", 1.0),), fill=(0.25, 0.6)),
    "scenic": replace(_PLAIN, framings=(("full", 1.0),), fill=(0.3, 0.75), shares=(0.55,)),
    "full_body": replace(_PLAIN, framings=(("full", 1.0),), fill=(0.75, 0.95)),
    "hand": replace(_PLAIN, framings=_HAND),
    "face": replace(_PLAIN, framings=_FACE),
    "near_hand": replace(_PLAIN, framings=_HAND),
    "near_face": replace(_PLAIN, framings=_FACE),
    "selfie": replace(_PLAIN, spread=16.0, elevation=14.0, framings=_FACE, fill=(0.8, 1.1)),
    "close_up": replace(_PLAIN, framings=_CLOSE, fill=(0.85, 1.15)),
    "hand_only": replace(_PLAIN, framings=(("hand", 0.8), ("upper", 0.2)), fill=(0.8, 1.1)),
    "face_only": replace(_PLAIN, framings=(("head", 0.85), ("upper", 0.15)), fill=(0.8, 1.1)),
}


@dataclass(frozen=True, eq=False)
class WorldCamera:
    """A camera in the world frame.

    Args:
        rotation: (3, 3) world to camera (x right, y down, z away).
        position: (3,) metres.
        intrinsics: (3, 3) K in pixels.
        size: height and width of the picture in pixels.
    """

    rotation: Float64
    position: Float64
    intrinsics: Float64
    size: tuple[int, int]


def look_along(yaw: float, elevation: float, roll: float) -> Float64:
    """Return the rotation (3, 3) of a camera that looks from a direction, angles in degrees."""
    (sin_y, sin_e), (cos_y, cos_e) = exact.sin_cos([math.radians(yaw), math.radians(elevation)])
    away = -np.array([sin_y * cos_e, sin_e, cos_y * cos_e])
    right = unit(cross(away, (0.0, 1.0, 0.0)))
    upright = np.stack([right, cross(away, right), away])
    return np.asarray(exact.product(rotation((0, 0, 1), roll), upright))


def draw_direction(bias: ViewBias, stream: Stream) -> tuple[float, float, float]:
    """Return yaw, elevation and roll in degrees."""
    rest = max(0.0, 1 - float(exact.total(bias.shares)))
    mean = stream.choice((*bias.yaws, None), (*bias.shares, rest))
    even, spread = stream.uniform(-180, 180), stream.normal(0, bias.spread)
    yaw = even if mean is None else mean + spread
    elevation = stream.normal(bias.elevation, bias.elevation_spread)
    return yaw, float(np.clip(elevation, -30, 80)), stream.normal(0, 2.0)


def frame_points(
    points: Float64,
    direction: tuple[float, float, float],
    size: tuple[int, int],
    stream: Stream,
    *,
    fill: tuple[float, float],
    floor: float,
    everything: Float64,
) -> WorldCamera:
    """Place a camera so that some points fill a share of the picture.

    Args:
        points: (n, 3) points to be framed, world, metres.
        direction: yaw, elevation and roll in degrees.
        size: height and width in pixels.
        stream: draws the lens, the fill and the offset.
        fill: range of the share of the picture that the points are to fill.
        floor: the ground's height; the camera stays above it.
        everything: (m, 3) all points of the scene; none comes nearer than `NEAREST`.
    """
    height, width = size
    focal = focal_from_fov() * width * stream.uniform(0.9, 1.25)
    share = stream.uniform(*fill)
    shift = stream.normals(2) * (0.25 * max(0.05, 1 - share))
    R = look_along(*direction)
    half = np.array([width, height]) / 2 * share / focal
    center, distance = _fit(exact.product(points, R.T), half)
    depth = exact.inner(everything, R[2])
    distance = max(distance, float((center[2] - depth).max()) + NEAREST)
    center[:2] -= shift * half * distance
    position = exact.apply(R.T, center - vector(0, 0, distance))
    position[1] = max(position[1], floor + _ABOVE_FLOOR)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
    return WorldCamera(R, position, K, size)


def _fit(turned: Float64, half: Float64) -> tuple[Float64, float]:
    """Return the middle (3,) and the distance from it at which points fill a window.

    ``turned`` are the points in the camera's directions, ``half`` the tangents of half the
    window. At distance d a point (x, y, z) relative to the middle needs
    ``|x| <= half_x (z + d)``.
    """
    columns = np.ascontiguousarray(turned.T)
    center = (columns.min(axis=1) + columns.max(axis=1)) / 2
    distance = 1.0
    for _ in range(4):
        x, y, z = columns - center[:, None]
        distance = float(max((np.abs(x) / half[0] - z).max(), (np.abs(y) / half[1] - z).max()))
        for axis, p in enumerate((x, y)):
            seen = p / (z + distance)
            center[axis] += (seen.min() + seen.max()) / 2 * distance
    return center, distance
