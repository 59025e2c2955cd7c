"""Checks on the results of generators and annotators, before they are used.

Values that are not finite are dropped and counted; results of a wrong shape are a fault of the
implementation and stop the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import POSE_SIZE
from chorus_bench.geometry.camera import CAMERA_PARTS, PerspectiveCamera
from chorus_bench.geometry.checks import check_intrinsics, check_pose, check_rotations
from chorus_bench.synthesis.interfaces import (
    BodyFit,
    Detection,
    Float32,
    Picture,
    UInt8,
)

KEYPOINTS = 17
NOT_FINITE = "with values that are not finite"
_BETAS = 10
_WEAK_SHAPES = {"camera": (3,), "center": (2,)}


def check_images(images: object, count: int, name: str) -> list[UInt8]:
    """Return a generator's images, each (H, W, 3) uint8.

    Raises:
        InputError: a wrong number of images, or a wrong shape or type.
    """
    found = _as_list(images, count, name, "one image for every request")
    for image in found:
        array = np.asarray(image)
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
            raise InputError(
                f"gave an image of shape {array.shape} and type {array.dtype}",
                where=name,
                expected="(H, W, 3) uint8, RGB",
            )
    return [np.asarray(image) for image in found]


def check_detections(
    found: object, pictures: Sequence[Picture], name: str, faults: Counter[str]
) -> list[list[Detection]]:
    """Return a segmenter's detections, with boxes clipped to the picture.

    Args:
        found: the segmenter's result.
        pictures: the pictures.
        name: name of the segmenter.
        faults: counts of unusable detections, which are dropped.

    Raises:
        InputError: a wrong number of pictures, or arrays of a wrong shape.
    """
    lists = _as_list(found, len(pictures), name, "a list of detections for every picture")
    return [
        [d for d in (_detection(d, picture, name, faults) for d in some) if d is not None]
        for some, picture in zip(lists, pictures, strict=True)
    ]


def _detection(
    found: Detection, picture: Picture, name: str, faults: Counter[str]
) -> Detection | None:
    mask, box = np.asarray(found.mask), np.asarray(found.box, dtype=np.float32)
    _check_shape(mask, picture.size, f"{name}: the mask of a {found.category}")
    _check_shape(box, (4,), f"{name}: the box of a {found.category}")
    if not (np.isfinite(box).all() and np.isfinite(found.score)):
        faults[f"detections {NOT_FINITE}"] += 1
        return None
    height, width = picture.size
    box = np.clip(box, 0, np.array([width, height, width, height], dtype=np.float32))
    if not mask.any() or box[2] <= box[0] or box[3] <= box[1]:
        faults["detections without a pixel"] += 1
        return None
    score = float(np.clip(found.score, 0, 1))
    return replace(found, mask=mask.astype(bool), box=box, score=score)


def check_keypoints(
    found: object, people: Sequence[Sequence[Detection]], name: str, faults: Counter[str]
) -> list[Float32]:
    """Return a detector's keypoints (P, 17, 3); zeros for people with values that are not finite.

    Raises:
        InputError: a wrong number of pictures, or arrays of a wrong shape.
    """
    arrays = _as_list(found, len(people), name, "an array for every picture")
    checked = []
    for array, persons in zip(arrays, people, strict=True):
        points = np.array(array, dtype=np.float32)
        points = points.reshape(0, KEYPOINTS, 3) if not points.size and not persons else points
        _check_shape(points, (len(persons), KEYPOINTS, 3), f"{name}: the keypoints of a picture")
        wrong = ~np.isfinite(points).all(axis=(1, 2))
        faults[f"people's keypoints {NOT_FINITE}"] += int(wrong.sum())
        points[wrong] = 0
        points[..., 2] = np.clip(points[..., 2], 0, 1)
        checked.append(points)
    return checked


def check_fits(
    found: object, people: Sequence[Sequence[Detection]], name: str, faults: Counter[str]
) -> list[list[BodyFit | None]]:
    """Return an estimator's fits; None for people with values that are not finite.

    Raises:
        InputError: another number of pictures or people, arrays of another shape, poses in
            degrees, matrices that are no rotations or no intrinsic matrices.
    """
    lists = _as_list(found, len(people), name, "a list of fits for every picture")
    return [
        [
            _fit(fit, name, faults)
            for fit in _as_list(some, len(persons), name, "a fit or None for every person")
        ]
        for some, persons in zip(lists, people, strict=True)
    ]


def _fit(fit: BodyFit | None, name: str, faults: Counter[str]) -> BodyFit | None:
    if fit is None:
        return None
    camera = fit.camera
    shapes, number = (
        (CAMERA_PARTS, camera.reprojection_error or 0.0)
        if isinstance(camera, PerspectiveCamera)
        else (_WEAK_SHAPES, camera.scale)
    )
    arrays: list[NDArray[np.floating]] = [np.asarray(number)]
    values = {"pose": fit.pose, "betas": fit.betas}
    values |= {part: getattr(fit.camera, part) for part in shapes}
    for part, shape in {"pose": (POSE_SIZE,), "betas": (_BETAS,), **shapes}.items():
        array = np.asarray(values[part])
        _check_shape(array, shape, f"{name}: a person's {part}")
        arrays.append(array)
    if not all(np.isfinite(array.astype(np.float32)).all() for array in arrays):
        faults[f"people's poses {NOT_FINITE}"] += 1
        return None
    check_pose(fit.pose, "a person's pose", where=name)
    if isinstance(camera, PerspectiveCamera):
        check_rotations(camera.rotation, "a person's camera rotation", where=name)
        check_intrinsics(camera.intrinsics, "a person's camera intrinsics", where=name)
    return fit


def _as_list(found: object, count: int, name: str, expected: str) -> list:  # type: ignore[type-arg]
    if isinstance(found, list | tuple) and len(found) == count:
        return list(found)
    size = f"{len(found)} results" if isinstance(found, list | tuple) else type(found).__name__
    raise InputError(
        f"gave {size} for {count}",
        where=name,
        expected=expected,
        fix="correct the annotator, or use another one",
    )


def _check_shape(array: NDArray[np.generic], shape: tuple[int, ...], where: str) -> None:
    if array.shape != shape:
        raise InputError(
            f"has shape {array.shape}",
            where=where,
            expected=f"shape {shape}",
            fix="correct the annotator, or use another one",
        )
