"""Every kind of page and every view of a board, light and dark: axe and the contrast of all texts."""

from __future__ import annotations

import re

import pytest

from chorus_bench.evaluation import evaluate
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.leaderboard.site import build_site
from chorus_bench.report import view_fields, write_report
from tests.evaluation.small_split import blob_field
from tests.leaderboard import world as entries
from tests.site.accessibility import findings
from tests.site.steps import VIEWS

PUBLISHED = """rows:
  - {name: From the paper, source: a paper, setting: SMPL, note: as printed, scores: {mPAP: 19.86}}
"""


def opened(page_at, folder, path):
    """Return a page whose policy, which would forbid axe, is not heeded."""
    page = page_at(folder, path, bypass_csp=True)
    page.wait_for_timeout(200)
    return page


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """A page of changes and a board as published, a report, and a notebook's view."""
    folder = tmp_path_factory.mktemp("others")
    board = folder / "board"
    entries.add(board, entries.make_result("Good", skill=0.9), saw_coco_val="no")
    entries.add(board, entries.make_result("Poor", skill=0.2, seed=2, missing=("bench",)))
    (board / "published.yaml").write_text(PUBLISHED)
    build_site(board, folder / "page", date="2026-11-24")
    evaluate("example", output=folder / "scored")
    write_report(folder / "scored", folder / "report", submission="example", diagnose=True)
    field = OccupancyGrid(blob_field(24, (0.5, 0.2, 0.4), 0.25), GridSpec(24))
    view_fields({"ball": field}).save(folder / "view.html")
    return folder


def test_every_view_of_a_board(world, page_at):
    page = opened(page_at, world.folder, "index.html")
    found = {}
    for view in VIEWS:
        page.locator(f'[data-view="{view}"]').click()
        page.wait_for_timeout(200)
        found[view] = findings(page)
    assert found == {view: [] for view in VIEWS}


def test_a_methods_page(world, page_at):
    assert findings(opened(page_at, world.folder, "methods/method-0.html")) == []


@pytest.mark.parametrize(
    "path",
    [
        "page/index.html#board=b1",
        "page/index.html#board=b1&view=categories",
        "page/index.html#text=no+such+method",
        "page/changes.html",
        "page/methods/poor.html",
        "report/report.html",
        "view.html",
    ],
)
def test_every_other_page(others, page_at, path):
    assert findings(opened(page_at, others, path)) == []


def test_what_is_wrong_is_found(world, page_at):
    page = page_at(world.folder, bypass_csp=True)
    page.evaluate(
        """() => {
      const main = document.querySelector('main');
      main.append(document.createElement('button'));
      const faint = document.createElement('p');
      faint.textContent = 'hardly seen';
      faint.style.opacity = 0.4;
      main.append(faint);
    }"""
    )
    nameless, faint, dark, light = sorted(findings(page))
    assert nameless.startswith("button-name")
    assert faint.startswith("color-contrast")
    assert re.match(r"dark [1-4]\.\d\d: .*hardly seen", dark)
    assert re.match(r"light [1-4]\.\d\d: .*hardly seen", light)
