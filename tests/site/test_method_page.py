"""A method's page and its 3D view in a real browser."""

from __future__ import annotations

import itertools
import re

from playwright.sync_api import expect

from tests.site.steps import choose, picture


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
    assert all(a != b for a, b in itertools.pairwise(sums))


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
    assert re.match(
        r"At this level bicycle fills [\d.]+ litres, .* 20 cm below, 30 cm in front\.", words
    )
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
    expect(page.locator("table.ranking")).to_be_visible()


def test_the_citation_is_copied(world, page_at):
    page = page_at(world.folder, "methods/method-0.html", permissions=["clipboard-read", "clipboard-write"])  # fmt: skip
    page.get_by_role("button", name="Copy BibTeX").click()
    page.get_by_text("Copied.").wait_for()
