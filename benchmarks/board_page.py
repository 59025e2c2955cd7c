"""Main-thread work and loading of a board's page: ``python benchmarks/board_page.py PAGE``.

PAGE is a page that ``leaderboard build`` wrote, or the ``page`` of
``benchmarks/leaderboard.py --keep FOLDER``. In headless Chromium, prints for every sort and filter
the work of the page's main thread until the next frame is there (median of ``--repeats``), and for
``--loads`` loads without a cache the first paint, the layout shift and the main thread's work. Work
is given by the clock and in processor time, which other processes of the machine disturb less.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

PATIENCE = 180_000  # milliseconds
#: What a reader does, in JavaScript, by its name; run in this order, again and again.
ACTIONS = {
    "sort by a score": "click('th[data-sort=mPAP_hoa] button')",
    "the other way": "click('th[data-sort=mPAP_hoa] button')",
    "sort by name": "click('th[data-sort=method] button')",
    "type a letter": "set('input[type=search]', '9', 'input')",
    "type another": "set('input[type=search]', '99', 'input')",
    "empty the search": "set('input[type=search]', '', 'input')",
    "choose a category": "choose('Category', 1)",
    "all categories": "choose('Category', 0)",
    "choose a score": "choose('Score', 1)",
    "the first score": "choose('Score', 0)",
    "sort by rank": "click('th[data-sort=rank] button')",
    "open by category": "click('[data-view=categories]')",
    "sort by a category": "click('.categories th[data-sort^=category] button')",
    "sort by the mean": "click('.categories th[data-sort=mean] button')",
    "type a letter there": "set('input[type=search]', '9', 'input')",
    "empty it": "set('input[type=search]', '', 'input')",
    "choose a score there": "choose('Score', 1)",
    "the first score there": "choose('Score', 0)",
    "open the ranking": "click('[data-view=ranking]')",
}
HELP = """
  const board = document.querySelector('section.board:not([hidden])');
  const set = (selector, value, kind) => {
    const node = board.querySelector(selector);
    node.value = value;
    node.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const click = (selector) => board.querySelector(selector).click();
  const choose = (label, index) => {
    const node = board.querySelector(`[data-label="${label}"] :is(select, input)`);
    const options = node.options ?? node.list.options;
    set(`[data-label="${label}"] ${node.localName}`, options[index].value, 'change');
  };
"""
FRAME = "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
SEEN = """() => {
  window.seen = { paint: 0, shift: 0 };
  const watch = (type, add) => new PerformanceObserver((list) => list.getEntries().forEach(add))
    .observe({ type, buffered: true });
  watch('paint', ({ name, startTime }) => {
    if (name === 'first-contentful-paint') window.seen.paint = startTime;
  });
  watch('layout-shift', ({ value, hadRecentInput }) => {
    if (!hadRecentInput) window.seen.shift += value;
  });
}"""
#: Kinds of work that the browser counts.
PARTS = ("TaskDuration", "ScriptDuration", "RecalcStyleDuration", "LayoutDuration")


def counters(session: CDPSession, domain: str) -> dict[str, float]:
    """Return the milliseconds of work so far, by the clock or of the processor."""
    session.send("Performance.enable", {"timeDomain": domain})
    found = session.send("Performance.getMetrics")["metrics"]
    return {one["name"]: 1000 * one["value"] for one in found}


def work(page: Page, session: CDPSession, domain: str, action: str) -> dict[str, float]:
    """Return the milliseconds of the main thread's work for an action, up to the next frame."""
    page.evaluate(f"() => {FRAME}")
    before = counters(session, domain)
    page.evaluate(f"() => {{ {HELP} {action}; return {FRAME}; }}")
    after = counters(session, domain)
    return {name: after[name] - before[name] for name in PARTS}


def measure_actions(browser: Browser, address: str, repeats: int) -> None:
    """Print the work of every action."""
    for domain, text in (("timeTicks", "by the clock"), ("threadTicks", "processor")):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(PATIENCE)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": domain})
        page.goto(address)
        page.wait_for_selector("th[data-sort] button")
        found: dict[str, list[dict[str, float]]] = {name: [] for name in ACTIONS}
        for _ in range(repeats):
            for name, action in ACTIONS.items():
                found[name].append(work(page, session, domain, action))
        print(f"\nmain thread, ms, {text}: median (all, script, style, layout), largest of all")
        for name, some in found.items():
            parts = [median(one[part] for one in some) for part in PARTS]
            most = max(one["TaskDuration"] for one in some)
            print(f"  {name:22s}" + "".join(f"{part:8.1f}" for part in parts) + f"{most:10.1f}")
        page.close()


def measure_loads(browser: Browser, address: str, loads: int) -> None:
    """Print first paint, layout shift and work of loads without a cache."""
    found = []
    for _ in range(loads):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.add_init_script(f"({SEEN})()")
        session = context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(address)
        page.wait_for_selector("th[data-sort] button")
        page.wait_for_function("window.seen.paint > 0")
        page.evaluate(f"() => {FRAME}")
        counted = counters(session, "threadTicks")
        seen = page.evaluate("window.seen")
        found.append((seen["paint"], seen["shift"], *(counted[part] for part in PARTS)))
        context.close()
    names = ("first paint, ms", "layout shift", *(f"{part}, ms of processor" for part in PARTS))
    print(f"\n{loads} loads without a cache: median, each")
    for name, values in zip(names, zip(*found, strict=True), strict=True):
        digits = 3 if name == "layout shift" else 0
        each = " ".join(f"{value:.{digits}f}" for value in values)
        print(f"  {name:36s}{median(values):8.{digits}f}   {each}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--loads", type=int, default=7)
    parser.add_argument("--browser", help="a Chromium; playwright's own without it")
    args = parser.parse_args()
    address = (args.page / "index.html").resolve().as_uri()
    print("load of the machine (1, 5, 15 minutes):", *(f"{one:.1f}" for one in os.getloadavg()))
    with sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=args.browser, args=["--no-sandbox"])
        measure_loads(browser, address, args.loads)
        measure_actions(browser, address, args.repeats)
        browser.close()
    print("\nload of the machine at the end:", *(f"{one:.1f}" for one in os.getloadavg()))


if __name__ == "__main__":
    main()
