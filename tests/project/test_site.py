"""The documentation site: every page is reached, every link leads somewhere."""

import importlib.util
import re
import tomllib

import pytest
import yaml

from chorus_bench import __version__
from tests.project.imports import ROOT

TOOL = ROOT / "tools" / "site" / "build_site.py"


@pytest.fixture(scope="module")
def site():
    spec = importlib.util.spec_from_file_location("build_site", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_stands_in_the_contents(site):
    """Sphinx warns of those that do not; this says it before the site is built."""
    index = (TOOL.parent / "index.myst").read_text()
    listed = re.findall(r"^([a-z_]+)$", index, re.MULTILINE)
    pages = [name.removesuffix(".md") for name in site.pages().values()]
    assert sorted(listed) == sorted([*pages, "commands"])


def test_every_link_leads_somewhere(site):
    for path in site.pages():
        site.with_links(path.read_text(), path)


def test_links_are_those_of_the_site(site):
    page = ROOT / "docs" / "evaluation.md"
    text = (
        "[a](protocol.md#p1) [b](../leaderboard/README.md) [c](../pyproject.toml)\n"
        "[d](#here) [e](https://example.org) ![f](images/demo.png) [g](../chorus_bench)\n"
        "```\n[h](nowhere.md)\n```\n"
    )
    address = site.repository()
    assert site.with_links(text, page) == (
        f"[a](protocol.md#p1) [b](leaderboard.md) [c]({address}/blob/main/pyproject.toml)\n"
        f"[d](#here) [e](https://example.org) ![f](images/demo.png) "
        f"[g]({address}/tree/main/chorus_bench)\n"
        "```\n[h](nowhere.md)\n```\n"
    )


def test_a_dead_link_is_named(site):
    with pytest.raises(site.DeadLinkError, match=re.escape("docs/costs.md: 'gone.md' leads")):
        site.with_links("[x](gone.md)", ROOT / "docs" / "costs.md")


def test_what_the_theme_leaves_out_is_mended(site, tmp_path):
    page = tmp_path / "api" / "page.html"
    page.parent.mkdir()
    page.write_text('<aside class="toc-drawer no-toc"><pre>x</pre></aside>')
    site.mend(tmp_path)
    assert page.read_text() == (
        '<aside aria-label="Contents of this page" class="toc-drawer no-toc">'
        '<pre tabindex="0">x</pre></aside>'
    )


def test_the_help_of_every_command_is_there(site):
    text = site.commands()
    for command in ("evaluate", "baseline run", "datasets build", "leaderboard add", "doctor"):
        assert f"## `chorus-bench {command}`" in text


def test_the_citation_is_of_this_version_and_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["version"] == __version__
    assert citation["license"] == project["license"]
    assert citation["repository-code"] == project["urls"]["Repository"]
    assert citation["references"][0]["title"] in (ROOT / "README.md").read_text().replace(
        "{", ""
    ).replace("}", "")


@pytest.mark.parametrize("file", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda f: f.name)
def test_actions_are_pinned_to_commits(file):
    text = file.read_text()
    yaml.safe_load(text)
    for used in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", used), used
