"""The size of pictures before they are decoded, and what is not decoded for it."""

import cv2
import numpy as np
import pytest

from chorus_bench.io import pictures
from chorus_bench.io.picture_sizes import picture_size
from chorus_bench.io.pictures import decode_upright


def encoded(suffix, *options, height=37, width=301):
    pixels = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(suffix, pixels, list(options))[1].tobytes()


FILES = {
    "png": encoded(".png"),
    "jpeg": encoded(".jpg"),
    "progressive jpeg": encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    "lossy webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 50),
    "lossless webp": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
    "bmp": encoded(".bmp"),
}
#: A lossless WebP in the extended container.
FILES["extended webp"] = (
    b"RIFF"
    + (len(FILES["lossless webp"]) + 10).to_bytes(4, "little")
    + b"WEBPVP8X"
    + bytes([10, 0, 0, 0, 0, 0, 0, 0])
    + (300).to_bytes(3, "little")
    + (36).to_bytes(3, "little")
    + FILES["lossless webp"][12:]
)


@pytest.mark.parametrize("name", FILES)
def test_the_header_says_what_decoding_gives(name):
    assert picture_size(FILES[name]) == (37, 301)
    assert decode_upright(FILES[name]).shape == (37, 301, 3)


def test_headers_of_formats_that_are_not_written_here():
    upside_down = b"BM" + bytes(12) + (40).to_bytes(4, "little") + (301).to_bytes(4, "little")
    assert picture_size(upside_down + (-37).to_bytes(4, "little", signed=True)) == (37, 301)
    old = b"BM" + bytes(12) + (12).to_bytes(4, "little") + bytes([45, 1, 37, 0])
    assert picture_size(old) == (37, 301)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("length", [0, 1, 3, 9, 13, 17, 25, 29])
def test_what_is_cut_off(name, length):
    assert decode_upright(FILES[name][:length]) is None


def test_a_chunk_that_claims_gigabytes():
    """OpenCV makes room for what a chunk of a PNG file says that it has."""
    png = FILES["png"]
    assert png[37:41] == b"IDAT"
    assert picture_size(png[:33] + b"\xff\xff\xff\xff" + png[37:]) is None
    assert decode_upright(png[:33] + b"\x7f\xff\xff\xff" + png[37:]) is None


@pytest.mark.parametrize("name", FILES)
def test_every_byte_of_a_header_may_be_wrong(name, monkeypatch):
    """A picture within the limit or none, whatever stands there."""
    monkeypatch.setattr(pictures, "MAX_PICTURE_PIXELS", 2**20)
    for place in range(40):
        for value in (0, 1, 127, 255):
            content = FILES[name][:place] + bytes([value]) + FILES[name][place + 1 :]
            pixels = decode_upright(content)
            assert pixels is None or pixels.size <= 3 * 2**20


def test_too_many_pixels(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PICTURE_PIXELS", 37 * 301 - 1)
    for content in FILES.values():
        assert decode_upright(content) is None
