"""Comparison of one figure of this installation with the original's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.boundary import checked


@checked
@dataclass(frozen=True)
class Comparison:
    """The result of one comparison.

    Attributes:
        name: what was computed.
        quantity: what was measured between ours and the original's.
        unit: unit of ``largest_difference`` and ``tolerance``; empty for plain numbers.
        largest_difference: the difference found; NaN if ours is NaN where theirs is not.
        tolerance: the difference allowed.
        count: number of figures compared.
    """

    name: str
    quantity: str
    unit: str
    largest_difference: float
    tolerance: float
    count: int

    @property
    def passed(self) -> bool:
        """Whether something was compared and no difference exceeds the tolerance."""
        return self.count > 0 and self.largest_difference <= self.tolerance


def largest(
    name: str, quantity: str, unit: str, ours: ArrayLike, theirs: ArrayLike, tolerance: float
) -> Comparison:
    """Compare two arrays of one shape by their largest absolute difference.

    Shapes that differ, and values that are not finite in only one of the two, count as an
    infinite difference.
    """
    a, b = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
    difference = np.inf
    if a.shape == b.shape and np.array_equal(np.isfinite(a), np.isfinite(b)):
        finite = np.isfinite(b)
        difference = float(np.abs(a[finite] - b[finite]).max(initial=0.0))
    return Comparison(name, quantity, unit, difference, tolerance, b.size)


def differing(
    name: str, quantity: str, unit: str, ours: ArrayLike, theirs: ArrayLike, tolerance: int
) -> Comparison:
    """Compare two arrays of one shape by the number of entries that are not equal."""
    a, b = np.asarray(ours), np.asarray(theirs)
    found = float(np.count_nonzero(a != b)) if a.shape == b.shape else np.inf
    return Comparison(name, quantity, unit, found, tolerance, b.size)
