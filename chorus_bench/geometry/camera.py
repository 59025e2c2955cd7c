"""Perspective cameras: projection, rescaling to the protocol's small images, azimuth.

Conventions: ``pixel ~ K (R x + t)`` with x in the body frame (zero global orientation),
metres; image x to the right, y down, pixels. The body's global orientation is part of ``R``.

Source: docs/protocol.md P15 and P17, docs/method.md M15.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float32, Float64, Int64
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.checks import check_intrinsics, check_rotations

DEFAULT_FOV_DEGREES = 46.4
AZIMUTH_BINS = 12
_AXIS_EPSILON = 1e-4


#: The parts of a perspective camera and their shapes.
CAMERA_PARTS: dict[str, tuple[int, ...]] = {
    "rotation": (3, 3),
    "translation": (3,),
    "intrinsics": (3, 3),
}
#: What stands before the parts' names in the columns of a row's own camera.
CAMERA_PREFIX = "camera_"


@checked
@displayed
@dataclass(frozen=True, eq=False)
class PerspectiveCamera:
    """A pinhole camera, kept in float32 as the original keeps it.

    Args:
        rotation: R (3, 3), body frame to camera frame.
        translation: t (3,), metres.
        intrinsics: K (3, 3), pixels of the image it belongs to.
        reprojection_error: pixels, how well it explains the 2D joints that it was fitted to;
            None where it was not fitted.

    Raises:
        InputError: a part has a wrong shape. Its values are looked at by `check`.
    """

    rotation: Float32
    translation: Float32
    intrinsics: Float32
    reprojection_error: float | None = None

    def __post_init__(self) -> None:
        for name, shape in CAMERA_PARTS.items():
            with np.errstate(over="ignore"):
                value = np.asarray(getattr(self, name), dtype=np.float32)
            if value.shape != shape:
                raise InputError(
                    "a damaged camera", where=f"{name} of shape {value.shape}", expected=f"{shape}"
                )
            object.__setattr__(self, name, value)

    @classmethod
    @checked
    def from_row(cls, row: Mapping[str, Any], prefix: str = CAMERA_PREFIX) -> PerspectiveCamera:
        """Read a camera from the columns of a row, and check it.

        Args:
            row: with the columns ``<prefix>rotation``, ``<prefix>translation`` and
                ``<prefix>intrinsics``.
            prefix: ``camera_``, or that of another camera than the row's own.

        Raises:
            InputError: a column is missing, or see `check`. What was found is the same text
                for all rows with the same fault.
        """
        parts = []
        for name in CAMERA_PARTS:
            if row.get(prefix + name) is None:
                raise InputError("no camera", where=prefix + name)
            try:
                with np.errstate(over="ignore"):
                    parts.append(np.asarray(row[prefix + name], dtype=np.float32))
            except (TypeError, ValueError) as error:
                raise InputError("a damaged camera", where=prefix + name) from error
        rotation, translation, intrinsics = parts
        pixels = row.get("reprojection_error") if prefix == CAMERA_PREFIX else None
        camera = cls(rotation, translation, intrinsics, None if pixels is None else float(pixels))
        camera.check()
        return camera

    @checked
    def columns(self, prefix: str = CAMERA_PREFIX) -> dict[str, Any]:
        """Return the camera as the columns of a row, with its reprojection error if it has one."""
        found = {prefix + name: getattr(self, name).tolist() for name in CAMERA_PARTS}
        if self.reprojection_error is not None:
            found["reprojection_error"] = float(self.reprojection_error)
        return found

    def check(self) -> None:
        """Check the values.

        Raises:
            InputError: a value is not finite, or a matrix is no rotation or no intrinsic matrix.
                What was found is the same text for all cameras with the same fault.
        """
        for name in CAMERA_PARTS:
            if not np.isfinite(getattr(self, name)).all():
                raise InputError("a camera with values that are not finite", where=name)
        for name, check in (("rotation", check_rotations), ("intrinsics", check_intrinsics)):
            try:
                check(getattr(self, name), name)
            except InputError as error:
                raise InputError(
                    "an impossible camera",
                    where=error.found,
                    expected=error.expected,
                    fix=error.fix,
                ) from error

    @property
    def center(self) -> Float64:
        """The camera centre ``-R^T t`` in the body frame, (3,), metres."""
        center: Float64 = -exact.apply(self.rotation.T, self.translation).astype(np.float64)
        return center

    @property
    def matrix(self) -> Float64:
        """The projection ``K [R | t]``, (3, 4)."""
        extrinsics = np.column_stack([self.rotation, self.translation]).astype(np.float64)
        matrix: Float64 = exact.product(self.intrinsics.astype(np.float64), extrinsics)
        return matrix

    @checked
    def rescaled(self, factor: float) -> PerspectiveCamera:
        """Return the camera of the image scaled by ``factor``.

        The first two rows of K are multiplied in float32 by the factor rounded to float32:
        a product in double precision would move pixels (docs/protocol.md P15).
        """
        K = self.intrinsics.copy()
        K[:2] *= np.float32(factor)
        return replace(self, intrinsics=K)

    @checked
    def to_camera(self, points: Annotated[ArrayLike, Shape("... N 3")]) -> Float64:
        """Take points (n, 3) from the body to the camera frame, ``R x + t``, metres."""
        x = np.asarray(points, dtype=np.float64)
        R, t = self.rotation.astype(np.float64), self.translation.astype(np.float64)
        return np.asarray(exact.product(x, R.T) + t)

    @checked
    def project(self, points: Annotated[ArrayLike, Shape("... N 3")]) -> Float64:
        """Project points into the image.

        Points behind the camera are projected like all others, as in the original.

        Args:
            points: (..., 3) in metres, body frame.

        Returns:
            (..., 2) pixel coordinates (u, v); not finite where the depth is zero.
        """
        x = np.asarray(points, dtype=np.float64)
        P = self.matrix
        h = exact.product(x.reshape(-1, 3), P[:, :3].T) + P[:, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            uv: Float64 = h[..., :2] / h[..., 2:]
        return uv.reshape(*x.shape[:-1], 2)


@checked
def pixel_indices(uv: Annotated[ArrayLike, Shape("... 2")], height: int, width: int) -> Int64:
    """Return the flat pixel index that each image point falls on.

    Coordinates are truncated toward zero, so values in (-1, 0) fall on pixel 0.

    Args:
        uv: (..., 2) pixel coordinates (u right, v down).
        height: image height in pixels.
        width: image width in pixels.

    Returns:
        (...) int64 indices ``v * width + u``; ``height * width`` for points outside or not finite.

    Source: docs/protocol.md P17.
    """
    u, v = np.moveaxis(np.trunc(np.asarray(uv, dtype=np.float64)), -1, 0)
    with np.errstate(invalid="ignore"):
        inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    flat = np.where(inside, v, 0.0) * width + np.where(inside, u, 0.0)
    return np.where(inside, flat, height * width).astype(np.int64)


@checked
def focal_from_fov(fov_degrees: float = DEFAULT_FOV_DEGREES) -> float:
    """Return the focal length in image widths, ``1 / (2 tan(fov / 2))``.

    Args:
        fov_degrees: horizontal field of view in degrees, between 0 and 180.
    """
    return float(1 / (2 * exact.tan(math.radians(fov_degrees) / 2)))


@checked
def azimuth_degrees(x: ArrayLike, z: ArrayLike) -> Float64:
    """Return the azimuth of camera centres: the angle from +x toward +z, in [0, 360).

    Coordinates within 1e-4 of an axis count as on it (docs/method.md M15: half-open
    comparisons in the precision of the input).

    Args:
        x: (...) x of the camera centres, body frame, metres.
        z: (...) z of the camera centres.

    Raises:
        InputError: different numbers of x and z.
    """
    x, z = np.asarray(x), np.asarray(z)
    if x.shape != z.shape and x.ndim and z.ndim:
        raise InputError(f"x has shape {x.shape}, z {z.shape}", expected="equal shapes")
    eps = np.asarray(_AXIS_EPSILON, dtype=np.result_type(x, np.float32))
    x_positive, x_zero = x >= eps, (-eps <= x) & (x < eps)
    z_positive, z_zero = z >= eps, (-eps <= z) & (z < eps)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The ratio in the input's own precision, its arc tangent in double (docs/method.md M15).
        slope = exact.arctan((z / x).astype(np.float64))
    angle = np.where(x_positive, np.where(slope < 0, slope + 2 * np.pi, slope), slope + np.pi)
    angle = np.where(x_positive & z_zero, 0.0, angle)
    angle = np.where(~x_positive & ~x_zero & z_zero, np.pi, angle)
    on_z_axis = np.where(z_positive, np.pi / 2, np.where(z_zero, 0.0, 1.5 * np.pi))
    result: Float64 = np.where(x_zero, on_z_axis, angle) * 180 / np.pi
    return result


@checked
def azimuth_bins(degrees: ArrayLike) -> Int64:
    """Return the 30-degree bin, 0 to 11, of each azimuth.

    Raises:
        InputError: an azimuth that is not finite.
    """
    width = 360 / AZIMUTH_BINS
    if not np.isfinite(degrees).all():
        raise InputError("an azimuth is not finite", expected="degrees")
    return (np.asarray(degrees, dtype=np.float64) / width).astype(np.int64) % AZIMUTH_BINS
