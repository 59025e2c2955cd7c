"""Test splits and submissions that come with the package."""

from __future__ import annotations

import atexit
import logging
from contextlib import ExitStack
from functools import cache
from importlib import resources
from pathlib import Path

from chorus_bench.io.cache import (
    DATASETS_FOLDER,
    NoCacheError,
    cache_folder,
    make_cache_folder,
    without_cache,
)
from chorus_bench.io.files import WriteError, is_folder
from chorus_bench.io.leftovers import temporary_folder

log = logging.getLogger(__name__)

#: Names that stand for a folder inside the package, relative to ``chorus_bench/data``.
PACKAGED_SPLITS = {"example": "example/split"}
NAMED_SUBMISSIONS = {"example": "example/submission"}

#: The full simulated test split; built into the cache when it is first used.
SIMULATED = "simulated"
NAMED_SPLITS = (*PACKAGED_SPLITS, SIMULATED)


def packaged_folder(relative: str) -> Path:
    """Return a folder of the package's data (packages are always installed as plain files)."""
    return Path(str(resources.files("chorus_bench") / "data" / relative))


def submission_folder(submission: str | Path) -> str | Path:
    """Return the folder of a named submission; anything else as it is."""
    named = NAMED_SUBMISSIONS.get(str(submission))
    return submission if named is None else packaged_folder(named)


def named_split_folder(name: str) -> Path:
    """Return the folder of a named split, building it into the cache if it is not there yet.

    Where the cache cannot be used, it is built into a temporary folder for this process.

    Raises:
        WriteError: there is no room for it anywhere.
    """
    if name in PACKAGED_SPLITS:
        return packaged_folder(PACKAGED_SPLITS[name])
    from chorus_bench.datasets.export import build_once
    from chorus_bench.simulation.recipe import simulated_recipe

    recipe = simulated_recipe(images=False)
    folder = f"{SIMULATED}-{recipe.key}"
    try:
        place = cache_folder() / DATASETS_FOLDER
        if not is_folder(place / folder):
            make_cache_folder(place)
        return build_once(recipe, place / folder)
    except (NoCacheError, WriteError) as error:
        log.warning("The split '%s' is not kept for the next run: %s", name, without_cache(error))
    return build_once(recipe, _folder_of_this_process() / folder)


@cache
def _folder_of_this_process() -> Path:
    """Return a temporary folder that is removed when this process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(temporary_folder())
