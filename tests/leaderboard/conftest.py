"""A leaderboard of three methods."""

from __future__ import annotations

import shutil

import pytest

from tests.leaderboard import world


@pytest.fixture(scope="session")
def _shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boards") / "board"
    world.add(folder, world.make_result("Good", skill=0.9), saw_coco_val="no")
    world.add(folder, world.make_result("Fair", skill=0.6, seed=1))
    world.add(folder, world.make_result("Poor", skill=0.2, seed=2, missing=("bench",)))
    return folder


@pytest.fixture
def board(_shipped, tmp_path):
    """Return a leaderboard of the test's own, to be spoilt."""
    return shutil.copytree(_shipped, tmp_path / "board")


@pytest.fixture
def good(board):
    """Return the folder of one of its entries."""
    return board / "entries" / "good"
