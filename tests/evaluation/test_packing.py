"""Prepared geometry on the disk: nothing is lost, and files of earlier versions are replaced."""

from __future__ import annotations

import zlib

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
    assert packing.is_packed(packed)
    assert not packing.is_packed(lookup)


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


def of_first_version(arrays, geometry):
    """Return the arrays of a file as the first version kept them: as they are in memory."""
    return unpack_lookup(arrays) if "low" in arrays else geometry


def of_second_version(arrays, geometry):
    """Return them as the second one: starts and pixels of a lookup, all bytes of points."""
    lookup = of_first_version(arrays, geometry)
    if lookup is not geometry:
        rest = {name: lookup[name] for name in ("starts", "pixels", "bounds", "images", "sizes")}
        return {name: arrays[name] for name in ("low", "high", "classes")} | rest
    moves = np.zeros(len(geometry["voxels"]), dtype=bool)
    moves[geometry["moving"]] = True
    points = np.ascontiguousarray(geometry["points"].T)
    planes = points.view(np.uint8).reshape(3, -1, 4).transpose(0, 2, 1)
    packed = np.frombuffer(zlib.compress(planes.tobytes(), 1), dtype=np.uint8)
    kept = {name: geometry[name] for name in ("classes", "images", "sizes")}
    return {"moves": np.packbits(moves), "packed": packed, **kept}


@pytest.mark.parametrize("version", [of_first_version, of_second_version])
def test_files_of_earlier_versions_are_read_and_replaced(cache, tmp_path, monkeypatch, version):
    packed = contents(cache)
    geometry = cache._geometry(cache.batches[0], lambda: None)
    sizes = {}
    for file in tmp_path.rglob("*.bin"):
        arrays, metadata = read_arrays(file)
        sizes[file] = file.stat().st_size
        old = version(arrays, geometry)
        write_arrays(file, old, {name: metadata[name] for name in ("key", "kind")})
        assert file.stat().st_size > sizes[file]
    monkeypatch.setattr(cache_module, "prepare_sample", None)
    assert len(sizes) == 4
    assert_same(packed, contents(cache))
    assert {file: file.stat().st_size for file in sizes} == sizes
