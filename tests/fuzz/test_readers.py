"""Whatever a stranger's file holds: a result, or an error of ours that says what is wrong.

Each example breaks one or two files of a valid thing. `python -m tests.fuzz` runs for as long as
one likes.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chorus_bench.errors import ChorusBenchError
from tests.fuzz.mutations import break_file
from tests.fuzz.readers import READERS, Reader, valid

#: In the suite; `python -m tests.fuzz` goes on.
EXAMPLES = 12


def try_one(reader: Reader, draw) -> None:
    """Break a copy of a valid thing and read it; anything but our own errors goes through."""
    source = valid(reader.name)
    with tempfile.TemporaryDirectory(prefix="chorus-bench-fuzz-") as name:
        folder = Path(name) / "in"
        shutil.copytree(source, folder)
        files = reader.files(folder)
        for _ in range(draw(st.integers(1, 2))):
            with contextlib.suppress(ValueError, FileNotFoundError, OSError):
                break_file(draw(st.sampled_from(files)), draw)
        with contextlib.suppress(ChorusBenchError):
            reader.read(folder)
        beside = {path.name for path in Path(name).iterdir()}
        assert beside == {"in"}, "something was written beside the files"


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_valid_things_are_read(reader, tmp_path):
    """What is not broken is read: otherwise the examples below would show nothing."""
    reader.make(tmp_path)
    assert reader.files(tmp_path)
    reader.read(tmp_path)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_broken_things_are_read_or_refused(reader):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def run(data):
        try_one(reader, data.draw)

    run()
