"""The leaderboard's pages in a real browser."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.site.made_up import MEANS, MadeUpSite, text64

pytestmark = pytest.mark.xdist_group("browser")

VIEWS = ("ranking", "categories", "curves", "scatter", "compare")


def shown(page):
    """The slugs of the rows that are shown, in order."""
    return page.eval_on_selector_all(
        "section.board:not([hidden]) table.ranking tbody tr", "rows => rows.map(r => r.dataset.slug)"
    )


def column(page, key):
    """The numbers of a score column, in percent."""
    cells = page.locator(f'section.board:not([hidden]) td[data-score="{key}"] .value')
    return [float(text) for text in cells.all_inner_texts()]


def tab(page, name):
    page.get_by_role("tab", name=name).click()


def choose(page, label):
    return page.get_by_role("combobox", name=label, exact=True).locator("visible=true")


def sort(page, name):
    page.locator("section.board:not([hidden]) [role=tabpanel]:not([hidden]) thead").get_by_role(
        "button", name=name, exact=True
    ).click()


# The board


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
    for name in ("Rank", "mPAP", "Status", "Saw COCO val", "Categories", "Samples", "Date"):
        sort(page, name)
        assert len(shown(page)) == 7


def test_text_and_choosers_filter_and_the_count_is_announced(world, page_at):
    page = page_at(world.folder)
    page.get_by_label("Search").fill("HULL lab")
    assert page.locator("th.method a").all_inner_texts() == ["Ray hull"]
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


def test_the_score_chooser_changes_ranks_and_sentence(world, page_at):
    page = page_at(world.folder)
    choose(page, "Score").select_option("mPAP_strict_hoa")
    assert "mPAP strict hoa" in page.locator(".summary").inner_text()
    ranks = page.locator("td.rank").all_inner_texts()
    by_slug = {row["slug"]: row for row in world.board["methods"]}
    for slug, text in zip(shown(page), ranks, strict=True):
        row = by_slug[slug]
        tied = "=" if row["tied"]["mPAP_strict_hoa"] else ""
        assert text == f"{row['rank']['mPAP_strict_hoa']}{tied}"
    assert any(text.endswith("=") for text in ranks)


def test_the_address_keeps_the_view(world, page_at):
    page = page_at(world.folder)
    choose(page, "Score").select_option("mPAP_hoa")
    page.get_by_label("Search").fill("hull")
    tab(page, "By category")
    again = page_at(world.folder, "index.html#" + page.url.partition("#")[2])
    assert choose(again, "Score").input_value() == "mPAP_hoa"
    assert again.get_by_role("tab", name="By category").get_attribute("aria-selected") == "true"
    assert again.locator("table.categories tbody tr").count() == 2


def test_the_categories_are_shaded_and_sort(world, page_at):
    page = page_at(world.folder, "index.html#view=categories")
    sort(page, "bicycle")
    at = 2 + world.categories.index("bicycle")
    values = [float(t) for t in page.locator(f"table.categories td:nth-child({at + 1})").all_inner_texts()]  # fmt: skip
    assert values == sorted(values, reverse=True)
    shades = page.eval_on_selector_all("td.heat", "c => c.map(x => getComputedStyle(x).backgroundColor)")  # fmt: skip
    assert len(set(shades)) > 20


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
    assert f"{row['method']}: PAP {100 * row['scores']['mPAP']:.2f}, PAP hoa {100 * row['scores']['mPAP_hoa']:.2f}" in labels  # fmt: skip


# Head to head


def draws(seed, count):
    """mulberry32, written a second time."""
    state = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)) % np.uint64(2**32)  # fmt: skip
    state = state.astype(np.uint32)
    t = (state ^ (state >> 15)) * (state | np.uint32(1))
    t ^= t + (t ^ (t >> 7)) * (t | np.uint32(61))
    return (t ^ (t >> 14)).astype(np.float64) / 2**32


def expected_difference(made, first, second, category, score):
    """Value and 95 % interval of a difference, from the numbers as they are stored."""
    at = made.categories.index(category)
    hoa = "hoa" in score
    counted = made.areas[category][:, 1 if hoa else 0] > 0
    part = slice(at * made.each, (at + 1) * made.each)
    stored = [np.rint(65535 * made.scores_of(slug, score)[part]) / 65535 for slug in (first, second)]  # fmt: skip
    used = np.where(counted, stored[0] - stored[1], 0.0)
    drawn = np.floor(draws(at, 1000 * made.each) * made.each).astype(int).reshape(1000, made.each)
    means = used[drawn].sum(axis=1) / np.maximum(counted[drawn].sum(axis=1), 1)
    return used.sum() / counted.sum(), *np.percentile(means, [2.5, 97.5])


def number(text):
    return float(text.replace("\u2212", "-"))


def test_head_to_head_has_the_numbers_that_numpy_has(world, page_at):
    page = page_at(world.folder, "index.html#view=compare&score=mPAP_hoa&a=method-2&b=method-1")
    page.wait_for_selector('[data-pair="method-2|method-1"]')
    page.locator(".comparison .numbers").first.locator("summary").click()
    rows = page.locator(".comparison .numbers table").first.locator("tbody tr")
    assert rows.count() == len(world.categories)
    for row in rows.all():
        name, value, interval = row.locator("th, td").all_inner_texts()
        low, high = interval.split(" to ")
        expected = expected_difference(world, "method-2", "method-1", name, "PAP_hoa")
        assert [number(t) for t in (value, low, high)] == pytest.approx([100 * e for e in expected], abs=0.0051)  # fmt: skip


def test_head_to_head_overall_uses_the_precomputed_interval(world, page_at):
    page = page_at(world.folder, "index.html#view=compare")
    page.wait_for_selector('[data-pair="method-0|method-1"]')
    summary = world.board["summary"]["mPAP"]
    text = page.locator(".comparison .summary").inner_text()
    assert f"+{100 * summary['difference']:.2f} points" in text
    assert f"95 % interval +{100 * summary['low']:.2f} to +{100 * summary['high']:.2f}" in text
    page.get_by_role("button", name="Swap").click()
    page.wait_for_selector('[data-pair="method-1|method-0"]')
    assert f"\u2212{100 * summary['difference']:.2f} points" in page.locator(".comparison .summary").inner_text()  # fmt: skip


def test_head_to_head_lists_the_samples_that_disagree_most(world, page_at):
    page = page_at(world.folder, "index.html#view=compare")
    page.wait_for_selector("table.samples")
    first = page.locator("table.samples tbody tr").first.locator("th, td").all_inner_texts()
    differences = world.scores_of("method-0") - world.scores_of("method-1")
    worst = int(np.argmax(np.abs(differences)))
    assert first[0] == f"{world.categories[worst // world.each]}/{worst % world.each:03d}"
    assert number(first[-1]) == pytest.approx(100 * differences[worst], abs=0.01)


# A method's page and the 3D view


def picture(page):
    """The pixels of the 3D view: a checksum, and how many are the field's orange."""
    return page.evaluate(
        """() => {
      const from = document.querySelector('.stage canvas');
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [from.width, from.height];
      const context = canvas.getContext('2d');
      context.drawImage(from, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      let sum = 0, orange = 0;
      for (let i = 0; i < data.length; i += 4) {
        sum = (Math.imul(sum, 31) + data[i] + 256 * data[i + 1] + 65536 * data[i + 2] + data[i + 3]) >>> 0;
        if (data[i + 3] > 100 && data[i] > 150 && data[i] > 2 * data[i + 2]) orange += 1;
      }
      return [sum, orange];
    }"""
    )


