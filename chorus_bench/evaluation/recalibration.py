"""Monotone recalibration: the best monotone map of probabilities onto the thresholds' levels.

A monotone map of probabilities commutes with the maximum over a pixel's voxels, so it acts on
occupancy images. It is given by T *cuts*, ascending: a value reaches threshold i if it is at least
``cuts[i]``. Zero stays zero: every cut is positive.

An additional threshold never lowers PAP (it splits a step of recall in two and can only raise the
largest precision so far), and between two values that occur on target pixels only precision
changes, so it is best to place cuts at such values. Hence the PAP with a cut at *every* value is
the **limit** of all monotone maps. With no more than T - 1 such values it is reached; with more,
the T cuts are chosen by dynamic programming.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.array_types import Float32, Float64, Int64

#: Largest number of candidate cuts, in equal steps of target pixels.
MAX_CANDIDATES = 400


@dataclass(frozen=True, eq=False)
class Recalibration:
    """A monotone map of probabilities onto levels.

    Attributes:
        cuts: (T,) float32, ascending and positive: the value from which on a pixel reaches each
            threshold; infinity if none does.
        limit: the category's PAP with unlimited thresholds instead of T, which no monotone map
            exceeds.
    """

    cuts: Float32
    limit: float

    def levels(self, values: ArrayLike) -> Int64:
        """Return the level, 0 to T, of each value."""
        found = np.asarray(values, dtype=np.float32)
        return np.searchsorted(self.cuts, found, side="right").astype(np.int64)


def recalibrate(
    images: Sequence[Float32],
    targets: Sequence[NDArray[np.bool_]],
    thresholds: Sequence[float],
    *,
    closed: bool = False,
) -> Recalibration:
    """Return the best cuts for a category's mean PAP, by dynamic programming.

    A step from cut j to the next cut k > j adds, in the mean over the samples,
    ``(r_j - r_k) * b_j`` with ``b_j`` the largest precision of all candidates up to j. PAP itself
    uses the largest precision of the *chosen* cuts up to j, which depends on the path; that of the
    candidates does not, so the best path of T cuts is found exactly. Its PAP may therefore be
    below the optimum; `Recalibration.limit` bounds the difference.

    Args:
        images: the occupancy images of the S samples, (P,) each; minus infinity for "nothing".
        targets: their target masks, (P,) each; samples without target pixels are ignored.
        thresholds: the T thresholds of the protocol, which are among the candidates.
        closed: whether the recall that remains at the last threshold counts.
    """
    used = [(image, on) for image, on in zip(images, targets, strict=True) if on.any()]
    hits = [np.sort(image[on & (image > 0)]) for image, on in used]
    values = np.unique(np.concatenate([np.zeros(0, np.float32), *hits]))
    limit = math.fsum(_limit(image, on) for image, on in used) / max(1, len(used))
    if not len(values):
        return Recalibration(np.full(len(thresholds), np.inf, np.float32), limit)
    candidates = np.append(_candidates(values, hits, thresholds), np.float32(np.inf))
    recall, precision = _curves(used, candidates)
    path = _best_path(recall, precision, len(thresholds), closed=closed)
    return Recalibration(candidates[path], limit)


def _candidates(
    values: Float32, hits: Sequence[Float32], thresholds: Sequence[float]
) -> NDArray[np.float32]:
    """Return the candidate values of cuts, ascending."""
    if len(values) <= MAX_CANDIDATES:
        return values
    pixels = np.sort(np.concatenate(hits))
    places = np.linspace(0, len(pixels) - 1, MAX_CANDIDATES).round().astype(np.int64)
    limits = np.asarray(thresholds, dtype=np.float32)
    now = values[np.searchsorted(values, limits[limits <= values[-1]])]
    return np.unique(np.concatenate([pixels[places], now]))


def _curves(
    used: Sequence[tuple[Float32, NDArray[np.bool_]]], cuts: Float32
) -> tuple[Float64, Float64]:
    """Return recall and precision of every sample at every cut, (S, G) each."""
    recall, precision = np.zeros((2, len(used), len(cuts)))
    for row, (image, on) in enumerate(used):
        predicted = image.size - np.searchsorted(np.sort(image), cuts)
        hit = int(on.sum()) - np.searchsorted(np.sort(image[on]), cuts)
        recall[row] = hit / on.sum()
        precision[row] = hit / np.maximum(1, predicted)
    return recall, precision


def _best_path(recall: Float64, precision: Float64, steps: int, *, closed: bool) -> Int64:
    """Return the best ``steps`` cuts in ascending order, with repetitions; see `recalibrate`."""
    best = np.maximum.accumulate(precision, axis=1)
    kept = (best * recall).sum(axis=0)
    gain = kept[:, None] - best.T @ recall  # (from, to)
    gain[np.tril_indices(len(gain), -1)] = -np.inf
    np.fill_diagonal(gain, 0)
    value, origins = np.zeros(len(gain)), []
    for _ in range(steps - 1):
        total = value[:, None] + gain
        origins.append(total.argmax(axis=0))
        value = total.max(axis=0)
    path = [int((value + kept if closed else value).argmax())]
    for origin in reversed(origins):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1], dtype=np.int64)


def _limit(image: Float32, on: NDArray[np.bool_]) -> float:
    """Return the PAP of one sample with a threshold at every positive value, and one above."""
    cuts = np.unique(image[on & (image > 0)])
    recall, precision = _curves([(image, on)], np.append(cuts, np.float32(np.inf)))
    steps = recall[0, :-1] - recall[0, 1:]
    return math.fsum(steps * np.maximum.accumulate(precision[0])[:-1])
