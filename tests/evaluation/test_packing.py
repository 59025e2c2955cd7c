"""Prepared geometry on the disk: nothing is lost, and files of earlier versions are replaced."""

from __future__ import annotations

import numpy as np
import pytest

import chorus_bench.evaluation.cache as cache_module
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.cache import GeometryCache
from chorus_bench.evaluation.packing import pack_lookup, unpack_lookup
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.mapped_arrays import read_arrays, write_arrays
from tests.evaluation.small_split import COARSE

GRIDS = ((COARSE.grid, "canonical"), (GridSpec(96), "canonical"), (COARSE.grid, "posed"))


@pytest.fixture
def cache(tmp_path, split):
    return GeometryCache(split.samples, load_body("default"), COARSE, tmp_path)


def contents(cache):
    """Return all that the cache gives for its first batch."""
    batch = cache.batches[0]
    lookups = [vars(cache.load(batch, grid, track)) for grid, track in GRIDS]
    return [*lookups, *(vars(sample) for sample in cache.prepared(batch))]


def assert_same(some, others):
    for one, other in zip(some, others, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name], strict=True)


@pytest.mark.parametrize("last", [0, 5, 2**16 - 1, 2**16, 48**3, 256**3])
def test_any_index_is_kept(last):
    index = np.random.default_rng(last).integers(0, last + 1, 1001).astype(np.int32)
    index[7] = last
    packed = pack_lookup({"index": index, "pixels": np.arange(3)})
    assert_same([unpack_lookup(packed)], [{"index": index, "pixels": np.arange(3)}])


def test_what_is_read_again_is_what_was_prepared(cache, monkeypatch):
    first = contents(cache)
    monkeypatch.setattr(cache_module, "prepare_sample", None)  # would fail if it was called
    assert_same(first, contents(cache))


def test_preparing_is_said_once_and_only_if_needed(tmp_path, split, submission):
    class Bar:
        def __init__(self):
            self.said = []

        def __call__(self, done, total):
            pass

        def say(self, label):
            self.said.append(label)

    bars = [Bar(), Bar()]
    for bar in bars:
        evaluate(submission, split=split, protocol=COARSE, cache=tmp_path, progress=bar)
    assert [bar.said for bar in bars] == [[cache_module.PREPARING], []]


def test_files_of_earlier_versions_are_read_and_replaced(cache, tmp_path, monkeypatch):
    packed = contents(cache)
    batch = cache.batches[0]
    geometry = cache._geometry(batch, lambda: None)
    sizes = {}
    for file in tmp_path.rglob("*.bin"):
        arrays, metadata = read_arrays(file)
        sizes[file] = file.stat().st_size
        old = unpack_lookup(arrays) if "low" in arrays else geometry
        write_arrays(file, old, {name: metadata[name] for name in ("key", "kind")})
        assert file.stat().st_size > sizes[file]
    monkeypatch.setattr(cache_module, "prepare_sample", None)
    assert len(sizes) == 4
    assert_same(packed, contents(cache))
    assert {file: file.stat().st_size for file in sizes} == sizes
