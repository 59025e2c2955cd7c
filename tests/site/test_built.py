"""A site built from entries, as `chorus-bench leaderboard build` builds it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from chorus_bench.leaderboard.site import build_site
from tests.leaderboard import world as entries
from tests.site.steps import VIEWS, choose, column, shown

PUBLISHED = """rows:
  - {name: From the paper, source: a paper, setting: SMPL, note: as printed, scores: {mPAP: 19.86}}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    board = folder / "board"
    entries.add(board, entries.make_result("Good", skill=0.9), saw_coco_val="no")
    entries.add(board, entries.make_result("Fair", skill=0.6, seed=1))
    entries.add(board, entries.make_result("Poor", skill=0.2, seed=2, missing=("bench",)))
    (board / "published.yaml").write_text(PUBLISHED)
    build_site(board, folder / "page", date="2026-11-24")
    return folder / "page"


def test_the_board_ranks_the_entries(built, page_at):
    page = page_at(built)
    assert shown(page) == ["good", "fair", "poor"]
    assert column(page, "mPAP") == sorted(column(page, "mPAP"), reverse=True)
    assert page.locator(".summary").first.inner_text().startswith("Good leads with")


@pytest.mark.parametrize("board", ["b0", "b1"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_of_every_board_opens(built, page_at, board, view):
    page = page_at(built, f"index.html#board={board}&view={view}")
    section = page.locator("section.board:not([hidden])")
    name = "Good" if board == "b0" else "From the paper"
    expect(section.locator("[role=tabpanel]:visible")).to_contain_text(name)
    assert section.locator("[role=tab][aria-selected=true]").count() == 1
    assert page.locator(".warning").count() == 0


def test_a_category_that_was_not_handed_in_is_marked(built, page_at):
    page = page_at(built, "index.html#view=categories")
    assert page.locator("table.categories tbody tr").last.locator("td").nth(1).inner_text().split()[0] == "0.00*"  # fmt: skip


def test_the_two_bootstraps_agree(built, page_at):
    """The browser's intervals of the categories enclose about what the overall one does."""
    page = page_at(built, "index.html#view=compare&a=good&b=fair")
    page.wait_for_selector('[data-pair="good|fair"]')
    assert "significant: Good is better" in page.locator(".comparison .summary").inner_text()
    assert page.locator(".dot:not(.hollow)").count() == 2


def test_a_methods_page_opens(built, page_at):
    page = page_at(built, "methods/poor.html")
    page.locator("#curves-place figure").wait_for()
    choose(page, "Category").select_option("bench")
    page.get_by_text("Poor: predicts nothing, no curve").wait_for()
    choose(page, "Category").select_option("tennis racket")
    expect(page.locator("#curves-place figure polyline")).to_have_count(2)
    expect(page.get_by_text("predicts nothing")).to_have_count(0)
    assert "nothing handed in" in page.locator("table.by-category").inner_text()
