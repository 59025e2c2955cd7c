"""However the pages are read: phone, dark, keyboard, no scripts, web server, 200 methods."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from tests.site.made_up import MEANS, MadeUpSite, text64
from tests.site.steps import VIEWS, picture, shown, sideways


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
        rows[n % 5]
        | {"slug": f"many-{n}", "method": f"Method {n}", "page": f"methods/many-{n}.html"}
        for n in range(count)
    ]
    made.tables |= {f"many-{n}": made.tables["method-0"] for n in range(count)}
    zeros = text64(np.zeros((count, count)), "<f4")
    made.board["differences"] = {key: {"low": zeros, "high": zeros} for key in MEANS}
    return made


@pytest.fixture(scope="module")
def hundreds(tmp_path_factory):
    return many(200).write(tmp_path_factory.mktemp("hundreds") / "site")


def test_200_methods_paint(page_at, hundreds):
    page = page_at(hundreds)
    assert len(shown(page)) == 200
    paint = page.evaluate(
        """() => new Promise((resolve) => new PerformanceObserver((list) => {
          const found = list.getEntriesByName('first-contentful-paint')[0];
          if (found) resolve(found.startTime);
        }).observe({ type: 'paint', buffered: true }))"""
    )
    assert paint > 0
    print(f"first contentful paint of 200 methods: {paint:.0f} ms")  # noqa: T201


@pytest.mark.parametrize(("view", "column"), [("ranking", "mPAP_hoa"), ("categories", "mean")])
@pytest.mark.parametrize("width", [420, 1280])
def test_far_rows_of_200_are_left_out_until_they_are_near(page_at, hundreds, view, column, width):
    """Rows are laid out by themselves; their cells still stand below their headings."""
    page = page_at(hundreds, f"index.html#view={view}", viewport={"width": width, "height": 600})
    rows = page.locator("table:visible tbody tr")
    alone = """([near, far]) => {
      near.scrollIntoView({ block: 'nearest' });
      const drawn = (row) => row.firstElementChild.checkVisibility({ contentVisibilityAuto: true });
      return drawn(near) && !drawn(far);
    }"""
    first, last = rows.first.element_handle(), rows.last.element_handle()
    for pair in ([first, last], [last, first]):  # a browser draws when it comes to it
        page.wait_for_function(alone, arg=pair)
    head = page.locator(f'table:visible th[data-sort="{column}"]')
    at = head.evaluate("head => head.cellIndex")
    boxes = [cell.bounding_box() for cell in (head, rows.last.locator("> *").nth(at))]
    assert boxes[0]["x"] == pytest.approx(boxes[1]["x"], abs=0.5)
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"], abs=0.5)
    assert -1 <= boxes[0]["y"] <= boxes[1]["y"]


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


@pytest.mark.parametrize(
    "path", [*(f"index.html#view={v}" for v in VIEWS), "methods/method-0.html"]
)
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
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
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


def test_scripts_ask_for_no_evaluation_and_pages_forbid_it(world):
    policy = "default-src 'none'; script-src 'self' file:"
    for page in ("index.html", "methods/method-0.html"):
        assert policy in (world.folder / page).read_text()
    for file in (world.folder / "assets").glob("*.js"):
        assert not re.search(r"\beval\(|new Function\b", file.read_text()), file.name
