"""Stage `filters`: decides which images of a shard are kept, with the reason for the others.

Source: docs/method.md M6 and M7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chorus_bench.datasets.schema import REJECTED
from chorus_bench.synthesis.filters import filter_rows
from chorus_bench.synthesis.jobs import Made, StageWork
from chorus_bench.synthesis.work_folder import Shard

UNUSABLE = "unusable image"


def load_filters(work: StageWork) -> Callable[[Shard], Made]:
    """Return the function that gives every image of a shard its verdict."""

    def make(shard: Shard) -> Made:
        columns = ("sample_id", "category", "fault")
        images = work.folder("images").read(shard, columns)
        found = work.folder("annotations").read(shard)
        rows = [{**image, **row} for image, row in zip(images, found, strict=True)]
        kept = filter_rows(rows, work.settings.filters)
        return Made.with_verdicts([_with_fault(row) for row in kept], "filters")

    return make


def _with_fault(row: dict[str, Any]) -> dict[str, Any]:
    if row["fault"] is None:
        return row
    return {**row, "verdict": REJECTED, "reason": f"{UNUSABLE}: {row['fault']}"}
