"""Interactions with objects that are worn or hang from the body: backpack, tie, handbag."""

from __future__ import annotations

import math

import numpy as np

import chorus_bench.simulation.boards as boards
import chorus_bench.simulation.goods as goods
import chorus_bench.simulation.poses as poses
from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.seeds import Stream
from chorus_bench.simulation.figure import JOINT, SIDES, Figure, rotation
from chorus_bench.simulation.meshes import Mesh, join, ribbon, vector
from chorus_bench.simulation.scenes import Setting

_TRUNK = (0, 3, 6, 9, 13, 14)


class Trunk:
    """The surface of the trunk in the frame of the upper spine joint.

    Args:
        figure: a posed figure.

    Attributes:
        origin: (3,) the joint in the world, metres.
        axes: (3, 3) its orientation in the world.
        points: (n, 3) vertices of the trunk in its frame, metres.
    """

    def __init__(self, figure: Figure) -> None:
        place, turned = figure.joints()
        self.origin, self.axes = place[JOINT["spine3"]], turned[JOINT["spine3"]]
        vertices = self.to_trunk(figure.vertices())
        joints = figure.body.dominant_joints()
        self.points = vertices[np.isin(joints, _TRUNK)]
        self.shoulder = float(self.to_trunk(place[[JOINT["left_shoulder"]]])[0, 1])

    def to_trunk(self, points: Float64) -> Float64:
        """Take points (n, 3) from the world to the joint's frame."""
        return np.asarray(exact.product(points - self.origin, self.axes))

    def extreme(self, direction: Float64, center: Float64, band: Float64) -> float:
        """Return the extent of the surface along a direction, within a band about a point.

        Args:
            direction: (3,) unit vector.
            center: (3,) the point.
            band: (3,) half extents of the band; infinite along the direction.
        """
        offset = self.points - center
        near = (np.abs(offset) <= band).all(axis=1)
        if not near.any():
            near = np.ones(len(offset), dtype=bool)
        return float(exact.inner(offset[near], direction).max())

    def around(self, x: float, angle: float) -> Float64:
        """Return the surface point (3,) seen from inside at an angle from up toward the front."""
        center = np.array([x, self.shoulder - 0.06, 0.02])
        sine, cosine = exact.sin_cos(angle)
        way = np.array([0.0, cosine, sine])
        offset = self.points[np.abs(self.points[:, 0] - x) < 0.04] - center
        along = exact.inner(offset, way)
        sideways = exact.norm(offset[:, 1:] - along[:, None] * way[1:])
        near = (sideways < 0.05) & (along > 0)
        radius = float(along[near].max()) if near.any() else 0.1
        return center + way * (radius + 0.008)

    def to_world(self, mesh: Mesh) -> Mesh:
        """Transform a mesh from the joint's frame to the world."""
        return mesh.moved(self.axes, self.origin)


def wear_backpack(figure: Figure, stream: Stream) -> Setting:
    """Wear a backpack on both shoulders."""
    poses.stand_or_walk(figure, stream)
    if stream.chance(0.4):
        _hold_straps(figure, stream)
    return Setting(_backpack_on(Trunk(figure), stream))


def _hold_straps(figure: Figure, stream: Stream) -> None:
    """Move one or both hands to the shoulder straps."""
    for side in SIDES:
        if stream.chance(0.3):
            continue
        s = poses.sign_of(side)
        place, turned = figure.joints()
        spot = place[JOINT["spine3"]] + exact.apply(turned[JOINT["spine3"]], (s * 0.12, 0.0, 0.19))
        figure.reach(f"{side}_arm", spot - vector(0, 0.09, 0), (s, -0.8, -0.2))
        figure.set_hand(side, (-s * 0.35, 1, -0.1), (0, 0, -1), curl=70)


