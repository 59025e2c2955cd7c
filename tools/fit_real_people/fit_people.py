"""Fit the default body to people of COCO by their 2D keypoints; write them in the EFT format.

EFT's own fits come from a network that sees pixels. These do not: 17 points in the plane leave the
depth of every limb open, and joint limits and a rest pose determine it. Their purpose is to run the
path from real COCO annotations to scores without EFT's file; they must never be mistaken for EFT's.

    python tools/fit_real_people/fit_people.py --keypoints person_keypoints.json --output fits.json

The file is written after every person, and the same command goes on from there.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from chorus_bench.calibration import crop_box
from chorus_bench.geometry.body import JOINT_NAMES, BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.rotations import axis_angle_to_matrix
from chorus_bench.io.files import atomic_write_bytes

Float64 = NDArray[np.float64]

#: SMPL joints of COCO's keypoints 5 to 16: shoulders, elbows, wrists, hips, knees, ankles.
LIMB_JOINTS = (16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8)

#: Range of the joints about the rest pose (radians): small for torso and feet, large for limbs.
SPREAD = {
    "spine": 0.25, "collar": 0.2, "neck": 0.3, "head": 0.3, "foot": 0.1, "hand": 0.1,
    "ankle": 0.2, "wrist": 0.2, "hip": 0.6, "knee": 0.7, "shoulder": 0.8, "elbow": 0.8,
}  # fmt: skip

#: Hinges: (joint, axis, sign) bends only in that direction; the other two axes hardly turn.
HINGES = ((4, 0, 1), (5, 0, 1), (18, 1, -1), (19, 1, 1))

#: Standard deviation of a keypoint, as a share of the crop's side.
KEYPOINT_SIGMA = 0.01

#: Standard deviation of the three betas. Cameras are fitted with zero shape later
#: (docs/method.md M11), so a person who needs much shape would be dropped there.
SHAPE_SIGMA = 0.3
POSE, SHAPE = 72, 3
MIN_KEYPOINTS = 8

#: What the file says it is.
VERSION = "chorus-bench-real-people-1"

#: Initial headings of the fit (radians about the vertical axis), facing the camera first.
HEADINGS = (0.0, np.pi / 2, np.pi, -np.pi / 2)


@dataclass(frozen=True)
class Person:
    """The input of a fit: a person's keypoints in the image, and the crop."""

    annotation_id: int
    image_id: int
    points: Float64
    seen: NDArray[np.bool_]
    center: Float64
    scale: float

    @classmethod
    def of(cls, annotation: dict[str, Any]) -> Person:
        """Return the person of a COCO keypoint annotation."""
        keypoints = np.array(annotation["keypoints"], dtype=np.float64).reshape(17, 3)
        x, y, width, height = annotation["bbox"]
        return cls(
            annotation_id=annotation["id"],
            image_id=annotation["image_id"],
            points=keypoints[:, :2],
            seen=keypoints[:, 2] > 0,
            center=np.array([x + width / 2, y + height / 2]),
            scale=1.2 * max(width, height) / 200,
        )


