"""Measures of one sample against the truth in 3D, and their means with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chorus_bench.array_types import Bool, Float32, Float64
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics.contact import (
    Geodesics,
    contact_mae,
    contact_probabilities,
    contact_scores,
    contact_similarity,
)
from chorus_bench.metrics.resampling import RESAMPLES, Interval, draw_counts, intervals_of
from chorus_bench.metrics.surface import centre_error, compare_surfaces, surface_points
from chorus_bench.metrics.volumetric import (
    CalibrationCurve,
    brier_score,
    calibration_curve,
    soft_iou,
)

#: Probabilities at which a field becomes a solid; the best one is chosen for each category.
LEVELS = tuple(k / 10 for k in range(1, 10))
#: The level at which everything is reported beside the best.
STATED_LEVEL = 0.5

#: Measures that need no level.
PLAIN = ("soft_iou", "brier", "centre_error", "contact_similarity", "contact_mae")
#: Measures at a level, by the one whose mean the best level maximises.
AT_LEVEL = {
    "f_10cm": ("chamfer", "f_5cm", "f_10cm"),
    "contact_f1": ("contact_precision", "contact_recall", "contact_f1", "contact_geodesic"),
}
_STATED = f"_at_{STATED_LEVEL}"
#: Everything that has a mean and an interval.
MEASURES = (
    *PLAIN,
    *(name + at for names in AT_LEVEL.values() for at in ("", _STATED) for name in names),
)


@dataclass(frozen=True, eq=False)
class TrueSample:
    """What is known of a sample before any submission.

    Attributes:
        category: its category.
        voxels: (N, N, N) where the object is in the posed space.
        grid: the grid of the posed space.
        vertices: (V, 3) of the posed body, metres.
        surface: (n, 3) surface points of the object, metres.
        contact: (V,) which vertices touch it.
        to_contact: (V,) distance along the skin to the nearest of them, metres.
    """

    category: str
    voxels: Bool
    grid: GridSpec
    vertices: Float64
    surface: Float64
    contact: Bool
    to_contact: Float64

    @classmethod
    def of(
        cls, category: str, voxels: Bool, grid: GridSpec, vertices: Float64, geodesics: Geodesics
    ) -> TrueSample:
        """Return a sample with what follows from its voxels and its body."""
        solid = OccupancyGrid(voxels.astype(np.float32), grid)
        contact = contact_probabilities(solid, vertices) > 0
        away, surface = geodesics.to_nearest(contact), surface_points(voxels, grid)
        return cls(category, voxels, grid, vertices, surface, contact, away)


@dataclass(frozen=True, eq=False)
class ScoredSample:
    """One sample of one submission.

    Attributes:
        category: its category.
        plain: the measures of `PLAIN`.
        at_level: for those of `AT_LEVEL` the values at each of `LEVELS`.
        calibration: counts over its voxels.
    """

    category: str
    plain: Mapping[str, float]
    at_level: Mapping[str, Float64]
    calibration: CalibrationCurve


def score_sample(values: Float32, truth: TrueSample) -> ScoredSample:
    """Compare the field of a sample with the truth.

    Args:
        values: (N, N, N) probabilities on the sample's grid.
        truth: the sample.
    """
    field = OccupancyGrid(values, truth.grid)
    contact = contact_probabilities(field, truth.vertices)
    plain = {
        "soft_iou": soft_iou(values, truth.voxels),
        "brier": brier_score(values, truth.voxels),
        "centre_error": centre_error(values, truth.voxels, truth.grid),
        "contact_similarity": contact_similarity(contact, truth.contact),
        "contact_mae": contact_mae(contact, truth.contact),
    }
    rows = [_at_level(values, contact, np.float32(level), truth) for level in LEVELS]
    curve = calibration_curve(values, truth.voxels)
    return ScoredSample(truth.category, plain, _by_name(rows), curve)


def score_contact(
    category: str, contact: Float32, labels: Bool, to_contact: Float64
) -> ScoredSample:
    """Compare contact alone with labels; the other measures are not defined.

    Args:
        category: of the sample.
        contact: (V,) predicted probabilities.
        labels: (V,) which vertices touch the object.
        to_contact: (V,) distance along the skin to the nearest of them, metres.
    """
    plain = dict.fromkeys(PLAIN, float("nan"))
    plain["contact_similarity"] = contact_similarity(contact, labels)
    plain["contact_mae"] = contact_mae(contact, labels)
    touches = [contact_scores(contact >= np.float32(k), labels, to_contact) for k in LEVELS]
    surface = [np.nan] * len(AT_LEVEL["f_10cm"])
    rows = [[*surface, t.precision, t.recall, t.f1, t.geodesic] for t in touches]
    none = np.zeros(1)
    curve = CalibrationCurve(none.astype(np.int64), none, none)
    return ScoredSample(category, plain, _by_name(rows), curve)


def _by_name(rows: Sequence[Sequence[float]]) -> dict[str, Float64]:
    """Return the measures of `AT_LEVEL` by name, from a row in that order for each level."""
    names = [name for group in AT_LEVEL.values() for name in group]
    return dict(zip(names, np.array(rows).T, strict=True))


def _at_level(
    values: Float32, contact: Float32, level: np.float32, truth: TrueSample
) -> list[float]:
    """Return the measures of `AT_LEVEL` in its order."""
    reached = surface_points(values >= level, truth.grid)
    surface = compare_surfaces(reached, truth.surface, truth.grid)
    touch = contact_scores(contact >= level, truth.contact, truth.to_contact)
    return [
        surface.chamfer, surface.f_5cm, surface.f_10cm,
        touch.precision, touch.recall, touch.f1, touch.geodesic,
    ]  # fmt: skip


@dataclass(frozen=True, eq=False)
class CategoryTable:
    """The measures of a category's samples.

    Attributes:
        values: (S, M) in the order of `MEASURES`; NaN where a measure is not defined.
        levels: the best level of each group of `AT_LEVEL`; None where it is not measured.
    """

    values: Float64
    levels: Mapping[str, float | None]

    @classmethod
    def of(cls, samples: Sequence[ScoredSample]) -> CategoryTable:
        """Return the table of some samples, measures at the level that is best for them all."""
        columns = {name: np.array([s.plain[name] for s in samples]) for name in PLAIN}
        levels: dict[str, float | None] = {}
        for chief, names in AT_LEVEL.items():
            rows = {name: np.stack([s.at_level[name] for s in samples]) for name in names}
            means = rows[chief].mean(axis=0)
            best = int(np.argmax(means))
            levels[chief] = LEVELS[best] if np.isfinite(means[best]) else None
            for name in names:
                columns[name] = rows[name][:, best]
                columns[name + _STATED] = rows[name][:, LEVELS.index(STATED_LEVEL)]
        return cls(np.stack([columns[name] for name in MEASURES], axis=1), levels)

    def means(self, counts: Float64 | None = None) -> Float64:
        """Return the means over the samples for which a measure is defined.

        Args:
            counts: (R, S) how often each resample has each sample; by default every one once.

        Returns:
            (R, M), or (M,) without ``counts``; NaN where no sample has the measure.
        """
        drawn = np.ones((1, len(self.values))) if counts is None else counts
        known = np.isfinite(self.values)
        number = drawn @ known.astype(np.float64)
        with np.errstate(invalid="ignore"):
            means = (drawn @ np.where(known, self.values, 0.0)) / np.where(number, number, np.nan)
        return means if counts is not None else means[0]


def mean_of_categories(means: Sequence[Float64]) -> Float64:
    """Return the mean over the categories that have a measure; NaN where none has it."""
    stacked = np.stack(means)
    known = np.isfinite(stacked)
    number = known.sum(axis=0)
    total = np.where(known, stacked, 0.0).sum(axis=0)
    return np.asarray(np.where(number, total / np.maximum(number, 1), np.nan))


def resampled(
    tables: Mapping[str, CategoryTable], seed: int = 0
) -> tuple[dict[str, Interval], dict[str, dict[str, Interval]]]:
    """Return 95 % intervals of the measures, and of each category's.

    Samples are drawn within categories, as for PAP (docs/protocol.md P28). The best levels stay as
    they are. A measure that fewer than two samples of a category have is left out there.

    Args:
        tables: category -> its table.
        seed: random seed of the resampling.
    """
    drawn, by_category = [], {}
    for number, category in enumerate(sorted(tables)):
        table = tables[category]
        means = table.means(draw_counts(len(table.values), RESAMPLES, (seed, number)))
        drawn.append(means)
        enough = np.asarray(np.isfinite(table.values).sum(axis=0) > 1)
        by_category[category] = _intervals(means, enough)
    overall = mean_of_categories(drawn)
    return _intervals(overall, np.asarray(np.isfinite(overall).any(axis=0))), by_category


def calibration_interval(samples: Mapping[str, Sequence[ScoredSample]], seed: int = 0) -> Interval:
    """Return the 95 % interval of the calibration error over all voxels of all samples.

    Args:
        samples: category -> its samples; they are drawn as for the other measures.
        seed: random seed of the resampling.
    """
    gaps: Float64 | float = 0.0
    voxels: Float64 | float = 0.0
    for number, category in enumerate(sorted(samples)):
        curves = [one.calibration for one in samples[category]]
        counts = draw_counts(len(curves), RESAMPLES, (seed, number))
        gaps = gaps + counts @ np.stack([curve.total - curve.occupied for curve in curves])
        voxels = voxels + counts @ np.array([curve.voxels.sum() for curve in curves])
    return intervals_of(np.abs(gaps).sum(axis=1)[None] / np.maximum(voxels, 1))[0]


def _intervals(means: Float64, known: Bool) -> dict[str, Interval]:
    """Return the intervals of means (R, M) that are known; resamples without a value do not count.

    A resample may have drawn only samples in which a measure is not defined.
    """
    return {
        name: intervals_of(column[np.isfinite(column)][None])[0]
        for name, column, there in zip(MEASURES, means.T, known, strict=True)
        if there
    }
