"""Pictures as files: encoding, and whether a file is whole and shows anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from chorus_bench.errors import InputError
from chorus_bench.io.pictures import PictureError
from chorus_bench.io.pictures import decode_picture as decode_bgr
from chorus_bench.synthesis.interfaces import UInt8


class _Format(NamedTuple):
    suffix: str
    end: bytes
    options: Callable[[int], list[int]]


_FORMATS = {
    "jpeg": _Format(".jpg", b"\xff\xd9", lambda quality: [cv2.IMWRITE_JPEG_QUALITY, quality]),
    "png": _Format(".png", b"IEND\xaeB\x60\x82", lambda quality: []),
}


def suffix_of(name: str) -> str:
    """Return the file suffix of a format, ``jpeg`` or ``png``."""
    return _FORMATS[name].suffix


def encode_picture(pixels: UInt8, name: str, quality: int) -> bytes:
    """Return an RGB picture (H, W, 3) as a file's content.

    Args:
        pixels: the picture.
        name: ``jpeg`` or ``png``.
        quality: of JPEG.
    """
    kind = _FORMATS[name]
    _, data = cv2.imencode(kind.suffix, pixels[..., ::-1], kind.options(quality))
    return bytes(data)


def is_whole(content: bytes, name: str) -> bool:
    """Whether a file has its end and can be decoded. OpenCV alone takes truncated ones."""
    return content.endswith(_FORMATS[name].end) and _decode(content) is not None


def decode_picture(content: bytes, where: object) -> UInt8:
    """Return the RGB picture (H, W, 3) of a file's content.

    Raises:
        InputError: it is no picture.
    """
    pixels = _decode(content)
    if pixels is None:
        raise InputError("cannot be decoded", where=where, expected="a JPEG or PNG image")
    return pixels


def is_blank(pixels: UInt8) -> bool:
    """Whether all pixels are the same: black, as safety checkers and overflows leave it."""
    return bool((pixels == pixels[0, 0]).all())


def _decode(content: bytes) -> UInt8 | None:
    try:
        return np.ascontiguousarray(decode_bgr(content)[..., ::-1])
    except PictureError:
        return None
