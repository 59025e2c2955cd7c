"""One view: a row of the dataset, checked and converted to arrays.

A view is a kept training image with its object mask, the person's pose and a perspective camera.
Rows in which any of these is missing or invalid are unusable, with a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from chorus_bench.array_types import Float64, UInt8
from chorus_bench.datasets.masks import MaskRuns, mask_runs
from chorus_bench.datasets.schema import REJECTED, AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import POSE_SIZE
from chorus_bench.geometry.camera import PerspectiveCamera, azimuth_bins, azimuth_degrees
from chorus_bench.geometry.checks import check_pose


class UnusableViewError(InputError):
    """A row that cannot be aggregated. ``reason`` is short and the same for all such rows."""

    def __init__(self, reason: str, **details: Any) -> None:  # noqa: ANN401 - InputError's own
        self.reason = reason
        super().__init__(reason, **details)


@dataclass(frozen=True, eq=False)
class View:
    """The input of the aggregation from one image.

    Args:
        runs: where the object is, as runs of pixels.
        pose: (72,) axis-angle in radians; the first three numbers are zero.
        camera: the camera, from the body frame to pixels of the image.
        prompt: the prompt of the image, if known.
    """

    runs: MaskRuns
    pose: Float64
    camera: PerspectiveCamera
    prompt: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image, pixels."""
        return self.runs.height, self.runs.width

    @cached_property
    def mask(self) -> UInt8:
        """(H, W) of 0 and 1, where the object is; decoded on first use."""
        return self.runs.decode()

    @property
    def azimuth_bin(self) -> int:
        """The bin, 0 to 11, of the camera centre's azimuth, computed in float32."""
        x, _, z = self.camera.center.astype(np.float32)
        return int(azimuth_bins(azimuth_degrees(x, z)))


def read_view(row: AnyRow) -> View:
    """Check a row and convert it to a view.

    Args:
        row: a row with ``height``, ``width``, ``object_mask`` (RLE), ``pose`` (72 numbers, or 69
            without the global orientation), ``camera_rotation``, ``camera_translation``,
            ``camera_intrinsics`` and, optionally, ``prompt``.

    Raises:
        UnusableViewError: it was rejected, or something is missing, is not finite, or does not
            match.
    """
    if row.get("verdict") == REJECTED:
        raise UnusableViewError(f"the verdict '{row.get('reason') or REJECTED}'")
    pose = _read_pose(row)
    camera = _read_camera(row)
    prompt = row.get("prompt")
    return View(_read_mask(row), pose, camera, None if prompt is None else str(prompt))


def _read_mask(row: AnyRow) -> MaskRuns:
    height, width = row.get("height"), row.get("width")
    if height is None or width is None:
        raise UnusableViewError("no image size")
    rle = _present(row, "object_mask", "no object mask")
    try:
        size = [int(n) for n in rle["size"]]
        if size != [int(height), int(width)]:
            raise UnusableViewError(
                "an object mask of the wrong size",
                expected=f"{height} x {width} pixels (height x width), not {size}",
            )
        return mask_runs(rle)
    except UnusableViewError:
        raise
    except (InputError, TypeError, KeyError, ValueError) as error:
        raise UnusableViewError("a damaged object mask") from error


def _read_pose(row: AnyRow) -> Float64:
    pose = _numbers(_present(row, "pose", "no pose"), "a damaged pose").reshape(-1)
    if pose.size == POSE_SIZE - 3:
        pose = np.concatenate([np.zeros(3), pose])
    if pose.size != POSE_SIZE:
        raise UnusableViewError("a damaged pose", expected=f"{POSE_SIZE} numbers, not {pose.size}")
    pose[:3] = 0
    _finite(pose, "a pose with values that are not finite")
    try:
        check_pose(pose, "pose")
    except InputError as error:
        raise UnusableViewError("a pose in degrees", expected=error.expected) from error
    return pose


def _read_camera(row: AnyRow) -> PerspectiveCamera:
    try:
        camera = PerspectiveCamera.from_row(row)
    except InputError as error:
        raise UnusableViewError(error.found, where=error.where, expected=error.expected) from error
    with np.errstate(over="ignore", invalid="ignore"):
        _finite(camera.center, "a camera with values that are not finite")
    return camera


def _present(row: AnyRow, column: str, reason: str) -> Any:  # noqa: ANN401 - as the row has it
    value = row.get(column)
    if value is None:
        raise UnusableViewError(reason, where=column)
    return value


def _finite(array: Float64, reason: str) -> Float64:
    """Return the array if all of it is finite in the float32 of the schema."""
    with np.errstate(over="ignore"):
        if not np.isfinite(array.astype(np.float32)).all():
            raise UnusableViewError(reason)
    return array


def _numbers(value: object, reason: str) -> Float64:
    """Return numbers as an array; None inside a list counts as a value that is not finite."""
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UnusableViewError(reason) from error
