"""What a notebook shows of a figure that is the value of a cell."""

from __future__ import annotations

import pytest

from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.report import bars_figure
from chorus_bench.submission import write_submission
from tests.evaluation.small_split import COARSE, blob_field, make_row


@pytest.fixture(scope="module")
def split():
    return split_from_rows([make_row("bench", number) for number in range(3)], "made")


@pytest.fixture(scope="module")
def submission(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook") / "sub"
    write_submission(folder, method="a <b>", fields={"bench": blob_field()})
    return folder


@pytest.fixture(scope="module")
def result(split, submission):
    return evaluate(submission, split=split, protocol=COARSE)


def test_a_figure_shows_itself_without_an_inline_backend(result):
    assert bars_figure(result)._repr_png_().startswith(b"\x89PNG")
