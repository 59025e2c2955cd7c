"""A picture with what annotators found in it: masks, keypoints, posed bodies."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.calibration import weak_perspective_to_image
from chorus_bench.geometry.body import BodyModel, without_global_orientation
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.synthesis.interfaces import BodyFit, Detection, Float32, UInt8

_PERSON, _OBJECT = (66, 133, 244), (234, 134, 0)
_BODY, _POINT = (0, 150, 80), (220, 30, 60)
_SHARE = 0.45


def draw_annotations(
    pixels: UInt8,
    people: Sequence[Detection],
    objects: Sequence[Detection],
    keypoints: Float32 | None,
    fits: Sequence[BodyFit | None],
    body: BodyModel,
    *,
    confidence: float = 0.7,
) -> UInt8:
    """Return a picture with people in blue, objects in orange, and what is known of the people.

    Args:
        pixels: (H, W, 3) RGB.
        people: the people.
        objects: the objects.
        keypoints: (P, 17, 3) x, y in pixels and confidence: red; visible ones are filled.
        fits: the vertices of each person's posed body are green dots.
        body: the body of the poses.
        confidence: keypoints with at least this confidence are visible.
    """
    drawn = pixels.astype(np.float64)
    for things, colour in ((people, _PERSON), (objects, _OBJECT)):
        for thing in things:
            drawn[thing.mask] = (1 - _SHARE) * drawn[thing.mask] + _SHARE * np.array(colour)
    picture = np.ascontiguousarray(drawn.round(), dtype=np.uint8)
    for fit in fits:
        if fit is not None:
            _draw_dots(picture, project_fit(fit, body, picture.shape[:2]))
    for x, y, score in () if keypoints is None else keypoints.reshape(-1, 3):
        if score > 0:
            filled = cv2.FILLED if score >= confidence else 1
            cv2.circle(picture, (round(float(x)), round(float(y))), 3, _POINT, filled, cv2.LINE_AA)
    return picture


def project_fit(fit: BodyFit, body: BodyModel, size: tuple[int, int]) -> Float64:
    """Return the vertices of a posed body in the picture, (V, 2) pixels.

    Args:
        fit: pose, shape and camera of either kind.
        body: the body.
        size: height and width of the picture.

    Raises:
        InputError: a weak-perspective camera whose crop is outside the picture.
    """
    pose = np.asarray(fit.pose, dtype=np.float64)
    if isinstance(fit.camera, PerspectiveCamera):
        return fit.camera.project(body.pose(without_global_orientation(pose), fit.betas))
    weak = fit.camera
    vertices = body.pose(pose, fit.betas)
    return np.asarray(
        weak_perspective_to_image(vertices, weak.camera, weak.center, weak.scale, size)
    )


def _draw_dots(picture: UInt8, points: Float64) -> None:
    height, width = picture.shape[:2]
    with np.errstate(invalid="ignore"):
        places = np.nan_to_num(points, nan=-1, posinf=-1, neginf=-1).astype(np.int64)
    inside = (places >= 0).all(axis=1) & (places[:, 0] < width) & (places[:, 1] < height)
    picture[places[inside, 1], places[inside, 0]] = _BODY
