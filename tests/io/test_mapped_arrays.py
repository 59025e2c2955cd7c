"""Mapped arrays: plain safetensors, with the same bytes for the same contents."""

import numpy as np
import pytest
import safetensors.numpy

from chorus_bench.io.mapped_arrays import DamagedFileError, read_arrays, write_arrays

ARRAYS = {
    "bytes": np.arange(5, dtype=np.uint8),
    "counts": np.arange(3, dtype=np.int64),
    "empty": np.zeros((0, 2), np.int32),
    "points": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
}


def test_equal_contents_are_equal_bytes(tmp_path):
    write_arrays(tmp_path / "a", ARRAYS, {"kind": "x", "key": "y"})
    write_arrays(tmp_path / "b", dict(reversed(ARRAYS.items())), {"key": "y", "kind": "x"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_they_come_back_and_other_readers_take_them(tmp_path):
    write_arrays(tmp_path / "a", ARRAYS, {"kind": "x"})
    found, metadata = read_arrays(tmp_path / "a")
    other = safetensors.numpy.load_file(tmp_path / "a")
    assert metadata["kind"] == "x"
    for name, value in ARRAYS.items():
        for read in (found[name], other[name]):
            assert read.dtype == value.dtype
            np.testing.assert_array_equal(read, value)
        assert found[name].flags.aligned


def test_every_byte_counts(tmp_path):
    file = tmp_path / "a"
    write_arrays(file, ARRAYS, {"kind": "x"})
    content = file.read_bytes()
    for place in range(len(content) - sum(a.nbytes for a in ARRAYS.values()), len(content)):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(DamagedFileError):
            read_arrays(file)
