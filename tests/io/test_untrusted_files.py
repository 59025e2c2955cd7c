"""Files that a user names: of the size that they may have, and no more is read."""

from __future__ import annotations

import os
import threading

import pytest

from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import read_limited


def sparse(path, size):
    """Make a file that says it is large and takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def test_a_file_of_the_right_size_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    assert read_limited(tmp_path / "a", 5) == read_limited(tmp_path / "link", 5) == b"12345"


def test_a_long_file_is_not_read(tmp_path):
    sparse(tmp_path / "a", 2**40)
    with pytest.raises(InputError, match=f"/a: has {2**40} bytes\n.*at most 5 bytes"):
        read_limited(tmp_path / "a", 5)


def test_what_has_no_size_is_read_up_to_the_limit(tmp_path):
    with pytest.raises(InputError, match="/dev/zero: has more than 5 bytes"):
        read_limited(type(tmp_path)("/dev/zero"), 5)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"123",))
    writer.start()
    assert read_limited(tmp_path / "pipe", 5) == b"123"
    writer.join()
