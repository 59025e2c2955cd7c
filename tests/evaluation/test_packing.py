"""Prepared geometry on the disk: nothing is lost, and files of earlier versions are replaced."""

from __future__ import annotations

import numpy as np
import pytest

import chorus_bench.evaluation.cache as cache_module
from chorus_bench.evaluation import evaluate, packing
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
def test_any_lookup_is_kept(last):
    rng = np.random.default_rng(last)
    index = rng.integers(0, last + 1, 1001).astype(np.int32)
    index[7] = last
    pixels = np.sort(rng.choice(999, 300, replace=False))
    starts = np.concatenate([[0], np.sort(rng.choice(np.arange(1, 1001), 299, replace=False))])
    rest = {
        "bounds": np.array([0, 1001]), "classes": rng.integers(0, 4, 999).astype(np.uint8),
        "images": np.array([0, 999]), "sizes": np.array([[27, 37]], dtype=np.int32),
    }  # fmt: skip
    lookup = {"index": index, "starts": starts, "pixels": pixels, **rest}
    packed = pack_lookup(lookup)
    assert_same([unpack_lookup(packed)], [lookup])


def test_a_lookup_of_nothing():
    """A person beside the image: no entry, and no pixel that has one."""
    none, classes = np.zeros(0, dtype=np.int64), np.zeros(12, dtype=np.uint8)
    lookup = {
        "index": none.astype(np.int32), "starts": none, "pixels": none, "classes": classes,
        "bounds": np.array([0, 0]), "images": np.array([0, 12]),
        "sizes": np.array([[3, 4]], dtype=np.int32),
    }  # fmt: skip
    assert_same([unpack_lookup(pack_lookup(lookup))], [lookup])


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_any_points_are_kept_bit_for_bit(count):
    rng = np.random.default_rng(count)
    points = rng.normal(size=(count, 3)).cumsum(axis=0).astype(np.float32)
    odd = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -3e38], dtype=np.float32)
    points[: len(odd)] = np.resize(odd, points[: len(odd)].shape)
    upper, lower = packing._halves(points)
    np.testing.assert_array_equal(
        packing._points(upper, lower).view(np.int32), points.view(np.int32), strict=True
    )


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


def test_files_of_another_version_are_prepared_again_and_replaced(cache, tmp_path):
    packed = contents(cache)
    files = {file: file.read_bytes() for file in tmp_path.rglob("*.bin")}
    assert len(files) == 4
    for file in files:
        _, metadata = read_arrays(file)
        write_arrays(file, {"other": np.arange(3)}, {n: metadata[n] for n in ("key", "kind")})
    assert not any(cache.holds(cache.batches[0], grid, track) for grid, track in GRIDS)
    assert_same(packed, contents(cache))
    assert {file: file.read_bytes() for file in files} == files