def _backpack_on(trunk: Trunk, stream: Stream) -> Mesh:
    bag, (_, high, deep) = goods.backpack_bag(stream)
    top = trunk.shoulder + stream.uniform(-0.02, 0.05)
    middle = np.array([0.0, top - high / 2, 0.0])
    behind = trunk.extreme(np.array([0, 0, -1.0]), middle, np.array([0.11, high / 2.2, np.inf]))
    back = -behind - 0.004
    straps = [_strap(trunk, s * 0.1, top, high, back, s) for s in (-1.0, 1.0)]
    return trunk.to_world(join([bag.moved(None, (0, middle[1], back - deep / 2)), *straps]))


def _strap(trunk: Trunk, x: float, top: float, high: float, back: float, s: float) -> Mesh:
    over = [trunk.around(x, math.radians(a)) for a in (-35, -10, 15, 40, 65, 90, 112)]
    side = trunk.extreme(
        np.array([s, 0, 0]), np.array([0, top - 0.27, 0]), np.array([np.inf, 0.03, 0.2])
    )
    under = [
        np.array([s * (side * 0.93), top - 0.25, 0.07]),
        np.array([s * (side + 0.012), top - 0.29, 0.0]),
        np.array([s * (side * 0.8), top - high * 0.72, back - 0.01]),
    ]
    path = np.array([np.array([x * 0.8, top - 0.05, back - 0.01]), *over, *under])
    return ribbon(_smooth(path), 0.048, 0.014, boards.DARK, across=(1, 0, 0.15))


def _smooth(path: Float64) -> Float64:
    """Return the path with twice the points, corners rounded, ends kept."""
    left, right = 0.75 * path[:-1] + 0.25 * path[1:], 0.25 * path[:-1] + 0.75 * path[1:]
    middle = np.stack([left, right], axis=1).reshape(-1, 3)
    return np.concatenate([path[:1], middle, path[-1:]])


def wear_tie(figure: Figure, stream: Stream) -> Setting:
    """Wear a tie over the chest; stand, sometimes with a hand at the knot."""
    poses.stand(figure, stream)
    poses.relax_arms(figure, stream)
    if stream.chance(0.25):
        side = stream.choice(SIDES)
        s = poses.sign_of(side)
        place, turned = figure.joints()
        knot = place[JOINT["neck"]] + exact.apply(turned[JOINT["spine3"]], (s * 0.02, -0.1, 0.17))
        figure.reach(f"{side}_arm", knot - vector(-s * 0.06, 0.06, 0), (s, -0.7, 0.1))
        figure.set_hand(side, (-s * 0.8, 0.8, -0.1), (0, 0, -1), curl=55)
    return Setting(_tie_on(Trunk(figure), figure, stream))


def _tie_on(trunk: Trunk, figure: Figure, stream: Stream) -> Mesh:
    neck = trunk.to_trunk(figure.place("neck")[None])[0]
    length = stream.uniform(0.42, 0.54)
    heights = neck[1] - 0.035 - np.linspace(0, length, 16)
    front: list[float] = []
    for y in heights:
        z = trunk.extreme(
            np.array([0, 0, 1.0]), np.array([0, y, 0.0]), np.array([0.05, 0.03, np.inf])
        )
        front.append(max(z + 0.012, front[-1] - 0.012 if front else z + 0.02))
    path = np.stack([np.full(16, stream.normal(0, 0.003)), heights, np.array(front)], axis=1)
    s = np.linspace(0, 1, 16)
    wide = stream.uniform(0.07, 0.1)
    widths = (0.055, 0.06, 0.045, 0.035, wide, 0.012)
    width = exact.interpolate(s, (0, 0.04, 0.08, 0.1, 0.9, 1), widths)
    thick = exact.interpolate(s, (0, 0.08, 0.1, 1), (0.03, 0.028, 0.012, 0.01))
    color = stream.choice((*boards.BRIGHT, (0.12, 0.15, 0.3), (0.1, 0.1, 0.12)))
    tie = ribbon(path, width, thick, color, across=(1, 0, 0), sides=10)
    if stream.chance(0.5):
        c = tie.face_centers()
        stripes = np.floor((c[:, 1] + 0.6 * c[:, 0]) / 0.035) % 2 == 0
        tie = tie.painted(stripes, stream.choice(boards.BRIGHT))
    return trunk.to_world(tie)


