"""Repairs: the score of a category's field with one fault corrected by an oracle.

Every oracle knows the test data and chooses, among candidates that include the unchanged field,
the one with the largest category PAP; among equals, the one nearest to the unchanged field. So no
repair lowers PAP, and none of these scores may be reported as a result.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Float64, Int32, Int64
from chorus_bench.errors import InputError
from chorus_bench.evaluation.ceiling import graded_mask
from chorus_bench.evaluation.rays import Rays
from chorus_bench.evaluation.readings import (
    IDENTITY,
    MIRRORED,
    Box,
    PaddedCube,
    Reading,
    Readings,
    images_of_values,
    moved,
    scaled,
    translated,
)
from chorus_bench.evaluation.recalibration import recalibrate
from chorus_bench.evaluation.trial_scores import level_counts, mean_pap
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.metrics.pap import (
    TARGET,
    category_mean,
    occupancy_levels,
    pixel_histogram,
    score_table,
)
from chorus_bench.metrics.protocol import Protocol
from chorus_bench.metrics.resampling import Interval

#: The repairs, in the order in which they are given everywhere.
REPAIRS = ("position", "scale", "mirror", "recalibration", "ceiling")
#: The repairs that move a canonical field; a posed field has no canonical frame.
MOVING = ("position", "scale", "mirror")
#: The candidates of the mirror repair, for a field P and its mirror image M.
MIRROR_FORMS = ("as it is", "mirrored", "maximum", "mean")


@dataclass(frozen=True)
class SearchSettings:
    """Range and resolution of the oracles' search.

    Args:
        reach: the largest translation along each axis, metres.
        steps: steps of the position search, metres: a lattice over the whole range with the
            first, then the 26 neighbours of the best so far with each of the others.
        octaves: the largest change of scale, as a power of two: 1 means 0.5 to 2.
        octave_steps: steps of the scale search, in octaves: a row over the whole range with the
            first, then the two neighbours of the best so far with each of the others.

    Raises:
        InputError: a value that is not positive, or no steps.
    """

    reach: float = 0.3
    steps: tuple[float, ...] = (0.1, 0.05, 0.025, 0.0125)
    octaves: float = 1.0
    octave_steps: tuple[float, ...] = (1 / 8, 1 / 16, 1 / 32)

    def __post_init__(self) -> None:
        values = (self.reach, *self.steps, self.octaves, *self.octave_steps)
        if not (self.steps and self.octave_steps and all(0 < v < np.inf for v in values)):
            raise InputError(
                f"search settings {self}",
                expected="positive ranges and at least one positive step for each search",
            )


@dataclass(frozen=True)
class Repair:
    """A category, or the mean over categories, with one fault corrected.

    Attributes:
        pap: PAP of the corrected field.
        pap_hoa: PAP_hoa of the corrected field; the choice is by PAP alone.
        gain: increase of PAP, never negative.
        gain_hoa: change of PAP_hoa, of either sign.
        interval: 95 % interval of ``gain``; None where there are too few samples.
        found: the oracle's choice; empty in a mean.
    """

    pap: float
    pap_hoa: float
    gain: float
    gain_hoa: float
    interval: Interval | None = None
    found: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        scores = {"PAP": self.pap, "PAP_hoa": self.pap_hoa}
        bounds = None if self.interval is None else self.interval.as_list()
        gains = {"gain": self.gain, "gain_interval": bounds, "gain_hoa": self.gain_hoa}
        return {**scores, **gains, **self.found}


#: Scores (S, 4) and target areas (S, 2) of a category's samples.
Scores = tuple[Float64, Int64]


@dataclass(frozen=True, eq=False)
class CategoryTrials:
    """One category's samples, the submission's predictions for them, and trial repairs.

    Args:
        samples: the S samples' entries.
        images: their occupancy images as submitted, (P,) each.
        protocol: the protocol.
        probes: (V, 3) the centres of its probe voxels, see `probe_points`.
        each: applies a function to every sample, in order, like a thread pool's ``map``.
    """

    samples: Sequence[Rays]
    images: Sequence[Float32]
    protocol: Protocol
    probes: Float32
    each: Callable[..., Iterable[Any]] = map

    def scores(self, levels: Iterable[Sequence[NDArray[Any]]]) -> list[Scores]:
        """Return the samples' scores for every candidate.

        Args:
            levels: for each sample its C occupancy images as levels, (P,) each.
        """
        thresholds = len(self.protocol.thresholds)
        counts = [
            np.stack([pixel_histogram(image, sample.classes, thresholds) for image in images])
            for sample, images in zip(self.samples, levels, strict=True)
        ]
        scores, areas = score_table(np.stack(counts, axis=1), closed=self.protocol.closed)
        return list(zip(scores, areas, strict=True))

    def scores_of_images(self, images: Sequence[Sequence[Float32]]) -> list[Scores]:
        """Return the samples' scores for every candidate, given its S occupancy images."""
        return self.scores(zip(*map(self.levels, images), strict=True))

    def levels(self, images: Sequence[Float32]) -> list[Int64]:
        """Return the levels of each sample's occupancy image, (P,) each."""
        levels = occupancy_levels(np.concatenate(images), self.protocol.thresholds)
        return np.split(levels, np.cumsum([len(image) for image in images])[:-1])

    def scores_of_reading(self, cube: PaddedCube, reading: Reading) -> Scores:
        """Return the samples' scores for one reading of the levels of a field."""
        read = Readings.of(cube, [reading], self.probes)
        return self.scores(image.T for image in self.each(read.images, self.samples))[0]

    def best_of(self, tried: Sequence[Box | Readings], order: Iterable[int]) -> int:
        """Return the first of the candidates with the largest PAP.

        Args:
            tried: the candidates, of the levels of one field.
            order: their numbers.
        """
        paps = [pap for some in tried for pap in self._paps(some)]
        return max(order, key=lambda number: paps[number])

    def _paps(self, tried: Box | Readings) -> list[float]:
        # No level is above the field's; thresholds that nothing reaches add nothing to PAP.
        top = min(len(self.protocol.thresholds), 1 + int(tried.cube.top))

        def count(sample: Rays) -> Int32:
            return level_counts(sample.classes, tried.images(sample), top)

        return mean_pap(list(self.each(count, self.samples)), closed=self.protocol.closed)

    def available(self) -> bool:
        """Return whether any sample has a target pixel."""
        return any(bool((sample.classes & TARGET).any()) for sample in self.samples)

    def now(self) -> Scores:
        """Return the samples' scores of the submission, as in an evaluation."""
        return self.scores_of_images([self.images])[0]


