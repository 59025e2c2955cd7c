"""Interactions with objects in the hands: racket, frisbee, glove, ball, phone, umbrella."""

from __future__ import annotations

import numpy as np

import chorus_bench.simulation.goods as goods
import chorus_bench.simulation.poses as poses
import chorus_bench.simulation.sports as sports
from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import JOINT, SIDES, Figure, cross, frame, unit
from chorus_bench.simulation.meshes import Mesh, vector
from chorus_bench.simulation.scenes import Setting


def hand_side(stream: Stream) -> str:
    """Draw the hand that a person uses: mostly the right one."""
    return "right" if stream.chance(0.88) else "left"


def _forearm(figure: Figure, side: str) -> Float64:
    return unit(figure.place(f"{side}_wrist") - figure.place(f"{side}_elbow"))


def _racket_in(figure: Figure, side: str, bar: Float64, stream: Stream) -> Mesh:
    """Close a hand around a racket that points along ``bar``, its face parallel to the palm."""
    figure.hold(side, bar)
    grip = figure.grip(side)
    facing = frame(grip.thumb, grip.palm)
    axes = np.stack([cross(facing[:, 0], facing[:, 1]), facing[:, 0], facing[:, 1]], axis=1)
    return sports.tennis_racket(stream).moved(axes, grip.center)


def swing_racket(figure: Figure, stream: Stream) -> Setting:
    """Hit a ball with a forehand, knees bent, the racket beside or ahead of the body."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.lunge(figure, stream, turn=s * stream.uniform(15, 50))
    poses.balance_arm(figure, poses.other(side), stream)
    along = unit(
        (s * stream.uniform(0.3, 1.0), stream.uniform(-0.55, -0.1), stream.uniform(0.2, 0.9))
    )
    shoulder = figure.place(f"{side}_shoulder")
    figure.reach(
        f"{side}_arm",
        shoulder + along * figure.arm * stream.uniform(0.8, 0.95),
        (s * 0.3, -0.8, -0.6),
    )
    bar = _forearm(figure, side) + np.array(
        [s * 0.45, stream.uniform(0.25, 0.8), stream.uniform(-0.3, 0.2)]
    )
    return Setting(_racket_in(figure, side, bar, stream))


def serve_racket(figure: Figure, stream: Stream) -> Setting:
    """Serve: the racket high above the head, the other arm up or down."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.stand(figure, stream, bend=0.03)
    figure.bend_spine(forward=-stream.uniform(5, 15), left=-s * stream.uniform(0, 8))
    figure.turn(f"{side}_collar", (0, 0, s), 18)
    shoulder = figure.place(f"{side}_shoulder")
    along = unit((s * stream.uniform(0.15, 0.5), 1, stream.uniform(-0.1, 0.35)))
    figure.reach(
        f"{side}_arm", shoulder + along * figure.arm * stream.uniform(0.85, 0.97), (s, -0.2, -0.2)
    )
    bar = _forearm(figure, side) * 0.9 + np.array(
        [s * stream.uniform(0.1, 0.5), 0.3, stream.uniform(-0.6, 0.3)]
    )
    free = poses.other(side)
    if stream.chance(0.5):
        point = figure.place(f"{free}_shoulder") + unit((-s * 0.2, 0.8, 0.7)) * figure.arm * 0.93
        figure.reach(f"{free}_arm", point, (-s, -0.5, 0))
        figure.set_hand(free, (-s * 0.2, 0.9, 0.6), (0, 0.5, -0.8), curl=10)
    else:
        poses.balance_arm(figure, free, stream)
    figure.look((0, stream.uniform(0.2, 0.7), 1))
    return Setting(_racket_in(figure, side, bar, stream))


def ready_racket(figure: Figure, stream: Stream) -> Setting:
    """Wait for the ball, the racket in front of the body, the free hand at its throat."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.crouch_ready(figure, stream)
    place, turned = figure.joints()
    spine = JOINT["spine2"]
    front = place[spine] + exact.apply(turned[spine], (s * 0.1, 0.0, 0.36))
    figure.reach(f"{side}_arm", front - vector(0, 0.04, 0.03), (s, -0.8, -0.4))
    bar = np.array(
        [-s * stream.uniform(0.7, 1.1), stream.uniform(0.4, 0.8), stream.uniform(0.2, 0.5)]
    )
    racket = _racket_in(figure, side, bar, stream)
    grip = figure.grip(side)
    throat = grip.center + grip.thumb * 0.24
    free = poses.other(side)
    figure.reach(f"{free}_arm", throat - vector(-s * 0.06, 0.05, 0.05), (-s, -0.8, -0.4))
    figure.set_hand(free, (s * 0.5, 0.3, 0.7), (s * 0.6, 0.6, -0.1), curl=50)
    return Setting(racket)


def _head_point(figure: Figure, x: float, y: float, z: float) -> Float64:
    """Return a point (3,) given in shares of the head's half width, height and depth, world."""
    place, turned = figure.joints()
    template = figure.body.shaped_template(figure.betas)
    head = template[figure.body.dominant_joints() == JOINT["head"]]
    low, high = head.min(axis=0), head.max(axis=0)
    local = (low + high) / 2 + np.array([x, y, z]) * (high - low) / 2 - figure.rest[JOINT["head"]]
    return np.asarray(place[JOINT["head"]] + exact.apply(turned[JOINT["head"]], local))


