"""Take pictures of the built board: `python tools/site/screenshots.py BOARD OUTPUT`.

BOARD is what ``chorus-bench leaderboard build --output BOARD`` wrote. Each kind of page is shown at
the width of a phone, a tablet and a desk, in light and dark, and as it is printed. Needs playwright
with a Chromium: its own, or the one that ``--browser`` names.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (360, 1024, 1440)
HEIGHT = 900
_PATIENCE = 180_000  # milliseconds; 3D views are drawn by the processor


def pages(board: Path) -> dict[str, Path]:
    """Return the board's page and one method's, by the names of their pictures."""
    methods = sorted(board.glob("methods/*.html"))
    found = {"board": board / "index.html"}
    return found | ({"method": methods[0]} if methods else {})


def opened(browser: Browser, path: Path, scheme: Scheme = "light", width: int = WIDTHS[-1]) -> Page:
    """Return a page that has loaded everything."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.set_default_timeout(_PATIENCE)
    page.goto(path.resolve().as_uri())
    page.wait_for_load_state("networkidle")
    return page


def shoot(browser: Browser, path: Path, output: Path, name: str) -> list[Path]:
    """Take all pictures of a page and return their files."""
    written = []
    for scheme in SCHEMES:
        for width in WIDTHS:
            page = opened(browser, path, scheme, width)
            written.append(output / f"{name}-{width}-{scheme}.png")
            page.screenshot(path=written[-1], full_page=True)
            page.close()
    page = opened(browser, path)
    written.append(output / f"{name}-print.pdf")
    page.pdf(path=written[-1], format="A4")
    page.close()
    return written


def main() -> None:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("board", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--browser", help="a Chromium; playwright's own without it")
    chosen = parser.parse_args()
    if not (chosen.board / "index.html").is_file():
        parser.error(f"{chosen.board}: no index.html; build the board with leaderboard build")
    chosen.output.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as engine:
        browser = engine.chromium.launch(
            executable_path=chosen.browser, args=["--no-sandbox", "--use-angle=swiftshader"]
        )
        for name, path in pages(chosen.board).items():
            for file in shoot(browser, path, chosen.output, name):
                print(file)
        browser.close()


if __name__ == "__main__":
    main()