def position_repair(
    trials: CategoryTrials, cube: PaddedCube, search: SearchSettings
) -> tuple[Scores, dict[str, Any]]:
    """Find the best translation of the canonical field within ``reach`` along each axis."""
    count = int(search.reach / search.steps[0] + 1e-9)
    row = [n * search.steps[0] for n in range(-count, count + 1)]
    best = _best_move(trials, cube, (0.0, 0.0, 0.0), [row] * 3)
    for step in search.steps[1:]:
        moves = [
            [move for move in (0.0, -step, step) if abs(place + move) <= search.reach + 1e-9]
            for place in best
        ]
        best = _best_move(trials, cube, best, moves)
    scores = trials.scores_of_reading(cube, translated(best))
    return scores, {"translation": [round(t, 6) + 0.0 for t in best]}


def _best_move(
    trials: CategoryTrials,
    cube: PaddedCube,
    start: Sequence[float],
    moves: Sequence[Sequence[float]],
) -> tuple[float, ...]:
    """Return the best of all combinations of moves along the axes, the shortest among equals."""
    maps = [
        [moved(place + move) for move in along] for place, along in zip(start, moves, strict=True)
    ]
    tried = list(itertools.product(*moves))
    shortest_first = sorted(range(len(tried)), key=lambda number: _length(tried[number]))
    found = tried[trials.best_of(Box.of(cube, maps, trials.probes), shortest_first)]
    return tuple(place + move for place, move in zip(start, found, strict=True))


