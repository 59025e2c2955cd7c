"""The rule for `truth.json`, an entry's measures in 3D: of this result, and its means follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from chorus_bench.evaluation.truth_file import TRUTH_FILE, truth_differences
from chorus_bench.evaluation.truth_samples import MEASURES, mean_of_categories
from chorus_bench.evaluation.truth_schema import TRUTH_FIX
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.entries import EntryFiles

_TOLERANCE = 1e-9
_CALIBRATION = "calibration_error"


def truth_rule(files: EntryFiles, errors: Findings) -> None:
    """The measures are of the result's submission and samples, and the means follow from them."""
    truth, content = files.truth, files.content
    if truth is None or content is None:
        return
    where = f"{files.where}/{TRUTH_FILE}"
    theirs = truth["sha256"], truth.get("signature")
    ours = content["submission"]["sha256"], content["signature"]
    for difference in truth_differences(*theirs, *ours):
        errors.add(where, f"is not of this result: {difference}", fix=TRUTH_FIX)
    found = {name: entry["samples"] for name, entry in truth["categories"].items()}
    wanted = {name: entry["samples"] for name, entry in content["categories"].items()}
    if found != wanted:
        odd = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))[0]
        errors.add(
            f"{where}: categories",
            f"has {found.get(odd, 0)} samples of '{printable(odd, 60)}'",
            expected=f"{wanted.get(odd, 0)}, as the result has",
            fix=TRUTH_FIX,
        )
    elif _check_names(truth, where, errors):
        _check_means(truth, where, errors)


def _check_names(truth: Mapping[str, Any], where: str, errors: Findings) -> bool:
    """Whether the measures are those of an evaluation; if not, add an error."""
    kept = {"samples", "surface_level", "contact_level", "intervals"}
    named = [
        ("measures", set(truth["measures"]), set(MEASURES)),
        ("intervals", set(truth["intervals"]), {*MEASURES, _CALIBRATION}),
        *(
            (f"categories.{printable(name, 60)}", set(entry) - kept, set(MEASURES))
            for name, entry in truth["categories"].items()
        ),
    ]
    before = len(errors)
    for place, found, known in named:
        odd = found - known or ({*known} - found if place != "intervals" else set())
        if odd:
            name = printable(sorted(odd)[0], 60)
            verb = "has the measure" if odd & found else "lacks the measure"
            errors.add(f"{where}: {place}", f"{verb} '{name}'", fix=TRUTH_FIX)
    for place, intervals in (("intervals", truth["intervals"]), *_intervals(truth)):
        for name, (low, high) in intervals.items():
            if low > high:
                errors.add(f"{where}: {place}.{printable(name, 60)}", "ends before it begins")
    return len(errors) == before


def _intervals(truth: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (f"categories.{printable(name, 60)}.intervals", entry["intervals"])
        for name, entry in truth["categories"].items()
    ]


def _check_means(truth: Mapping[str, Any], where: str, errors: Findings) -> None:
    """Check the means over the categories: they follow from the categories' means."""
    rows = [
        np.array([np.nan if entry[name] is None else entry[name] for name in MEASURES])
        for entry in truth["categories"].values()
    ]
    means = dict(zip(MEASURES, mean_of_categories(rows), strict=True))
    stated = truth["measures"]
    for name in MEASURES:
        value = np.nan if stated[name] is None else float(stated[name])
        if not np.isclose(value, means[name], rtol=0, atol=_TOLERANCE, equal_nan=True):
            errors.add(
                f"{where}: measures.{name}",
                f"is {stated[name]!r}, the categories give {float(means[name])!r}",
                expected="the mean over the categories that have the measure",
                fix=TRUTH_FIX,
            )
