"""Detection of mirrored fields and exchanged axes, on a few samples.

A field that scores clearly better after a reflection or an exchange of axes was probably written
in a frame other than the benchmark's (x to the person's left, y up, z forward). A few
samples can favour a turned field by chance, so a turn is reported only when it is better on so
many of them that chance is ruled out (a sign test, corrected for the 47 turns that are tried).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.bodies import body_for
from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.evaluation.cache import GeometryCache, Lookup
from chorus_bench.evaluation.scoring import level_table, lookup_histogram
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.metrics.pap import score_table
from chorus_bench.metrics.protocol import CLOSED
from chorus_bench.progress import Progress, silent
from chorus_bench.submission import Submission

SAMPLES_PER_CATEGORY = 16
#: A turn is reported when chance would favour one of all turns as often with at most this share.
CHANCE = 0.01
_TURNS = 47
#: A reorientation is reported if it raises the closed PAP by this much, and to this multiple.
GAIN, FACTOR = 0.05, 1.5

_AXES = "xyz"


def orientation_warnings(
    submission: Submission,
    *,
    split: str | Path | EvalSplit = "example",
    body: str | Path | BodyModel | object = None,
    progress: Progress = silent,
) -> list[str]:
    """Return a warning for each category whose field fits better mirrored or turned.

    Args:
        submission: a submission; those of the posed track are not tested.
        split: a few samples of each category of this test split are used.
        body: the body to pose; the default one if None.
        progress: called with (samples done, samples in all).

    Raises:
        InputError: anything wrong with the split, or another body than the split's.
    """
    wanted = [name for name in submission.categories if not any(submission.grid_of(name).center)]
    if submission.track != "canonical" or not wanted:
        return []
    loaded = load_split(split)
    model = body_for(loaded.body, body, f"split '{loaded.name}'")
    samples = _few(loaded, wanted)
    cache = GeometryCache(samples, model, CLOSED)
    warnings: list[str] = []
    for number, batch in enumerate(cache.batches):
        lookup = cache.load(batch, submission.grid_of(batch.category), "canonical")
        warnings += _warning(batch.category, submission.field(batch.category), lookup)
        progress(number + 1, len(cache.batches))
    return warnings


def _few(split: EvalSplit, categories: Collection[str]) -> list[EvalSample]:
    groups = itertools.groupby(split.samples, key=lambda sample: sample.category)
    wanted = ((name, list(group)) for name, group in groups if name in categories)
    return [s for _, group in wanted for s in group[:SAMPLES_PER_CATEGORY]]


def _warning(category: str, field: OccupancyGrid, lookup: Lookup) -> list[str]:
    as_it_is = _scores(field, lookup)
    tried = {name: _scores(turned, lookup) for name, turned in _turns(field)}
    best = max(tried, key=lambda name: math.fsum(tried[name]))
    before, after = (math.fsum(scores) / len(lookup.sizes) for scores in (as_it_is, tried[best]))
    better, worse = int((tried[best] > as_it_is).sum()), int((tried[best] < as_it_is).sum())
    chance = chance_of_signs(better, worse)
    if after < max(before + GAIN, before * FACTOR) or chance > CHANCE:
        return []
    return [
        f"{category}: the field fits better {best}, on {better} of {better + worse} test samples "
        f"(closed PAP {after:.3f} against {before:.3f}; by chance in {100 * chance:.2g} % of "
        "cases). Axes must be x to the person's left, y up, z forward, in this order"
    ]


def chance_of_signs(better: int, worse: int) -> float:
    """Return how often chance favours one of all turns on at least so many samples.

    It is the one-sided sign test times the number of turns (Bonferroni), at most 1.
    """
    n = better + worse
    tail = sum(math.comb(n, k) for k in range(better, n + 1))
    return min(1.0, _TURNS * tail / 2**n)


def _scores(field: OccupancyGrid, lookup: Lookup) -> NDArray[np.float64]:
    """Return the closed PAP of every sample, (S,)."""
    histogram = lookup_histogram(lookup, level_table(field, CLOSED), len(CLOSED.thresholds))
    scores, _ = score_table(histogram, closed=True)
    return np.asarray(scores[:, 0])


def _turns(field: OccupancyGrid) -> Iterator[tuple[str, OccupancyGrid]]:
    """Yield every other orientation of a field along the axes, with its description."""
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            axes = tuple(axis for axis in range(3) if flips[axis])
            if order == (0, 1, 2) and not axes:
                continue
            values: NDArray[np.float32] = np.flip(np.transpose(field.values, order), axes)
            yield _description(order, axes), replace(field, values=values)


def _description(order: tuple[int, ...], flipped: tuple[int, ...]) -> str:
    parts = []
    if order != (0, 1, 2):
        parts.append("with axes " + ", ".join(_AXES[axis] for axis in order) + " as x, y, z")
    if flipped:
        parts.append("mirrored along " + " and ".join(_AXES[axis] for axis in flipped))
    return " and ".join(parts)
