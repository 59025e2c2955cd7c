"""The one call that builds a dataset, by the name of its builder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from chorus_bench.datasets.export import SHARD_BYTES, Built, export
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.registry import get_builder
from chorus_bench.errors import InputError
from chorus_bench.progress import Progress


def build_dataset(
    name: str,
    output: str | Path,
    *,
    overwrite: bool = False,
    workers: int = 1,
    shard_bytes: int = SHARD_BYTES,
    progress: Progress = lambda done, total: None,
    command: str = "",
    **options: Any,  # noqa: ANN401 - each builder has its own
) -> Built:
    """Build a dataset into a folder of Parquet shards with a card.

    Args:
        name: name of the builder, see `chorus_bench.datasets.registry.find_builders`.
        output: the folder to write. An interrupted build into it continues where it stopped.
        overwrite: replace an existing folder.
        workers: processes that make the rows.
        shard_bytes: a Parquet file is closed when it is larger than this.
        progress: called with (done, total).
        command: the command line, for the card.
        **options: options of the builder, see its function.

    Raises:
        InputError: an unknown builder or option, a source that is missing or wrong, ...
    """
    recipe = get_builder(name).configured(options)()
    if not isinstance(recipe, Recipe):
        raise InputError(
            f"gave a {type(recipe).__name__}", where=f"builder '{name}'", expected="a Recipe"
        )
    return export(
        replace(recipe, command=command or recipe.command),
        output,
        overwrite=overwrite,
        workers=workers,
        shard_bytes=shard_bytes,
        progress=progress,
    )
