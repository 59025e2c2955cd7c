"""Projective Average Precision (PAP), in NumPy alone.

A field of occupancy probabilities is posed like the person in a test image and projected. The
mask predicted at threshold tau is the set of pixels that receive a voxel with probability at
least tau. That is where the **maximum** over the pixel's voxels is at least tau, so one image of
maxima (the *occupancy image*) contains the masks of all thresholds, and precision and recall
follow from one histogram.

    >>> import numpy as np
    >>> occupancy = np.float32([[0.9, 0.5], [0.1, -np.inf]])
    >>> target = np.array([[1, 1], [0, 0]])
    >>> human = np.zeros((2, 2))
    >>> round(projective_average_precision(occupancy, target, human).pap, 6)
    1.0

PAP sums, over consecutive thresholds, the drop in recall times the best precision so far. Recall
that remains at the last threshold is not counted, so a field that is 1 everywhere scores 0: the
score rewards a *distribution* (``closed=True`` counts the rest).

Source: docs/protocol.md P18 to P26; the paper, section 4.2. Where paper and evaluation code
differ, the code's number counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float64, Int64
from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError, count_of

#: The protocol's thresholds: 0.01, 0.02, ..., 0.99, each the double nearest to its decimal.
THRESHOLDS: tuple[float, ...] = tuple(round(0.01 * i, 2) for i in range(1, 100))

#: The names of the four numbers, in the order in which they are given everywhere.
SCORE_NAMES = ("PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa")

#: Bits of a pixel's class, see `pixel_classes`.
TARGET, HUMAN, _CLASSES = 1, 2, 4


@checked
@displayed
@dataclass(frozen=True)
class PAPScore:
    """The four numbers of one image, in [0, 1], and the two target areas.

    Attributes:
        pap: plain PAP.
        pap_strict: PAP without the thresholds at which nothing is predicted.
        pap_hoa: human-occlusion-aware PAP: the human's pixels are left out of both masks.
        pap_strict_hoa: both.
        target_area: pixels of the target; if 0, the image is left out of every mean.
        target_area_hoa: pixels of the target that the human does not hide; if 0, the image is left
            out of the two ``hoa`` means.
    """

    pap: float
    pap_strict: float
    pap_hoa: float
    pap_strict_hoa: float
    target_area: int
    target_area_hoa: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the fields as a dictionary."""
        return asdict(self)


@checked
@displayed
@dataclass(frozen=True)
class PixelCounts:
    """The counts behind precision and recall, for any number of images.

    Attributes:
        predicted: (..., T) pixels predicted at each threshold, ascending.
        hit: (..., T) predicted pixels that are on the target.
        target: (...) pixels of the target.
    """

    predicted: Int64
    hit: Int64
    target: Int64

    @property
    def precision(self) -> Float64:
        """Precision at each threshold, (..., T)."""
        return self.hit / np.maximum(self.predicted, 1)

    @property
    def recall(self) -> Float64:
        """Recall at each threshold, (..., T); it never increases."""
        return self.hit / np.maximum(self.target, 1)[..., None]


@checked
def projective_average_precision(
    occupancy_image: ArrayLike,
    target: ArrayLike,
    human: ArrayLike,
    thresholds: Sequence[float] = THRESHOLDS,
    *,
    closed: bool = False,
) -> PAPScore:
    """Score one image.

    Args:
        occupancy_image: (H, W) largest probability among the voxels that project to each pixel,
            compared as float32; minus infinity where there is none.
        target: (H, W) mask of the object; non-zero is on.
        human: (H, W) mask of the person; non-zero is on.
        thresholds: ascending.
        closed: also count the recall that remains at the last threshold (protocol ``closed``).
            The default gives the paper's number.

    Raises:
        InputError: shapes that differ, an occupancy that is NaN or no probability (logits,
            0 to 255), a mask of other numbers than 0 and 1 in floating point, masked elements,
            thresholds not ascending.
    """
    levels = occupancy_levels(_checked_occupancy(occupancy_image), thresholds)
    masks = {"target": _checked_mask(target, "target"), "human": _checked_mask(human, "human")}
    for name, mask in masks.items():
        if mask.shape != levels.shape:
            raise InputError(
                f"the {name} mask has shape {mask.shape}",
                expected=f"the occupancy image's shape {levels.shape}",
            )
    histogram = pixel_histogram(levels, pixel_classes(**masks), len(thresholds))
    return scores_from_histogram(histogram, closed=closed)


