"""Entries that try to harm: shown as what they are, and nothing more."""

from __future__ import annotations

import pytest

from tests.site.made_up import MadeUpSite
from tests.site.steps import VIEWS, shown, sideways, sort

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    made = MadeUpSite(4, 10)
    rows = {slug: made.row(slug) for slug in made.tables}
    rows["method-0"].update(method=HOSTILE, training_data='"><img src=x onerror=alert(2)>')
    rows["method-1"].update(
        method="\u05e9\u05d9\u05d8\u05d4 \u202e evil",
        description="x" * 10_000,
        submitted_by="W" * 80,
    )
    rows["method-1"]["links"] = {"paper": "javascript:alert(3)", "code": "JaVaScRiPt:alert(4)", "submission": "https://example.org/a"}  # fmt: skip
    row = rows["method-3"]
    row["scores"] = row["scores"] | {"mPAP_hoa": None}
    row["intervals"] = row["intervals"] | {"mPAP_hoa": None}
    made.add_fields("method-0")
    made.entries["method-1"] = {"citation": "</pre><script>alert(5)</script>" + "y" * 3000, "authors": "\u202e" + "A" * 900}  # fmt: skip
    made.pictures["method-1"] = [
        {"sample_id": '"><b>', "category": "skis", "kind": "best", "file": "pictures/none.png", "score": None}
    ]  # fmt: skip
    made.folder = made.write(tmp_path_factory.mktemp("hostile") / "site")
    (made.folder / "pictures").mkdir()
    (made.folder / "pictures" / "none.png").write_bytes(b"no picture")
    return made


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("view", VIEWS)
def test_hostile_entries_are_harmless_in_every_view(hostile, page_at, view, width):
    page = page_at(hostile.folder, f"index.html#view={view}", viewport={"width": width, "height": 740})  # fmt: skip
    page.wait_for_timeout(200)
    assert HOSTILE in page.inner_text("main")
    check_harmless(page)


@pytest.mark.parametrize("slug", ["method-0", "method-1"])
def test_hostile_entries_are_harmless_on_their_own_pages(hostile, page_at, slug):
    page = page_at(hostile.folder, f"methods/{slug}.html", viewport={"width": 360, "height": 740})
    page.wait_for_timeout(300)
    check_harmless(page)


def check_harmless(page):
    schemes = page.eval_on_selector_all(
        "a", "links => links.map(a => new URL(a.href.baseVal ?? a.href, document.baseURI).protocol)"
    )
    assert set(schemes) <= {"http:", "https:", "file:"}
    assert page.locator("script:not([src])").count() == 0
    assert page.locator("img[src='x']").count() == 0
    assert sideways(page) <= 0


def test_a_missing_score_is_a_dash_and_sorts_last(hostile, page_at):
    page = page_at(hostile.folder)
    for _ in range(2):
        sort(page, "mPAP hoa")
        assert shown(page)[-1] == "method-3"
    assert page.locator('tr[data-slug="method-3"] td[data-score="mPAP_hoa"]').inner_text() == "\u2013"  # fmt: skip