class Fitter:
    """Least squares over pose, a few shape coefficients, and a weak-perspective camera."""

    def __init__(self, body: BodyModel) -> None:
        self.body = body
        face = body.keypoint_vertices
        if face is None:
            raise SystemExit("this body does not state where its nose, eyes and ears are")
        self.face_rest = body.template[face].astype(np.float64)
        self.face_weights = body.weights[face].astype(np.float64)
        self.sigma = _pose_sigma()

    def keypoints(self, pose: Float64, betas: Float64) -> Float64:
        """Return COCO's 17 points (..., 17, 3) in metres; the face moves with shape rigidly."""
        transforms, joints = self.body.bone_transforms(pose, betas)
        blended = np.einsum("vj,...jab->...vab", self.face_weights, transforms)
        face = np.einsum("...vab,vb->...va", blended[..., :3, :3], self.face_rest)
        return np.concatenate([face + blended[..., :3, 3], joints[..., LIMB_JOINTS, :]], axis=-2)

    def residuals(self, person: Person, unknowns: Float64) -> Float64:
        """Return residuals (..., N) for unknowns (..., 78): pose, shape, camera."""
        pose = unknowns[..., :POSE]
        projected = self.project(person, unknowns)
        off = (projected - person.points)[..., person.seen, :] / (200 * person.scale)
        off = off.reshape(*off.shape[:-2], -1) / KEYPOINT_SIGMA
        off = np.sign(off) * np.sqrt(2 * (np.sqrt(1 + (off / 3) ** 2) - 1)) * 3
        parts = [off, pose[..., 3:] / self.sigma, unknowns[..., POSE : POSE + SHAPE] / SHAPE_SIGMA]
        for joint, axis, sign in HINGES:
            bend = sign * pose[..., 3 * joint + axis]
            parts.append(10 * np.minimum(bend, 0)[..., None])
            parts.append(5 * np.maximum(bend - 2.4, 0)[..., None])
        return np.concatenate(parts, axis=-1)

    def project(self, person: Person, unknowns: Float64) -> Float64:
        """Return the 17 points (..., 17, 2) in pixels, through the crop (docs/method.md M9)."""
        pose, camera = unknowns[..., :POSE], unknowns[..., -3:]
        betas = unknowns.reshape(-1, unknowns.shape[-1])[0, POSE : POSE + SHAPE]
        points = self.keypoints(pose, betas)[..., :2]
        box = crop_box(person.center, person.scale)
        zoom, shift = camera[..., None, :1], camera[..., None, 1:]
        corner = np.array([box.left, box.top])
        pixels: Float64 = ((zoom * points + shift) * 112 + 112) / box.enlargement + corner
        return pixels

    def jacobian(self, person: Person, unknowns: Float64) -> Float64:
        """Return forward differences, pose and camera all at once."""
        step = 1e-6
        base = self.residuals(person, unknowns)
        moved = unknowns + step * np.eye(len(unknowns))
        out = (self.residuals(person, moved) - base).T / step
        for index in range(POSE, POSE + SHAPE):
            out[:, index] = (self.residuals(person, moved[index]) - base) / step
        return out

    def fit(self, person: Person) -> Float64:
        """Return the best unknowns over all initial headings."""
        best: Any = None
        for heading in HEADINGS:
            result = least_squares(
                lambda x: self.residuals(person, x),
                _start(heading),
                jac=lambda x: self.jacobian(person, x),
                max_nfev=60,
                x_scale="jac",
            )
            best = result if best is None or result.cost < best.cost else best
        unknowns: Float64 = best.x
        return unknowns

    def error(self, person: Person, unknowns: Float64) -> float:
        """Return the mean distance of the visible keypoints over the box's longer side."""
        off = np.linalg.norm(self.project(person, unknowns) - person.points, axis=-1)
        return float(off[person.seen].mean() / (200 * person.scale / 1.2))


def _start(heading: float) -> Float64:
    """Return a person who stands upright with hanging arms, turned by ``heading``."""
    unknowns = np.zeros(POSE + SHAPE + 3)
    # Half a turn about x after a turn about y: about (cos h/2, 0, sin h/2), by half a turn.
    axis = np.array([np.cos(heading / 2), 0, np.sin(heading / 2)])
    unknowns[:3] = 0.999 * np.pi * axis
    unknowns[3 * 16 + 2], unknowns[3 * 17 + 2] = -1.0, 1.0
    unknowns[3 * 4], unknowns[3 * 5] = 0.1, 0.1
    unknowns[-3:] = 0.9, 0.0, 0.2
    return unknowns


def _pose_sigma() -> Float64:
    """Return the range of each of the 69 numbers of the body pose."""
    sigma = np.empty((len(JOINT_NAMES), 3))
    for joint, name in enumerate(JOINT_NAMES):
        sigma[joint] = next((value for key, value in SPREAD.items() if key in name), 0.3)
    for joint, axis, _ in HINGES:
        sigma[joint, [a for a in range(3) if a != axis]] = 0.1
    return sigma[1:].reshape(-1)


def entry_of(person: Person, unknowns: Float64, error: float) -> dict[str, Any]:
    """Return an entry in the EFT format, with its origin and error."""
    pose = unknowns[:POSE].reshape(24, 3)
    rounded = np.round(axis_angle_to_matrix(pose), 7)
    return {
        "annotId": person.annotation_id,
        "imageName": f"COCO_val2014_{person.image_id:012d}.jpg",
        "smpltype": "smpl",
        "parm_pose": rounded.tolist(),
        "parm_shape": [*np.round(unknowns[POSE : POSE + SHAPE], 5).tolist(), *[0.0] * (10 - SHAPE)],
        "parm_cam": np.round(unknowns[-3:], 7).tolist(),
        "bbox_scale": person.scale,
        "bbox_center": person.center.tolist(),
        "joint_validity_openpose18": _openpose18(person.seen),
        "fitted_by": "chorus-bench tools/fit_real_people, not EFT",
        "keypoint_error": round(error, 5),
    }