def _checked_occupancy(occupancy: object) -> NDArray[np.float32]:
    """Return probabilities as float32; refuse logits and percentages, keep minus infinity."""
    values = real_array(occupancy, "the occupancy image").astype(np.float32)
    outside = np.isfinite(values) & ((values < 0) | (values > 1)) | np.isposinf(values)
    if outside.any():
        raise InputError(
            f"{count_of(int(np.count_nonzero(outside)), 'occupancy')} not between 0 and 1, "
            f"{values[outside][0]:g} for one",
            expected="probabilities, or minus infinity where nothing projects",
            fix="apply a sigmoid to logits; divide 0..255 by 255",
        )
    return values


def _checked_mask(mask: object, name: str) -> NDArray[np.bool_]:
    """Return a mask as booleans; soft masks in floating point are refused."""
    values = real_array(mask, f"the {name} mask")
    if values.dtype.kind == "f" and not np.isin(values, (0, 1)).all():
        raise InputError(
            f"the {name} mask has other values than 0 and 1",
            expected="a mask: booleans, or numbers where non-zero is on",
            fix="threshold a soft mask, for example `mask > 0.5`",
        )
    return values != 0


@checked
def occupancy_levels(occupancy: ArrayLike, thresholds: Sequence[float] = THRESHOLDS) -> Int64:
    """Return how many of the thresholds each probability reaches.

    ``level > i`` is equivalent to ``occupancy >= thresholds[i]``, both in float32.

    Args:
        occupancy: (...) probabilities; minus infinity for "nothing there".
        thresholds: (T,) ascending.

    Returns:
        (...) int64 from 0 to T.
    """
    values = np.asarray(occupancy, dtype=np.float32)
    if np.isnan(values).any():
        raise InputError(
            f"NaN in {count_of(int(np.count_nonzero(np.isnan(values))), 'place')}",
            expected="probabilities, or minus infinity where nothing projects",
        )
    limits = np.asarray(thresholds, dtype=np.float32)
    if limits.ndim != 1 or not limits.size or not (np.diff(limits, prepend=-np.inf) > 0).all():
        raise InputError("thresholds are not ascending", expected="e.g. 0.01, 0.02, ..., 0.99")
    return np.searchsorted(limits, values, side="right").astype(np.int64)


def pixel_classes(target: ArrayLike, human: ArrayLike) -> Int64:
    """Return each pixel's class: 1 for target plus 2 for human, so 0 to 3."""
    return np.not_equal(target, 0) * TARGET + np.not_equal(human, 0) * HUMAN


def pixel_histogram(levels: ArrayLike, classes: ArrayLike, thresholds: int) -> Int64:
    """Return the number of pixels of one image by class and level, (4, T + 1).

    Args:
        levels: any shape, 0 to T, see `occupancy_levels`.
        classes: the same shape, 0 to 3, see `pixel_classes`.
        thresholds: T.
    """
    codes = np.asarray(classes, dtype=np.int64) * (thresholds + 1) + np.asarray(levels)
    counts = np.bincount(codes.ravel(), minlength=_CLASSES * (thresholds + 1))
    return counts.reshape(_CLASSES, thresholds + 1)


@checked
def pixel_counts(
    histogram: Annotated[ArrayLike, Shape("... 4 L")], *, without_human: bool = False
) -> PixelCounts:
    """Return the counts behind precision and recall.

    Args:
        histogram: (..., 4, T + 1) pixels by class (`pixel_classes`) and level
            (`occupancy_levels`).
        without_human: leave the human's pixels out of prediction and target (``hoa``).
    """
    h = np.asarray(histogram, dtype=np.int64)
    used = [0, TARGET] if without_human else [0, TARGET, HUMAN, TARGET | HUMAN]
    on_target = [c for c in used if c & TARGET]
    at_least = np.flip(np.cumsum(np.flip(h, -1), axis=-1), -1)  # pixels at this level or above
    return PixelCounts(
        predicted=at_least[..., used, 1:].sum(axis=-2, dtype=np.int64),
        hit=at_least[..., on_target, 1:].sum(axis=-2, dtype=np.int64),
        target=at_least[..., on_target, 0].sum(axis=-1, dtype=np.int64),
    )


@checked
def average_precision(counts: PixelCounts, *, closed: bool = False) -> tuple[Float64, Float64]:
    """Return plain and strict average precision, each of shape (...).

    With thresholds ascending, step i adds ``(recall[i-1] - recall[i])`` times the largest
    precision of the thresholds before i; strict leaves out steps at which nothing is predicted.
    The sum runs in the order of the thresholds regardless of the batch, so that a sample has the
    same bits alone and among others.

    Args:
        counts: see `PixelCounts`.
        closed: also add the recall at the last threshold times the largest precision.
    """
    plain, strict, rest = _precision_sums(counts)
    return (plain + rest, strict + rest) if closed else (plain, strict)


