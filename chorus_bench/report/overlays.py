"""Overlays: a field's projection over a test image, as PAP compares it. No plotting library.

Photographs are shown only on request: most test images may be viewed but not republished. Without
one, the person is drawn in grey from the mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float32, Float64, UInt8
from chorus_bench.boundary import checked
from chorus_bench.datasets.masks import RLE, decode_mask
from chorus_bench.datasets.samples import EvalSample
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError
from chorus_bench.report.drawing import tint

_PAPER, _PERSON = 0.97, 0.72
_GREY, _OPACITY = 0.55, 0.85
_TARGET_COLOR = (26, 115, 232)
_LINE = 2
_PNG = (
    cv2.IMWRITE_PNG_COMPRESSION,
    6,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_DEFAULT,
)


@checked
@displayed
@dataclass(frozen=True, eq=False)
class Overlay:
    """The data of a sample's picture: a projected field, the person, the object.

    Attributes:
        heat: (h, w) uint8, the occupancy image that PAP compares; 255 stands for `top`.
        top: the largest probability in it; 0 if nothing projects there.
        person: COCO RLE of the person in the full image (H, W).
        target: COCO RLE of the object there.
    """

    heat: UInt8
    top: float
    person: RLE
    target: RLE

    @classmethod
    @checked
    def of(cls, sample: EvalSample, projection: Annotated[Float32, Shape("h w")]) -> Overlay:
        """Return the overlay of a sample.

        Args:
            sample: the test sample, for its masks.
            projection: (h, w) occupancy image, see `occupancy_image`.
        """
        known = np.maximum(projection, 0)
        top = float(known.max())
        heat = np.rint(255 * (known / (top or 1))).astype(np.uint8)
        return cls(heat, top, sample.human_mask, sample.object_mask)

    @checked
    def draw(self, photo: Annotated[UInt8, Shape("H W 3")] | None = None) -> UInt8:
        """Return the picture: the heat, the object's outline in blue, the person.

        The hottest colour stands for `top`.

        Args:
            photo: (H, W, 3) RGB; without one the person is drawn from the mask.

        Returns:
            (H, W, 3) RGB.

        Raises:
            InputError: a photo of another size than the masks, or masks that cannot be decoded.
        """
        target = decode_mask(self.target)
        ground = self._person(target.shape) if photo is None else _faded(photo, target.shape)
        height, width = target.shape
        heat = cv2.resize(self.heat, (width, height), interpolation=cv2.INTER_NEAREST)
        colours = tint(ground, np.asarray(heat, np.float32) / 255, _OPACITY)
        return outlined(np.rint(255 * colours).astype(np.uint8), target)

    def _person(self, size: tuple[int, int]) -> Float64:
        ground = np.full((*size, 3), _PAPER)
        ground[decode_mask(self.person, size=size) > 0] = _PERSON
        return ground


def _faded(photo: UInt8, size: tuple[int, int]) -> Float64:
    if photo.shape != (*size, 3):
        raise InputError(
            f"the picture is {photo.shape[1]} x {photo.shape[0]} pixels",
            expected=f"{size[1]} x {size[0]}, as the masks are",
        )
    grey = photo.astype(np.float64).mean(axis=2, keepdims=True) / 255
    return np.repeat(1 - _GREY * (1 - grey), 3, axis=2)


def outlined(picture: UInt8, target: UInt8) -> UInt8:
    """Return a picture with an object's outline in blue.

    Args:
        picture: (H, W, 3) RGB.
        target: (H, W) mask of the object.
    """
    drawn = np.array(picture, order="C")
    outlines, _ = cv2.findContours(target, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    line = max(1, round(_LINE * min(target.shape) / 320))
    cv2.drawContours(drawn, outlines, -1, _TARGET_COLOR, line, cv2.LINE_AA)
    return drawn


def picture_bytes(picture: UInt8) -> bytes:
    """Return a picture (H, W, 3), RGB, as the content of a PNG file."""
    # Explicit compression: OpenCV's default makes files three times as large.
    _, content = cv2.imencode(".png", picture[..., ::-1], _PNG)
    return bytes(content)