def carry_handbag(figure: Figure, stream: Stream) -> Setting:
    """Let a handbag hang from one hand."""
    poses.stand_or_walk(figure, stream)
    side = "right" if stream.chance(0.6) else "left"
    s = poses.sign_of(side)
    shoulder = figure.place(f"{side}_shoulder")
    figure.reach(
        f"{side}_arm", shoulder + vector(s * 0.12, -0.95 * figure.arm, 0.05), (s * 0.5, 0, -1)
    )
    figure.set_hand(side, (s * 0.1, -1, 0.1), (-s, 0, 0), curl=85)
    grip = figure.grip(side)
    turn = rotation((0, 1, 0), stream.normal(0, 12))
    return Setting(goods.handbag(stream).moved(turn, grip.center + vector(s * 0.015, 0.005, 0)))


def handbag_on_forearm(figure: Figure, stream: Stream) -> Setting:
    """Carry a handbag in the crook of the arm."""
    poses.stand_or_walk(figure, stream)
    side = "right" if stream.chance(0.5) else "left"
    s = poses.sign_of(side)
    shoulder = figure.place(f"{side}_shoulder")
    out = s * stream.uniform(0.1, 0.18)
    wrist = shoulder + vector(out, -0.5 * figure.arm, 0.5 * figure.arm)
    figure.reach(f"{side}_arm", wrist, (s * 0.8, -0.6, -1))
    figure.set_hand(side, (-s * 0.2, 0.35, 1), (-s * 0.5, 1, 0), curl=40)
    place, _ = figure.joints()
    elbow, hand = place[JOINT[f"{side}_elbow"]], place[JOINT[f"{side}_wrist"]]
    spot = elbow + (hand - elbow) * stream.uniform(0.35, 0.55) + vector(s * 0.05, 0.035, 0)
    turn = rotation((0, 1, 0), 90 + stream.normal(0, 15))
    return Setting(goods.handbag(stream, strap=stream.uniform(0.1, 0.16)).moved(turn, spot))


def handbag_on_shoulder(figure: Figure, stream: Stream) -> Setting:
    """Carry a handbag by a strap over one shoulder, at the hip."""
    poses.stand_or_walk(figure, stream)
    side = "right" if stream.chance(0.5) else "left"
    s = poses.sign_of(side)
    trunk = Trunk(figure)
    out = trunk.extreme(
        np.array([s, 0, 0]), np.array([0, -0.2, 0.0]), np.array([np.inf, 0.06, 0.2])
    )
    top = trunk.around(s * 0.11, 0.0)
    over = trunk.origin + exact.apply(trunk.axes, top)
    hip = figure.place(f"{side}_hip")
    bag_top = np.array([s * (out + 0.09), hip[1] + 0.18, hip[2] - 0.02])
    bag = goods.handbag(stream, strap=0.0).moved(None, bag_top)
    straps = []
    for ahead in (-0.09, 0.09):
        low = bag_top + vector(0, -0.02, ahead)
        path = np.array(
            [
                over,
                over + vector(s * 0.03, -0.06, ahead * 0.9),
                (low + over) / 2 + vector(s * 0.035, -0.02, ahead * 0.5),
                low,
            ]
        )
        straps.append(ribbon(_smooth(path), 0.022, 0.01, boards.DARK, across=(0, 0, 1)))
    _arm_over_bag(figure, side, bag_top)
    return Setting(join([bag, *straps]))


def _arm_over_bag(figure: Figure, side: str, bag_top: Float64) -> None:
    """Lay the arm in front of a bag at the hip."""
    s = poses.sign_of(side)
    figure.reach(f"{side}_arm", bag_top + vector(0, 0.02, 0.24), (s, 0, -1))
    figure.set_hand(side, (-s * 0.1, -0.7, 0.7), (-s, 0, 0), curl=30)
