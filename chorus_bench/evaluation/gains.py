"""From the scores of trial repairs to gains, with intervals.

A gain's interval is the bootstrap's over the test samples, as that of a score (docs/protocol.md
P28): in every resample the same samples are drawn for the repaired field and for the submission, so
the differences are paired. The repair is held fixed; that it was chosen on the same samples is not
part of the interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.evaluation.repairs import REPAIRS, Repair, Scores
from chorus_bench.metrics.pap import available_mean, category_mean, counted
from chorus_bench.metrics.resampling import (
    RESAMPLES,
    CategoryTables,
    Interval,
    intervals_of,
    means_of_many,
)

#: The smallest number of samples that count for PAP with which a category's gains have intervals.
SMALLEST = 8


@dataclass(frozen=True)
class CategoryDiagnosis:
    """A category, or the mean over categories, with the effect of each repair.

    Attributes:
        pap: current PAP, as in an evaluation.
        pap_hoa: current PAP_hoa; None if the person hides every target.
        repairs: one entry for each of `REPAIRS`; None if it does not apply.
        samples: number of test samples.
        missing: whether the submission lacks the category, which then counts as an empty field.
    """

    pap: float
    pap_hoa: float | None
    repairs: dict[str, Repair | None]
    samples: int
    missing: bool = False

    @property
    def occlusion(self) -> float | None:
        """PAP_hoa minus PAP, of either sign: the cost of the pixels that the person hides."""
        return None if self.pap_hoa is None else self.pap_hoa - self.pap

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        repairs = {name: None if r is None else r.as_dict() for name, r in self.repairs.items()}
        scores = {"PAP": self.pap, "PAP_hoa": self.pap_hoa, "occlusion": self.occlusion}
        return {**scores, "samples": self.samples, "missing": self.missing, "repairs": repairs}


@dataclass(frozen=True, eq=False)
class Tried:
    """What was tried for one category.

    Attributes:
        now: the samples' scores of the submission.
        repairs: for each repair that applies, the samples' scores and what the oracle chose.
        missing: whether the submission lacks the category.
    """

    now: Scores
    repairs: Mapping[str, tuple[Scores, dict[str, Any]]]
    missing: bool

    def diagnosis(self, intervals: Mapping[str, Interval]) -> CategoryDiagnosis:
        """Return the category's diagnosis, given the intervals of its gains."""
        now = category_mean(*self.now)
        repairs = {
            name: _repair(now, category_mean(*then), found, intervals.get(name))
            for name, (then, found) in self.repairs.items()
        }
        return CategoryDiagnosis(
            pap=now["PAP"],
            pap_hoa=available_mean(*self.now)["PAP_hoa"],
            repairs={name: repairs.get(name) for name in REPAIRS},
            samples=len(self.now[0]),
            missing=self.missing,
        )


def diagnosed(
    tried: Mapping[str, Tried],
) -> tuple[CategoryDiagnosis, dict[str, CategoryDiagnosis]]:
    """Return the mean over the categories, and the diagnosis of each.

    Args:
        tried: at least one category; the same repairs apply to all.
    """
    overall, by_category = gain_intervals(tried)
    found = {name: one.diagnosis(by_category[name]) for name, one in tried.items()}
    return _mean(list(found.values()), overall), found


def gain_intervals(
    tried: Mapping[str, Tried],
) -> tuple[dict[str, Interval], dict[str, dict[str, Interval]]]:
    """Return the 95 % intervals of the repairs' gains.

    Args:
        tried: category -> scores, in the samples' order.

    Returns:
        For the mean over the categories, and for each category; empty where a category has fewer
        than `SMALLEST` samples that count, for the mean if any has.
    """
    names = list(next(iter(tried.values())).repairs)
    tables: list[CategoryTables] = [{name: one.now for name, one in tried.items()}]
    tables += [{name: one.repairs[r][0] for name, one in tried.items()} for r in names]
    total, by_category = np.zeros((len(names), RESAMPLES)), {}
    for category, means in means_of_many(tables):
        gains = means[1:, 0] - means[0, 0]
        enough = int(counted(tried[category].now[1])[:, 0].sum()) >= SMALLEST
        by_category[category] = _named(names, gains) if enough else {}
        total += gains
    overall = _named(names, total / len(tried)) if all(by_category.values()) else {}
    return overall, by_category


def _named(names: Sequence[str], gains: Float64) -> dict[str, Interval]:
    return dict(zip(names, intervals_of(gains), strict=True))


def _repair(
    now: Mapping[str, float],
    then: Mapping[str, float],
    found: dict[str, Any],
    interval: Interval | None,
) -> Repair:
    return Repair(
        pap=then["PAP"],
        pap_hoa=then["PAP_hoa"],
        gain=then["PAP"] - now["PAP"],
        gain_hoa=then["PAP_hoa"] - now["PAP_hoa"],
        interval=interval,
        found=found,
    )


def _mean(
    entries: Sequence[CategoryDiagnosis], intervals: Mapping[str, Interval]
) -> CategoryDiagnosis:
    """Return the unweighted mean over the categories; of PAP_hoa over those that have one."""
    shown = [entry for entry in entries if entry.pap_hoa is not None]
    known_hoa = [entry.pap_hoa for entry in shown if entry.pap_hoa is not None]
    now = {"PAP": _average([e.pap for e in entries]), "PAP_hoa": _average(known_hoa)}
    repairs: dict[str, Repair | None] = {}
    for name in REPAIRS:
        known = [r for entry in entries if (r := entry.repairs[name]) is not None]
        hoa = [r.pap_hoa for entry in shown if (r := entry.repairs[name]) is not None]
        then = {"PAP": _average([r.pap for r in known]), "PAP_hoa": _average(hoa)}
        mended = _repair(now, then, {}, intervals.get(name))
        repairs[name] = mended if len(known) == len(entries) else None
    samples = sum(entry.samples for entry in entries)
    return CategoryDiagnosis(now["PAP"], now["PAP_hoa"] if shown else None, repairs, samples)


def _average(values: Sequence[float]) -> float:
    return math.fsum(values) / max(1, len(values))