def _phone_at(center: Float64, up: Float64, screen: Float64, stream: Stream) -> Mesh:
    """Return a phone whose upper edge and screen point along the given directions."""
    axes = frame(up, screen)
    turn = np.stack([cross(axes[:, 0], axes[:, 1]), axes[:, 0], axes[:, 1]], axis=1)
    return goods.cell_phone(stream).moved(turn, center)


def call_with_phone(figure: Figure, stream: Stream) -> Setting:
    """Hold a phone at the ear."""
    side = "right" if stream.chance(0.75) else "left"
    s = poses.sign_of(side)
    poses.stand_or_walk(figure, stream)
    figure.turn("head", (0, 0, -s), stream.uniform(0, 8))
    ear = _head_point(figure, s * 1.0, -0.1, -0.1)
    _, turned = figure.joints()
    R = turned[JOINT["head"]]
    out, up = s * R[:, 0], exact.apply(R, unit((0, 0.85, -0.5)))
    middle = ear - 0.035 * up + 0.018 * out
    figure.reach(f"{side}_arm", middle - 0.1 * up + 0.05 * out + 0.01 * R[:, 2], (s, -0.9, 0.25))
    figure.set_hand(side, up - 0.1 * out, -out, curl=30)
    return Setting(_phone_at(middle, up, -out, stream))


def look_at_phone(figure: Figure, stream: Stream) -> Setting:
    """Look down at a phone held in front of the chest."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.stand_or_walk(figure, stream)
    figure.bend_spine(forward=stream.uniform(2, 10))
    chest = figure.place("spine3")
    center = chest + vector(
        s * stream.uniform(-0.02, 0.1),
        stream.uniform(-0.16, 0.02),
        stream.uniform(0.3, 0.4),
    )
    figure.look(center - figure.place("head"), share=0.9)
    eyes = _head_point(figure, 0, 0.1, 0.9)
    screen = unit(eyes - center)
    upright = np.array([0, 1.0, 0.35])
    up = unit(upright - exact.inner(upright, screen) * screen)
    for k, hand in enumerate((side, poses.other(side))):
        t = poses.sign_of(hand)
        if k == 1 and stream.chance(0.5):
            break
        wrist = center - 0.1 * up - 0.035 * screen + vector(t * 0.035, -0.01, -0.02)
        figure.reach(f"{hand}_arm", wrist, (t, -0.9, -0.3))
        figure.set_hand(
            hand, up + vector(-t * 0.25, 0, 0), screen + vector(-t * 0.7, 0, 0), curl=35
        )
    return Setting(_phone_at(center, up, screen, stream))


def photograph_with_phone(figure: Figure, stream: Stream) -> Setting:
    """Take a picture: the phone upright in front of the face, held with both hands."""
    poses.stand(figure, stream)
    figure.look((0, 0, 1), share=1.0)
    eyes = _head_point(figure, 0, 0.0, 0.9)
    center = eyes + vector(
        stream.normal(0, 0.02), stream.uniform(-0.1, 0.02), stream.uniform(0.27, 0.36)
    )
    screen = unit(eyes - center)
    wide = stream.chance(0.5)
    up = np.array([1.0, 0.0, 0.0]) if wide else unit((0, 1, 0.05))
    half = 0.08 if wide else 0.04
    for side in SIDES:
        s = poses.sign_of(side)
        wrist = center + vector(s * (half + 0.03), -0.09, -0.025)
        figure.reach(f"{side}_arm", wrist, (s, -0.8, -0.1))
        figure.set_hand(side, (-s * 0.25, 1, 0.25), (-s, 0.1, -0.1), curl=35)
    return Setting(_phone_at(center, up, screen, stream))


def hold_umbrella(figure: Figure, stream: Stream) -> Setting:
    """Hold an open umbrella above the head with one hand."""
    side = "right" if stream.chance(0.7) else "left"
    s = poses.sign_of(side)
    poses.stand_or_walk(figure, stream)
    shoulder = figure.place(f"{side}_shoulder")
    offset = (-s * stream.uniform(0.0, 0.08), -stream.uniform(0.05, 0.16), stream.uniform(0.2, 0.3))
    figure.reach(f"{side}_arm", shoulder + offset, (s * 0.6, -1, -0.2))
    lean = unit((-s * stream.uniform(0.0, 0.15), 1, stream.uniform(-0.25, 0.1)))
    figure.hold(side, lean)
    grip = figure.grip(side)
    turn = frame(lean, (0.2, 0, 1))
    axes = np.stack([turn[:, 1], turn[:, 0], -turn[:, 2]], axis=1)
    return Setting(goods.umbrella(stream).moved(axes, grip.center))