def _openpose18(seen: NDArray[np.bool_]) -> list[int]:
    """Return which of OpenPose's 18 joints COCO's 17 keypoints give (the neck: both shoulders)."""
    order = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
    return [int(seen[5] and seen[6]) if k is None else int(seen[k]) for k in order]


def fit_people(
    annotations: Sequence[dict[str, Any]], body: BodyModel, output: Path
) -> list[dict[str, Any]]:
    """Fit every person with enough keypoints, and write the file after each of them.

    Args:
        annotations: COCO's annotations of people.
        body: the body.
        output: the file; the people that it has from an interrupted run are not fitted again.
    """
    fitter, there, started = Fitter(body), _earlier(output), time.monotonic()
    people = [Person.of(a) for a in annotations if a.get("num_keypoints", 0) >= MIN_KEYPOINTS]
    todo = sum(_key(person) not in there for person in people)
    print(f"{len(people)} people, {len(people) - todo} of them fitted before", flush=True)
    entries: list[dict[str, Any]] = []
    fitted = 0
    for person in people:
        entry = there.get(_key(person))
        if entry is None:
            unknowns = fitter.fit(person)
            entry = entry_of(person, unknowns, fitter.error(person, unknowns))
            fitted += 1
            seconds = (time.monotonic() - started) / fitted
            print(
                f"annotId {person.annotation_id}: {entry['keypoint_error']:.4f} of the box; "
                f"{seconds:.1f} s a person, {seconds * (todo - fitted) / 60:.0f} minutes to go",
                flush=True,
            )
        entries.append(entry)
        save(output, [*entries, *_later(people, len(entries), there)])
    return entries


def _key(person: Person) -> tuple[int, float, tuple[float, ...]]:
    """Return what says that a fit is of this person: the annotation and its box."""
    return person.annotation_id, person.scale, tuple(person.center.tolist())


def _earlier(output: Path) -> dict[tuple[int, float, tuple[float, ...]], dict[str, Any]]:
    """Return the entries that an earlier run has written, by person."""
    if not output.exists():
        return {}
    content = json.loads(output.read_text())
    if content.get("ver") != VERSION:
        raise SystemExit(
            f"{output} is not a file of this tool; remove it, or give another --output"
        )
    return {
        (entry["annotId"], entry["bbox_scale"], tuple(entry["bbox_center"])): entry
        for entry in content["data"]
    }


def _later(
    people: Sequence[Person], done: int, there: Mapping[Any, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the earlier entries of the people who come later, which must not be lost."""
    return [there[_key(person)] for person in people[done:] if _key(person) in there]


def save(output: Path, entries: Sequence[dict[str, Any]]) -> None:
    """Write entries as a file in the EFT format."""
    content = {"ver": VERSION, "data": list(entries)}
    atomic_write_bytes(output, (json.dumps(content) + "\n").encode())


def main() -> None:
    """Read COCO's keypoints, fit, write, and print the quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keypoints", type=Path, required=True, help="COCO person keypoints")
    parser.add_argument("--pairs", type=Path, help="only the people of this list of pairs")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    annotations = json.loads(options.keypoints.read_text())["annotations"]
    if options.pairs is not None:
        wanted = {pair["person_ann_id"] for pair in json.loads(options.pairs.read_text())}
        annotations = [a for a in annotations if a["id"] in wanted]
    entries = fit_people(annotations, load_body("default"), options.output)
    if not entries:
        raise SystemExit(f"nobody has {MIN_KEYPOINTS} keypoints in {options.keypoints}")
    errors = np.array([entry["keypoint_error"] for entry in entries])
    print(
        f"{len(entries)} people; mean keypoint error over the box's longer side: "
        f"median {np.median(errors):.4f}, 90 % {np.quantile(errors, 0.9):.4f}, "
        f"worst {errors.max():.4f}"
    )


if __name__ == "__main__":
    main()
