"""Fixtures of the dataset tests."""

import pytest

from tests.datasets.coco_eft_world import World


@pytest.fixture
def world():
    """Return three images with one person and a skateboard each."""
    return World()
