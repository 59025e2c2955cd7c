"""From the images of many readings to a category's PAP for each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from chorus_bench.array_types import Float64, Int32, UInt8
from chorus_bench.metrics.pap import TARGET, PixelCounts, average_precision

_BLOCK = 8  # samples that are scored together


def level_counts(classes: UInt8, images: UInt8, thresholds: int) -> Int32:
    """Return the pixels of some images by level and class, (T + 1, 2, C).

    Args:
        classes: (P,) class of every pixel, see `pixel_classes`.
        images: (P, C) levels, 0 to T.
        thresholds: T.

    Returns:
        The number of pixels off the target and on it.
    """
    columns = images.shape[1]
    on_target = (classes & TARGET) > 0
    found = np.empty((thresholds + 1, 2, columns), dtype=np.int32)
    for side in (0, 1):
        codes = np.multiply(images[on_target == side], columns, dtype=np.int64)
        codes += np.arange(columns)
        counts = np.bincount(codes.ravel(), minlength=(thresholds + 1) * columns)
        found[:, side] = counts.reshape(thresholds + 1, columns)
    return found


def mean_pap(counts: Sequence[Int32], *, closed: bool) -> list[float]:
    """Return a category's PAP for every candidate, as `category_mean` gives it.

    Args:
        counts: for each of the S samples the pixels of C candidates, (T + 1, 2, C).
        closed: whether the last recall step counts.
    """
    used = [one for one in counts if one[:, 1, 0].any()]
    blocks = [
        _pap(np.stack(used[begin : begin + _BLOCK], axis=1), closed=closed)
        for begin in range(0, len(used), _BLOCK)
    ]
    scores = np.concatenate(blocks).T.tolist()
    return [math.fsum(of_candidate) / len(used) for of_candidate in scores]


def _pap(counts: Int32, *, closed: bool) -> Float64:
    """Return PAP, (S, C), from counts (T + 1, S, 2, C)."""
    at_least = np.cumsum(counts[::-1], axis=0, dtype=np.int64)[::-1]
    predicted, hit = at_least[1:].sum(axis=2), at_least[1:, :, 1]
    found = PixelCounts(np.moveaxis(predicted, 0, -1), np.moveaxis(hit, 0, -1), at_least[0, :, 1])
    return average_precision(found, closed=closed)[0]
