"""View weights: how much the views from a direction count.

Source: docs/method.md M15; the paper, section 3.3, and 4 for the ablation.
"""

from __future__ import annotations

import numpy as np

from chorus_bench.array_types import Float64, Int64
from chorus_bench.errors import unknown_name
from chorus_bench.geometry.camera import AZIMUTH_BINS

AZIMUTH_12, AZIMUTH_3, EQUAL = "azimuth-12", "azimuth-3", "equal"
#: Every direction counts the same in 12 bins (the paper's) or in 3; or every view does.
VIEW_WEIGHTS = (AZIMUTH_12, AZIMUTH_3, EQUAL)


def check_weights(name: str) -> str:
    """Return the name of view weights; an unknown one is an `InputError`."""
    if name not in VIEW_WEIGHTS:
        raise unknown_name("view weights", name, VIEW_WEIGHTS)
    return name


def divisors(views: Int64, weights: str) -> Float64:
    """Return by what the votes of each azimuth bin are divided.

    A bin of 120 degrees is four of the bins of 30 degrees.

    Args:
        views: (12,) number of views per azimuth bin.
        weights: one of `VIEW_WEIGHTS`.

    Returns:
        (12,): the number of views in the bin, or in the wide bin that it is part of, or 1.
    """
    if check_weights(weights) == EQUAL:
        return np.ones(AZIMUTH_BINS)
    wide = 1 if weights == AZIMUTH_12 else AZIMUTH_BINS // 3
    return np.repeat(views.reshape(-1, wide).sum(axis=1, dtype=np.int64), wide).astype(np.float64)
