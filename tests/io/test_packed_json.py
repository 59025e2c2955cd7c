"""gzip'ed JSON: read as it is, within limits."""

import gzip
import json

import pytest

from chorus_bench.errors import InputError
from chorus_bench.io import json_files
from chorus_bench.io.json_files import read_json


def test_it_is_unpacked_whatever_its_name_says(tmp_path):
    file = tmp_path / "a.json"
    file.write_bytes(gzip.compress(json.dumps({"a": [1.5]}).encode()))
    assert read_json(file) == {"a": [1.5]}


def test_several_streams_are_one_file(tmp_path):
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress(b'{"a"') + gzip.compress(b": 2}"))
    assert read_json(file) == {"a": 2}


@pytest.mark.parametrize("cut", [1, 8, 12])
def test_what_is_cut_off_is_refused(tmp_path, cut):
    file = tmp_path / "a.json"
    file.write_bytes(gzip.compress(b'{"a": 1, "b": 2}')[:-cut])
    with pytest.raises(InputError, match="is truncated or damaged"):
        read_json(file)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """With the limits of a small machine: a mebibyte of nothing in a kilobyte."""
    monkeypatch.setattr(json_files, "RATIO_FREE_BYTES", 1000)
    file = tmp_path / "a.json"
    file.write_bytes(gzip.compress(b" " * 2**20 + b"1"))
    assert file.stat().st_size < 1100
    with pytest.raises(InputError, match=r"unpacks to more than [\d,]+ bytes"):
        read_json(file)
    file.write_bytes(gzip.compress(b"[" + b"1, " * 300 + b"1]"))
    assert len(read_json(file)) == 301
