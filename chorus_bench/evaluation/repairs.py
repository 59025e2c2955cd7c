"""Repairs: the score of a category's field with one fault corrected by an oracle.

Every oracle knows the test data and chooses, among candidates that include the unchanged field,
the one with the largest category PAP; among equals, the one nearest to the unchanged field. So no
repair lowers PAP, and none of these scores may be reported as a result.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32
from chorus_bench.errors import InputError
from chorus_bench.evaluation.ceiling import graded_mask
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.readings import (
    MIRRORED,
    LevelCube,
    Reading,
    category_means,
    histograms,
    level_images,
    scaled,
    translated,
)
from chorus_bench.evaluation.recalibration import recalibrate
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.metrics.pap import TARGET, occupancy_levels
from chorus_bench.metrics.protocol import Protocol

T = TypeVar("T")

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
        found: the oracle's choice; empty in a mean.
    """

    pap: float
    pap_hoa: float
    gain: float
    gain_hoa: float
    found: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        scores = {"PAP": self.pap, "PAP_hoa": self.pap_hoa}
        return {**scores, "gain": self.gain, "gain_hoa": self.gain_hoa, **self.found}


@dataclass(frozen=True, eq=False)
class CategoryTrials:
    """One category's samples, the submission's predictions for them, and trial repairs.

    Args:
        samples: the S prepared samples.
        images: their occupancy images as submitted, (P,) each.
        protocol: the protocol.
        each: applies a function to every sample, in order, like a thread pool's ``map``.
    """

    samples: Sequence[PreparedSample]
    images: Sequence[Float32]
    protocol: Protocol
    each: Callable[..., Iterable[Any]] = map

    def counted(self, sample: PreparedSample, levels: NDArray[Any]) -> NDArray[np.int32]:
        """Return the histograms (C, 4, T + 1) of a sample's C occupancy images (C, P) of levels."""
        return histograms(levels, sample.classes, len(self.protocol.thresholds))

    def means(self, counts: Iterable[NDArray[np.int32]]) -> list[dict[str, float]]:
        """Return the four means for every candidate, given each sample's histograms."""
        return category_means(list(counts), closed=self.protocol.closed)

    def means_of_images(self, images: Sequence[Sequence[Float32]]) -> list[dict[str, float]]:
        """Return the four means for every candidate, given its S occupancy images."""
        limits = self.protocol.thresholds
        return self.means(
            self.counted(sample, occupancy_levels(np.stack(one), limits))
            for sample, one in zip(self.samples, zip(*images, strict=True), strict=True)
        )

    def available(self) -> tuple[bool, bool]:
        """Return whether any sample has a target pixel, and any one that is outside the person."""
        targets = [sample.classes & TARGET for sample in self.samples]
        shown = [sample.classes == TARGET for sample in self.samples]
        return any(map(np.any, targets)), any(map(np.any, shown))

    def now(self) -> dict[str, float]:
        """Return the four means of the submission, as in an evaluation."""
        return self.means_of_images([self.images])[0]


def position_repair(
    trials: CategoryTrials, cube: LevelCube, search: SearchSettings
) -> tuple[dict[str, float], dict[str, Any]]:
    """Find the best translation of the canonical field within ``reach`` along each axis."""
    count = int(search.reach / search.steps[0] + 1e-9)
    row = [n * search.steps[0] for n in range(-count, count + 1)]
    lattice = sorted(itertools.product(row, repeat=3), key=_length)
    means, best = _best(trials, cube, lattice, translated)
    for step in search.steps[1:]:
        moves = sorted(itertools.product((0.0, -step, step), repeat=3), key=_length)
        near = [tuple(a + b for a, b in zip(best, move, strict=True)) for move in moves]
        near = [t for t in near if max(map(abs, t)) <= search.reach + 1e-9]
        means, best = _best(trials, cube, near, translated)
    return means, {"translation": [round(t, 6) + 0.0 for t in best]}


