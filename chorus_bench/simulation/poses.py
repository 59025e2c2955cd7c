"""Families of poses, as functions that pose a `Figure`. World frame, metres and degrees."""

from __future__ import annotations

import math

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import JOINT, SIDES, Figure, rotation, unit
from chorus_bench.simulation.meshes import vector


def sign_of(side: str) -> float:
    """Return +1 for the left side and -1 for the right one."""
    return 1.0 if side == "left" else -1.0


def other(side: str) -> str:
    """Return the other side."""
    return "right" if side == "left" else "left"


def level(degrees: float) -> Float64:
    """Return the level direction (3,) at an angle from forward towards the person's left."""
    sine, cosine = exact.sin_cos(math.radians(degrees))
    return np.array([sine, 0.0, cosine])


def relax_arm(figure: Figure, side: str, stream: Stream) -> None:
    """Let an arm hang beside the body."""
    s = sign_of(side)
    shoulder = figure.place(f"{side}_shoulder")
    down = 0.93 * figure.arm
    target = shoulder + vector(s * stream.uniform(0.08, 0.16), -down, stream.uniform(-0.04, 0.14))
    figure.turn(f"{side}_collar", (0, 0, -s), 5)
    figure.reach(f"{side}_arm", target, (s * 0.5, 0, -1))
    figure.set_hand(side, (s * 0.05, -1, 0.15), (-s, 0, -0.3), curl=25)


def relax_arms(figure: Figure, stream: Stream) -> None:
    """Let both arms hang."""
    for side in SIDES:
        relax_arm(figure, side, stream)


def stand(figure: Figure, stream: Stream, *, bend: float = 0.02) -> None:
    """Stand with both feet on the ground.

    Args:
        figure: the figure.
        stream: draws the stance.
        bend: how much lower the pelvis is than with straight legs, as a share of the leg.
    """
    figure.floor = -(figure.leg * (1 - bend) * 0.985 + figure.sole - figure.rest_hip_drop)
    wide, stagger = stream.uniform(0.02, 0.09), stream.normal(0, 0.04)
    for side in SIDES:
        s = sign_of(side)
        hip = figure.place(f"{side}_hip")
        ankle = (hip[0] + s * wide, figure.floor + figure.sole, hip[2] + s * stagger)
        figure.set_foot(side, ankle, level(s * stream.uniform(4, 22)))
    figure.bend_spine(stream.normal(2, 3), stream.normal(0, 2), stream.normal(0, 4))
    figure.look(level(stream.normal(0, 15)) + vector(0, stream.normal(-0.05, 0.1), 0))


def walk(figure: Figure, stream: Stream) -> None:
    """Walk: one foot ahead, the other heel behind; the arms are unchanged."""
    stride = stream.uniform(0.16, 0.3)
    ahead = stream.choice(SIDES)
    figure.floor = -(figure.leg * 0.955 + figure.sole - figure.rest_hip_drop)
    for side in SIDES:
        s = sign_of(side)
        hip = figure.place(f"{side}_hip")
        z = stride if side == ahead else -stride
        lift = 0.0 if side == ahead else 0.05
        ankle = (hip[0] * 0.9, figure.floor + figure.sole + lift, hip[2] + z)
        figure.set_foot(side, ankle, level(s * 6) - vector(0, 0 if side == ahead else 0.35, 0))
    figure.bend_spine(stream.normal(4, 2), 0, sign_of(ahead) * -stream.uniform(2, 8))
    figure.look(level(stream.normal(0, 12)))


def stand_or_walk(figure: Figure, stream: Stream) -> None:
    """Stand or walk with hanging arms."""
    if stream.chance(0.5):
        stand(figure, stream)
    else:
        walk(figure, stream)
    relax_arms(figure, stream)


def ride_sideways(
    figure: Figure,
    stream: Stream,
    *,
    deck: float,
    gap: tuple[float, float],
    crouch: tuple[float, float],
) -> Float64:
    """Stand sideways on a board with bent knees and arms held out for balance.

    Args:
        figure: the figure.
        stream: draws stance and balance.
        deck: height of the deck above the ground, metres.
        gap: range of the distance between the feet, metres.
        crouch: range of the share of the leg by which the pelvis sinks.

    Returns:
        The level direction (3,) of travel: to the left with the left foot ahead, or right.
    """
    ahead = "left" if stream.chance(0.7) else "right"
    s = sign_of(ahead)
    depth, half = stream.uniform(*crouch), stream.uniform(*gap) / 2
    figure.root = rotation((1, 0, 0), stream.uniform(5, 25) * min(1, depth * 3))
    figure.floor = -(figure.leg * (1 - depth) + figure.sole + deck)
    shift = stream.uniform(0.02, 0.09) * min(1, 3 * depth)
    for side in SIDES:
        t = sign_of(side)
        ankle = (t * half + s * 0.02, figure.floor + deck + figure.sole, -shift)
        toes = level(t * stream.uniform(3, 20) + s * 8)
        figure.set_foot(side, ankle, toes, hint=toes + vector(t * 0.25, 0, 0))
    figure.bend_spine(stream.uniform(5, 25), s * stream.normal(0, 5), s * stream.uniform(10, 35))
    figure.look(level(s * stream.uniform(50, 85)) - vector(0, 0.15, 0), share=1.0)
    balance_arms(figure, stream, ahead)
    return np.array([s, 0.0, 0.0])


