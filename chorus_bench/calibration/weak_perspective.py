"""Projection through the weak-perspective camera of a crop, to pixels of the image.

Body fitters look at a square crop around the person, enlarged to 224 x 224. Its corners are
whole pixels, found as the `crop` helper common in human-pose code finds them. All roundings of
the original are kept.

Source: docs/method.md M9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError
from chorus_bench.geometry.rotations import Floats

#: Side of the crop that body fitters look at, in pixels.
CROP_SIDE = 224

#: Side of the crop of a person of scale 1, before enlarging, in pixels.
PIXELS_PER_SCALE = 200

#: A crop smaller than this before enlarging is unusable, in pixels.
MIN_BOX = 20


@checked
@dataclass(frozen=True)
class CropBox:
    """The square of the image that becomes the 224 x 224 crop, in whole pixels.

    Attributes:
        left: column of its left edge; negative where it extends beyond the image.
        top: row of its upper edge.
        right: column after its last one.
        bottom: row after its last one; rounding may make the height differ from the width.
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def side(self) -> int:
        """Its height, which is used for both sides."""
        return self.bottom - self.top

    @property
    def enlargement(self) -> float:
        """Crop pixels per image pixel."""
        return CROP_SIDE / self.side


@checked
def crop_box(center: ArrayLike, scale: float) -> CropBox:
    """Return the box of a person's crop.

    The box of side ``200 * scale`` about ``center`` is mapped to 224 x 224; the inverse of
    that map gives the two corners, truncated toward zero. The inverse is written out in the order
    in which `numpy.linalg.inv` rounds, because for boxes of integer size the rounding decides
    between two pixels.

    Args:
        center: the box's centre (x, y) in pixels, shape (2,).
        scale: the box's side over 200 pixels.

    Returns:
        The box.

    Raises:
        InputError: the centre or the scale is not finite, or the scale is not positive.
    """
    middle = np.asarray(center, dtype=np.float64)
    if middle.shape != (2,) or not np.isfinite(middle).all():
        raise InputError(f"box centre {middle.tolist()}", expected="two finite numbers")
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"box scale {scale}", expected="a finite number above 0")
    height = PIXELS_PER_SCALE * float(scale)
    zoom = CROP_SIDE / height
    shift = CROP_SIDE * (-middle / height + 0.5)
    start = -shift * (1.0 / zoom)
    left, top = (int(value) for value in np.trunc(start))
    right, bottom = (int(value) for value in np.trunc(CROP_SIDE * (1.0 / zoom) + start))
    return CropBox(left, top, right, bottom)


@checked
def crop_problem(box: CropBox, image_size: tuple[int, int]) -> str | None:
    """Return why a crop cannot be used, or None if it can.

    Args:
        box: the crop's box.
        image_size: height and width of the image in pixels.

    Returns:
        The reason as a sentence, or None.
    """
    height, width = image_size
    if box.side < MIN_BOX:
        return f"the crop's box is {box.side} pixels high, less than {MIN_BOX}"
    if box.left > width or box.top > height or box.right < 0 or box.bottom < 0:
        return (
            f"the crop's box ({box.left}, {box.top}) to ({box.right}, {box.bottom}) lies "
            f"outside the image of {width} x {height} pixels"
        )
    return None


@checked
def weak_perspective_to_image(
    points: Floats,
    camera: ArrayLike,
    center: ArrayLike,
    scale: float,
    image_size: tuple[int, int],
) -> Floats:
    """Project one person's points into the image through the weak-perspective crop.

    With o crop pixels per image pixel: ``x_crop = (s X + (tx, ty)) 112`` and ``x_image =
    x_crop / o + corner + 112 / o``. float32 points are rounded after every operation, as the
    original does (via coordinates relative to the image's middle); others are computed in
    float64.

    Args:
        points: joints of the posed body, global rotation and shape included, in metres,
            shape (J, 3).
        camera: weak-perspective camera (s, tx, ty) of the crop, shape (3,).
        center: centre (x, y) of the crop's box in pixels, shape (2,).
        scale: side of the crop's box over 200 pixels.
        image_size: height and width of the image in pixels.

    Returns:
        Pixel coordinates (x, y), shape (J, 2), float32 for float32 points, else float64.

    Raises:
        InputError: a shape is wrong, a number is not finite, or the box is smaller than 20
            pixels or outside the image.
    """
    kind = np.dtype(np.float32 if np.asarray(points).dtype == np.float32 else np.float64)
    joints: Floats = np.asarray(points, dtype=kind)
    weak = np.asarray(camera, dtype=np.float64)
    _check_person(joints, weak)
    box = crop_box(center, scale)
    problem = crop_problem(box, image_size)
    if problem is not None:
        raise InputError(problem)
    half = np.array([image_size[1], image_size[0]], dtype=np.float64) / 2
    offset = np.array([box.left, box.top]) - half + CROP_SIDE / 2 / box.enlargement
    steps = (weak[0], CROP_SIDE / 2, box.enlargement)
    zoom, widen, shrink = (np.asarray(value, dtype=kind) for value in steps)
    # The sums with the two float64 pairs are computed in float64 and then rounded.
    moved = (joints[:, :2] * zoom + weak[1:]).astype(kind)
    centred: Floats = (moved * widen / shrink + offset).astype(kind)
    return centred + half.astype(kind)


def _check_person(joints: Floats, weak: NDArray[np.float64]) -> None:
    """Refuse joints and cameras of a wrong shape, or with numbers that are not finite."""
    if joints.ndim != 2 or joints.shape[1] != 3:
        raise InputError(f"points of shape {joints.shape}", expected="shape (J, 3)")
    if weak.shape != (3,):
        raise InputError(f"weak camera of shape {weak.shape}", expected="three numbers s, tx, ty")
    if not (np.isfinite(joints).all() and np.isfinite(weak).all()):
        raise InputError("points or weak camera with a number that is not finite")
