"""Fields that are valid but score badly for reasons unrelated to the method.

PAP rewards a distribution: it sums drops in recall while the threshold rises from 0.01 to 0.99 and
the mask shrinks. A field whose mask never shrinks scores 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float32
from chorus_bench.boundary import checked
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.pap import THRESHOLDS, occupancy_levels

_FAINT = np.float32(0.05)
_BODY_REACH = 1.5  # metres; the protocol's probe cube ends here
_SMALLEST_CUBE = 0.5  # metres
_CENTIMETRES, _MILLIMETRES = 30.0, 1_000.0  # sides of a cube from which on these units are likely


@dataclass(frozen=True)
class Degeneracy:
    """A sign that a field is not what its author intended.

    Attributes:
        found: a description of the values.
        consequence: the effect on the score.
        fix: what to do.
    """

    found: str
    consequence: str
    fix: str

    def __str__(self) -> str:
        return f"{self.found}: {self.consequence}. What to do: {self.fix}."


@checked
def field_warnings(values: Annotated[Float32, Shape("N N N")], spec: GridSpec) -> list[str]:
    """Return warnings, in plain sentences, why a field may score badly, and what to do.

    Args:
        values: (N, N, N) occupancy, which should lie in [0, 1].
        spec: the field's geometry, which should be in metres.

    Returns:
        One text per warning; none for a field whose values span the thresholds.
    """
    return [str(warning) for warning in (*grid_degeneracies(spec), *value_degeneracies(values))]


def value_degeneracies(values: Float32) -> list[Degeneracy]:
    """Return the degeneracies of the values (N, N, N) at the official thresholds."""
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):
        return [_wrong_scale(values)]
    first, last = np.float32(THRESHOLDS[0]), np.float32(THRESHOLDS[-1])
    if high < first:
        return [_nothing_predicted(high)]
    predicted = values >= first
    if np.count_nonzero(predicted) == np.count_nonzero(values >= last):
        return [_never_changes(low, high)]
    found = []
    lowest = float(np.min(values, where=predicted, initial=np.float32(1)))
    reached = occupancy_levels([lowest, high])
    if reached[0] == reached[1]:
        found.append(_disappears_at_once(low, high, THRESHOLDS[reached[1] - 1]))
    if high <= _FAINT:
        found.append(_faint(high, int(reached[1])))
    return found


def grid_degeneracies(spec: GridSpec) -> list[Degeneracy]:
    """Return oddities of the geometry, which should be in metres."""
    side = f"side_length is {spec.side_length:g}"
    found = []
    if spec.side_length >= _CENTIMETRES:
        unit, factor = "centimetres", 100
        if spec.side_length >= _MILLIMETRES:
            unit, factor = "millimetres", 1000
        found.append(
            Degeneracy(
                f"{side}, which looks like {unit}; the unit must be the metre",
                "the whole body falls into a few voxels and the score is near 0",
                f"divide side_length and center by {factor}",
            )
        )
    elif spec.side_length < _SMALLEST_CUBE:
        found.append(
            Degeneracy(
                f"{side} metres, less than a body's reach",
                "points outside the cube count as 0, so most of the object is lost",
                "give side_length in metres; 3.0 is usual",
            )
        )
    if any(abs(c) - spec.side_length / 2 > _BODY_REACH for c in spec.center):
        found.append(
            Degeneracy(
                f"the cube around center {spec.center} does not reach the body",
                "all scored points lie outside it and count as 0, so the score is 0",
                "give center in metres from the body template's origin; [0, 0, 0] is usual",
            )
        )
    return found


def scale_hint(values: NDArray[np.generic]) -> str:
    """Return advice about values that are not probabilities.

    Args:
        values: (...) values, some NaN, infinite or outside [0, 1].
    """
    floats = values.astype(np.float32)
    if not np.isfinite(floats).all():
        return "find out where the NaN or infinite values come from"
    if floats.min() < 0:
        return "if these are logits, apply the sigmoid first; if rounding errors, clip to [0, 1]"
    if 2 < floats.max() <= 255:
        return "if these are 8-bit values, divide them by 255, or save them as uint8"
    return "scale to [0, 1], or clip if these are rounding errors"


def _wrong_scale(values: Float32) -> Degeneracy:
    finite = values[np.isfinite(values)]
    found = f"the values run from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""
    if finite.size < values.size:
        found = f"{values.size - finite.size} values are NaN or infinite"
    return Degeneracy(
        found,
        "they are not probabilities, and such a submission is refused",
        scale_hint(values),
    )


def _nothing_predicted(high: float) -> Degeneracy:
    return Degeneracy(
        f"every voxel is below 0.01 (the largest is {high:.4g})",
        "no threshold predicts anything, so every score is 0, also with the protocol `closed`",
        "scale the field; a 0/1 mask saved as uint8 must use 255 for 1",
    )


def _never_changes(low: float, high: float) -> Degeneracy:
    found = "every voxel is below 0.01 or at least 0.99 (binary or saturated)"
    if low == high:
        found = f"every voxel is {low:.4g} (constant)"
    return Degeneracy(
        found,
        "the voxels above the threshold never change between 0.01 and 0.99, so the official PAP "
        "is 0 whatever the shape",
        "submit probabilities that vary, or score with the protocol `closed`, which counts the "
        "recall that remains at 0.99",
    )


def _disappears_at_once(low: float, high: float, threshold: float) -> Degeneracy:
    found = f"every voxel of the prediction lies at the same threshold, {threshold}"
    if low == high:
        found = f"every voxel is {low:.4g} (constant)"
    return Degeneracy(
        found,
        "the mask does not change until it disappears, so PAP sees only one shape and the "
        "strict scores are 0",
        "submit probabilities that vary",
    )


def _faint(high: float, steps: int) -> Degeneracy:
    return Degeneracy(
        f"no voxel is above {high:.4g}",
        f"only {steps} of the 99 thresholds predict anything, so PAP sees at most {steps} shapes, "
        "and the strict scores leave out the recall of the last one",
        "rescale the probabilities, for example divide by the largest one",
    )
