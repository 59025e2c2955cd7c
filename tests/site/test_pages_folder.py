"""The folder of the pages: bundles that are those of the sources, and what a wheel has of it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from chorus_bench.errors import InputError
from chorus_bench.leaderboard.splits import split_json
from chorus_bench.report import web

ROOT = Path(__file__).parents[2]
BUNDLES = [name for name in web.ASSETS if name.endswith(".js")]


@pytest.mark.parametrize("name", BUNDLES)
def test_the_bundles_are_those_of_the_sources(name):
    """Fails after a change in scripts/ without `npm run build`."""
    sources = ["build.mjs", "package-lock.json"]
    sources += sorted(f"scripts/{file.name}" for file in (web.PAGES / "scripts").iterdir())
    digest = hashlib.sha256(b"".join((web.PAGES / name).read_bytes() for name in sources))
    assert f"sources: {digest.hexdigest()}" in web.asset(name)[:200]


def test_scripts_are_sorted_alike_everywhere():
    """Python and JavaScript order plain names in the same way."""
    for file in (web.PAGES / "scripts").iterdir():
        assert re.fullmatch(r"[a-z]+\.js", file.name)


def test_a_wheel_has_what_pages_are_made_from():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["chorus_bench"]
    package = ROOT / "chorus_bench"
    packed = {file for pattern in patterns for file in package.glob(pattern)}
    assert {web.asset_file(name) for name in web.ASSETS} <= packed
    assert set((web.PAGES / "templates").iterdir()) <= packed
    inside = {file.relative_to(web.PAGES).parts[0] for file in packed if web.PAGES in file.parents}
    assert inside == {"style.css", "templates", "built"}


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(web, "PAGES", tmp_path)
    with pytest.raises(InputError, match=r"lacks a part of its pages") as caught:
        web.asset("viewer.js")
    assert str(tmp_path / "built" / "viewer.js") in str(caught.value)


def test_the_pages_name_this_projects_repository():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    parts = (web.PAGES / "templates" / "_parts.html.jinja").read_text()
    assert f'REPOSITORY = "{project["urls"]["Repository"]}"' in parts


@pytest.mark.parametrize("label", ["simulated@0", "example@0", "coco-eft+lm@0"])
def test_splits_in_words_have_a_page(label):
    assert (ROOT / "docs" / split_json(label)["page"]).is_file()


def test_protocol_links_of_the_page_lead_somewhere():
    page = (web.PAGES / "templates" / "index.html.jinja").read_text()
    headings = re.findall(r"^### (.+)$", (ROOT / "docs" / "protocol.md").read_text(), re.MULTILINE)
    known = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in headings}
    assert set(re.findall(r"protocol\.md#([\w-]+)", page)) <= known