def scale_repair(
    trials: CategoryTrials, cube: PaddedCube, search: SearchSettings, center: Sequence[float]
) -> tuple[Scores, dict[str, Any]]:
    """Find the best uniform scale of the canonical field about a point (3,), metres."""

    def best_of(octaves: Sequence[float]) -> float:
        readings = [scaled(2.0**octave, center) for octave in octaves]
        tried = Readings.of(cube, readings, trials.probes)
        return octaves[trials.best_of([tried], range(len(octaves)))]

    first, *others = search.octave_steps
    count = int(search.octaves / first + 1e-9)
    best = best_of(sorted((n * first for n in range(-count, count + 1)), key=abs))
    for step in others:
        near = [best + move for move in (0.0, -step, step)]
        best = best_of([octave for octave in near if abs(octave) <= search.octaves + 1e-9])
    scores = trials.scores_of_reading(cube, scaled(2.0**best, center))
    return scores, {"factor": 2.0**best, "center": [float(c) for c in center]}


def mirror_repair(trials: CategoryTrials, cube: PaddedCube) -> tuple[Scores, dict[str, Any]]:
    """Choose among the field P, its mirror image M(x, y, z) = P(-x, y, z), and both together.

    The combinations are ``maximum``, max(P, M), and ``mean``, (P + M) / 2, voxel by voxel.

    Args:
        trials: the samples.
        cube: the field's probabilities.
    """

    def combined(read: Float32) -> Float32:
        here, there = read
        return np.stack([there, (here + there) / np.float32(2)])

    pair = Readings.of(cube, [IDENTITY, MIRRORED], trials.probes)
    probed = np.ascontiguousarray(combined(pair.probed.T).T)

    def both(sample: Rays) -> Float32:
        read = combined(cube.read(sample.columns, pair.readings))
        return images_of_values(sample, probed, read, -np.inf).T

    mirrored, means = zip(*trials.each(both, trials.samples), strict=True)
    maximum = [np.maximum(a, b) for a, b in zip(trials.images, mirrored, strict=True)]
    scores = trials.scores_of_images([trials.images, mirrored, maximum, means])
    paps = {name: pap_of(one) for name, one in zip(MIRROR_FORMS, scores, strict=True)}
    chosen = max(range(len(scores)), key=lambda number: paps[MIRROR_FORMS[number]])
    return scores[chosen], {"form": MIRROR_FORMS[chosen], "forms": paps}


def recalibration_repair(trials: CategoryTrials) -> tuple[Scores, dict[str, Any]]:
    """Choose between the unchanged probabilities and their best monotone map.

    The map is that of `recalibrate`: a value gets the level of the highest cut that it reaches.
    """
    limits = np.asarray(trials.protocol.thresholds, dtype=np.float32)
    targets = [(sample.classes & TARGET) > 0 for sample in trials.samples]
    found = recalibrate(trials.images, targets, limits.tolist(), closed=trials.protocol.closed)
    mapped = [found.levels(image) for image in trials.images]
    now, then = trials.scores(zip(trials.levels(trials.images), mapped, strict=True))
    changed = pap_of(then) > pap_of(now)
    cuts = found.cuts if changed else limits
    listed = [float(cut) if np.isfinite(cut) else None for cut in cuts]
    return then if changed else now, {"changed": changed, "limit": found.limit, "cuts": listed}


def ceiling_repair(trials: CategoryTrials) -> tuple[Scores, dict[str, Any]]:
    """Score each sample's own target, extruded along the rays of its camera (`graded_mask`)."""

    def image(sample: Rays) -> Float32:
        reached = np.zeros(len(sample.classes), dtype=bool)
        reached[sample.still.pixels] = reached[sample.moving.pixels] = True
        target = (sample.classes & TARGET).reshape(sample.shape)
        return graded_mask(target, reached.reshape(sample.shape)).ravel()

    own = [image(sample) for sample in trials.samples]
    now, then = trials.scores_of_images([trials.images, own])
    return then if pap_of(then) > pap_of(now) else now, {}


def pap_of(scores: Scores) -> float:
    """Return the category's mean PAP."""
    return category_mean(*scores)["PAP"]


def center_of_mass(canonical: OccupancyGrid) -> tuple[float, float, float]:
    """Return the mean of the voxel centres, weighted by probability, metres.

    For a field that is zero everywhere, it is the grid's centre.
    """
    weights = canonical.values.ravel().astype(np.float64)
    if not weights.any():
        x, y, z = canonical.spec.center
    else:
        x, y, z = (weights @ canonical.spec.centers() / weights.sum()).tolist()
    return x, y, z


def _length(move: Sequence[float]) -> float:
    return sum(m * m for m in move)
