"""Interactions with objects that are thrown, caught and kicked: frisbee, ball, glove."""

from __future__ import annotations

import numpy as np

import chorus_bench.simulation.poses as poses
import chorus_bench.simulation.sports as sports
from chorus_bench.array_types import Float64
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import JOINT, SIDES, Figure, cross, frame, rotation, unit
from chorus_bench.simulation.handling import hand_side
from chorus_bench.simulation.meshes import Mesh, vector
from chorus_bench.simulation.scenes import Setting

UP = np.array([0.0, 1.0, 0.0])


def _stand_somehow(figure: Figure, stream: Stream, turn: float) -> None:
    if stream.chance(0.5):
        poses.lunge(figure, stream, turn=turn)
    else:
        poses.stand(figure, stream, bend=0.03)
        figure.bend_spine(twist=turn * 0.7)
        figure.look(poses.level(stream.normal(0, 12)), share=1.0)


def throw_frisbee(figure: Figure, stream: Stream) -> Setting:
    """Throw a disc backhand: drawn back across the body, or at the release."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    drawn = stream.chance(0.5)
    _stand_somehow(
        figure, stream, turn=-s * stream.uniform(10, 40) if drawn else s * stream.uniform(0, 20)
    )
    poses.balance_arm(figure, poses.other(side), stream)
    shoulder = figure.place(f"{side}_shoulder")
    if drawn:
        target = shoulder + figure.arm * np.array([-s * 0.42, -0.3, 0.55])
    else:
        target = shoulder + figure.arm * unit((s * stream.uniform(0.2, 0.9), -0.15, 0.8)) * 0.9
    figure.reach(f"{side}_arm", target, (s, -0.3, 0.0))
    forearm = unit(figure.place(f"{side}_wrist") - figure.place(f"{side}_elbow"))
    inwards = cross(UP, forearm) * s
    figure.set_hand(side, forearm + 0.15 * inwards, inwards, curl=60)
    grip = figure.grip(side)
    tilt = unit(UP + 0.25 * stream.normals(3))
    center = grip.center + grip.palm * 0.1 + grip.fingers * 0.05
    return Setting(sports.frisbee(stream).moved(_upright(tilt), center))


def _upright(up: Float64) -> Float64:
    """Return axes (3, 3) whose y points along ``up``."""
    axes = frame(up, (0.3, 0.1, 1.0))
    return np.stack([axes[:, 1], axes[:, 0], -axes[:, 2]], axis=1)


def _both_hands_at(figure: Figure, center: Float64, half: float, fingers: Float64) -> Float64:
    """Bring both palms to the two sides of an object; return the middle between them."""
    for side in SIDES:
        s = poses.sign_of(side)
        wrist = center + vector(s * (half + 0.035), 0, 0) - 0.085 * unit(fingers)
        figure.reach(f"{side}_arm", wrist, (s, -0.55, -0.35))
        figure.set_hand(side, fingers, (-s, 0, 0), curl=18)
    middle: Float64 = (figure.grip("left").center + figure.grip("right").center) / 2
    return middle


def catch_frisbee(figure: Figure, stream: Stream) -> Setting:
    """Catch a disc with both hands in front of the chest."""
    poses.crouch_ready(figure, stream) if stream.chance(0.5) else poses.stand(figure, stream)
    chest = figure.place("spine3")
    center = chest + vector(
        stream.normal(0, 0.04),
        stream.uniform(-0.15, 0.15),
        stream.uniform(0.36, 0.46),
    )
    middle = _both_hands_at(figure, center, 0.12, np.array([0, 0.25, 1.0]))
    tilt = unit(UP + vector(0, 0, stream.normal(-0.1, 0.25)))
    return Setting(sports.frisbee(stream).moved(_upright(tilt), middle))


def hold_ball(figure: Figure, stream: Stream) -> Setting:
    """Hold a ball with both hands in front of the body."""
    poses.stand(figure, stream) if stream.chance(0.6) else poses.crouch_ready(figure, stream)
    kind = stream.choice(("soccer", "basketball", "volleyball"))
    chest = figure.place("spine2")
    center = chest + vector(
        stream.normal(0, 0.05), stream.uniform(0.0, 0.22), stream.uniform(0.3, 0.42)
    )
    half = sports.BALLS[kind][0]
    middle = _both_hands_at(figure, center, half, np.array([0, stream.uniform(-0.2, 0.6), 1.0]))
    return Setting(sports.sports_ball(kind, stream).moved(None, middle))


def throw_ball(figure: Figure, stream: Stream) -> Setting:
    """Throw a ball with both hands from above the head."""
    poses.stand(figure, stream, bend=stream.uniform(0.01, 0.06))
    for side in SIDES:
        figure.turn(f"{side}_collar", (0, 0, poses.sign_of(side)), 16)
    kind = stream.choice(("basketball", "volleyball"))
    center = figure.place("head") + vector(
        0, stream.uniform(0.24, 0.36), stream.uniform(0.08, 0.25)
    )
    half = sports.BALLS[kind][0]
    middle = _both_hands_at(figure, center, half, np.array([0, 1.0, stream.uniform(0.0, 0.4)]))
    figure.look((0, 0.35, 1))
    return Setting(sports.sports_ball(kind, stream).moved(None, middle))


def kick_ball(figure: Figure, stream: Stream) -> Setting:
    """Kick a ball: one leg swings, the ball lies in front of its foot."""
    side = "right" if stream.chance(0.8) else "left"
    s, free = poses.sign_of(side), poses.other(side)
    figure.root = rotation((1, 0, 0), -stream.uniform(0, 12))
    figure.floor = -(figure.leg * 0.95 + figure.sole)
    hip = figure.place(f"{free}_hip")
    figure.set_foot(
        free, (hip[0] * 0.7, figure.floor + figure.sole, hip[2] - 0.02), poses.level(-s * 8)
    )
    hip = figure.place(f"{side}_hip")
    swing = stream.uniform(0.1, 0.45)
    ankle = np.array(
        [hip[0] * 0.9, figure.floor + figure.sole + 0.1 + 0.35 * swing, hip[2] + swing]
    )
    figure.set_foot(side, ankle, (0, -0.35, 1), hint=(0, 0.2, 1))
    figure.bend_spine(forward=stream.uniform(2, 15), twist=s * stream.uniform(5, 20))
    for arm in SIDES:
        poses.balance_arm(figure, arm, stream)
    figure.look((0, -0.5, 1))
    toes = figure.place(f"{side}_foot")
    radius = sports.BALLS["soccer"][0]
    ball = toes + vector(stream.normal(0, 0.03), 0.0, radius + 0.05 + stream.uniform(0.0, 0.12))
    ball[1] = max(figure.floor + radius, float(ball[1]) + stream.uniform(-0.08, 0.02))
    return Setting(sports.sports_ball("soccer", stream).moved(None, ball))


def _glove_on(figure: Figure, side: str, stream: Stream) -> Mesh:
    place, turned = figure.joints()
    number = JOINT[f"{side}_wrist"]
    glove = sports.baseball_glove(stream)
    if side == "right":
        glove = glove.mirrored()
    return glove.moved(turned[number], place[number])


def catch_with_glove(figure: Figure, stream: Stream) -> Setting:
    """Wait for the ball with the open glove held ahead."""
    side = "left" if stream.chance(0.85) else "right"
    s, free = poses.sign_of(side), poses.other(side)
    poses.crouch_ready(figure, stream) if stream.chance(0.65) else poses.stand(figure, stream)
    shoulder = figure.place(f"{side}_shoulder")
    along = unit((s * stream.uniform(-0.1, 0.45), stream.uniform(-0.55, 0.5), 1))
    figure.reach(
        f"{side}_arm", shoulder + along * figure.arm * stream.uniform(0.65, 0.92), (s, -0.7, -0.2)
    )
    figure.set_hand(side, (-s * 0.15, stream.uniform(0.6, 1.0), 0.45), (-s * 0.2, -0.1, 1), curl=25)
    if stream.chance(0.5):
        poses.balance_arm(figure, free, stream)
    else:
        poses.relax_arm(figure, free, stream)
    return Setting(_glove_on(figure, side, stream))


def throw_with_glove(figure: Figure, stream: Stream) -> Setting:
    """Pitch: the throwing arm drawn back, the glove ahead at the chest."""
    side = "left" if stream.chance(0.85) else "right"
    s, free = poses.sign_of(side), poses.other(side)
    poses.lunge(figure, stream, turn=-s * stream.uniform(15, 40))
    shoulder = figure.place(f"{free}_shoulder")
    back = shoulder + figure.arm * np.array([-s * 0.55, stream.uniform(0.25, 0.5), -0.15])
    figure.reach(f"{free}_arm", back, (-s, -0.4, -0.6))
    figure.set_hand(free, (-s * 0.2, 1, 0), (0, 0, 1), curl=50)
    shoulder = figure.place(f"{side}_shoulder")
    along = unit((s * stream.uniform(0.0, 0.5), stream.uniform(-0.35, 0.1), 1))
    figure.reach(
        f"{side}_arm", shoulder + along * figure.arm * stream.uniform(0.55, 0.9), (s, -0.6, 0)
    )
    figure.set_hand(side, (-s * 0.6, 0.5, 0.6), (-s * 0.6, -0.3, -0.1), curl=25)
    figure.look((0, 0, 1), share=1.0)
    return Setting(_glove_on(figure, side, stream))
