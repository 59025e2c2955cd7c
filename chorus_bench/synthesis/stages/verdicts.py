"""Stages `filters` and `cameras`, on the rows of a shard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from chorus_bench.geometry.body import BodyModel
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.filters import REJECTED, filter_rows
from chorus_bench.synthesis.jobs import Made, StageWork
from chorus_bench.synthesis.work_folder import STAGE_SCHEMAS, Shard, read_joined

UNUSABLE = "unusable image"


def load_filters(work: StageWork) -> Callable[[Shard], Made]:
    """Return the function that keeps or rejects each image of a shard, with a reason."""

    def make(shard: Shard) -> Made:
        columns = ("sample_id", "category", "fault")
        images = work.folder("images").read(shard, columns)
        found = work.folder("annotations").read(shard)
        rows = [{**image, **row} for image, row in zip(images, found, strict=True)]
        verdicts = [_with_fault(row) for row in filter_rows(rows, work.settings.filters)]
        return Made([_columns(row, "filters") for row in verdicts], _count(verdicts))

    return make


def load_cameras(work: StageWork) -> Callable[[Shard], Made]:
    """Load the body; return the function that adds perspective cameras to a shard's kept rows."""
    body = BodyModel.load(work.settings.body)

    def make(shard: Shard) -> Made:
        sizes = work.folder("images").read(shard, ("height", "width"))
        found = read_joined(work.work, shard, ("annotations", "filters"))
        rows = [{**row, **size} for row, size in zip(found, sizes, strict=True)]
        done = list(add_cameras(rows, body, solver=work.settings.cameras.solver))
        return Made([_columns(row, "cameras") for row in done], _count(done))

    return make


def _with_fault(row: dict[str, Any]) -> dict[str, Any]:
    if row["fault"] is None:
        return row
    return {**row, "verdict": REJECTED, "reason": f"{UNUSABLE}: {row['fault']}"}


def _columns(row: Mapping[str, Any], stage: str) -> dict[str, Any]:
    return {name: row.get(name) for name in STAGE_SCHEMAS[stage].names}


def _count(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(str(row["reason"] or row["verdict"]) for row in rows)
