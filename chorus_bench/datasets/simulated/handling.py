"""Interactions with things in the hands: racket, frisbee, glove, ball, phone, umbrella."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.simulated import goods, poses, sports
from chorus_bench.datasets.simulated.figure import JOINT, SIDES, Figure, frame, unit
from chorus_bench.datasets.simulated.meshes import Mesh
from chorus_bench.datasets.simulated.randomness import Stream
from chorus_bench.datasets.simulated.scenes import Setting

Float64 = NDArray[np.float64]


def hand_side(stream: Stream) -> str:
    """Return the hand that people use: mostly the right one."""
    return "right" if stream.chance(0.88) else "left"


def _forearm(figure: Figure, side: str) -> Float64:
    place, _ = figure.joints()
    return unit(place[JOINT[f"{side}_wrist"]] - place[JOINT[f"{side}_elbow"]])


def _racket_in(figure: Figure, side: str, bar: Float64, stream: Stream) -> Mesh:
    """Close a hand about a racket that points along ``bar``, its face where the palm looks."""
    figure.hold(side, bar)
    grip = figure.grip(side)
    facing = frame(grip.thumb, grip.palm)
    axes = np.stack([np.cross(facing[:, 0], facing[:, 1]), facing[:, 0], facing[:, 1]], axis=1)
    return sports.tennis_racket(stream).moved(axes, grip.center)


def swing_racket(figure: Figure, stream: Stream) -> Setting:
    """Hit a ball with a forehand, knees bent, the racket beside or ahead of the body."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.lunge(figure, stream, turn=s * stream.uniform(15, 50))
    poses.balance_arm(figure, poses.other(side), stream)
    along = unit((s * stream.uniform(0.3, 1.0), stream.uniform(-0.55, -0.1), stream.uniform(0.2, 0.9)))
    shoulder = figure.place(f"{side}_shoulder")
    figure.reach(f"{side}_arm", shoulder + along * figure.arm * stream.uniform(0.8, 0.95), (s * 0.3, -0.8, -0.6))
    bar = _forearm(figure, side) + np.array([s * 0.45, stream.uniform(0.25, 0.8), stream.uniform(-0.3, 0.2)])
    return Setting(_racket_in(figure, side, bar, stream))


def serve_racket(figure: Figure, stream: Stream) -> Setting:
    """Serve: the racket high over the head, the other arm up or down."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.stand(figure, stream, bend=0.03)
    figure.bend_spine(forward=-stream.uniform(5, 15), left=-s * stream.uniform(0, 8))
    figure.turn(f"{side}_collar", (0, 0, s), 18)
    shoulder = figure.place(f"{side}_shoulder")
    along = unit((s * stream.uniform(0.15, 0.5), 1, stream.uniform(-0.1, 0.35)))
    figure.reach(f"{side}_arm", shoulder + along * figure.arm * stream.uniform(0.85, 0.97), (s, -0.2, -0.2))
    bar = _forearm(figure, side) * 0.9 + np.array([s * stream.uniform(0.1, 0.5), 0.3, stream.uniform(-0.6, 0.3)])
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
    """Wait for the ball, the racket before the body, the free hand at its throat."""
    side = hand_side(stream)
    s = poses.sign_of(side)
    poses.crouch_ready(figure, stream)
    place, turned = figure.joints()
    front = place[JOINT["spine2"]] + turned[JOINT["spine2"]] @ (s * 0.1, 0.0, 0.36)
    figure.reach(f"{side}_arm", front - (0, 0.04, 0.03), (s, -0.8, -0.4))
    bar = np.array([-s * stream.uniform(0.7, 1.1), stream.uniform(0.4, 0.8), stream.uniform(0.2, 0.5)])
    racket = _racket_in(figure, side, bar, stream)
    grip = figure.grip(side)
    throat = grip.center + grip.thumb * 0.24
    free = poses.other(side)
    figure.reach(f"{free}_arm", throat - (-s * 0.06, 0.05, 0.05), (-s, -0.8, -0.4))
    figure.set_hand(free, (s * 0.5, 0.3, 0.7), (s * 0.6, 0.6, -0.1), curl=50)
    return Setting(racket)
