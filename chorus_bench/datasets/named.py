"""Test splits by name: what a user's path to a dataset stands for."""

from __future__ import annotations

import atexit
import logging
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError, suggestion
from chorus_bench.io.cache import (
    DATASETS_FOLDER,
    NoCacheError,
    cache_folder,
    make_cache_folder,
    without_cache,
)
from chorus_bench.io.files import WriteError, is_folder
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.io.shipped import PACKAGED_SPLITS, packaged_folder

log = logging.getLogger(__name__)

#: The full simulated test split; built into the cache on first use.
SIMULATED = "simulated"
NAMED_SPLITS = (*PACKAGED_SPLITS, SIMULATED)


def dataset_folder(source: str | Path) -> Path:
    """Return the folder of a named split, built if missing; of anything else the path.

    Raises:
        InputError: there is nothing at the path, which is much like a name.
    """
    name = str(source)
    if name in PACKAGED_SPLITS:
        return packaged_folder(PACKAGED_SPLITS[name])
    if name == SIMULATED:
        return built_dataset(SIMULATED, images=False)
    near = suggestion(name, NAMED_SPLITS)
    if near and not Path(source).exists():
        listed = ", ".join(NAMED_SPLITS)
        raise InputError(
            "no such split",
            where=source,
            expected=f"a folder of Parquet files, or one of: {listed}",
            fix=near,
        )
    return Path(source)


def built_dataset(builder: str, **options: Any) -> Path:  # noqa: ANN401 - each has its own
    """Return the folder of a dataset, built into the cache if it is not there yet.

    Where the cache cannot be used, it is built into a temporary folder for this process.

    Args:
        builder: name of the builder.
        **options: options of the builder.

    Raises:
        InputError: an unknown builder or option.
        WriteError: there is no room for it anywhere.
    """
    from chorus_bench.datasets.export import build_once
    from chorus_bench.datasets.registry import get_builder

    recipe = get_builder(builder).configured(options)()
    folder = f"{builder}-{recipe.key}"
    try:
        place = cache_folder() / DATASETS_FOLDER
        if not is_folder(place / folder):
            make_cache_folder(place)
        return build_once(recipe, place / folder)
    except (NoCacheError, WriteError) as error:
        log.warning("'%s' is not kept for the next run: %s", builder, without_cache(error))
    return build_once(recipe, _folder_of_this_process() / folder)


@cache
def _folder_of_this_process() -> Path:
    """Return a temporary folder that is removed when this process ends."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(temporary_folder())
