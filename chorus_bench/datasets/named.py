"""Test splits by name: what a user's path to a dataset stands for."""

from __future__ import annotations

from pathlib import Path

from chorus_bench.io.cache import cache_folder
from chorus_bench.io.shipped import PACKAGED_SPLITS, packaged_folder

#: The full simulated test split; built into the cache on first use.
SIMULATED = "simulated"
NAMED_SPLITS = (*PACKAGED_SPLITS, SIMULATED)


def dataset_folder(source: str | Path) -> Path:
    """Return the folder of a named split, built if missing; of anything else the path."""
    name = str(source)
    if name in PACKAGED_SPLITS:
        return packaged_folder(PACKAGED_SPLITS[name])
    return _simulated() if name == SIMULATED else Path(source)


def _simulated() -> Path:
    from chorus_bench.datasets.export import export
    from chorus_bench.datasets.registry import get_builder

    recipe = get_builder(SIMULATED).load()(images=False)
    folder = cache_folder() / "datasets" / f"{SIMULATED}-{recipe.key}"
    if not folder.is_dir():
        export(recipe, folder)
    return folder
