"""Interactions with boards and skis: riding them, and carrying them."""

from __future__ import annotations

import numpy as np

import chorus_bench.simulation.boards as boards
import chorus_bench.simulation.poses as poses
from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import JOINT, SIDES, Figure, cross, rotation, unit
from chorus_bench.simulation.meshes import Mesh, join, vector
from chorus_bench.simulation.scenes import Setting

UP = np.array([0.0, 1.0, 0.0])


def axes(forward: Float64, up: Float64 = UP) -> Float64:
    """Return the axes (3, 3) of an object whose z points forward and whose y points up."""
    z = unit(forward)
    x = unit(cross(up, z))
    return np.stack([x, cross(z, x), z], axis=1)


def _under_feet(figure: Figure, board: Mesh, forward: Float64, deck: float, stream: Stream) -> Mesh:
    """Lay a board under both feet, its nose forward, slightly off the middle."""
    place, _ = figure.joints()
    toes = exact.mean(place[[JOINT["left_foot"], JOINT["right_foot"]]])
    heels = exact.mean(place[[JOINT["left_ankle"], JOINT["right_ankle"]]])
    middle = 0.5 * toes + 0.5 * heels + stream.normal(0, 0.02) * cross(UP, forward)
    middle[1] = figure.floor + deck
    heading = exact.apply(rotation(UP, stream.normal(0, 4)), forward)
    return board.moved(axes(heading), middle + stream.normal(0, 0.05) * heading)


def ride_surfboard(figure: Figure, stream: Stream) -> Setting:
    """Ride a wave: crouched, sideways, arms out."""
    deck = boards.deck_height("surfboard")
    forward = poses.ride_sideways(figure, stream, deck=deck, gap=(0.45, 0.75), crouch=(0.12, 0.4))
    board = boards.surfboard(stream)
    shift = -stream.uniform(0.1, 0.3) * forward
    return Setting(_under_feet(figure, board, forward, deck, stream).moved(None, -shift))


def ride_snowboard(figure: Figure, stream: Stream) -> Setting:
    """Slide sideways down a slope, feet in bindings."""
    deck = boards.deck_height("snowboard")
    forward = poses.ride_sideways(figure, stream, deck=deck, gap=(0.42, 0.56), crouch=(0.06, 0.3))
    board = _under_feet(figure, boards.snowboard(stream), forward, deck, stream)
    place, turned = figure.joints()
    bound = []
    for side in SIDES:
        ankle = place[JOINT[f"{side}_ankle"]]
        R = axes(turned[JOINT[f"{side}_ankle"]][:, 2])
        foot = ankle - vector(0, figure.sole, 0) + 0.05 * R[:, 2]
        bound.append(boards.bindings(foot, R))
    return Setting(join([board, *bound]))


def ride_skateboard(figure: Figure, stream: Stream) -> Setting:
    """Stand sideways on a rolling board."""
    deck = boards.deck_height("skateboard")
    forward = poses.ride_sideways(figure, stream, deck=deck, gap=(0.3, 0.46), crouch=(0.04, 0.3))
    return Setting(_under_feet(figure, boards.skateboard(stream), forward, deck, stream))


def _carry_under_arm(figure: Figure, board: Mesh, side: str, stream: Stream, *, up: bool) -> Mesh:
    """Hold a board upright at the hip, under an arm that reaches around it.

    With ``up``, its nose points up along the body; otherwise it is level, nose ahead.
    """
    s = poses.sign_of(side)
    hip = figure.place(f"{side}_hip")
    outwards = np.array([s, 0.0, 0.0])
    nose = np.array([0.0, 1.0, 0.0]) if up else unit((0.0, stream.normal(0.05, 0.12), 1.0))
    gap = s * (0.21 + stream.uniform(0.0, 0.03))
    middle = np.array([gap, hip[1] + (0.3 if up else 0.12), hip[2] + stream.normal(0.0, 0.06)])
    lower = middle - 0.2 * UP if not up else middle - 0.05 * UP
    reach = lower + 0.06 * outwards + vector(0, 0, 0.06)
    figure.reach(f"{side}_arm", reach + 0.05 * outwards, (s, 0.1, -0.8))
    figure.set_hand(side, (-s * 0.25, -1, 0.2), (-s, 0, 0), curl=45)
    return board.moved(axes(nose, outwards), middle)


def carry_surfboard(figure: Figure, stream: Stream) -> Setting:
    """Walk or stand with a surfboard under one arm, its nose ahead."""
    poses.stand_or_walk(figure, stream)
    side = "right" if stream.chance(0.65) else "left"
    board = boards.surfboard(stream)
    return Setting(_carry_under_arm(figure, board, side, stream, up=False))


def carry_snowboard(figure: Figure, stream: Stream) -> Setting:
    """Walk or stand with a snowboard under one arm."""
    poses.stand_or_walk(figure, stream)
    side = "right" if stream.chance(0.65) else "left"
    return Setting(_carry_under_arm(figure, boards.snowboard(stream), side, stream, up=False))


def carry_skateboard(figure: Figure, stream: Stream) -> Setting:
    """Hold a skateboard at the side, upright along the leg or level under the arm."""
    poses.stand_or_walk(figure, stream)
    side = "right" if stream.chance(0.65) else "left"
    return Setting(_carry_under_arm(figure, boards.skateboard(stream), side, stream, up=False))


def ride_skis(figure: Figure, stream: Stream) -> Setting:
    """Ski: knees bent, leaning forward, a pole in each hand."""
    depth, half = stream.uniform(0.06, 0.3), stream.uniform(0.09, 0.17)
    figure.root = rotation((1, 0, 0), 10 + 70 * depth + stream.uniform(-4, 8))
    figure.floor = -(figure.leg * (1 - depth) + figure.sole + _SKI_DECK)
    length, color = stream.uniform(1.45, 1.8), stream.choice(boards.BRIGHT)
    skis = []
    for side in SIDES:
        s = poses.sign_of(side)
        heading = poses.level(s * stream.uniform(-5, 4))
        sole = np.array([s * half, figure.floor + _SKI_DECK, stream.normal(-0.06, 0.05)])
        figure.set_foot(
            side, sole + vector(0, figure.sole, 0), heading, hint=heading + vector(s * 0.1, 0, 0)
        )
        ski = boards.ski(length, color).moved(axes(heading), sole + 0.05 * heading + 0.06 * heading)
        skis.append(ski)
    figure.bend_spine(stream.uniform(8, 22), 0, stream.normal(0, 5))
    figure.look((0, -0.05, 1), share=1.0)
    return Setting(join(skis), join([_pole(figure, side, stream) for side in SIDES]))


_SKI_DECK = 0.03


def _pole(figure: Figure, side: str, stream: Stream) -> Mesh:
    """Put a ski pole into a hand that is held forward."""
    s = poses.sign_of(side)
    shoulder = figure.place(f"{side}_shoulder")
    ahead = (
        s * stream.uniform(0.08, 0.2),
        -0.62 * figure.arm,
        stream.uniform(0.4, 0.65) * figure.arm,
    )
    figure.reach(f"{side}_arm", shoulder + ahead, (s, -0.3, -0.8))
    lean = unit((s * stream.uniform(0.05, 0.3), 1, stream.uniform(0.3, 1.2)))
    figure.hold(side, lean)
    grip = figure.grip(side)
    across = unit(cross(lean, (0, 0, 1.0)))
    turn = np.stack([across, lean, cross(across, lean)], axis=1)
    length = min(1.1, float(grip.center[1] - figure.floor) / float(lean[1]))
    return boards.ski_pole(length).moved(turn, grip.center)
