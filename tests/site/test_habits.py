"""What readers expect of any page: focus, "Back", links that reproduce a view, columns, print."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.site.made_up import CATEGORIES, MadeUpSite
from tests.site.steps import choose, shown, sort, tab


def focused(page):
    return page.evaluate("document.activeElement.dataset.focus ?? document.activeElement.tagName")


def act_by_keyboard(page, control, key):
    control.focus()
    page.keyboard.press(key)


@pytest.mark.parametrize(
    ("view", "label"),
    [
        ("ranking", "Score"),
        ("categories", "Shade"),
        ("curves", "Curves of"),
        ("trend", "Against"),
        ("compare", "First method"),
        ("samples", "Samples of"),
    ],
)
def test_a_chooser_keeps_the_focus(world, page_at, view, label):
    page = page_at(world.folder, f"index.html#view={view}")
    control = choose(page, label)
    control.wait_for()
    act_by_keyboard(page, control, "ArrowDown")
    page.wait_for_timeout(150)
    assert focused(page) == label


def test_buttons_keep_the_focus(world, page_at):
    page = page_at(world.folder, "index.html#view=compare")
    page.wait_for_selector('[data-pair="method-0|method-1"]')
    act_by_keyboard(page, page.get_by_role("button", name="Swap"), "Enter")
    page.wait_for_selector('[data-pair="method-1|method-0"]')
    assert focused(page) == "swap"
    tab(page, "By category")
    head = page.locator("table.categories").get_by_role("button", name="skis", exact=True)
    act_by_keyboard(page, head, "Enter")
    assert focused(page) == "sort:category:skis"
    tab(page, "Precision")
    act_by_keyboard(page, page.get_by_role("button", name="Remove Ray hull"), "Enter")
    assert focused(page) not in ("BODY", "HTML")
    tab(page, "Samples")
    act_by_keyboard(page, page.get_by_role("button", name="Next"), "Enter")
    assert focused(page) == "next"


def test_back_returns_to_the_last_view(world, page_at):
    page = page_at(world.folder)
    choose(page, "Score").select_option("mPAP_hoa")
    tab(page, "Intervals")
    page.go_back()
    expect(page.locator("table.ranking")).to_be_visible()
    expect(choose(page, "Score")).to_have_value("mPAP_hoa")
    page.go_back()
    expect(choose(page, "Score")).to_have_value("mPAP")
    page.go_forward()
    expect(page.locator(".summary")).to_contain_text("mPAP hoa")


def test_the_way_back_from_a_method_keeps_the_filters(world, page_at):
    page = page_at(world.folder)
    page.get_by_label("Search").fill("hull")
    sort(page, "mPAP hoa")
    page.get_by_role("link", name="Ray hull").click()
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.get_by_label("Search")).to_have_value("hull")
    assert len(shown(page)) == 2
    assert page.locator('th[data-sort="mPAP_hoa"]').get_attribute("aria-sort") == "descending"


def test_a_copied_link_reproduces_the_view(world, page_at):
    allowed = {"permissions": ["clipboard-read", "clipboard-write"]}
    page = page_at(world.folder, **allowed)
    choose(page, "Status").select_option("verified")
    tab(page, "By category")
    choose(page, "Shade").select_option("table")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied.").wait_for()
    address = page.evaluate("navigator.clipboard.readText()")
    again = page_at(world.folder, "index.html#" + address.partition("#")[2])
    assert choose(again, "Shade").input_value() == "table"
    assert again.locator("table.categories tbody tr:not([hidden])").count() == 4


def test_nothing_found_is_said_and_undone(world, page_at):
    page = page_at(world.folder)
    page.get_by_label("Search").fill("no such method")
    assert shown(page) == []
    page.get_by_role("button", name="Show all methods").click()
    assert len(shown(page)) == 7
    assert page.get_by_label("Search").input_value() == ""
    assert focused(page) == "Search"


def test_columns_in_which_all_are_alike_are_a_line_and_can_be_shown(world, page_at):
    page = page_at(world.folder)
    assert "14 categories, 560 samples" in page.locator(".alike").inner_text()
    head = page.locator('th[data-col="samples"]')
    assert not head.is_visible()
    page.locator("details.columns summary").click()
    page.get_by_role("checkbox", name="Samples").check()
    page.get_by_role("checkbox", name="mPAP strict", exact=True).uncheck()
    assert head.is_visible()
    assert not page.locator('th[data-col="mPAP_strict"]').is_visible()
    again = page_at(world.folder, "index.html#" + page.url.partition("#")[2])
    assert again.locator('th[data-col="samples"]').is_visible()


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    made = MadeUpSite(25, 4, CATEGORIES[:3], resamples=20)
    made.folder = made.write(tmp_path_factory.mktemp("long") / "site")
    return made


def test_choosers_of_many_methods_are_searched(long, page_at):
    page = page_at(long.folder, "index.html#view=compare")
    first = page.get_by_label("First method")
    first.fill("variant 21")
    first.press("Enter")
    page.wait_for_selector('[data-pair^="method-21|"]')
    assert focused(page) == "First method"
    first.fill("nothing of the kind")
    first.press("Enter")
    assert first.input_value() == "Variant 21"


@pytest.mark.parametrize("width", [420, 1280])
def test_the_head_and_the_first_column_stay_in_view(long, page_at, width):
    page = page_at(long.folder, viewport={"width": width, "height": 600})
    assert page.locator(".sideways:visible").count() == (1 if width == 420 else 0)
    last = page.locator("table.ranking tbody tr").last
    if width == 420:
        down = "place => { place.scrollIntoView(); place.scrollTop = 99999; }"
        page.locator(".scroll:visible").evaluate(down)
    else:
        last.scroll_into_view_if_needed()
    head = page.locator('th[data-sort="method"]').bounding_box()
    assert -1 <= head["y"] <= last.bounding_box()["y"]
    if width == 420:
        page.locator(".scroll:visible").evaluate("place => place.scrollLeft = 9999")
        assert -1 <= last.locator("th").bounding_box()["x"] <= 40


def test_filters_leave_the_rows_in_place(long, page_at):
    """Rows are hidden or moved, never made anew."""
    page = page_at(long.folder)
    page.evaluate(
        "for (const row of document.querySelectorAll('table.ranking tbody tr')) row.made = 1"
    )
    choose(page, "Status").select_option("verified")
    sort(page, "mPAP hoa")
    choose(page, "Category").select_option("bench")
    assert 0 < len(shown(page)) < 25
    kept = "rows => rows.every(row => row.made === 1)"
    assert page.eval_on_selector_all("table.ranking tbody tr", kept)


def test_print_is_complete(world, page_at):
    page = page_at(world.folder, "methods/method-0.html")
    page.wait_for_selector('canvas[data-shown="bicycle|0.5"]')
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    expect(page.locator("canvas.overlay")).to_have_count(3)
    block = page.locator("#citation-text")
    assert block.evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    assert not page.get_by_role("button", name="Copy BibTeX").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.numbers[open]").count() == 0


def test_a_picture_has_the_person_the_heat_and_the_outline(world, page_at):
    """At 80 x 60 pixels, nothing is scaled: colours as the report draws them."""
    page = page_at(world.folder, "index.html#view=samples")
    canvas = page.locator("canvas.overlay").first
    canvas.wait_for()
    colours = canvas.evaluate(
        """canvas => {
      const copy = document.createElement('canvas');
      [copy.width, copy.height] = [canvas.width, canvas.height];
      const pixels = copy.getContext('2d', { willReadFrequently: true });
      pixels.drawImage(canvas, 0, 0);
      return [[35, 15], [55, 30], [45, 30], [5, 5]].map(
          ([x, y]) => [...pixels.getImageData(x, y, 1, 1).data]);
    }"""
    )
    assert colours == [
        [184] * 3 + [255],
        [167, 37, 69, 255],
        [26, 115, 232, 255],
        [247] * 3 + [255],
    ]
    assert page.locator("ul.pictures li").count() == 3


def test_a_methods_page_is_short_on_a_phone(world, page_at):
    page = page_at(world.folder, "methods/method-0.html", viewport={"width": 360, "height": 740})
    page.wait_for_selector('canvas[data-shown="bicycle|0.5"]')
    assert page.evaluate("document.documentElement.scrollHeight") <= 6000
