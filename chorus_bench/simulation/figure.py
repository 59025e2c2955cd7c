"""A body that can be posed: joints are turned, hands and feet are moved to places.

World frame: the origin is the pelvis joint; x to the person's left, y up (against gravity),
z forward; metres. The body frame of the dataset is the same except for the tilt of the pelvis
(``root``) and the position of its origin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import (
    JOINT_NAMES,
    JOINTS,
    BodyModel,
)
from chorus_bench.geometry.motions import shaped_points
from chorus_bench.geometry.rotations import matrix_to_axis_angle, turn
from chorus_bench.geometry.skeleton import bones, forward_kinematics, joint_and_parent
from chorus_bench.simulation.meshes import vector

JOINT = {name: number for number, name in enumerate(JOINT_NAMES)}
SIDES = ("left", "right")
_LONGEST_REACH = 0.985


def rotation(axis: ArrayLike, degrees: float) -> Float64:
    """Return the matrix (3, 3) of a turn about an axis (3,)."""
    return turn((unit(axis) * math.radians(degrees)).tolist())


def unit(vector: ArrayLike) -> Float64:
    """Return the vector (3,) scaled to unit length."""
    x, y, z = np.asarray(vector, dtype=np.float64).tolist()
    length = math.sqrt(x * x + y * y + z * z)
    return np.array((x / length, y / length, z / length))


def cross(a: ArrayLike, b: ArrayLike) -> Float64:
    """Return the cross product of two vectors (3,), faster than `exact.cross` for so few."""
    (a0, a1, a2), (b0, b1, b2) = np.asarray(a).tolist(), np.asarray(b).tolist()
    return vector(a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0)


def frame(first: ArrayLike, second: ArrayLike) -> Float64:
    """Return orthonormal axes (3, 3) as columns: first, second made orthogonal, third."""
    a = unit(first)
    b = np.asarray(second, dtype=np.float64)
    b = unit(b - exact.inner(b, a) * a)
    return np.stack([a, b, cross(a, b)], axis=1)


@dataclass(frozen=True)
class Limb:
    """Three joints of an arm or leg, and the axis about which the middle one bends at rest."""

    upper: int
    middle: int
    end: int
    bend_axis: tuple[float, float, float]


LIMBS = {
    "left_arm": Limb(16, 18, 20, (0, -1, 0)),
    "right_arm": Limb(17, 19, 21, (0, 1, 0)),
    "left_leg": Limb(1, 4, 7, (1, 0, 0)),
    "right_leg": Limb(2, 5, 8, (1, 0, 0)),
}


@dataclass(frozen=True, eq=False)
class Grip:
    """A hand in the world: the middle of its fist and its directions, unit vectors (3,).

    Args:
        center: (3,) metres.
        thumb: along a bar that is held, out of the fist on the thumb's side.
        fingers: from the wrist to the knuckles.
        palm: out of the palm.
    """

    center: Float64
    thumb: Float64
    fingers: Float64
    palm: Float64


class Figure:
    """A body whose joint rotations can be set one after another.

    Args:
        body: the body.
        betas: (S,) shape coefficients.

    Attributes:
        rest: (24, 3) joints of the rest pose, body frame, metres.
        local: (24, 3, 3) rotation of every joint against its parent; the pelvis stays.
        root: (3, 3) the pelvis in the world.
        floor: height of the ground, world y, metres.
        leg: length of the leg from hip to ankle, metres.
        arm: length of the arm from shoulder to wrist, metres.
        sole: height of the ankle above the sole, metres.
        rest_hip_drop: height of the hip joints above the pelvis joint, metres.
    """

    def __init__(self, body: BodyModel, betas: Float64) -> None:
        self.body, self.betas = body, betas
        self.rest = body.rest_joints(betas)
        self._bones = bones(self.rest)
        self._bones[0] = 0
        self.local = np.tile(np.eye(3), (JOINTS, 1, 1))
        self.root = np.eye(3)
        self.leg, self.arm = self._length("left_leg"), self._length("left_arm")
        self.sole = float(self.rest[7, 1] - _lowest(body, betas))
        self.rest_hip_drop = float(self.rest[1, 1] - self.rest[0, 1])
        self.floor = -(self.leg + self.sole)

    def _length(self, name: str) -> float:
        limb = LIMBS[name]
        points = self.rest[[limb.upper, limb.middle, limb.end]]
        return float(exact.total(exact.norm(np.diff(points, axis=0))))

    def turn(self, joint: str, axis: ArrayLike, degrees: float) -> None:
        """Turn a joint further, about an axis of its parent's frame."""
        number = JOINT[joint]
        self.local[number] = exact.product(rotation(axis, degrees), self.local[number])

    def bend_spine(self, forward: float = 0.0, left: float = 0.0, twist: float = 0.0) -> None:
        """Bend the spine forward and to the left and twist it to the left, degrees in all."""
        for joint in ("spine1", "spine2", "spine3"):
            self.turn(joint, (1, 0, 0), forward / 3)
            self.turn(joint, (0, 0, -1), left / 3)
            self.turn(joint, (0, 1, 0), twist / 3)

    def joints(self) -> tuple[Float64, Float64]:
        """Return the joints' places (24, 3) and orientations (24, 3, 3) in the world."""
        return forward_kinematics(self._turned(), self._bones)

    def _turned(self) -> Float64:
        """Return the rotations (24, 3, 3) with the pelvis in the world."""
        local = self.local.copy()
        local[0] = self.root
        return local

    def _joint(self, number: int) -> tuple[Float64, Float64, Float64]:
        return joint_and_parent(self._turned(), self._bones, number)

    def place(self, joint: str) -> Float64:
        """Return the position (3,) of a joint in the world."""
        return self._joint(JOINT[joint])[0]

    def reach(self, limb_name: str, target: ArrayLike, hint: ArrayLike) -> None:
        """Bend an arm or a leg so that its wrist or ankle reaches a place.

        Args:
            limb_name: for example ``left_arm``.
            target: (3,) world, metres; a place out of reach is approached.
            hint: (3,) world, direction of the elbow or knee.
        """
        limb = LIMBS[limb_name]
        place, _, above = self._joint(limb.upper)
        first = self.rest[limb.middle] - self.rest[limb.upper]
        second = self.rest[limb.end] - self.rest[limb.middle]
        a, b = float(exact.norm(first)), float(exact.norm(second))
        way = np.asarray(target, dtype=np.float64) - place
        distance = float(
            np.clip(exact.norm(way), 1.2 * abs(a - b) + 0.05, _LONGEST_REACH * (a + b))
        )
        axis = unit(way)
        normal = unit(cross(hint, axis))
        cosine = (a * a + distance * distance - b * b) / (2 * a * distance)
        angle = float(exact.arccos(np.clip(cosine, -1, 1)))
        upper = exact.apply(rotation(normal, -math.degrees(angle)), axis)
        lower = unit(axis * distance - a * upper)
        G1 = exact.product(frame(upper, normal), frame(first, limb.bend_axis).T)
        G2 = exact.product(frame(lower, normal), frame(second, limb.bend_axis).T)
        self.local[limb.upper] = exact.product(above.T, G1)
        self.local[limb.middle] = exact.product(G1.T, G2)

    def set_foot(
        self, side: str, ankle: ArrayLike, toes: ArrayLike, hint: ArrayLike | None = None
    ) -> None:
        """Put a foot flat somewhere.

        Args:
            side: ``left`` or ``right``.
            ankle: (3,) world, position of the ankle; the sole is ``sole`` below it.
            toes: (3,) world, level, direction of the toes.
            hint: (3,) world, direction of the knee; by default that of the toes.
        """
        self.reach(f"{side}_leg", ankle, toes if hint is None else hint)
        flat, rest = frame((0, 1, 0), toes), frame((0, 1, 0), (0, 0, 1))
        self.orient(f"{side}_ankle", exact.product(flat, rest.T))

    def orient(self, joint: str, orientation: Float64) -> None:
        """Turn a joint to a given orientation (3, 3) in the world."""
        number = JOINT[joint]
        self.local[number] = exact.product(self._joint(number)[2].T, orientation)

    def set_hand(self, side: str, fingers: ArrayLike, palm: ArrayLike, curl: float = 15.0) -> None:
        """Turn a hand; half of the twist goes into the forearm.

        Args:
            side: ``left`` or ``right``.
            fingers: (3,) world, from the wrist to the knuckles.
            palm: (3,) world, out of the palm.
            curl: bend of the fingers towards the palm, degrees.
        """
        sign = 1.0 if side == "left" else -1.0
        held, rest = frame(fingers, palm), frame((sign, 0, 0), (0, -1, 0))
        self.orient(f"{side}_wrist", exact.product(held, rest.T))
        elbow, wrist = JOINT[f"{side}_elbow"], JOINT[f"{side}_wrist"]
        axis = unit(self.rest[wrist] - self.rest[elbow])
        twist = math.degrees(_twist_angle(self.local[wrist], axis))
        self.local[elbow] = exact.product(self.local[elbow], rotation(axis, twist / 2))
        self.local[wrist] = exact.product(rotation(axis, -twist / 2), self.local[wrist])
        self.local[JOINT[f"{side}_hand"]] = rotation((0, 0, -sign), curl)

    def hold(self, side: str, bar: ArrayLike, curl: float = 75.0) -> None:
        """Close a hand around a bar whose direction (3,) is that of the thumb's side."""
        forearm = self.place(f"{side}_wrist") - self.place(f"{side}_elbow")
        thumb = np.asarray(bar, dtype=np.float64)
        axes = frame(thumb, forearm)
        palm = axes[:, 2] if side == "right" else -axes[:, 2]
        self.set_hand(side, axes[:, 1], palm, curl)

    def grip(self, side: str) -> Grip:
        """Return the place of a bar in the hand."""
        sign = 1.0 if side == "left" else -1.0
        place, R, _ = self._joint(JOINT[f"{side}_wrist"])
        fingers, palm, thumb = sign * R[:, 0], -R[:, 1], R[:, 2]
        center = place + 0.085 * fingers + 0.03 * palm
        return Grip(center, thumb, fingers, palm)

    def look(self, direction: ArrayLike, share: float = 0.8) -> None:
        """Turn neck and head toward a world direction (3,); ``share`` 1 turns them fully."""
        _, trunk, _ = self._joint(JOINT["spine3"])
        local = exact.apply(trunk.T, unit(direction))
        yaw = math.degrees(float(exact.arctan2(local[0], local[2]))) * share
        pitch = math.degrees(float(exact.arcsin(np.clip(-local[1], -1, 1)))) * share
        for joint in ("neck", "head"):
            turn = rotation((0, 1, 0), np.clip(yaw, -75, 75) / 2)
            nod = rotation((1, 0, 0), np.clip(pitch, -55, 55) / 2)
            self.local[JOINT[joint]] = exact.product(turn, nod)

    def pose(self) -> Float64:
        """Return the pose (72,) axis-angle, zero global orientation."""
        pose = matrix_to_axis_angle(self.local).reshape(-1).astype(np.float64)
        pose[:3] = 0
        return pose

    def vertices(self) -> Float64:
        """Return the posed vertices (V, 3) in the world, metres."""
        posed = self.body.pose(self.pose(), self.betas)
        return np.asarray(exact.product(posed - self.rest[0], self.root.T))


def _lowest(body: BodyModel, betas: Float64) -> float:
    """Return how low the soles are in the rest pose, y, metres."""
    directions = body.shape_directions
    upward = None if directions is None else directions[:, 1]
    return float(shaped_points(body.template[:, 1], upward, betas).min())


def _twist_angle(R: Float64, axis: Float64) -> float:
    """Return the part of a rotation that goes about an axis, radians in (-pi, pi]."""
    w = 1 + (R[0, 0] + R[1, 1] + R[2, 2])
    vector = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    return 2 * float(exact.arctan2(exact.inner(vector, axis), w))
