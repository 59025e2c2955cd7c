"""What the tests of methods share: a small simulated world, made once a process."""

from __future__ import annotations

import pytest

from tests.baselines.small_world import small_test, small_train


@pytest.fixture(scope="session")
def train():
    """Give training rows of two categories."""
    return small_train()


@pytest.fixture(scope="session")
def samples():
    """Give test rows of two categories."""
    return small_test()
