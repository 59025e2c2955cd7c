"""Framing: which part of a scene a camera shows."""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.seeds import Stream
from chorus_bench.simulation.cameras import (
    ViewBias,
    WorldCamera,
    draw_direction,
    frame_points,
)
from chorus_bench.simulation.scenes import Scene

_BELOW_CHEST = -0.05
#: Joints whose vertices a framing shows; ``full`` and ``upper`` are determined otherwise.
_PARTS = {
    "head": (15,),
    "left_hand": (18, 20, 22),
    "right_hand": (19, 21, 23),
    "legs": (4, 5, 7, 8),
}


def shown_points(scene: Scene, framing: str) -> Float64:
    """Return the points (n, 3) of a scene that a framing shows, world, metres.

    Args:
        scene: a scene with at least one person or object.
        framing: ``full`` (everything), ``upper`` (from the hips up), ``head``, ``left_hand``,
            ``right_hand`` or ``legs``; without a person, everything is shown.
    """
    everything = scene.placement.to_world(
        np.concatenate([i.mesh.vertices for i in scene.instances])
    )
    if framing == "full" or not scene.people:
        return everything
    body = everything[: scene.body.vertices]
    if framing == "upper":
        return body[body[:, 1] > _BELOW_CHEST]
    return body[np.isin(scene.body.dominant_joints(), _PARTS[framing])]


def draw_camera(
    scene: Scene,
    bias: ViewBias,
    size: tuple[int, int],
    stream: Stream,
    direction: tuple[float, float, float] | None = None,
) -> WorldCamera:
    """Draw a camera of a view condition for a scene.

    Args:
        scene: the scene.
        bias: the view condition.
        size: height and width in pixels.
        stream: draws everything that is not specified.
        direction: yaw, elevation and roll in degrees.
    """
    framing = stream.choice([f[0] for f in bias.framings], [f[1] for f in bias.framings])
    if framing == "hand":
        framing = stream.choice(("left_hand", "right_hand", "right_hand"))
    return frame_points(
        shown_points(scene, framing),
        direction or draw_direction(bias, stream),
        size,
        stream,
        fill=bias.fill,
        floor=scene.placement.floor,
        everything=shown_points(scene, "full"),
    )
