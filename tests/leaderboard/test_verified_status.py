"""Only the base branch makes an entry verified, and only with the numbers that it has there."""

from __future__ import annotations

import shutil

import pyarrow.parquet as pq
import pytest

from chorus_bench.evaluation.results import load_result
from chorus_bench.io.findings import Findings
from chorus_bench.leaderboard.earlier import earlier_verified
from chorus_bench.leaderboard.manifest import read_entry_yaml
from tests.leaderboard import world


def mark(entry):
    """Write into an entry that it is verified, as the maintainers' run does."""
    file = entry / "entry.yaml"
    sha256 = read_entry_yaml(file.read_bytes(), "entry.yaml", Findings()).sha256
    block = f"verified:\n  date: 2026-02-01\n  by: m\n  sha256: '{sha256}'\n  url: null"
    world.edit_text(file, "verified: null", block)
    world.edit_text(file, "status: self-reported", "status: verified")


@pytest.fixture
def base(board, good, tmp_path):
    """Return an earlier state in which one entry is verified."""
    mark(good)
    return str(shutil.copytree(board, tmp_path / "base"))


def found(board, base):
    return world.problems(board, verified=earlier_verified(board, base))


def test_a_verified_entry_stays_so(board, base):
    assert sorted(earlier_verified(board, base)) == ["good"]
    assert found(board, base) == ""


def test_nobody_marks_an_entry(board, base):
    mark(board / "entries" / "fair")
    assert "entries/fair/entry.yaml: marks the entry as verified, but the base" in found(
        board, base
    )


def test_a_verified_entry_does_not_change_its_split(board, good, base):
    """The submission is the same, and so is the block in entry.yaml."""
    other = world.make_result("Good", skill=0.99, split="other@c0123456789d")
    other.save(good)
    assert "as verified, but results.json and samples.parquet changed" in found(board, base)
    assert world.problems(board) == ""


def test_a_verified_entry_does_not_change_its_samples(board, good, base):
    """What was compared is the file, whatever is changed in it."""
    pq.write_table(load_result(good).samples, good / "samples.parquet", compression="gzip")
    assert "as verified, but samples.parquet changed since then" in found(board, base)
