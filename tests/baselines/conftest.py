"""What the tests of methods share: a small simulated world and made-up views, made once."""

from __future__ import annotations

import pytest

from tests.baselines.aggregations import run
from tests.baselines.small_world import small_test, small_train
from tests.baselines.views import make_row


@pytest.fixture(scope="session")
def train():
    """Give training rows of two categories."""
    return small_train()


@pytest.fixture(scope="session")
def samples():
    """Give test rows of two categories."""
    return small_test()


@pytest.fixture(scope="session")
def rows():
    """Give 40 views of three sizes and two prompts, as the aggregation wants them."""
    sizes = [(48, 40), (30, 64), (48, 40)]
    prompts = ["a person rides a board", "a person carries a board"]
    return [make_row(i, size=sizes[i % 3], prompt=prompts[i % 2]) for i in range(40)]


@pytest.fixture(scope="session")
def whole(rows):
    """Give the aggregation of these views, by prompt and by part."""
    return run(rows)
