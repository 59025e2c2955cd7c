"""Pictures are upright, whatever their EXIF says and whichever format they are in."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from chorus_bench.io.pictures import decode_upright, is_picture, orientation

FORMATS = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}}


def picture(height=6, width=10):
    """A picture whose corners differ, in blocks that JPEG keeps."""
    corners = np.array([[[250, 20, 20], [20, 250, 20]], [[20, 20, 250], [240, 240, 20]]], np.uint8)
    return np.repeat(np.repeat(corners, 8 * height, axis=0), 8 * width, axis=1)


def encoded(kind, number, **more):
    exif = Image.Exif()
    if number is not None:
        exif[0x0112] = number
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, kind, exif=exif.tobytes(), **FORMATS[kind], **more)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation_as_viewers_show_it(kind, number):
    content = encoded(kind, number)
    assert orientation(content) == number
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
    ours = decode_upright(content)
    assert ours.shape == np.asarray(shown).shape
    assert ours.flags.c_contiguous
    assert np.abs(ours.astype(int) - np.asarray(shown)).max() <= 3  # decoders of JPEG differ a bit


@pytest.mark.parametrize("number", [None, 0, 9, 300])
def test_no_or_odd_orientation_is_upright(number):
    content = encoded("JPEG", number)
    assert orientation(content) == 1
    assert decode_upright(content).shape == picture().shape


def exif_block(order="<", tag=0x0112, kind=3, count=1, value=6, entries=1):
    mark = b"II*\x00" if order == "<" else b"MM\x00*"
    number = struct.pack(f"{order}{'H' if kind == 3 else 'I'}", value).ljust(4, b"\x00")
    entry = struct.pack(f"{order}HHI", tag, kind, count) + number
    return mark + struct.pack(f"{order}IH", 8, entries) + entry + b"\x00" * 4


def jpeg(block, before=b""):
    body = b"Exif\x00\x00" + block
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return b"\xff\xd8" + before + segment + encoded("JPEG", None)[2:]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (jpeg(exif_block(">")), 6),
        (jpeg(exif_block("<", kind=4)), 6),
        (jpeg(exif_block(">", kind=4)), 6),
        (jpeg(exif_block(kind=2)), 1),
        (jpeg(exif_block(count=2)), 1),
        (jpeg(exif_block(tag=0x0110)), 1),
        (jpeg(exif_block(entries=60_000)), 6),
        (jpeg(exif_block(tag=0x0110, entries=60_000)), 1),
        (jpeg(b"II*\x00\xff\xff\xff\xff"), 1),
        (jpeg(b"no TIFF at all"), 1),
        (jpeg(b""), 1),
        (jpeg(exif_block(), before=b"\xff\xe0\x00\x04ab"), 6),
        (jpeg(exif_block(), before=b"\xff\xff\xff"), 6),
        (jpeg(exif_block())[:20], 1),
        (b"\xff\xd8", 1),
        (b"\xff\xd8\xff\xe1\x00\x00", 1),
        (b"", 1),
        (b"BM and more", 1),
    ],
)
def test_blocks_of_every_kind(content, expected):
    assert orientation(content) == expected


@pytest.mark.parametrize("cut", range(0, 400, 7))
@pytest.mark.parametrize("kind", FORMATS)
def test_files_that_are_cut_off_end_in_no_error(kind, cut):
    content = encoded(kind, 6)[:cut]
    assert orientation(content) in (1, 6)
    decode_upright(content)


def test_what_is_no_picture():
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, "TIFF")
    for content in (buffer.getvalue(), b"GIF89a", b"", b"text"):
        assert not is_picture(content)
        assert decode_upright(content) is None
    assert decode_upright(b"\xff\xd8 not a JPEG") is None
