"""The size of a picture from its file's header, before anything is decoded.

A file of a few kilobytes can ask for gigabytes, and OpenCV raises, returns nothing, or takes them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

#: Pixels of a picture: 128 million, 384 MB decoded. The largest cameras have that many.
MAX_PICTURE_PIXELS = 2**27


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return height and width as the header of a JPEG, PNG, WebP or BMP file says them.

    They are those of the stored picture, before EXIF turns it. None where the header is damaged,
    or the file is of another format.
    """
    for start, read in _FORMATS.items():
        if content.startswith(start):
            try:
                return read(content)
            except (struct.error, IndexError):
                return None
    return None


def _png(content: bytes) -> tuple[int, int] | None:
    """Walk over the chunks as well: OpenCV allocates what a chunk declares."""
    width, height = struct.unpack_from(">II", content, 16)
    place = 8
    while content[place + 4 : place + 8] != b"IEND":
        place += 12 + struct.unpack_from(">I", content, place)[0]
    return height, width


def _bmp(content: bytes) -> tuple[int, int]:
    old = struct.unpack_from("<I", content, 14)[0] == 12
    width, height = struct.unpack_from("<HH" if old else "<ii", content, 18)
    return abs(height), abs(width)


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return height & 0x3FFF, width & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[n : n + 3], "little") + 1 for n in (24, 27))
        return height, width
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk over the segments to the first frame header (SOF0 to SOF15 without DHT, JPG, DAC)."""
    place = 2
    while place < len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker == 0xFF:  # filling
            place += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a segment
            place += 2
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, place + 5)
            return height, width
        else:
            place += 2 + struct.unpack_from(">H", content, place + 2)[0]
    return None


_FORMATS: dict[bytes, Callable[[bytes], tuple[int, int] | None]] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8": _jpeg,
    b"RIFF": _webp,
    b"BM": _bmp,
}
