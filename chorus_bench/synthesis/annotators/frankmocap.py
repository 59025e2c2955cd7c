"""FrankMocap's results: pickles that are read without being executed.

``python -m demo.demo_bodymocap --save_pred_pkl`` writes ``<image name>_prediction_result.pkl``, in
which ``pred_output_list`` has a person for each of ``body_bbox_list`` (left, top, width, height):
``pred_rotmat`` (1, 24, 3, 3), ``pred_body_pose`` (1, 72), ``pred_betas`` (1, 10) and
``pred_camera`` (3,), the weak-perspective camera s, tx, ty of a 224-pixel crop. The crop's corner
is at ``bbox_top_left`` of the image, and an image pixel has ``bbox_scale_ratio`` crop pixels, so
that FrankMocap itself places a point at ``x_crop / bbox_scale_ratio + bbox_top_left``.

Source: github.com/facebookresearch/frankmocap, Rong et al. 2021 (arXiv:2108.06428).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float64
from chorus_bench.calibration.weak_perspective import CROP_SIDE, PIXELS_PER_SCALE
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import JOINTS, POSE_SIZE
from chorus_bench.geometry.checks import check_pose, check_rotations
from chorus_bench.geometry.rotations import matrix_to_axis_angle
from chorus_bench.io.safe_pickle import load_pickle

#: The end of a result's name, after the image's name.
RESULT_END = "_prediction_result.pkl"
_SHAPES: dict[str, tuple[int, ...]] = {
    "pose": (POSE_SIZE,),
    "betas": (10,),
    "weak_camera": (3,),
    "crop_center": (2,),
    "crop_scale": (),
}


def read_frankmocap(path: Path) -> dict[str, Float64]:
    """Read one of FrankMocap's results.

    FrankMocap stores None for a person whose crop failed; such a person has NaN here.

    Returns:
        For P people ``pose`` (P, 72), ``betas`` (P, 10), ``weak_camera`` (P, 3), ``crop_center``
        (P, 2) in pixels, ``crop_scale`` (P,) in units of 200 pixels, ``boxes`` (P, 4) xyxy.

    Raises:
        InputError: the file is damaged, is a pickle that requests code, or is not such a result.
    """
    outputs, boxes = _people(load_pickle(path), path)
    people = [_person(output, path) for output in outputs]
    arrays = {
        key: np.array([person[key] for person in people], dtype=np.float64).reshape(-1, *shape)
        for key, shape in _SHAPES.items()
    }
    corners = np.array([np.ravel(box) for box in boxes], dtype=np.float64).reshape(-1, 4)
    arrays["boxes"] = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], axis=1)
    return arrays


def _people(data: object, path: Path) -> tuple[list[Any], list[Any]]:
    """Return the people and their boxes (left, top, width, height) of a result."""
    keys = ("pred_output_list", "body_bbox_list")
    if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in keys):
        raise InputError(
            f"lacks the lists {' and '.join(keys)}",
            where=path,
            expected="a result of FrankMocap's body module (--save_pred_pkl)",
        )
    if data.get("smpl_type", "smpl") != "smpl":
        raise InputError(
            f"holds bodies of the kind '{data['smpl_type']}'",
            where=path,
            expected="SMPL bodies",
            fix="run demo.demo_bodymocap without --use_smplx",
        )
    outputs, boxes = (data[key] for key in keys)
    if len(outputs) != len(boxes) or any(np.size(box) != 4 for box in boxes):
        raise InputError(
            f"has {len(outputs)} people and {len(boxes)} boxes",
            where=path,
            expected="as many boxes of four numbers as people",
        )
    return outputs, boxes


def _person(output: object, path: Path) -> dict[str, Float64]:
    """Return one person's pose, shape and weak-perspective camera."""
    if output is None:
        return {key: np.full(shape, np.nan) for key, shape in _SHAPES.items()}
    try:
        person = cast("dict[str, Any]", output)
        center, scale = frankmocap_crop(person["bbox_top_left"], person["bbox_scale_ratio"])
        return {
            "pose": _pose(person, path),
            "betas": _numbers(person["pred_betas"], (10,)),
            "weak_camera": _numbers(person["pred_camera"], (3,)),
            "crop_center": center,
            "crop_scale": np.array(scale),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"a person has a missing or wrong {error}",
            where=path,
            expected="pred_rotmat or pred_body_pose, pred_betas, pred_camera, bbox_top_left and "
            "bbox_scale_ratio, as FrankMocap's body module writes them",
        ) from error


def _pose(person: dict[str, Any], path: Path) -> Float64:
    """Return a pose (72,), of the matrices where they are kept: they have no half turns to fear."""
    if "pred_rotmat" not in person:
        pose = _numbers(person["pred_body_pose"], (POSE_SIZE,))
        if np.isfinite(pose).all():
            check_pose(pose, "'pred_body_pose'", where=path)
        return pose
    rotations = _numbers(person["pred_rotmat"], (JOINTS, 3, 3))
    if np.isfinite(rotations).all():
        check_rotations(rotations, "'pred_rotmat'", where=path)
    return matrix_to_axis_angle(rotations).reshape(POSE_SIZE).astype(np.float64)


def _numbers(value: Any, shape: tuple[int, ...]) -> Float64:  # noqa: ANN401 - an array of a pickle
    return np.asarray(value, dtype=np.float64).reshape(shape)


def frankmocap_crop(top_left: ArrayLike, scale_ratio: float) -> tuple[Float64, float]:
    """Return the centre and the scale of FrankMocap's crop.

    FrankMocap gives the crop's corner in the image, in whole pixels, and the number of crop pixels
    per image pixel. `chorus_bench.calibration.weak_perspective.crop_box` truncates corners toward
    zero, so each is moved away from zero by a quarter of a pixel, lest rounding lose a pixel.

    Args:
        top_left: (2,) ``bbox_top_left``, pixels.
        scale_ratio: ``bbox_scale_ratio``, 224 over the crop's side in pixels.

    Returns:
        The centre (2,) in pixels, and the side over 200 pixels. From them `crop_box` makes exactly
        FrankMocap's crop: the same left and upper edge, and the same height.

    Raises:
        ValueError: a number is not finite, or the ratio is not positive.
    """
    corner = _numbers(top_left, (2,))
    ratio = float(scale_ratio)
    if not (np.isfinite(corner).all() and np.isfinite(ratio) and ratio > 0):
        raise ValueError("bbox_top_left or bbox_scale_ratio")
    left_top, side = np.round(corner), round(CROP_SIDE / ratio)
    starts = left_top + _away_from_zero(left_top)
    bottom = left_top[1] + side
    length = bottom + _away_from_zero(bottom) - starts[1]
    return starts + length / 2, float(length) / PIXELS_PER_SCALE


def _away_from_zero(values: Any) -> Any:  # noqa: ANN401 - an array or a number
    return np.where(np.asarray(values) < 0, -0.25, 0.25)