def _precision_sums(counts: PixelCounts) -> tuple[Float64, Float64, Float64]:
    """Return plain and strict average precision, and what the last recall adds to both."""
    predicted, hit = (
        np.ascontiguousarray(np.moveaxis(values, -1, 0))
        for values in (counts.predicted, counts.hit)
    )
    recall = hit / np.maximum(counts.target, 1)
    best = hit[0] / np.maximum(predicted[0], 1)
    plain, strict = np.zeros_like(best), np.zeros_like(best)
    for i in range(1, len(hit)):
        step = (recall[i - 1] - recall[i]) * best
        plain = plain + step
        strict = strict + np.where(predicted[i] > 0, step, 0.0)
        best = np.maximum(best, hit[i] / np.maximum(predicted[i], 1))
    return plain, strict, recall[-1] * best


def four_scores(plain: PixelCounts, hoa: PixelCounts, *, closed: bool = False) -> Float64:
    """Return the four numbers, (..., 4) in the order of `SCORE_NAMES`.

    Args:
        plain: counts of all pixels.
        hoa: counts without the human's pixels.
        closed: see `average_precision`.
    """
    scores = (*average_precision(plain, closed=closed), *average_precision(hoa, closed=closed))
    return np.stack(scores, axis=-1)


def open_and_closed(plain: PixelCounts, hoa: PixelCounts) -> tuple[Float64, Float64]:
    """Return `four_scores` without and with the last recall, at the cost of one of them."""
    sums = [_precision_sums(plain), _precision_sums(hoa)]
    scores = np.stack([score for *two, _ in sums for score in two], axis=-1)
    rest = np.stack([rest for *_, rest in sums for _ in range(2)], axis=-1)
    return scores, scores + rest


def score_table(histogram: ArrayLike, *, closed: bool = False) -> tuple[Float64, Int64]:
    """Score many images at once.

    Args:
        histogram: (..., 4, T + 1), see `pixel_counts`.
        closed: see `average_precision`.

    Returns:
        (..., 4) scores in the order of `SCORE_NAMES`, and (..., 2) target areas: plain, hoa.
    """
    plain, hoa = pixel_counts(histogram), pixel_counts(histogram, without_human=True)
    areas = np.stack([plain.target, hoa.target], axis=-1)
    return four_scores(plain, hoa, closed=closed), areas


def scores_from_histogram(histogram: ArrayLike, *, closed: bool = False) -> PAPScore:
    """Score one image from its histogram (4, T + 1)."""
    scores, areas = score_table(histogram, closed=closed)
    pap, strict, hoa, strict_hoa = (float(score) for score in scores)
    return PAPScore(pap, strict, hoa, strict_hoa, int(areas[0]), int(areas[1]))


@checked
def category_mean(
    scores: Annotated[ArrayLike, Shape("S 4")], areas: Annotated[ArrayLike, Shape("S 2")]
) -> dict[str, float]:
    """Return a category's means over its images.

    An image without target pixels is left out altogether; one whose target the human hides
    entirely is left out of the two ``hoa`` means. The sums are exact, so the order does not matter.

    Args:
        scores: (S, 4) in the order of `SCORE_NAMES`.
        areas: (S, 2) target areas: plain, hoa.

    Source: docs/protocol.md P25.
    """
    scores = np.asarray(scores, dtype=np.float64).reshape(-1, 4)
    used = counted(areas)
    return {
        name: math.fsum(scores[used[:, i], i]) / max(1, int(np.count_nonzero(used[:, i])))
        for i, name in enumerate(SCORE_NAMES)
    }


def counted(areas: ArrayLike) -> NDArray[np.bool_]:
    """Return which images count for which of the four numbers, (S, 4) from areas (S, 2)."""
    areas = np.asarray(areas).reshape(-1, 2)
    plain = areas[:, 0] > 0
    hoa = plain & (areas[:, 1] > 0)
    return np.stack([plain, plain, hoa, hoa], axis=1)


@checked
def available_mean(
    scores: Annotated[ArrayLike, Shape("S 4")], areas: Annotated[ArrayLike, Shape("S 2")]
) -> dict[str, float | None]:
    """Return a category's means, None for a number that no image counts for.

    Arguments as for `category_mean`. A category without a single target pixel has no score; 0
    would lower the benchmark's mean as if every method had failed on it.
    """
    used = np.atleast_1d(counted(areas).any(axis=0))
    means = category_mean(scores, areas)
    return {name: means[name] if used[i] else None for i, name in enumerate(SCORE_NAMES)}


@checked
def benchmark_mean(categories: Iterable[Mapping[str, float | None]]) -> dict[str, float]:
    """Return ``mPAP`` and its three variants: unweighted means over the categories.

    Categories whose number is None are left out of that mean; see `available_mean`.
    """
    rows = list(categories)
    means = {}
    for name in SCORE_NAMES:
        known = [value for row in rows if (value := row[name]) is not None]
        means[f"m{name}"] = math.fsum(known) / max(1, len(known))
    return means
