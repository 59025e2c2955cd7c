"""Build the documentation site from the repository's own pages: `python tools/site/build_site.py`.

The pages of ``docs/`` and the READMEs beside them become one site, with the help of every command
and the docstrings of every public name. Nothing is downloaded. A link that leads nowhere ends the
build; links to files that are not pages lead to the repository.

Needs the extra ``docs``.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import chorus_bench

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
#: Pages outside docs/ and their names on the site.
OTHERS = {
    "README.md": "readme.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "leaderboard/README.md": "leaderboard.md",
    "benchmarks/README.md": "benchmarks.md",
}
#: What lies beside the pages and is copied as it is.
FOLDERS = ("docs/images", "docs/schemas")
#: Packages whose public names are documented; of each, what its ``__all__`` names.
PACKAGES = (
    "chorus_bench",
    "chorus_bench.adapters",
    "chorus_bench.metrics",
    "chorus_bench.geometry.grid",
    "chorus_bench.geometry.body",
    "chorus_bench.geometry.camera",
    "chorus_bench.submission",
    "chorus_bench.evaluation",
    "chorus_bench.datasets",
    "chorus_bench.simulation",
    "chorus_bench.calibration",
    "chorus_bench.report",
    "chorus_bench.leaderboard",
    "chorus_bench.plugins",
    "chorus_bench.errors",
    "chorus_baselines.chorus",
)
_LINK = re.compile(r"(?P<before>!?\[[^\]]*\]\()(?P<target>[^)\s]+)(?P<after>\))")


class DeadLinkError(Exception):
    """A page links to something that is not there."""


def pages() -> dict[Path, str]:
    """Return the pages of the site: file of the repository -> name on the site."""
    found = {path: path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    return found | {ROOT / file: name for file, name in OTHERS.items()}


def write_sources(folder: Path) -> None:
    """Write the sources of the site.

    Args:
        folder: of the sources; must not exist.

    Raises:
        DeadLinkError: a page links to something that is not there.
    """
    folder.mkdir()
    for path, name in pages().items():
        (folder / name).write_text(with_links(path.read_text("utf-8"), path), encoding="utf-8")
    for place in FOLDERS:
        shutil.copytree(ROOT / place, folder / Path(place).name)
    (folder / "schemas" / "README.md").unlink()
    shutil.copy(HERE / "conf.py", folder / "conf.py")
    shutil.copy(HERE / "index.myst", folder / "index.md")  # its links are the site's
    (folder / "commands.md").write_text(commands(), encoding="utf-8")
    (folder / "api").mkdir()
    for package in PACKAGES:
        (folder / "api" / f"{package}.rst").write_text(_api_page(package), encoding="utf-8")


def with_links(text: str, page: Path) -> str:
    """Return a page's text with links as they are on the site; those in code stay.

    Args:
        text: Markdown.
        page: the file in which it stands.

    Raises:
        DeadLinkError: a link leads nowhere.
    """
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if part.startswith("```") else _LINK.sub(lambda m: _link(m, page), part)
        for part in parts
    )


def _link(match: re.Match[str], page: Path) -> str:
    return match["before"] + _on_site(match["target"], page) + match["after"]


def _on_site(target: str, page: Path) -> str:
    """Return where a link of a page leads on the site."""
    if re.match(r"[a-z]+:|#", target):
        return target
    name, sign, anchor = target.partition("#")
    path = (page.parent / name).resolve()
    if not path.exists():
        raise DeadLinkError(f"{page.relative_to(ROOT)}: '{target}' leads nowhere")
    known = pages()
    if path in known:
        return known[path] + sign + anchor
    place = path.relative_to(ROOT).as_posix()
    if path.is_file() and place.startswith(FOLDERS) and path.name != "README.md":
        return place.removeprefix("docs/")
    kind = "tree" if path.is_dir() else "blob"
    return f"{repository()}/{kind}/main/{place}{sign}{anchor}"


def repository() -> str:
    """Return the address of the repository, as pyproject.toml has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["urls"]["Repository"])


def commands() -> str:
    """Return the help of every command, as Markdown."""
    names = ("--name", "chorus-bench", "--title", "Commands")
    command = [sys.executable, "-m", "typer", "chorus_bench.cli.app", "utils", "docs", *names]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _api_page(package: str) -> str:
    lines = [package, "=" * len(package), "", f".. automodule:: {package}", "   :members:"]
    exported = getattr(importlib.import_module(package), "__all__", ())
    if exported:  # else its imports are not its own
        lines.append("   :imported-members:")
        lines.append(f"   :exclude-members: {', '.join(sorted(_elsewhere(package, exported)))}")
    return "\n".join(lines) + "\n"


def _elsewhere(package: str, exported: Sequence[str]) -> set[str]:
    """Return the public names of a package that have their place on another page."""
    if package != "chorus_bench":
        return set(exported) & set(chorus_bench.__all__)
    return {name for name in exported if inspect.ismodule(getattr(chorus_bench, name))}


#: What the theme leaves out for readers who hear a page or use the keyboard alone.
MENDED = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Pages">',
    '<aside class="toc-drawer': '<aside aria-label="Contents of this page" class="toc-drawer',
    '<div class="content-icon-container">': (
        '<div class="content-icon-container" role="navigation" aria-label="This page">'
    ),
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper colwidths-auto docutils container">': (
        '<div class="table-wrapper colwidths-auto docutils container" tabindex="0">'
    ),
    '<th class="head"><p></p></th>': "<td></td>",
    '<div id="search-results">': '<h1>Search</h1>\n<div id="search-results">',
}


def mend(made: Path) -> None:
    """Give the parts of built pages the names, levels and focus that the theme leaves out."""
    for page in made.rglob("*.html"):
        text = page.read_text("utf-8")
        for found, better in MENDED.items():
            text = text.replace(found, better)
        page.write_text(text, "utf-8")


def build(output: Path) -> None:
    """Build the site.

    Args:
        output: folder to write; an existing one is replaced when the build has succeeded.

    Raises:
        DeadLinkError: a page links to something that is not there.
        subprocess.CalledProcessError: Sphinx found something wrong, a dead anchor for example.
    """
    with tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".site-") as folder:
        source, made = Path(folder, "source"), Path(folder, "site")
        write_sources(source)
        strict = ("-q", "-W", "--keep-going", "-d", str(Path(folder, "doctrees")))
        command = [sys.executable, "-m", "sphinx", *strict, str(source), str(made)]
        subprocess.run(command, check=True)
        mend(made)
        shutil.rmtree(output, ignore_errors=True)
        made.rename(output)


def main() -> None:
    """Build the site where the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "site", help="folder to write")
    build(parser.parse_args().output)


if __name__ == "__main__":
    main()