def viewer(page_at, world):
    page = page_at(world.folder, "methods/method-0.html", viewport={"width": 600, "height": 500})
    page.wait_for_selector('canvas[data-shown="bicycle|0.5"]')
    return page


def test_the_3d_view_draws_and_turns_by_mouse_and_by_keys(world, page_at):
    page = viewer(page_at, world)
    pictures = [picture(page)]
    assert pictures[0][1] > 500
    canvas = page.locator(".stage canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 220, steps=3)
    page.mouse.up()
    pictures.append(picture(page))
    canvas.focus()
    for key in ("ArrowLeft", "ArrowUp", "+", "-", "ArrowDown"):
        page.keyboard.press(key)
        pictures.append(picture(page))
    for name in ("Front", "Left", "Back", "Right", "Above", "Zoom in"):
        page.get_by_role("button", name=name, exact=True).click()
        pictures.append(picture(page))
    sums = [sum_ for sum_, _ in pictures]
    assert all(a != b for a, b in zip(sums, sums[1:], strict=False))


def test_category_and_level_change_the_3d_view_and_its_words(world, page_at):
    page = viewer(page_at, world)
    first, words = picture(page), page.locator("#viewer-1-text").inner_text()
    page.get_by_role("slider").fill("80")
    page.wait_for_selector('canvas[data-shown="bicycle|0.8"]')
    second = picture(page)
    assert second[1] < first[1]
    choose(page.locator("#fields-place"), "Category").select_option("skateboard")
    page.wait_for_selector('canvas[data-shown="skateboard|0.8"]')
    assert picture(page)[0] != second[0]
    assert re.match(r"At this level bicycle fills \d+ litres, .* 20 cm below, 30 cm in front\.", words)
    assert "31 cm to the left, 85 cm below" in page.locator("#viewer-1-text").inner_text()


def test_without_webgl_the_words_remain(world, browser, page_at):
    context = browser.new_context()
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = context.new_page()
    page.goto(f"file://{world.folder}/methods/method-0.html")
    page.get_by_text("offers no WebGL").wait_for()
    page.get_by_text("At this level bicycle fills").wait_for()
    context.close()


def test_the_methods_page_tells_who_what_and_how_well(world, page_at):
    page = page_at(world.folder, "methods/method-0.html")
    assert page.get_by_role("heading", level=1).inner_text() == "CHORUS (reference)"
    assert "A. One, B. Two" in page.locator("header").inner_text()
    assert "@article{one2026" in page.locator("#citation-text").inner_text()
    assert page.locator("table.by-category tbody tr").count() == 14
    page.locator("#curves-place polyline").first.wait_for()
    page.get_by_role("link", name="Leaderboard").click()
    assert page.locator("table.ranking").is_visible()


# Boards apart, hostile texts, sizes


def published_board():
    scores = {"mPAP": 0.2, "mPAP_strict": None, "mPAP_hoa": 0.1, "mPAP_strict_hoa": None}
    nothing = dict.fromkeys(("date", "submitted_by", "training_data", "description", "page", "rank", "tied", "samples", "first_share", "sha256"))  # fmt: skip
    method = nothing | {
        "slug": "published-0", "method": "From the paper", "status": "published",
        "saw_coco_val": "unknown", "track": "canonical", "has_fields": False, "has_scores": False,
        "links": {"paper": "https://example.org"}, "scores": scores, "categories_count": 1,
        "intervals": dict.fromkeys(scores), "signature": "as published", "note": "table 2",
        "categories": {"skis": {"PAP": 0.2, "PAP_strict": None, "PAP_hoa": 0.1,
                                "PAP_strict_hoa": None, "low": [None] * 4, "high": [None] * 4,
                                "missing": False}},
    }  # fmt: skip
    one = {"leader": "published-0", "next": None, "difference": None, "low": None, "high": None, "gains": []}  # fmt: skip
    return {
        "id": "b1", "title": "As published", "kind": "published", "signature": "as published",
        "signature_parts": {}, "track": "canonical", "samples": None, "methods": [method],
        "categories": [{"name": "skis", "samples": None}], "differences": None,
        "summary": {"mPAP": one, "mPAP_strict": None, "mPAP_hoa": one, "mPAP_strict_hoa": None},
    }  # fmt: skip


def test_boards_are_never_mixed(page_at, tmp_path):
    made = MadeUpSite(3, 10)
    page = page_at(made.write(tmp_path / "site", boards=[published_board()]))
    assert page.locator("table.ranking:visible").count() == 1
    choose(page, "Board").select_option("b1")
    assert page.locator("th.method:visible").all_inner_texts() == ["From the paper\ntable 2"]
    assert "were not recomputed" in page.locator("section.board:not([hidden])").inner_text()
    for name in ("By category", "Precision", "PAP against", "Head to head"):
        page.get_by_role("tab", name=name).locator("visible=true").click()
    assert "has fewer" in page.locator("[role=tabpanel]:visible").inner_text()


HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    made = MadeUpSite(4, 10)
    rows = {slug: made.row(slug) for slug in made.tables}
    rows["method-0"].update(method=HOSTILE, training_data='"><img src=x onerror=alert(2)>')
    rows["method-1"].update(
        method="\u05e9\u05d9\u05d8\u05d4 \u202e evil", description="x" * 10_000, submitted_by="W" * 80
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
    schemes = page.eval_on_selector_all("a", "links => links.map(a => new URL(a.href.baseVal ?? a.href, document.baseURI).protocol)")
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


def sideways(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_never_scrolls_sideways(world, page_at, view):
    page = page_at(world.folder, f"index.html#view={view}", viewport={"width": 360, "height": 740})
    page.wait_for_timeout(150)
    assert sideways(page) <= 0


def many(count):
    """A site of many methods: a few rows, over and over, and differences of full size."""
    made = MadeUpSite(5, 4, resamples=20)
    rows = made.board["methods"]
    made.board["methods"] = [
        rows[n % 5] | {"slug": f"many-{n}", "method": f"Method {n}", "page": f"methods/many-{n}.html"}
        for n in range(count)
    ]
    made.tables |= {f"many-{n}": made.tables["method-0"] for n in range(count)}
    zeros = text64(np.zeros((count, count)), "<f4")
    made.board["differences"] = dict.fromkeys(MEANS, {"low": zeros, "high": zeros})
    return made


def test_200_methods_paint(page_at, tmp_path):
    page = page_at(many(200).write(tmp_path / "site"))
    assert len(shown(page)) == 200
    paints = page.evaluate(
        "Object.fromEntries(performance.getEntriesByType('paint').map(e => [e.name, e.startTime]))"
    )
    assert "first-contentful-paint" in paints
    print("first paint of 200 methods, ms:", paints)  # noqa: T201


# Ways to read the pages


def test_without_scripts_the_table_is_whole(world, page_at):
    page = page_at(world.folder, java_script_enabled=False)
    assert page.locator("table.ranking tbody tr").count() == 7
    row = world.board["methods"][0]
    text = page.locator("table.ranking tbody tr").first.inner_text()
    for key in ("mPAP", "mPAP_strict", "mPAP_hoa", "mPAP_strict_hoa"):
        assert f"{100 * row['scores'][key]:.2f}" in text
    page.goto(f"file://{world.folder}/methods/method-0.html")
    assert page.locator("table.by-category tbody tr").count() == 14


def test_a_web_server_serves_the_same(world, served, page_at):
    page = page_at(world.folder, "index.html#view=compare", allowed=served, base=served)
    page.wait_for_selector("table.samples")
    page.goto(f"{served}/methods/method-0.html")
    page.wait_for_selector('canvas[data-shown="bicycle|0.5"]')
    assert picture(page)[1] > 500


def luminance(colour):
    channels = np.array([float(c) for c in re.findall(r"[\d.]+", colour)[:3]]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_reader_and_have_contrast(world, page_at, scheme):
    page = page_at(world.folder, color_scheme=scheme)
    paper = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (paper < 0.1) == (scheme == "dark")
    for selector in ("body", "a", ".interval", ".tagline", ".status.verified", ".seen.yes", "thead th"):  # fmt: skip
        ink = luminance(page.eval_on_selector(selector, "e => getComputedStyle(e).color"))
        light, dark = max(ink, paper), min(ink, paper)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, selector


@pytest.mark.parametrize("path", [*(f"index.html#view={v}" for v in VIEWS), "methods/method-0.html"])
def test_everything_has_a_name(world, page_at, path):
    page = page_at(world.folder, path)
    page.wait_for_timeout(200)
    nameless = page.eval_on_selector_all(
        "button, select, input, a[href], img, canvas, [role=region], [role=img], summary",
        """nodes => nodes.filter(n => !(n.textContent.trim() || n.getAttribute('aria-label') || n.alt
             || n.getAttribute('aria-labelledby') || n.labels?.[0]?.textContent.trim())).map(n => n.outerHTML)""",
    )
    assert nameless == []
    assert page.locator("th:not([scope])").count() == 0
    assert page.locator("html[lang=en]").count() == 1
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "hs => hs.map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))
    ids = page.eval_on_selector_all("[id]", "nodes => nodes.map(n => n.id)")
    assert len(ids) == len(set(ids))


def test_the_keyboard_reaches_everything(world, page_at):
    page = page_at(world.folder)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the board"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.get_by_role("tab", name="Ranking").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tab", name="By category").get_attribute("aria-selected") == "true"
    assert page.locator("table.categories").is_visible()


SHOTS = {
    "light": (VIEWS, {"color_scheme": "light"}),
    "dark": (("ranking", "categories"), {"color_scheme": "dark"}),
    "phone": (("ranking", "compare"), {"viewport": {"width": 360, "height": 740}}),
}


@pytest.mark.parametrize("mode", SHOTS)
def test_screenshots_are_kept(world, page_at, screenshots, mode):
    views, options = SHOTS[mode]
    for view in views:
        page = page_at(world.folder, f"index.html#view={view}", **options)
        page.wait_for_timeout(200)
        page.screenshot(path=screenshots / f"board-{view}-{mode}.png", full_page=True)
    page = page_at(world.folder, "methods/method-0.html", **options)
    page.wait_for_selector('canvas[data-shown="bicycle|0.5"]')
    page.screenshot(path=screenshots / f"method-{mode}.png", full_page=True)
    assert len(list(screenshots.glob(f"*-{mode}.png"))) == len(views) + 1


def test_the_citation_is_copied(world, page_at):
    page = page_at(world.folder, "methods/method-0.html", permissions=["clipboard-read", "clipboard-write"])  # fmt: skip
    page.get_by_role("button", name="Copy BibTeX").click()
    page.get_by_text("Copied.").wait_for()


def test_scripts_ask_for_no_evaluation_and_pages_forbid_it(world):
    policy = "default-src 'none'; script-src 'self' file:"
    for page in ("index.html", "methods/method-0.html"):
        assert policy in (world.folder / page).read_text()
    for file in (world.folder / "assets").glob("*.js"):
        assert not re.search(r"\beval\(|new Function\b", file.read_text()), file.name
