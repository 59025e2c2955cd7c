"""How many samples stand behind each score, and what few of them do to a mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from chorus_bench.array_types import Int64
from chorus_bench.leaderboard.entries import Entry
from chorus_bench.metrics.pap import counted

_HOA = "mPAP_hoa"


def counts_json(areas: Int64) -> dict[str, int]:
    """Return the number of samples of a category, and of those that each score counts.

    Args:
        areas: (S, 2) target areas.

    Returns:
        ``samples``, ``counted`` (a target pixel is there) and ``counted_hoa`` (the person does
        not hide all of them), docs/protocol.md P25.
    """
    used = counted(areas).sum(axis=0)
    return {"samples": len(areas), "counted": int(used[0]), "counted_hoa": int(used[2])}


def few_json(entries: Sequence[Entry], limit: int) -> dict[str, Any] | None:
    """Return the categories whose hoa scores rest on few samples, and what the smallest does.

    Every category weighs as much as any other in a mean (P26), however few samples it has.

    Args:
        entries: entries with the same samples.
        limit: the number of samples that a category needs to be scored; fewer are few.

    Returns:
        None where there is no such category; else ``limit``, ``categories`` (names and numbers,
        the smallest first), ``smallest``, the ranked method ``leader`` with the largest
        mPAP_hoa, and that mean ``with`` and ``without`` the smallest category.
    """
    tables = entries[0].tables
    numbers = {name: counts_json(tables[name][1])["counted_hoa"] for name in sorted(tables)}
    few = sorted((n, name) for name, n in numbers.items() if 0 < n < limit)
    if not few:
        return None
    ranked = [entry for entry in entries if not entry.manifest.sees_truth] or entries
    leader = max(ranked, key=lambda entry: float(entry.content["scores"][_HOA]))
    smallest = few[0][1]
    others = [
        leader.content["categories"][name]["PAP_hoa"]
        for name, number in numbers.items()
        if number and name != smallest
    ]
    return {
        "limit": limit,
        "categories": [{"name": name, "counted_hoa": number} for number, name in few],
        "smallest": smallest,
        "leader": leader.slug,
        "with": leader.content["scores"][_HOA],
        "without": float(np.mean(others)) if others else None,
    }
