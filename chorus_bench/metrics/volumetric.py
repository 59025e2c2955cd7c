"""Scores of an occupancy field against the ground truth in 3D.

PAP sees a field through one camera and rewards a good order of the voxels; it does not ask
whether a probability of 0.3 is right three times in ten. These scores do.

    >>> import numpy as np
    >>> truth = np.array([True, False, False, False])
    >>> round(brier_score([0.8, 0.2, 0.0, 0.0], truth), 3)
    0.02
    >>> round(soft_iou([0.8, 0.2, 0.0, 0.0], truth), 3)
    0.667
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Float64, Int64
from chorus_bench.errors import InputError

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class CalibrationCurve:
    """Observed against predicted frequency, as counts, which can be added.

    The first bin ends before ``1 / bins``, the last one includes 1.

    Attributes:
        voxels: (B,) voxels whose probability falls in each bin.
        occupied: (B,) how many of these the ground truth occupies.
        total: (B,) the sum of their probabilities.
    """

    voxels: Int64
    occupied: Float64
    total: Float64

    @property
    def predicted(self) -> Float64:
        """The mean probability of each bin (B,); NaN for an empty bin."""
        return _ratio(self.total, self.voxels)

    @property
    def observed(self) -> Float64:
        """The observed share of occupied voxels in each bin (B,); NaN for an empty bin."""
        return _ratio(self.occupied, self.voxels)

    @property
    def error(self) -> float:
        """The expected calibration error: mean over the voxels of |predicted - observed|."""
        gaps = np.abs(self.total - self.occupied)
        return float(gaps.sum() / max(1, int(self.voxels.sum())))

    def __add__(self, other: CalibrationCurve) -> CalibrationCurve:
        return CalibrationCurve(
            self.voxels + other.voxels, self.occupied + other.occupied, self.total + other.total
        )


def brier_score(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Return the Brier score: the mean squared difference from the ground truth; 0 is perfect.

    Objects fill about a thousandth of the cube, so an empty field scores about 0.001: compare
    methods, not values.

    Args:
        probabilities: (...) in [0, 1].
        truth: (...) booleans or probabilities.

    Raises:
        InputError: shapes that differ, no voxel, or values outside [0, 1].
    """
    p, t = _checked(probabilities, truth)
    return float(np.mean((p - t) ** 2))


def soft_iou(probabilities: ArrayLike, truth: ArrayLike) -> float:
    """Return the soft IoU: the sum of the minima over the sum of the maxima; 1 is perfect.

    For booleans it is the intersection over union. If both are empty, it is 1.

    Args:
        probabilities: (...) in [0, 1].
        truth: (...) booleans or probabilities.

    Raises:
        InputError: see `brier_score`.
    """
    p, t = _checked(probabilities, truth)
    union = float(np.maximum(p, t).sum())
    return float(np.minimum(p, t).sum()) / union if union else 1.0


def calibration_curve(
    probabilities: ArrayLike, truth: ArrayLike, bins: int = CALIBRATION_BINS
) -> CalibrationCurve:
    """Count the occupied voxels by predicted probability.

    Args:
        probabilities: (...) in [0, 1].
        truth: (...) booleans or probabilities.
        bins: number of bins, of equal width.

    Raises:
        InputError: see `brier_score`; or less than one bin.
    """
    p, t = _checked(probabilities, truth)
    if bins < 1:
        raise InputError(f"{bins} bins", expected="at least 1")
    number = np.minimum((p.ravel() * bins).astype(np.int64), bins - 1)
    return CalibrationCurve(
        voxels=np.bincount(number, minlength=bins),
        occupied=np.bincount(number, t.ravel(), minlength=bins).astype(np.float64),
        total=np.bincount(number, p.ravel(), minlength=bins).astype(np.float64),
    )


def _checked(probabilities: ArrayLike, truth: ArrayLike) -> tuple[Float64, Float64]:
    p, t = (np.asarray(values, dtype=np.float64) for values in (probabilities, truth))
    if p.shape != t.shape:
        raise InputError(f"a field of shape {p.shape}", expected=f"the truth's shape {t.shape}")
    if not p.size:
        raise InputError("there is no voxel to compare")
    for name, values in (("field", p), ("truth", t)):
        if not ((values >= 0) & (values <= 1)).all():
            raise InputError(f"the {name} has values outside [0, 1] or NaN")
    return p, t


def _ratio(part: Float64, whole: Int64) -> Float64:
    with np.errstate(invalid="ignore"):
        share: Float64 = np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
    return share
