"""The pages that users make: the shipped leaderboard, a report, a notebook's 3D view."""

from __future__ import annotations

from pathlib import Path

import pytest

from chorus_bench.evaluation import evaluate
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.leaderboard.site import build_site
from chorus_bench.report import view_fields, write_report
from tests.documents.places import write_small_split
from tests.evaluation.small_split import blob_field
from tests.site.steps import choose, picture

LEADERBOARD = Path(__file__).parents[2] / "leaderboard"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real") / "site"
    build_site(LEADERBOARD, folder, date="2026-11-24")
    return folder


def drawn(page):
    """Return the picture of the page's 3D view, once there is one."""
    page.wait_for_selector("canvas[data-shown]")
    return picture(page)


def test_the_shipped_board_says_who_leads(built, page_at, screenshots):
    page = page_at(built)
    text = page.locator(".summary:visible").first.inner_text()
    assert text.startswith("chorus leads with")
    assert page.locator("table.ranking:visible tbody tr").count() >= 8
    page.screenshot(path=screenshots / "shipped-board.png", full_page=True)


def test_a_shipped_method_has_fields_and_samples(built, page_at, screenshots):
    page = page_at(built, "methods/chorus.html")
    assert drawn(page)[1] > 0
    assert page.locator(".overlay-place").count() >= 60
    page.locator(".overlay-place").first.scroll_into_view_if_needed()
    canvas = page.locator("canvas.overlay").first
    canvas.wait_for()
    assert canvas.evaluate("canvas => canvas.width") > 100
    page.screenshot(path=screenshots / "shipped-method.png", full_page=True)


def test_the_report_draws_and_turns(page_at, screenshots, tmp_path):
    write_small_split(tmp_path / "split", each=3)
    made = {"submission": "example", "split": tmp_path / "split"}
    evaluate(**made, output=tmp_path / "result")
    write_report(tmp_path / "result", tmp_path / "report", **made, diagnose=True)
    page = page_at(tmp_path / "report", "report.html")
    before = drawn(page)
    page.locator(".stage canvas").focus()
    page.keyboard.press("ArrowRight")
    for _ in range(1000):  # a busy machine draws slowly
        if picture(page) != before:
            break
        page.wait_for_timeout(100)
    assert picture(page) != before
    page.locator("#curve-category").select_option("tennis racket")
    assert page.locator("#curve polyline").count() == 1
    assert "tennis racket" in page.locator("#curve figcaption").inner_text()
    assert page.locator("main img").count() == 12
    page.screenshot(path=screenshots / "report.png", full_page=True)
    phone = page_at(tmp_path / "report", "report.html", viewport={"width": 360, "height": 740})
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_notebook_view_draws(page_at, tmp_path):
    field = OccupancyGrid(blob_field(24, (0.5, 0.2, 0.4), 0.25), GridSpec(24))
    view_fields({"ball": field, "same": field}).save(tmp_path / "view.html")
    page = page_at(tmp_path, "view.html")
    assert drawn(page)[1] > 100
    choose(page, "Category").select_option("same")
    page.wait_for_selector('canvas[data-shown^="same|"]')
    assert picture(page)[1] > 100


def test_a_notebook_view_is_not_cut(page_at, tmp_path):
    field = OccupancyGrid(blob_field(24, (0.5, 0.2, 0.4), 0.25), GridSpec(24))
    view = view_fields({"ball": field})
    view.save(tmp_path / "view.html")
    for width in (700, 1100):
        page = page_at(tmp_path, "view.html", viewport={"width": width, "height": view.height})
        page.wait_for_selector("canvas[data-shown]")
        assert page.evaluate("document.documentElement.scrollHeight") <= view.height
