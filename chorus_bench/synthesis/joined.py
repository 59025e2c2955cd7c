"""The rows of a shard with the columns of several stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from chorus_bench.datasets.parquet import rows_of
from chorus_bench.datasets.recipe import Row
from chorus_bench.errors import InputError
from chorus_bench.synthesis.work_folder import Shard, StageFolder


def read_joined(work: str | Path, shard: Shard, stages: Sequence[str]) -> list[Row]:
    """Return the rows of a shard with the columns of several stages; see `joined_table`."""
    return list(rows_of(joined_table(work, shard, stages), shard.name))


def joined_table(work: str | Path, shard: Shard, stages: Sequence[str]) -> pa.Table:
    """Return the rows of a shard with the columns of several stages; later stages take precedence.

    Raises:
        InputError: a stage's shard is missing or damaged, or its rows differ from the others.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for stage in stages:
        folder = StageFolder(work, stage)
        table = folder.table(shard)
        if columns and not table["sample_id"].equals(columns["sample_id"]):
            raise InputError(
                "has other rows than the stages before it",
                where=folder.shard_file(shard),
                fix=f"make the stage again: --redo {stage}",
            )
        columns |= dict(zip(table.column_names, table.columns, strict=True))
    return pa.table(columns)
