"""Mean precision-recall curves of many images.

Source: docs/protocol.md P21 and P25; the mean over images at each threshold
is for display, not a score.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.metrics.pap import PixelCounts


@dataclass(frozen=True, eq=False)
class MeanCurve:
    """A mean precision-recall curve.

    Attributes:
        recall: (T,) mean recall at each threshold.
        precision: (T,) mean precision; NaN at thresholds where no image predicts a pixel.
    """

    recall: Float64
    precision: Float64

    @property
    def undefined_from(self) -> int | None:
        """The first threshold at which no image predicts a pixel; None if there is none."""
        undefined = np.flatnonzero(np.isnan(self.precision))
        return int(undefined[0]) if undefined.size else None


def mean_curve(counts: PixelCounts) -> MeanCurve:
    """Return the mean curve of S images.

    Images without target pixels are left out; the precision at a threshold is over the images for
    which a pixel is predicted there.

    Args:
        counts: predicted and hit pixels (S, T) and target pixels (S,).
    """
    used = counts.target > 0
    predicts = (counts.predicted > 0) & used[:, None]
    number = predicts.sum(axis=0)
    precision = np.where(predicts, counts.precision, 0.0).sum(axis=0) / np.maximum(number, 1)
    recall = counts.recall[used].sum(axis=0) / max(1, int(used.sum()))
    return MeanCurve(recall, np.where(number > 0, precision, np.nan))


def curve_of_categories(curves: Collection[MeanCurve]) -> MeanCurve:
    """Return the unweighted mean over categories, at each threshold, of recall and precision.

    The precision is over the categories in which a pixel is predicted there.
    """
    precision = np.stack([curve.precision for curve in curves])
    number = np.isfinite(precision).sum(axis=0)
    total = np.nan_to_num(precision).sum(axis=0)
    recall = np.stack([curve.recall for curve in curves]).mean(axis=0)
    return MeanCurve(recall, np.where(number > 0, total / np.maximum(number, 1), np.nan))
