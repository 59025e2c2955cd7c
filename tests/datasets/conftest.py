"""Fixtures of the dataset tests."""

import pytest

from tests.datasets.coco_eft_world import World
from tests.evaluation.conftest import rows, split

__all__ = ["rows", "split", "world"]


@pytest.fixture
def world():
    """Return three images with one person and a skateboard each."""
    return World()
