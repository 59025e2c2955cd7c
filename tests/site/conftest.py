"""One browser, and a few made-up sites, for all tests of the pages."""

from __future__ import annotations

import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.site.browser import ARGUMENTS, OF_THE_DRIVER, browser_path
from tests.site.made_up import MadeUpSite

#: A busy machine draws slowly; milliseconds.
PATIENCE = 120_000


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser_path(), args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Seven methods on 14 categories, the first with fields, pictures and a citation."""
    made = MadeUpSite()
    made.add_fields("method-0")
    made.add_fields("method-1", ("bicycle",))
    for slug in ("method-0", "method-1", "method-2"):
        made.add_overlays(slug)
    made.entries["method-0"] = {
        "authors": ["A. One", "B. Two"],
        "citation": "@article{one2026,\n  title = {A made-up method}\n}",
        "parameters": {"images": 2000},
    }
    made.folder = made.write(tmp_path_factory.mktemp("site") / "site")
    return made


@pytest.fixture
def page_at(browser, request):
    """Open pages; afterwards nothing may have been fetched, logged or thrown."""
    contexts, faults = [], []

    def open_page(folder, path="index.html", *, allowed="file:", base=None, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        context.route("**/*", functools.partial(_only, allowed, faults))
        page = context.new_page()
        page.on("console", lambda message: faults.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))  # fmt: skip
        page.goto(f"{base or f'file://{folder}'}/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [fault for fault in faults if OF_THE_DRIVER not in fault] == []


def _only(allowed, faults, route):
    url = route.request.url
    if url.startswith((allowed, "data:", "blob:")):
        route.continue_()
    else:
        faults.append(f"request: {url}")
        route.abort()


@pytest.fixture
def served(world):
    """The made-up site on a web server on this machine."""
    handler = functools.partial(_Quiet, directory=str(world.folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *values):
        """Say nothing."""


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory):
    given = os.environ.get("CHORUS_BENCH_SCREENSHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
