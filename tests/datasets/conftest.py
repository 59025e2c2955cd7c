"""Fixtures of the dataset tests."""

import pytest

from chorus_bench.datasets.eval_split import split_from_rows
from tests.datasets.coco_eft_world import World
from tests.evaluation.small_split import small_rows

__all__ = ["rows", "split", "world"]


@pytest.fixture
def world():
    """Return three images with one person and a skateboard each."""
    return World()


@pytest.fixture(scope="session")
def rows():
    """Return the rows of the small split."""
    return small_rows()


@pytest.fixture(scope="session")
def split(rows):
    """Return the small split."""
    return split_from_rows(rows, "made")
