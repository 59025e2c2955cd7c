"""Decoding of picture files to upright pictures, independently of OpenCV's version.

Cameras store a photograph as the sensor saw it, with an EXIF tag for its orientation. Viewers and
`datasets` obey it; OpenCV does for some formats in some versions. Here the tag is read and obeyed
for JPEG, PNG and WebP alike; sizes are those of the upright picture.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np

from chorus_bench.array_types import UInt8
from chorus_bench.io.picture_sizes import MAX_PICTURE_PIXELS, picture_size

#: The first bytes of supported files.
_JPEG, _PNG, _RIFF, _BMP = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF", b"BM"
_EXIF = b"Exif\x00\x00"
_ORIENTATION = 0x0112
#: JPEG markers without a segment, and the one where the image data begin.
_ALONE, _SCAN = (0x01, *range(0xD0, 0xD9)), 0xDA


def is_picture(content: bytes) -> bool:
    """Whether bytes begin like a JPEG, PNG, WebP or BMP file."""
    return content.startswith((_JPEG, _PNG, _BMP)) or _is_webp(content)


def decode_upright(content: bytes) -> UInt8 | None:
    """Return the upright RGB picture (H, W, 3) of a file's bytes, or None.

    None stands for what is no picture, is damaged, or has more pixels than
    `MAX_PICTURE_PIXELS`.
    """
    height, width = picture_size(content) or (0, 0)
    if not 0 < height * width <= MAX_PICTURE_PIXELS:
        return None
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), flags)
    except cv2.error:  # more pixels than OpenCV accepts
        return None
    if pixels is None:
        return None
    return np.ascontiguousarray(
        _turned(np.asarray(pixels[..., ::-1], dtype=np.uint8), orientation(content)), dtype=np.uint8
    )


def orientation(content: bytes) -> int:
    """Return the EXIF orientation of a file: 1 (upright, the default) to 8.

    The tag is 0x0112 of Exif 2.3.
    """
    try:
        return _tiff_orientation(_exif(content))
    except (struct.error, IndexError):
        return 1  # truncated or damaged


def _turned(pixels: UInt8, number: int) -> UInt8:
    """Return stored pixels (H, W, 3) turned upright.

    Orientations 2 to 4 are mirrored or upside down; 5 to 8 have rows and columns exchanged.
    """
    turned = pixels.transpose(1, 0, 2) if number >= 5 else pixels
    if number in (3, 4, 7, 8):
        turned = turned[::-1]
    if number in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return turned


def _exif(content: bytes) -> bytes:
    """Return the EXIF block of a file; empty if there is none."""
    if content.startswith(_JPEG):
        return _jpeg_exif(content)
    if content.startswith(_PNG):
        return _chunk(content, len(_PNG), b"eXIf", ">I4s", 0, 4)
    if _is_webp(content):
        block = _chunk(content, 12, b"EXIF", "<4sI", 1, 0)
        return block.removeprefix(_EXIF)
    return b""


def _is_webp(content: bytes) -> bool:
    return content.startswith(_RIFF) and content[8:12] == b"WEBP"


def _jpeg_exif(content: bytes) -> bytes:
    place = 2
    while content[place] == 0xFF:
        marker = content[place + 1]
        if marker == _SCAN:
            break
        if marker in _ALONE or marker == 0xFF:  # 0xFF is padding
            place += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", content, place + 2)
        block = content[place + 4 : place + 2 + length]
        if marker == 0xE1 and block.startswith(_EXIF):
            return block[len(_EXIF) :]
        place += 2 + max(length, 2)
    return b""


def _chunk(content: bytes, place: int, wanted: bytes, head: str, size_at: int, after: int) -> bytes:
    """Return a chunk of PNG (length, name, data, checksum) or WebP (name, length, padded data)."""
    while place + 8 <= len(content):
        parts = struct.unpack_from(head, content, place)
        name, length = parts[1 - size_at], parts[size_at]
        if name == wanted:
            return content[place + 8 : place + 8 + length]
        place += 8 + length + (after or length % 2)
    return b""


def _tiff_orientation(block: bytes) -> int:
    """Return the orientation in an EXIF block, which is a small TIFF file."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(block[:4])
    if order is None:
        return 1
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for number in range(count):
        place = start + 2 + 12 * number
        tag, kind, length = struct.unpack_from(f"{order}HHI", block, place)
        if tag == _ORIENTATION and length == 1 and kind in (3, 4):
            (value,) = struct.unpack_from(f"{order}{'H' if kind == 3 else 'I'}", block, place + 8)
            return int(value) if 1 <= value <= 8 else 1
    return 1
