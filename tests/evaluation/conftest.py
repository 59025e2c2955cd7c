"""The small split, and a submission on it."""

import pytest

from chorus_bench.evaluation import split_from_rows
from chorus_bench.submission import write_submission
from tests.evaluation.small_split import CATEGORIES, blob_field, small_rows


@pytest.fixture(scope="session")
def rows():
    """Return the rows of the small split."""
    return small_rows()


@pytest.fixture(scope="session")
def split(rows):
    """Return the small split."""
    return split_from_rows(rows, "made")


@pytest.fixture
def submission(tmp_path):
    """Return a submission folder with a smooth field for every category."""
    fields = {name: blob_field(center=(0.1 * i, 0.2, 0.3)) for i, name in enumerate(CATEGORIES)}
    return write_submission(tmp_path / "submission", method="blobs", fields=fields)