def balance_arms(figure: Figure, stream: Stream, ahead: str) -> None:
    """Hold the arms out to the sides, the leading one lower."""
    for side in SIDES:
        s = sign_of(side)
        shoulder = figure.place(f"{side}_shoulder")
        rise = stream.uniform(-0.65, -0.15) if side == ahead else stream.uniform(-0.45, 0.15)
        along = unit((s, rise, stream.uniform(0.0, 0.5)))
        figure.reach(
            f"{side}_arm", shoulder + along * figure.arm * stream.uniform(0.82, 0.96), (0, -0.6, -1)
        )
        forearm = figure.place(f"{side}_wrist") - figure.place(f"{side}_elbow")
        figure.set_hand(side, forearm + vector(0, 0.02, 0), (0, -1, 0.2), curl=15)


def sit(figure: Figure, stream: Stream, *, lean: tuple[float, float] = (-12, 8)) -> float:
    """Sit with the feet on the ground.

    Args:
        figure: the figure.
        stream: draws the posture.
        lean: range of the trunk's lean forward, degrees.

    Returns:
        The height of the seat, world y, metres.
    """
    tilt = stream.uniform(*lean)
    figure.root = rotation((1, 0, 0), tilt * 0.6)
    thigh = 0.5 * figure.leg
    drop = 0.02 + stream.uniform(-0.02, 0.03)
    spread = stream.uniform(0.0, 0.12)
    figure.floor = -(figure.leg - thigh + figure.sole + drop)
    for side in SIDES:
        s = sign_of(side)
        hip = figure.place(f"{side}_hip")
        ankle = (
            hip[0] + s * (spread + stream.uniform(-0.02, 0.03)),
            figure.floor + figure.sole,
            hip[2] + thigh * stream.uniform(0.8, 1.12),
        )
        figure.set_foot(side, ankle, level(s * stream.uniform(0, 15)), hint=(s * spread * 2, 1, 1))
    figure.bend_spine(tilt * 0.5 + stream.uniform(0, 8), stream.normal(0, 3), stream.normal(0, 6))
    figure.look(level(stream.normal(0, 25)) + vector(0, stream.normal(-0.1, 0.12), 0))
    return seat_height(figure)


def seat_height(figure: Figure) -> float:
    """Return how low the buttocks reach, world y, metres: 4 % of their vertices are lower."""
    vertices = figure.vertices()
    joints = figure.body.dominant_joints()
    behind = np.isin(joints, (0, 1, 2)) & (vertices[:, 2] < 0.05)
    heights = np.sort(vertices[behind, 1])
    return float(exact.interpolate(0.04 * (len(heights) - 1), range(len(heights)), heights))


def hands_on_thighs(figure: Figure, stream: Stream) -> None:
    """Lay both hands on the thighs."""
    for side in SIDES:
        s = sign_of(side)
        place, _ = figure.joints()
        hip, knee = place[JOINT[f"{side}_hip"]], place[JOINT[f"{side}_knee"]]
        rest = hip + (knee - hip) * stream.uniform(0.55, 0.85) + vector(-s * 0.02, 0.1, -0.03)
        figure.reach(f"{side}_arm", rest, (s, -0.2, -0.6))
        figure.set_hand(side, unit(knee - hip) + vector(-s * 0.3, -0.15, 0), (0, -1, 0), curl=15)


def lunge(figure: Figure, stream: Stream, *, turn: float) -> None:
    """Stand wide with bent knees, the trunk turned.

    Args:
        figure: the figure.
        stream: draws the stance.
        turn: how far the trunk turns to the left, degrees.
    """
    depth, half = stream.uniform(0.06, 0.2), stream.uniform(0.18, 0.34)
    figure.root = rotation((1, 0, 0), stream.uniform(3, 14))
    figure.floor = -(figure.leg * (1 - depth) + figure.sole)
    for side in SIDES:
        s = sign_of(side)
        ahead = stream.uniform(-0.05, 0.22) * (1 if turn * s < 0 else -1)
        ankle = (s * half, figure.floor + figure.sole, ahead)
        toes = level(s * stream.uniform(8, 30) + 0.3 * turn)
        figure.set_foot(side, ankle, toes, hint=toes + vector(s * 0.2, 0, 0))
    figure.bend_spine(stream.uniform(2, 14), 0, turn)
    figure.look(level(stream.normal(0, 12)), share=1.0)


def crouch_ready(figure: Figure, stream: Stream) -> None:
    """Stand wide, knees bent, leaning a little forward."""
    depth, half = stream.uniform(0.08, 0.22), stream.uniform(0.18, 0.28)
    figure.root = rotation((1, 0, 0), stream.uniform(8, 25))
    figure.floor = -(figure.leg * (1 - depth) + figure.sole)
    for side in SIDES:
        s = sign_of(side)
        toes = level(s * stream.uniform(10, 28))
        ankle = (s * half, figure.floor + figure.sole, -0.05 + stream.normal(0, 0.03))
        figure.set_foot(side, ankle, toes, hint=toes + vector(s * 0.2, 0, 0))
    figure.bend_spine(stream.uniform(5, 18), 0, stream.normal(0, 5))
    figure.look(level(stream.normal(0, 10)), share=1.0)


def balance_arm(figure: Figure, side: str, stream: Stream) -> None:
    """Hold one arm out, loosely bent."""
    s = sign_of(side)
    shoulder = figure.place(f"{side}_shoulder")
    along = unit((s * stream.uniform(0.4, 1), stream.uniform(-0.7, 0), stream.uniform(0.2, 0.8)))
    figure.reach(
        f"{side}_arm",
        shoulder + along * figure.arm * stream.uniform(0.65, 0.92),
        (s * 0.4, -0.8, -0.6),
    )
    forearm = figure.place(f"{side}_wrist") - figure.place(f"{side}_elbow")
    figure.set_hand(side, forearm, (-s * 0.3, -1, 0.2), curl=20)
