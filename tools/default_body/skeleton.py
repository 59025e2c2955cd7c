"""The 24-joint skeleton on MakeHuman's skin: joint positions, skinning weights, T-pose.

Frame: x to the person's left, y up, z forward; metres.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from makehuman import Floats, Human
from scipy.spatial.transform import Rotation

JOINTS = (
    *("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2"),
    *("left_ankle", "right_ankle", "spine3", "left_foot", "right_foot", "neck"),
    *("left_collar", "right_collar", "head", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand"),
)
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)

JOINT_OF_BONE_PREFIX = {
    "root": "pelvis",
    "pelvis": "pelvis",
    "spine05": "pelvis",
    "spine04": "spine1",
    "spine03": "spine2",
    "spine02": "spine2",
    "spine01": "spine3",
    "breast": "spine3",
    "neck": "neck",
    "clavicle": "collar",
    "shoulder": "collar",
    "upperarm": "shoulder",
    "lowerarm": "elbow",
    "wrist": "wrist",
    "metacarpal": "wrist",
    "finger": "hand",
    "upperleg": "hip",
    "lowerleg": "knee",
    "foot": "ankle",
    "toe": "foot",
}
"""Every bone that matches no prefix moves the face or the tongue: it belongs to the head."""

BONES_AT_JOINT = {
    "pelvis": ("spine05",),
    "spine1": ("spine04",),
    "spine2": ("spine03",),
    "spine3": ("spine01",),
    "neck": ("neck01",),
    "head": ("head",),
    "collar": ("clavicle",),
    "shoulder": ("upperarm01",),
    "elbow": ("lowerarm01",),
    "wrist": ("wrist",),
    "hand": ("finger2-1", "finger3-1", "finger4-1"),
    "hip": ("upperleg01",),
    "knee": ("lowerleg01",),
    "ankle": ("foot",),
    "foot": ("toe1-1", "toe2-1", "toe3-1", "toe4-1", "toe5-1"),
}
"""A joint stands at the mean of these bones' heads."""

SIDES = {"L": "left_", "R": "right_"}
COLLAR_SHARE = 0.2
"""How much of the shoulder's rotation into T-pose the collar takes on."""


def mirror_name(name: str) -> str:
    """Returns a joint's or bone's name on the other side; itself when it has no side."""
    for here, there in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(here):
            return there + name.removeprefix(here)
    return name


MIRROR_JOINTS = np.array([JOINTS.index(mirror_name(name)) for name in JOINTS])


def joint_of_bone(bone: str) -> int:
    """Returns the index of the joint that a MakeHuman bone such as "upperarm01.L" merges into."""
    name, _, side = bone.partition(".")
    prefixes = [prefix for prefix in JOINT_OF_BONE_PREFIX if name.startswith(prefix)]
    joint = JOINT_OF_BONE_PREFIX[max(prefixes, key=len)] if prefixes else "head"
    return JOINTS.index(joint if joint in JOINTS else SIDES[side] + joint)


def joint_weights(human: Human) -> Floats:
    """Returns the skin's weights with merged bones added up, shape (13380, 24), rows sum to 1."""
    weights = np.zeros((len(next(iter(human.bone_weights.values()))), len(JOINTS)))
    for bone, column in human.bone_weights.items():
        weights[:, joint_of_bone(bone)] += column
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def joint_positions(human: Human, vertices: Floats) -> Floats:
    """Returns the joints of one person in MakeHuman's rest pose, shape (24, 3).

    Args:
        human: Gives the vertices that carry each bone's head.
        vertices: That person's vertices, all groups, shape (19158, 3).
    """
    return np.array([_joint_position(human, vertices, name) for name in JOINTS])


def _joint_position(human: Human, vertices: Floats, name: str) -> Floats:
    side, _, joint = name.rpartition("_")
    suffix = {"left": ".L", "right": ".R", "": ""}[side]
    heads = [human.bone_heads[bone + suffix] for bone in BONES_AT_JOINT[joint]]
    positions: Floats = np.array([vertices[ids].mean(axis=0) for ids in heads])
    mean: Floats = positions.mean(axis=0)
    return mean


def t_pose(skin: Floats, joints: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Brings one person from the rest pose (arms hanging) into T-pose by linear blend skinning.

    Args:
        skin: Vertices, shape (V, 3).
        joints: Joints, shape (24, 3).
        weights: Skinning weights, shape (V, 24).

    Returns:
        Skin (V, 3) and joints (24, 3) with the arms along the x axis and the pelvis at the origin.
    """
    rotations = _t_pose_rotations(joints)
    posed = joints.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        posed[joint] = posed[parent] + rotations[parent] @ (joints[joint] - joints[parent])
    offsets = posed - np.einsum("jab,jb->ja", rotations, joints)
    moved = np.einsum("vj,jab,vb->va", weights, rotations, skin, optimize=True) + weights @ offsets
    return moved - posed[0], posed - posed[0]


def _t_pose_rotations(joints: Floats) -> Floats:
    """Returns each joint's rotation in the world frame, shape (24, 3, 3)."""
    rotations = np.tile(np.eye(3), (len(JOINTS), 1, 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        chain = [JOINTS.index(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist", "hand")]
        along = np.array([sign, 0.0, 0.0])
        turn = Rotation.identity()
        for joint, child in pairwise(chain):
            turn = _align(turn.apply(joints[child] - joints[joint]), along) * turn
            rotations[joint] = turn.as_matrix()
        rotations[chain[-1]] = turn.as_matrix()
        collar = JOINTS.index(f"{side}_collar")
        shoulder_turn = Rotation.from_matrix(rotations[chain[0]]).as_rotvec()
        rotations[collar] = Rotation.from_rotvec(COLLAR_SHARE * shoulder_turn).as_matrix()
    return rotations


def _align(direction: Floats, target: Floats) -> Rotation:
    """Returns the smallest rotation that takes `direction` to the unit vector `target`."""
    unit = direction / np.linalg.norm(direction)
    axis = np.cross(unit, target)
    sine = np.linalg.norm(axis)
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, unit @ target))
