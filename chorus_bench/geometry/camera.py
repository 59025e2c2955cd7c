"""Perspective cameras: projection, rescaling to the protocol's small images, azimuth.

Conventions: ``pixel ~ K (R x + t)`` with x in the body frame (zero global orientation),
metres; image x to the right, y down, pixels. The body's global orientation lives in ``R``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry import exact

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

DEFAULT_FOV_DEGREES = 46.4
AZIMUTH_BINS = 12
_AXIS_EPSILON = 1e-4


@dataclass(frozen=True)
class PerspectiveCamera:
    """A pinhole camera, kept in float32 as the original keeps it.

    Args:
        rotation: R (3, 3), body frame to camera frame.
        translation: t (3,), metres.
        intrinsics: K (3, 3), pixels of the image it belongs to.

    Raises:
        InputError: a wrong shape, a value that is not finite, or a singular camera.
    """

    rotation: Float32
    translation: Float32
    intrinsics: Float32

    def __post_init__(self) -> None:
        for name, shape in (("rotation", (3, 3)), ("translation", (3,)), ("intrinsics", (3, 3))):
            value = np.asarray(getattr(self, name), dtype=np.float32)
            if value.shape != shape:
                raise InputError(f"camera {name} of shape {value.shape}", expected=f"{shape}")
            if not np.isfinite(value).all():
                raise InputError(f"camera {name} has values that are not finite")
            object.__setattr__(self, name, value)
        for name in ("rotation", "intrinsics"):
            if abs(exact.determinant(getattr(self, name).astype(np.float64))) < 1e-12:
                raise InputError(
                    f"singular camera: the determinant of its {name} is zero",
                    expected="an invertible matrix",
                )

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

    def rescaled(self, factor: float) -> PerspectiveCamera:
        """Return the camera of the image scaled by ``factor``.

        The first two rows of K are multiplied in float32, by the factor rounded to float32:
        a product in double precision moves pixels (QUIRKS R2).
        """
        K = self.intrinsics.copy()
        K[:2] *= np.float32(factor)
        return PerspectiveCamera(self.rotation, self.translation, K)

    def to_camera(self, points: ArrayLike) -> Float64:
        """Take points (n, 3) from the body to the camera frame, ``R x + t``, metres."""
        x = np.asarray(points, dtype=np.float64)
        R, t = self.rotation.astype(np.float64), self.translation.astype(np.float64)
        return np.asarray(exact.product(x, R.T) + t)

    def project(self, points: ArrayLike) -> Float64:
        """Project points into the image.

        Points behind the camera are projected like all others, as the original does.

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


def pixel_indices(uv: ArrayLike, height: int, width: int) -> Int64:
    """Return the flat pixel index that each image point falls on.

    Coordinates are truncated toward zero, so values in (-1, 0) fall on pixel 0.

    Args:
        uv: (..., 2) pixel coordinates (u right, v down).
        height: image height in pixels.
        width: image width in pixels.

    Returns:
        (...) int64 indices ``v * width + u``; ``height * width`` where outside or not finite.

    Source: pap.md step 4.
    """
    u, v = np.moveaxis(np.trunc(np.asarray(uv, dtype=np.float64)), -1, 0)
    with np.errstate(invalid="ignore"):
        inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    flat = np.where(inside, v, 0.0) * width + np.where(inside, u, 0.0)
    return np.where(inside, flat, height * width).astype(np.int64)


def default_focal_length(fov_degrees: float = DEFAULT_FOV_DEGREES) -> float:
    """Return the focal length in image widths, ``1 / (2 tan(fov / 2))``."""
    return float(1 / (2 * exact.tan(math.radians(fov_degrees) / 2)))


def azimuth_degrees(x: ArrayLike, z: ArrayLike) -> Float64:
    """Return the azimuth of camera centres: the angle from +x toward +z, in [0, 360).

    Coordinates within 1e-4 of an axis count as on it (QUIRKS A2: half-open comparisons in
    the precision of the input).

    Args:
        x: (...) x of the camera centres, body frame, metres.
        z: (...) z of the camera centres.
    """
    x, z = np.asarray(x), np.asarray(z)
    eps = np.asarray(_AXIS_EPSILON, dtype=np.result_type(x, np.float32))
    x_positive, x_zero = x >= eps, (-eps <= x) & (x < eps)
    z_positive, z_zero = z >= eps, (-eps <= z) & (z < eps)
    with np.errstate(divide="ignore", invalid="ignore"):
        # The ratio in the input's own precision, its arc tangent in double (QUIRKS A1).
        slope = exact.arctan((z / x).astype(np.float64))
    angle = np.where(x_positive, np.where(slope < 0, slope + 2 * np.pi, slope), slope + np.pi)
    angle = np.where(x_positive & z_zero, 0.0, angle)
    angle = np.where(~x_positive & ~x_zero & z_zero, np.pi, angle)
    on_z_axis = np.where(z_positive, np.pi / 2, np.where(z_zero, 0.0, 1.5 * np.pi))
    result: Float64 = np.where(x_zero, on_z_axis, angle) * 180 / np.pi
    return result


def azimuth_bins(degrees: ArrayLike) -> Int64:
    """Return the bin of 30 degrees, 0 to 11, that each azimuth falls in."""
    width = 360 / AZIMUTH_BINS
    return (np.asarray(degrees, dtype=np.float64) / width).astype(np.int64) % AZIMUTH_BINS
