"""Builds the default body of chorus-bench from MakeHuman's CC0 human; see README.md in this folder.

Steps: sample adults, bring each into T-pose with a 24-joint skeleton, decimate the middle adult's
left half, mirror it, transfer skinning weights and shapes, fit a joint regressor.
Frame: x to the person's left, y up, z forward; metres; pelvis at the origin.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import makehuman
import mesh
import numpy as np
import skeleton
from makehuman import BODY_VERTICES, Floats, Human, Ints, Phenotype
from scipy.optimize import nnls

PEOPLE = 256
"""Adults sampled for the shape directions and the joint regressor."""
SPREAD = (0.2, 0.2, 0.08, 0.2)
"""Standard deviations of muscle, weight, height and proportions; 0.08 is about 9 cm of height."""
SHAPE_DIRECTIONS = 10
FACES = 12000
SHRINK_WHILE_DECIMATING = {"head": 0.25, "hand": 0.35, "foot": 0.3, "wrist": 0.6}
"""MakeHuman spends most vertices on face, fingers and toes: these parts count as smaller."""
REGRESSOR_CANDIDATES = 600
"""Vertices nearest to a joint among which its regressor may choose."""
TEMPLATE_WEIGHT = 300.0
"""Weight of the middle adult against one sampled adult when the regressor is fitted."""
STEP = 2.0**-16
"""Weights are stored as multiples of this, so that rows sum to exactly 1 in float32."""
OUTPUT = Path(__file__).parents[2] / "chorus_bench" / "data" / "default_body.npz"
FLIP_X = np.array([-1.0, 1.0, 1.0])


def sample_adults(count: int) -> Iterator[Phenotype]:
    """Yields the middle adult first, then random adults (fixed seed)."""
    yield Phenotype()
    rng = np.random.default_rng(0)
    for _ in range(count):
        muscle, weight, height, proportions = np.clip(rng.normal(0.5, SPREAD), 0.0, 1.0)
        african, asian, caucasian = rng.dirichlet([1.0, 1.0, 1.0])
        yield Phenotype(
            gender=rng.uniform(0.0, 1.0),
            age=rng.uniform(0.5, 0.8),
            muscle=muscle,
            weight=weight,
            height=height,
            proportions=proportions,
            race=(african, asian, caucasian),
        )


def pose_people(human: Human, weights: Floats) -> tuple[Floats, Floats]:
    """Returns skins (P, 13380, 3) and joints (P, 24, 3) of all adults in T-pose."""
    skins, joints = [], []
    for phenotype in sample_adults(PEOPLE):
        vertices = human.shape(phenotype)
        rest = skeleton.joint_positions(human, vertices)
        skin, joint = skeleton.t_pose(vertices[:BODY_VERTICES], rest, weights)
        skins.append(skin)
        joints.append(joint)
    return np.array(skins), np.array(joints)


def shrink_detailed_parts(skin: Floats, joints: Floats, weights: Floats) -> Floats:
    """Returns the skin with head, hands and feet drawn together about their joints, (V, 3)."""
    shrunk = skin.copy()
    for index, name in enumerate(skeleton.JOINTS):
        scale = SHRINK_WHILE_DECIMATING.get(name.rpartition("_")[2], 1.0)
        shrunk += (scale - 1.0) * weights[:, index, None] * (skin - joints[index])
    return shrunk


def shape_directions(bodies: Floats) -> Floats:
    """Returns the principal directions of the sampled bodies, shape (V, 3, 10).

    Each is scaled to one standard deviation and signed so that it makes the body larger.

    Args:
        bodies: Sampled bodies in T-pose, shape (P, V, 3).
    """
    centred = (bodies - bodies.mean(axis=0)).reshape(len(bodies), -1)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:SHAPE_DIRECTIONS]
    signs = np.where(directions @ bodies.mean(axis=0).ravel() < 0, -1.0, 1.0)
    deviations = signs * spread[:SHAPE_DIRECTIONS] / np.sqrt(len(bodies) - 1)
    scaled: Floats = deviations[:, None] * directions
    return scaled.T.reshape(-1, 3, SHAPE_DIRECTIONS)


def joint_regressor(bodies: Floats, joints: Floats, mirror: Ints) -> Floats:
    """Fits each joint as a sparse convex combination of vertices, shape (24, V).

    Args:
        bodies: Bodies in T-pose, the middle adult first, shape (P, V, 3).
        joints: Their joints, shape (P, 24, 3).
        mirror: Mirror image of each vertex, shape (V,).
    """
    regressor = np.zeros((len(skeleton.JOINTS), bodies.shape[1]))
    for joint, partner in enumerate(skeleton.MIRROR_JOINTS):
        if partner < joint:
            regressor[joint] = regressor[partner][mirror]
            continue
        row = _fit_joint(bodies, joints[:, joint])
        regressor[joint] = (row + row[mirror]) / 2 if partner == joint else row
    return regressor


def _fit_joint(bodies: Floats, positions: Floats) -> Floats:
    """Returns non-negative vertex weights that sum to 1 and reproduce one joint, shape (V,)."""
    distance = np.linalg.norm(bodies[0] - positions[0], axis=1)
    near = np.sort(np.argsort(distance, kind="stable")[:REGRESSOR_CANDIDATES])
    offsets = bodies[:, near] - positions[:, None]
    offsets[0] *= TEMPLATE_WEIGHT
    equations = offsets.transpose(0, 2, 1).reshape(-1, len(near))
    equations = np.concatenate([equations, np.ones((1, len(near)))])
    goal = np.zeros(len(equations))
    goal[-1] = 1.0
    solution, _ = nnls(equations, goal)
    row = np.zeros(bodies.shape[1])
    row[near] = solution / solution.sum()
    return row


def quantise_rows(rows: Floats) -> Floats:
    """Rounds non-negative rows that sum to 1 to multiples of `STEP`, sums kept exactly."""
    counts = np.round(rows / STEP)
    surplus = counts.sum(axis=1) - 1 / STEP
    counts[np.arange(len(rows)), counts.argmax(axis=1)] -= surplus
    return counts * STEP


def keypoint_vertices(human: Human, body: Floats, weights: Floats, mirror: Ints) -> Ints:
    """Returns vertex ids of nose tip, left eye, right eye, left ear and right ear, shape (5,).

    The nose is the head's foremost vertex, the ear its outermost, the eye the one nearest to the
    front of MakeHuman's eyeball.
    """
    head = np.flatnonzero(weights.argmax(axis=1) == skeleton.JOINTS.index("head"))
    nose = head[body[head, 2].argmax()]
    left_ear = head[body[head, 0].argmax()]
    vertices = human.shape(Phenotype())
    eyeball = vertices[human.groups["helper-l-eye"]]
    front = eyeball[eyeball[:, 2].argmax()] - skeleton.joint_positions(human, vertices)[0]
    left_eye = head[np.linalg.norm(body[head] - front, axis=1).argmin()]
    return np.array([nose, left_eye, mirror[left_eye], left_ear, mirror[left_ear]])


def build(human: Human) -> dict[str, np.ndarray]:
    """Returns the arrays of the default body, named as in SMPL's files."""
    weights = skeleton.joint_weights(human)
    skins, joints = pose_people(human, weights)
    half = mesh.left_half(human.quads, human.mirror, human.vertices[:BODY_VERTICES, 0])
    scaled = shrink_detailed_parts(skins[0], joints[0], weights)[half.ids]
    coarse = mesh.decimate_and_mirror(half, scaled, FACES)
    bodies = np.array([coarse.carry(skin, FLIP_X) for skin in skins])
    carried = coarse.carry(weights, skeleton.MIRROR_JOINTS)
    arrays = {
        "v_template": np.round(bodies[0], 6),
        "weights": quantise_rows(carried),
        "J_regressor": quantise_rows(joint_regressor(bodies, joints, coarse.mirror)),
        "shapedirs": np.round(shape_directions(bodies[1:]), 6),
        "f": coarse.faces,
        "kintree_table": np.array([skeleton.PARENTS, range(len(skeleton.PARENTS))]),
        "keypoint_vertices": keypoint_vertices(human, bodies[0], carried, coarse.mirror),
    }
    return {name: _as_stored(array) for name, array in arrays.items()}


def _as_stored(array: np.ndarray) -> np.ndarray:
    """Returns float32 or int32, without negative zeros, so that equal values are equal bytes."""
    return (array + 0).astype(np.float32 if array.dtype.kind == "f" else np.int32)


def main() -> None:
    """Builds the body and writes it, with its checksum on standard output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="the .npz to write")
    output = parser.parse_args().output
    arrays = build(makehuman.load_human(makehuman.asset_folder()))
    np.savez_compressed(output, allow_pickle=False, **arrays)
    checksum = hashlib.sha256(output.read_bytes()).hexdigest()
    print(f"{output}: {len(arrays['v_template'])} vertices, {len(arrays['f'])} faces")
    print(f"sha256 {checksum}")


if __name__ == "__main__":
    main()
