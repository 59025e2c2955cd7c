"""The board in a real browser: sentence, sorting, filters and views."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.site.made_up import MadeUpSite
from tests.site.steps import choose, column, shown, sort, tab


def test_it_says_at_the_top_who_leads_by_how_much_and_whether_that_is_significant(world, page_at):
    page = page_at(world.folder)
    text = page.locator(".summary").inner_text()
    leader, second = world.board["methods"][:2]
    ahead = 100 * (leader["scores"]["mPAP"] - second["scores"]["mPAP"])
    assert text.startswith(f"{leader['method']} leads with {100 * leader['scores']['mPAP']:.2f} %")
    assert f"{ahead:.2f} points ahead of {second['method']}" in text
    assert "significant." in text
    assert "It gains most on" in text


def test_the_sentence_is_the_same_with_and_without_scripts(world, page_at):
    texts = [
        page_at(world.folder, java_script_enabled=enabled).locator(".summary").text_content()
        for enabled in (True, False)
    ]
    assert " ".join(texts[0].split()) == " ".join(texts[1].split())


def test_every_column_sorts_both_ways(world, page_at):
    page = page_at(world.folder)
    assert shown(page) == [row["slug"] for row in world.board["methods"]]
    sort(page, "mPAP hoa")
    assert column(page, "mPAP_hoa") == sorted(column(page, "mPAP_hoa"), reverse=True)
    head = page.locator('th[data-sort="mPAP_hoa"]')
    assert head.get_attribute("aria-sort") == "descending"
    sort(page, "mPAP hoa")
    assert column(page, "mPAP_hoa") == sorted(column(page, "mPAP_hoa"))
    assert head.get_attribute("aria-sort") == "ascending"
    sort(page, "Method")
    names = page.locator("th.method a").all_inner_texts()
    assert names == sorted(names, key=str.lower)
    for name in ("Rank", "mPAP", "Status", "Saw COCO val", "Date"):
        sort(page, name)
        assert len(shown(page)) == 7


def test_text_and_choosers_filter_and_the_count_is_announced(world, page_at):
    page = page_at(world.folder)
    page.get_by_label("Search").fill("HULL lab")
    assert page.locator("th.method a:visible").all_inner_texts() == ["Ray hull"]
    assert page.locator(".count").inner_text() == "1 of 7 methods"
    assert page.locator(".count").get_attribute("aria-live") == "polite"
    page.get_by_label("Search").fill("")
    choose(page, "Status").select_option("verified")
    choose(page, "Saw COCO val").select_option("no")
    expected = [r["slug"] for r in world.board["methods"] if (r["status"], r["saw_coco_val"]) == ("verified", "no")]  # fmt: skip
    assert shown(page) == expected


def test_a_category_replaces_the_means(world, page_at):
    page = page_at(world.folder)
    choose(page, "Category").select_option("skateboard")
    by_slug = dict(zip(shown(page), column(page, "mPAP"), strict=True))
    for row in world.board["methods"]:
        expected = 100 * row["categories"]["skateboard"]["PAP"]
        assert by_slug[row["slug"]] == pytest.approx(expected, abs=0.0051)
    ranks = page.locator("td.rank").all_inner_texts()
    for slug, text in zip(shown(page), ranks, strict=True):
        own = world.row(slug)["categories"]["skateboard"]
        first, last = own["rank"][0], own["last_rank"][0]
        assert text == (f"{first}" if first == last else f"{first}\N{EN DASH}{last}")
    assert [int(text.partition("\N{EN DASH}")[0]) for text in ranks] == sorted(
        own["categories"]["skateboard"]["rank"][0] for own in world.board["methods"]
    )
    best = max(world.board["methods"], key=lambda row: row["categories"]["skateboard"]["PAP"])
    sentence = page.locator(".summary").inner_text()
    score = 100 * best["categories"]["skateboard"]["PAP"]
    assert sentence.startswith(f"{best['method']} leads with {score:.2f} % PAP on skateboard")
    assert "on 40 pictures" in sentence


def test_the_score_chooser_changes_ranks_and_sentence(world, page_at):
    page = page_at(world.folder)
    choose(page, "Score").select_option("mPAP_strict_hoa")
    assert "mPAP strict hoa" in page.locator(".summary").inner_text()
    ranks = page.locator("td.rank").all_inner_texts()
    by_slug = {row["slug"]: row for row in world.board["methods"]}
    for slug, text in zip(shown(page), ranks, strict=True):
        row = by_slug[slug]
        first, last = (row[name]["mPAP_strict_hoa"] for name in ("rank", "last_rank"))
        assert text == (f"{first}" if first == last else f"{first}\N{EN DASH}{last}")
    assert any("\N{EN DASH}" in text for text in ranks)


def test_the_address_keeps_the_view(world, page_at):
    page = page_at(world.folder)
    choose(page, "Score").select_option("mPAP_hoa")
    page.get_by_label("Search").fill("hull")
    tab(page, "By category")
    again = page_at(world.folder, "index.html#" + page.url.partition("#")[2])
    assert choose(again, "Score").input_value() == "mPAP_hoa"
    assert again.get_by_role("tab", name="By category").get_attribute("aria-selected") == "true"
    assert again.locator("table.categories tbody tr:not([hidden])").count() == 2


def test_the_categories_are_shaded_and_sort(world, page_at):
    page = page_at(world.folder, "index.html#view=categories")
    sort(page, "bicycle")
    at = 2 + world.categories.index("bicycle")
    cells = page.locator(f"table.categories tbody td:nth-child({at + 1})").all_inner_texts()
    values = [float(text.split()[0]) for text in cells]
    assert values == sorted(values, reverse=True)
    shades = page.eval_on_selector_all("td.heat", "c => c.map(x => getComputedStyle(x).backgroundColor)")  # fmt: skip
    assert len(set(shades)) > 20
    behind = page.locator("table.categories tfoot td").all_inner_texts()[1:]
    assert behind == [str(category["counted"]) for category in world.board["categories"]]


def test_curves_of_the_leaders_are_drawn_and_can_be_chosen(world, page_at):
    page = page_at(world.folder, "index.html#view=curves")
    lines = page.locator("figure polyline.series")
    lines.first.wait_for()
    assert lines.count() == 3
    before = lines.first.get_attribute("points")
    choose(page, "Curves of").select_option("skis")
    expect(lines.first).not_to_have_attribute("points", before)
    choose(page, "Add a method").select_option(label="Mean box")
    expect(lines).to_have_count(4)
    page.get_by_role("button", name="Remove Mean box").click()
    expect(lines).to_have_count(3)


def test_the_scatter_has_a_linked_point_for_every_method(world, page_at):
    page = page_at(world.folder, "index.html#view=scatter")
    labels = page.eval_on_selector_all(".chart a", "a => a.map(x => x.getAttribute('aria-label'))")
    row = world.board["methods"][0]
    assert len(labels) == 7
    assert f"\u2068{row['method']}\u2069: PAP {100 * row['scores']['mPAP']:.2f}, PAP hoa {100 * row['scores']['mPAP_hoa']:.2f}" in labels  # fmt: skip


def test_pap_is_drawn_against_a_measure_in_3d_and_the_page_says_where_they_disagree(
    page_at, tmp_path
):
    made = MadeUpSite(3, 10)
    for row, chamfer in zip(made.board["methods"], (0.08, 0.02, 0.04), strict=True):
        row["truth"] = {
            "measures": {"chamfer": chamfer},
            "intervals": {"chamfer": [0.9 * chamfer, 1.1 * chamfer]},
            "categories": {name: {"chamfer": 2 * chamfer} for name in made.categories},
        }
    page = page_at(made.write(tmp_path / "site"), "index.html#view=scatter")
    choose(page, "Against").select_option(label="Chamfer, cm")
    panel = page.get_by_role("tabpanel").locator("visible=true")
    leader = made.board["methods"][0]["method"]
    text = panel.inner_text()
    assert "put 1 of 3 pairs of methods in the same order, 2 in the other" in text
    assert f"disagree most on {leader}: place 1 by PAP, 3 by Chamfer, cm" in text
    label = panel.locator(".chart a").last.get_attribute("aria-label")
    assert label == f"\u2068{leader}\u2069: PAP {100 * made.board['methods'][0]['scores']['mPAP']:.2f}, Chamfer, cm 8.00"  # fmt: skip
    assert panel.locator(".chart .axis").last.text_content() == "Chamfer, cm (lower is better)"
    assert panel.locator(".diagonal").count() == 0
    choose(page, "Category").select_option("skis")
    panel.locator("details.numbers summary").click()
    assert "16.00" in panel.locator("details.numbers").inner_text()
    again = page_at(tmp_path / "site", "index.html#" + page.url.partition("#")[2])
    assert choose(again, "Against").input_value() == "chamfer"


def published_board():
    scores = {"mPAP": 0.2, "mPAP_strict": None, "mPAP_hoa": 0.1, "mPAP_strict_hoa": None}
    nothing = dict.fromkeys(("date", "submitted_by", "training_data", "description", "page", "rank", "last_rank", "closed", "verified", "repeat", "samples", "first_share", "sha256"))  # fmt: skip
    method = nothing | {
        "slug": "published-0", "method": "From the paper", "status": "published", "sees_truth": False,
        "saw_coco_val": "unknown", "track": "canonical", "has_fields": False, "has_scores": False,
        "links": {"paper": "https://example.org"}, "scores": scores, "categories_count": 1,
        "intervals": dict.fromkeys(scores), "signature": "as published", "note": "table 2",
        "setting": "SMPL", "source": "a table", "source_url": "https://example.org/p",
        "pictured": 0, "training_share": None, "truth": None,
        "categories": {"skis": {"PAP": 0.2, "PAP_strict": None, "PAP_hoa": 0.1,
                                "PAP_strict_hoa": None, "low": [None] * 4, "high": [None] * 4,
                                "rank": [None] * 4, "last_rank": [None] * 4, "closed": None,
                                "missing": False}},
    }  # fmt: skip
    one = {"leader": "published-0", "next": None, "difference": None, "low": None, "high": None, "gains": []}  # fmt: skip
    return {
        "id": "b1", "title": "As published", "kind": "published", "signature": "as published",
        "signature_parts": {}, "track": "canonical", "samples": None, "methods": [method],
        "categories": [{"name": "skis", "samples": None, "counted": None, "counted_hoa": None,
                        "summary": {}}],
        "about": None, "few": None, "differences": None,
        "summary": {"mPAP": one, "mPAP_strict": None, "mPAP_hoa": one, "mPAP_strict_hoa": None},
    }  # fmt: skip


def test_boards_are_never_mixed(page_at, tmp_path):
    made = MadeUpSite(3, 10)
    page = page_at(made.write(tmp_path / "site", boards=[published_board()]))
    assert page.locator("table.ranking:visible").count() == 1
    choose(page, "Board").select_option("b1")
    assert page.locator("th.method:visible").all_inner_texts() == ["From the paper"]
    assert page.locator("td.source:visible").inner_text() == "SMPL\na table\ntable 2"
    assert "were not recomputed" in page.locator("section.board:not([hidden])").inner_text()
    tabs = page.get_by_role("tab").locator("visible=true")
    assert tabs.all_inner_texts() == ["Ranking", "By category"]
    link = page.locator("td.source:visible a")
    assert (link.inner_text(), link.get_attribute("href")) == ("a table", "https://example.org/p")
