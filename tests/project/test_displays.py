"""Values in a prompt and in a notebook: short, and without anybody's markup."""

from __future__ import annotations

import inspect
from html.parser import HTMLParser

import pytest

import chorus_bench
from chorus_bench.report.method_table import method_table
from tests.project.public_arguments import instance
from tests.project.public_callables import public_callables
from tests.project.public_values import grid, result, split

CLASSES = sorted(
    public.name
    for public in public_callables()
    if "." not in public.name and inspect.isclass(public.made())
)
VALUES = {
    "results": result,
    "submissions": lambda: instance("Submission"),
    "splits": split,
    "samples": lambda: split().samples[0],
    "views": lambda: chorus_bench.report.view_fields({"a": grid()}),
    "fields": grid,
    "grids": chorus_bench.GridSpec,
    "bodies": chorus_bench.load_body,
    "method tables": lambda: method_table([result(), result()]),
    "rankings": lambda: chorus_bench.compare([result(), result()], resamples=100),
    "validations": lambda: chorus_bench.validate("example", split=None),
    "reports of submissions": lambda: chorus_bench.validate("example", split=None).report,
}


class Texts(HTMLParser):
    """Collects the texts of a page, and the names of its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.add(tag)


@pytest.mark.parametrize("name", CLASSES)
def test_no_public_value_fills_the_screen(name):
    assert len(repr(instance(name))) < 600


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_one_line_and_a_small_table(name):
    value = VALUES[name]()
    line = repr(value)
    assert line.startswith(type(value).__name__)
    assert len(line) < 300
    assert "\n" not in line
    page = value._repr_html_()
    if name != "views":  # the view itself
        assert len(page) < 5000
        assert type(value).__name__ in Texts(page).texts


def test_a_result_shows_its_scores():
    shown = Texts(result()._repr_html_()).texts
    assert "bench" in shown
    assert f"{100 * result().scores['mPAP']:.2f}" in shown
    assert f"mPAP='{100 * result().scores['mPAP']:.2f}'" in repr(result())


def test_names_are_no_markup():
    named = chorus_bench.evaluation.split_from_rows(
        [{**_row(), "category": "<script>alert(1)"}], "<b>mine"
    )
    page = Texts(named._repr_html_())
    assert "<b>mine" in page.texts
    assert "script" not in page.elements


def _row():
    from tests.evaluation.small_split import make_row

    return make_row("bench", 0)
