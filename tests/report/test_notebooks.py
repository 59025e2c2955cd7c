"""What a notebook shows of an object when it is the value of a cell."""

from __future__ import annotations

import re

import pytest

from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.io.notebook_html import summary_html
from chorus_bench.report import bars_figure
from chorus_bench.submission import open_submission, write_submission
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


def test_a_result_shows_its_scores(result):
    page = result._repr_html_()
    assert "a &lt;b&gt;" in page
    assert f"{100 * result.scores['mPAP']:.2f} (" in page
    assert len(re.findall("<tr>", page)) == 3


def test_a_split_and_a_submission_say_what_they_are(split, submission):
    assert split.label in split._repr_html_()
    assert "<td>bench</td><td>3</td>" in split._repr_html_()
    with open_submission(submission) as opened:
        page = opened._repr_html_()
        assert opened.sha256 in page
        assert "a &lt;b&gt;" in page


def test_a_figure_shows_itself_without_an_inline_backend(result):
    assert bars_figure(result)._repr_png_().startswith(b"\x89PNG")


def test_long_tables_are_cut_and_counted():
    page = summary_html("t", {"gone": None}, ("n",), [(number,) for number in range(40)])
    assert page.count("<tr>") == 31
    assert "and 10 more" in page
    assert "gone" not in page
