"""What an evaluation leaves in its cache, to compare ways of preparing it."""

from __future__ import annotations

import numpy as np

from chorus_bench.evaluation import evaluate
from chorus_bench.io.mapped_arrays import read_arrays


def cache_files(folder, kind=""):
    """Return the files of prepared geometry whose names have a word, sorted."""
    return sorted(file for file in folder.rglob("*.bin") if kind in file.name)


def assert_same_preparation(arguments, engine=None, **more):
    """Evaluate as always and in another way: the same files with the same arrays, and scores."""
    folder = arguments["cache"]
    plain = evaluate(**arguments)
    other = evaluate(**arguments | {"cache": folder / "other"}, engine=engine, **more)
    assert other.samples.equals(plain.samples)
    files = cache_files(folder / "geometry")
    assert files
    for file in files:
        again = folder / "other" / file.relative_to(folder)
        for (name, array), (own, found) in zip(
            *(read_arrays(place)[0].items() for place in (file, again)), strict=True
        ):
            assert name == own
            np.testing.assert_array_equal(found, array, strict=True)
    assert len(cache_files(folder / "other")) == len(files)
