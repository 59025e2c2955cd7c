"""Simulated annotators: masks, keypoints, poses and cameras, with noise."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from chorus_bench.array_types import Bool, Float64, Int32
from chorus_bench.calibration.weak_perspective import CROP_SIDE, PIXELS_PER_SCALE, crop_box
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.body import POSE_SIZE, BodyModel
from chorus_bench.geometry.boxes import mask_box
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.rotations import axis_angle_to_matrix, matrix_to_axis_angle
from chorus_bench.seeds import Stream
from chorus_bench.simulation.scenes import Person, Rendering, Scene

#: COCO's keypoints 5 to 16 as joints of the body; 0 to 4 are on the face.
LIMB_KEYPOINTS = (16, 17, 18, 19, 20, 21, 1, 2, 4, 5, 7, 8)
_HEAD = 15
#: Nose, eyes and ears in half extents of the head's box, for bodies that do not name them.
_FACE_IN_BOX = np.array([(0, 0, 1), (0.35, 0.1, 0.8), (-0.35, 0.1, 0.8), (1, 0, 0), (-1, 0, 0)])
_INSIDE_BODY = 0.16
#: Bells of width 1 and 2 pixels, in 256ths.
_NARROW, _WIDE = (14, 62, 104, 62, 14), (7, 17, 32, 46, 52, 46, 32, 17, 7)
_POSE_NOISE = math.radians(3.5)
_TURN_NOISE = math.radians(3.0)
#: The diagonal of half a turn about the vertical.
_AROUND = np.array([-1.0, 1.0, -1.0])
_BETAS_LOST, _BETAS_NOISE = 0.4, 0.3
_MISSED = 0.02
_MOST_NOISE = 2.0
_MARGIN = 1.2
_SMALLEST_PERSON, _SMALLEST_OBJECT = 0.004, 0.0004


def check_noise(noise: float) -> None:
    """Raise an `InputError` for a noise level out of range."""
    if not 0 <= noise <= _MOST_NOISE:
        raise InputError(f"a noise of {noise}", expected=f"0 (the truth) to {_MOST_NOISE}")


def coco_keypoints(body: BodyModel, pose: Float64, betas: Float64) -> Float64:
    """Return COCO's 17 keypoints (17, 3) of a posed body, body frame, metres."""
    transforms, joints = body.bone_transforms(pose, betas)
    if body.keypoint_vertices is not None:
        face = body.pose_vertices(body.keypoint_vertices, pose, betas)
    else:
        template = body.shaped_template(betas)
        head = template[body.dominant_joints() == _HEAD]
        low, high = head.min(axis=0), head.max(axis=0)
        rest = (low + high) / 2 + _FACE_IN_BOX * (high - low) / 2
        face = exact.product(rest, transforms[_HEAD, :3, :3].T) + transforms[_HEAD, :3, 3]
    points: Float64 = np.concatenate([face, joints[list(LIMB_KEYPOINTS)]])
    return points


def annotate_people(
    scene: Scene,
    rendering: Rendering,
    camera: PerspectiveCamera,
    stream: Stream,
    *,
    wrong_pose: bool,
    noise: float = 1.0,
) -> list[dict[str, Any]]:
    """Return the annotations of every visible person, from left to right.

    Args:
        scene: the scene.
        rendering: the scene through the camera.
        camera: from the scene's body frame to pixels.
        stream: draws the noise.
        wrong_pose: the pose of the first person is fitted as if they faced the other way.
        noise: noise level; 0 gives the truth.
    """
    found = []
    for number, person in enumerate(scene.people):
        own = stream.fork(f"person {number}")
        mask = noisy_mask(rendering.mask(number), own.fork("mask"), noise)
        box = mask_box(mask)
        if box is None or np.count_nonzero(mask) < _SMALLEST_PERSON * mask.size:
            continue
        found.append(
            {
                "box": box,
                "score": _score(own),
                "mask": encode_mask(mask),
                "keypoints": _noisy_keypoints(
                    scene.body, person, number, rendering, camera, own, box, noise
                ),
                **_fitted_body(
                    scene.body,
                    person,
                    camera,
                    box,
                    own,
                    wrong=wrong_pose and number == 0,
                    noise=noise,
                ),
            }
        )
    return sorted(found, key=lambda person: float(person["box"][0]))


def annotate_objects(
    scene: Scene, rendering: Rendering, category: str, stream: Stream, noise: float = 1.0
) -> list[dict[str, Any]]:
    """Return the annotations of every visible object, from left to right."""
    found = []
    for number in scene.numbers("object"):
        own = stream.fork(f"object {number}")
        mask = noisy_mask(rendering.mask(number), own.fork("mask"), noise)
        box = mask_box(mask)
        small = np.count_nonzero(mask) < _SMALLEST_OBJECT * mask.size
        if box is None or small or own.chance(_MISSED * noise):
            continue
        score = _score(own)
        found.append({"category": category, "box": box, "score": score, "mask": encode_mask(mask)})
    return sorted(found, key=lambda thing: float(thing["box"][0]))


def _score(stream: Stream) -> float:
    return float(np.clip(stream.normal(0.965, 0.025), 0.8, 0.999))


def noisy_mask(mask: Bool, stream: Stream, noise: float = 1.0) -> Bool:
    """Return a mask (H, W) whose boundary varies by about a pixel times ``noise``.

    Computed in integer arithmetic, so that the result is the same everywhere.
    """
    if not mask.any() or noise == 0:
        return mask
    soft = _blurred(mask.astype(np.int32) * 200, _NARROW)
    grain = _blurred((stream.uniforms(*mask.shape) * 256).astype(np.int32), _WIDE)
    waver = np.clip(2 * (grain - 128), -80, 80)
    if noise != 1:
        waver = np.rint(waver * noise).astype(np.int32)
    out: Bool = soft + waver > 100
    return out


