"""Picture files: encoding, and checks for completeness and blank content."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2

from chorus_bench.errors import InputError
from chorus_bench.io.pictures import decode_upright
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
        quality: JPEG quality.
    """
    kind = _FORMATS[name]
    _, data = cv2.imencode(kind.suffix, pixels[..., ::-1], kind.options(quality))
    return bytes(data)


def is_whole(content: bytes, name: str) -> bool:
    """Whether a file has its end and can be decoded. OpenCV alone takes truncated ones."""
    return content.endswith(_FORMATS[name].end) and decode_upright(content) is not None


def decode_picture(content: bytes, where: object) -> UInt8:
    """Return the upright RGB picture (H, W, 3) of a file's content.

    Raises:
        InputError: it is not a picture.
    """
    pixels = decode_upright(content)
    if pixels is None:
        raise InputError("cannot be decoded", where=where, expected="a JPEG or PNG image")
    return pixels


def is_blank(pixels: UInt8) -> bool:
    """Whether all pixels are equal: black, for example, after a safety checker or an overflow."""
    return bool((pixels == pixels[0, 0]).all())
