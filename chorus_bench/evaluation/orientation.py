"""Detection of mirrored fields and exchanged axes, on a few samples.

A field that scores clearly better after a reflection or an exchange of axes was probably written
in a frame other than the benchmark's (x to the person's left, y up, z forward).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.evaluation.cache import GeometryCache, Shard
from chorus_bench.evaluation.scoring import Progress, level_table, shard_histogram
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.metrics.pap import score_table
from chorus_bench.metrics.protocol import CLOSED
from chorus_bench.submission import Submission

SAMPLES_PER_CATEGORY = 4
#: A reorientation is reported if it raises the closed PAP by this much, and to this multiple.
GAIN, FACTOR = 0.05, 1.5

_AXES = "xyz"


def orientation_warnings(
    submission: Submission,
    *,
    split: str | Path | EvalSplit = "example",
    body: str | Path | BodyModel | object = None,
    progress: Progress = lambda done, total: None,
) -> list[str]:
    """Return a warning for each category whose field fits better mirrored or turned.

    Args:
        submission: a submission; those of the posed track are not tested.
        split: a few samples of each category of this test split are used.
        body: the body to pose; the default one if None.
        progress: called with (samples done, samples in all).
    """
    if submission.track != "canonical" or any(submission.grid.center):
        return []
    model = BodyModel.load("default" if body is None else body)
    samples = _few(load_split(split), submission.categories)
    cache = GeometryCache(samples, model, CLOSED)
    warnings: list[str] = []
    for number, source in enumerate(cache.shards):
        shard = cache.load(source, submission.grid, "canonical")
        warnings += _warning(source.category, submission.field(source.category), shard)
        progress(number + 1, len(cache.shards))
    return warnings


def _few(split: EvalSplit, categories: tuple[str, ...]) -> list[EvalSample]:
    groups = itertools.groupby(split.samples, key=lambda sample: sample.category)
    wanted = ((name, list(group)) for name, group in groups if name in categories)
    return [s for _, group in wanted for s in group[:SAMPLES_PER_CATEGORY]]


def _warning(category: str, field: OccupancyGrid, shard: Shard) -> list[str]:
    as_it_is = _mean_score(field, shard)
    tried = {name: _mean_score(turned, shard) for name, turned in _turns(field)}
    best = max(tried, key=lambda name: tried[name])
    if tried[best] < max(as_it_is + GAIN, as_it_is * FACTOR):
        return []
    return [
        f"{category}: the field fits {len(shard.sizes)} test samples better {best} "
        f"(closed PAP {tried[best]:.3f} against {as_it_is:.3f}). Axes must be x to the person's "
        "left, y up, z forward, in this order"
    ]


def _mean_score(field: OccupancyGrid, shard: Shard) -> float:
    histogram = shard_histogram(shard, level_table(field, CLOSED), len(CLOSED.thresholds))
    scores, _ = score_table(histogram, closed=True)
    return float(scores[:, 0].mean())


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
