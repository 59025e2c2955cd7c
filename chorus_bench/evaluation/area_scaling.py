"""Area scaling of masks, bit for bit as in OpenCV's INTER_AREA.

The original scales its target masks with OpenCV. For pixels that are covered by exactly one half
(in a 480 x 640 image about one pixel per mask), the rounding of OpenCV's float32 sums decides, and
OpenCV's loops are compiled for the processor. So its arithmetic is written out here, one operation
at a time: the same bits everywhere, and those of OpenCV 4 and 5 on x86.

Source: docs/protocol.md P16.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from chorus_bench.array_types import Float32, Int64, UInt8

#: A part of a source pixel that is smaller than this is ignored.
_LEAST_PART = 1e-3
#: Fixed-point weights of enlarged masks.
_UNIT_BITS = 11


def scaled_mask(mask: UInt8, height: int, width: int) -> UInt8:
    """Return a mask (H, W) of 0 and 1 at another size, with the covered share rounded to 0 or 1.

    One half is rounded to 0, but to 1 if both sides are exactly halved.

    Args:
        mask: (H, W).
        height: new height; both sides become shorter, or longer, or stay the same.
        width: new width.
    """
    H, W = mask.shape
    if height > H or width > W:
        return _enlarged(mask, height, width)
    if H % height == 0 and W % width == 0:
        return _of_whole_pixels(mask, height, width)
    columns, shares = _parts(W, width)
    narrow = np.zeros((H, width), dtype=np.float32)
    for column, share in zip(columns, shares, strict=True):
        narrow += mask[:, column] * share
    rows, shares = _parts(H, height)
    small = np.zeros((height, width), dtype=np.float32)
    for row, share in zip(rows, shares, strict=True):
        small += narrow[row] * share[:, None]
    return np.rint(small).astype(np.uint8)


def _of_whole_pixels(mask: UInt8, height: int, width: int) -> UInt8:
    """Scale by whole factors: the covered pixels of each block are counted."""
    tall, wide = mask.shape[0] // height, mask.shape[1] // width
    blocks = mask.reshape(height, tall, width, wide)
    covered = 2 * blocks.sum(axis=(1, 3), dtype=np.int64)
    area = tall * wide
    return (covered >= area if (tall, wide) == (2, 2) else covered > area).astype(np.uint8)


@lru_cache(maxsize=64)
def _parts(source: int, target: int) -> tuple[Int64, Float32]:
    """Return the source pixels of each small pixel, and their shares, both (k, target)."""
    step = 1 / (target / source)
    parts = [_parts_of(place * step, step, source) for place in range(target)]
    most = max(map(len, parts))
    pixels = np.zeros((most, target), dtype=np.int64)
    shares = np.zeros((most, target), dtype=np.float32)
    for place, some in enumerate(parts):
        for number, (pixel, share) in enumerate(some):
            pixels[number, place], shares[number, place] = pixel, share
    return pixels, shares


def _parts_of(begin: float, step: float, source: int) -> list[tuple[int, float]]:
    """Return the pixels, with shares, of a row of ``source`` that lie in [begin, begin + step]."""
    end, size = begin + step, min(step, source - begin)
    last = min(math.floor(end), source - 1)
    first = min(math.ceil(begin), last)
    parts = [(pixel, 1 / size) for pixel in range(first, last)]
    if first - begin > _LEAST_PART:
        parts.insert(0, (first - 1, (first - begin) / size))
    if end - last > _LEAST_PART:
        parts.append((last, min(end - last, 1.0, size) / size))
    return parts


def _enlarged(mask: UInt8, height: int, width: int) -> UInt8:
    """Enlarge: a pixel lies on one or two source pixels per axis, weighted in fixed point."""
    upper, lower, down = _pairs(mask.shape[0], height)
    left, right, across = _pairs(mask.shape[1], width)
    unit = 1 << _UNIT_BITS
    pixels = mask.astype(np.int64)
    lines = (pixels[:, left] * (unit - across) + pixels[:, right] * across) >> 4
    above, below = (unit - down)[:, None] * lines[upper], down[:, None] * lines[lower]
    return (((above >> 16) + (below >> 16) + 2) >> 2).astype(np.uint8)


def _pairs(source: int, target: int) -> tuple[Int64, Int64, Int64]:
    """Return the two source pixels under each pixel, and the weight of the second, in 2048ths."""
    growth = target / source
    place = np.arange(target)
    first = np.floor(place * (1 / growth)).astype(np.int64)
    over = np.maximum(((place + 1) - (first + 1) * growth).astype(np.float32), 0)
    weight = np.rint((over - np.floor(over)) * (1 << _UNIT_BITS)).astype(np.int64)
    weight[first >= source - 1] = 0
    return first, np.minimum(first + 1, source - 1), weight