def scale_repair(
    trials: CategoryTrials, cube: LevelCube, search: SearchSettings, center: Sequence[float]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Find the best uniform scale of the canonical field about a point (3,), metres."""

    def reading(octave: float) -> Reading:
        return scaled(2.0**octave, center)

    first, *others = search.octave_steps
    count = int(search.octaves / first + 1e-9)
    row = sorted((n * first for n in range(-count, count + 1)), key=abs)
    means, best = _best(trials, cube, row, reading)
    for step in others:
        near = [best + move for move in (0.0, -step, step)]
        near = [octave for octave in near if abs(octave) <= search.octaves + 1e-9]
        means, best = _best(trials, cube, near, reading)
    return means, {"factor": 2.0**best, "center": [float(c) for c in center]}


def mirror_repair(
    trials: CategoryTrials, canonical: OccupancyGrid
) -> tuple[dict[str, float], dict[str, Any]]:
    """Choose among the field P, its mirror image M(x, y, z) = P(-x, y, z), and both together.

    The combinations are ``maximum``, max(P, M), and ``mean``, (P + M) / 2, voxel by voxel.
    """

    def both(sample: PreparedSample) -> tuple[Float32, Float32]:
        flip = np.array([axis.scale for axis in MIRRORED], dtype=np.float32)
        here, there = canonical.at(sample.points), canonical.at(sample.points * flip)
        mean = (here + there) / np.float32(2)
        return sample.occupancy_image(there).ravel(), sample.occupancy_image(mean).ravel()

    mirrored, mean = zip(*trials.each(both, trials.samples), strict=True)
    maximum = [np.maximum(a, b) for a, b in zip(trials.images, mirrored, strict=True)]
    means = trials.means_of_images([trials.images, mirrored, maximum, mean])
    chosen = _first_best(means)
    paps = {name: entry["PAP"] for name, entry in zip(MIRROR_FORMS, means, strict=True)}
    return means[chosen], {"form": MIRROR_FORMS[chosen], "forms": paps}


def recalibration_repair(trials: CategoryTrials) -> tuple[dict[str, float], dict[str, Any]]:
    """Choose between the unchanged probabilities and their best monotone map.

    The map is that of `recalibrate`: a value gets the level of the highest cut that it reaches.
    """
    limits = np.asarray(trials.protocol.thresholds, dtype=np.float32)
    targets = [sample.classes & 1 > 0 for sample in trials.samples]
    found = recalibrate(trials.images, targets, limits.tolist(), closed=trials.protocol.closed)
    means = trials.means(
        trials.counted(
            sample,
            np.stack([occupancy_levels(image, trials.protocol.thresholds), found.levels(image)]),
        )
        for sample, image in zip(trials.samples, trials.images, strict=True)
    )
    chosen = _first_best(means)
    cuts = found.cuts if chosen else limits
    listed = [float(cut) if np.isfinite(cut) else None for cut in cuts]
    return means[chosen], {"changed": bool(chosen), "limit": found.limit, "cuts": listed}


def ceiling_repair(trials: CategoryTrials) -> tuple[dict[str, float], dict[str, Any]]:
    """Score each sample's own target, extruded along the rays of its camera (`graded_mask`)."""

    def image(sample: PreparedSample) -> Float32:
        reached = np.zeros(len(sample.classes), dtype=bool)
        reached[sample.pixels] = True
        return graded_mask(sample.target, reached.reshape(sample.target.shape)).ravel()

    means = trials.means_of_images([trials.images, [image(s) for s in trials.samples]])
    return means[_first_best(means)], {}


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


def _best(
    trials: CategoryTrials,
    cube: LevelCube,
    candidates: Sequence[T],
    reading: Callable[[T], Reading],
) -> tuple[dict[str, float], T]:
    """Return the means of the best candidate and the candidate."""
    readings = [reading(candidate) for candidate in candidates]

    def counts(sample: PreparedSample) -> NDArray[np.int32]:
        return trials.counted(sample, level_images(sample, cube, readings))

    means = trials.means(trials.each(counts, trials.samples))
    chosen = _first_best(means)
    return means[chosen], candidates[chosen]


def _first_best(means: Sequence[dict[str, float]]) -> int:
    return max(range(len(means)), key=lambda number: means[number]["PAP"])
