"""Test splits and submissions that come with the package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from chorus_bench.io.cache import cache_folder

#: Names that stand for a folder inside the package, relative to ``chorus_bench/data``.
PACKAGED_SPLITS = {"example": "example/split"}
NAMED_SUBMISSIONS = {"example": "example/submission"}

#: The full simulated test split; built into the cache on first use.
SIMULATED = "simulated"
NAMED_SPLITS = (*PACKAGED_SPLITS, SIMULATED)


def packaged_folder(relative: str) -> Path:
    """Return a folder of the package's data (packages are always installed as plain files)."""
    return Path(str(resources.files("chorus_bench") / "data" / relative))


def submission_folder(submission: str | Path) -> str | Path:
    """Return the folder of a named submission; return anything else unchanged."""
    named = NAMED_SUBMISSIONS.get(str(submission))
    return submission if named is None else packaged_folder(named)


def named_split_folder(name: str) -> Path:
    """Return the folder of a named split; build it if missing."""
    if name in PACKAGED_SPLITS:
        return packaged_folder(PACKAGED_SPLITS[name])
    from chorus_bench.datasets.export import export
    from chorus_bench.datasets.registry import get_builder

    recipe = get_builder(SIMULATED).load()(images=False)
    folder = cache_folder() / "datasets" / f"{SIMULATED}-{recipe.key}"
    if not folder.is_dir():
        export(recipe, folder)
    return folder
