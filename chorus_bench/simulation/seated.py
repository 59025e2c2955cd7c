"""Interactions with objects to sit on: bench, motorcycle."""

from __future__ import annotations

import math

import numpy as np

import chorus_bench.simulation.furniture as furniture
import chorus_bench.simulation.poses as poses
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import SIDES, Figure, rotation
from chorus_bench.simulation.meshes import vector
from chorus_bench.simulation.scenes import Setting

_BACK = (3, 6, 9)


def sit_on_bench(figure: Figure, stream: Stream) -> Setting:
    """Sit on a bench, hands on the thighs or in the lap."""
    seat = poses.sit(figure, stream)
    poses.hands_on_thighs(figure, stream)
    slope = stream.uniform(6, 14)
    vertices = figure.vertices()
    trunk = vertices[np.isin(figure.body.dominant_joints(), (0, *_BACK))]
    leaning = trunk[:, 2] + exact.tan(math.radians(slope)) * (trunk[:, 1] - seat)
    back = float(leaning[trunk[:, 1] < seat + 0.5].min()) - 0.01
    bench = furniture.bench(stream, seat - figure.floor, back, slope)
    return Setting(bench.moved(None, (stream.uniform(-0.35, 0.35), seat, 0)))


def ride_motorcycle(figure: Figure, stream: Stream) -> Setting:
    """Straddle a motorcycle: hands at the grips, feet on the pegs or one on the ground."""
    bike = furniture.motorcycle(stream)
    lean = 8 + 55 * max(0.0, float(bike.grips[0, 2]) - 0.5)
    reach_down = 0.3 - float(bike.grips[0, 1])
    figure.root = rotation((1, 0, 0), lean + 60 * reach_down)
    figure.bend_spine(forward=6 + 60 * reach_down)
    figure.look((0, 0, 1), share=0.95)
    for side in SIDES:
        figure.turn(f"{side}_hip", (1, 0, 0), -75)
    seat = poses.seat_height(figure) + 0.015
    figure.floor = seat - bike.height
    back = -0.1 + stream.uniform(-0.03, 0.03)
    offset = np.array([0.0, seat, back + 0.12])
    for k, side in enumerate(SIDES):
        s = poses.sign_of(side)
        peg = bike.pegs[k] + offset
        ankle = peg + vector(0, figure.sole, -0.06)
        figure.set_foot(side, ankle, (s * 0.12, -0.1, 1), hint=(s * 0.42, 0.5, 1))
    if stream.chance(0.3):
        side = stream.choice(SIDES)
        s = poses.sign_of(side)
        ground = (s * 0.33, figure.floor + figure.sole, stream.uniform(0.05, 0.2))
        figure.set_foot(side, ground, (s * 0.2, 0, 1), hint=(s * 0.4, 0, 1))
    for k, side in enumerate(SIDES):
        s = poses.sign_of(side)
        grip = bike.grips[k] + offset
        figure.reach(f"{side}_arm", grip + vector(-s * 0.0, 0.035, -0.085), (s, -0.35, -0.5))
        forearm = figure.place(f"{side}_wrist") - figure.place(f"{side}_elbow")
        figure.set_hand(side, forearm + vector(0, 0.1, 0.2), (0, -1, 0.3), curl=70)
    return Setting(bike.mesh.moved(None, offset))