def _blurred(image: Int32, bell: tuple[int, ...]) -> Int32:
    """Return whole numbers (H, W) in [0, 255] averaged with weights in 256ths along both axes.

    Every sum is a whole number below 2**24, so float32 rounds none of them in any order.
    """
    weights = np.array(bell, dtype=np.float32)
    edges, depth = cv2.BORDER_REFLECT_101, cv2.CV_32F
    sums = cv2.sepFilter2D(image.astype(np.float32), depth, weights, weights, borderType=edges)
    return (np.asarray(sums).astype(np.int32) + (1 << 15)) >> 16


def _noisy_keypoints(
    body: BodyModel,
    person: Person,
    number: int,
    rendering: Rendering,
    camera: PerspectiveCamera,
    stream: Stream,
    box: list[float],
    noise: float,
) -> list[list[float]]:
    """Return (x, y, confidence) of 17 keypoints, with higher confidence where they are visible."""
    own = coco_keypoints(body, person.pose.astype(np.float64), person.betas.astype(np.float64))
    points = exact.product(own, person.rotation.T) + person.offset
    inside, seen = keypoint_visibility(points, number, rendering, camera)
    spread = noise * 0.012 * max(box[2] - box[0], box[3] - box[1])
    shift = stream.fork("keypoints").normals(17, 2) * spread
    height, width = rendering.raster.face.shape
    uv = np.clip(camera.project(points) + shift * np.where(seen, 1, 2)[:, None], 0, (width, height))
    sure = stream.fork("confidence").uniforms(17)
    confidence = np.where(seen, 0.8 + 0.18 * sure, np.where(inside, 0.25 + 0.5 * sure, 0.15 * sure))
    return np.column_stack([uv, confidence]).tolist()


def keypoint_visibility(
    points: Float64, number: int, rendering: Rendering, camera: PerspectiveCamera
) -> tuple[Bool, Bool]:
    """Return which keypoints (17, 3) are inside the picture, and which are visible.

    Joints lie inside the body, so the person's own surface may be a little nearer; any other
    surface in front hides them.
    """
    height, width = rendering.raster.face.shape
    depth = camera.to_camera(points)[:, 2]
    u, v = np.floor(camera.project(points)).T
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height) & (depth > 0)
    row, column = np.where(inside, v, 0).astype(int), np.where(inside, u, 0).astype(int)
    front = rendering.raster.depth[row, column]
    mine = rendering.instance_map[row, column] == number
    return inside, inside & (depth - front < np.where(mine, _INSIDE_BODY, 0.0))


def _fitted_body(
    body: BodyModel,
    person: Person,
    camera: PerspectiveCamera,
    box: list[float],
    stream: Stream,
    *,
    wrong: bool,
    noise: float,
) -> dict[str, Any]:
    """Return pose, shape and weak-perspective camera as a body fitter would."""
    bends = stream.fork("pose").normals(POSE_SIZE // 3, 3) * (_POSE_NOISE * noise)
    local = axis_angle_to_matrix(person.pose.reshape(-1, 3).astype(np.float64))
    local = exact.product(local, axis_angle_to_matrix(bends))
    R = exact.product(camera.rotation.astype(np.float64), person.rotation)
    turn = axis_angle_to_matrix(stream.fork("turn").normals(3) * (_TURN_NOISE * noise))
    local[0] = exact.product(turn, R) * (_AROUND if wrong else 1)
    pose = matrix_to_axis_angle(local).reshape(-1)
    drawn = stream.fork("betas").normals(len(person.betas))
    betas = (1 - _BETAS_LOST * noise) * person.betas + _BETAS_NOISE * noise * drawn
    own = body.bone_transforms(person.pose, person.betas)[1]
    target = camera.project(exact.product(own, person.rotation.T) + person.offset)
    center = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
    scale = _MARGIN * max(box[2] - box[0], box[3] - box[1]) / PIXELS_PER_SCALE
    weak = weak_camera(body.bone_transforms(pose, betas)[1], target, center, scale)
    return {
        "pose": pose.tolist(),
        "betas": betas.tolist(),
        "weak_camera": weak,
        "crop_center": center,
        "crop_scale": scale,
    }


def weak_camera(points: Float64, target: Float64, center: list[float], scale: float) -> list[float]:
    """Fit a weak-perspective camera to image points by least squares.

    Args:
        points: (J, 3) joints, global orientation included, metres.
        target: (J, 2) where they are in the image, pixels.
        center: (2,) centre of the person's crop, pixels.
        scale: side of the crop over 200 pixels.

    Returns:
        s, tx and ty with ``x_crop = (s X + (tx, ty)) 112`` (see
        `calibration.weak_perspective`).
    """
    box = crop_box(center, scale)
    half = CROP_SIDE / 2
    crop = ((target - (box.left, box.top)) * box.enlargement - half) / half
    middle, mean = exact.mean(points[:, :2]), exact.mean(crop)
    flat = points[:, :2] - middle
    together, alone = (exact.total(exact.inner(flat, xy)) for xy in (crop - mean, flat))
    s = max(float(together / alone), 1e-3)
    t = mean - s * middle
    return [s, float(t[0]), float(t[1])]
