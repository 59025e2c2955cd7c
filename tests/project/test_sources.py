"""Every source that the code or a document names can be looked up by a reader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "chorus_bench",
    "baselines",
    "benchmarks",
    "docs",
    "leaderboard",
    "tests",
    "tools",
    ".github",
)
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".jinja", ".js", ".mjs", ".css", ".json"}

#: Sections and tables of the paper (CHORUS, ICCV 2023) that may be cited.
PAPER = {"3.2", "3.3", "3.4", "4", "4.2", "4.5", "table 1", "table 2"}
#: Publications and projects beside the paper, as they are named in a source.
ELSEWHERE = (
    "SMPL (Loper et al. 2015)",
    "Sárándi and Pons-Moll, Neural Localizer Fields, NeurIPS 2024",
    "arXiv:2108.06428",
    "Exif 2.3",
    "the Parquet format, https://parquet.apache.org/docs/file-format/",
)
#: Working notes that no reader has.
NOTES = ("pap.md", "geometry.md", "chorus.md", "coco_eft.md", "quirks".upper())

_STEP = r"[PM]\d+"
_STEPS = rf"{_STEP}(?:(?:, | to | and |, and ){_STEP})*"
_NUMBER = r"\d(?:\.\d)?"
_SECTIONS = re.compile(rf"sections? ({_NUMBER}(?:(?:, | to | and |, and ){_NUMBER})*)")


@cache
def text_files() -> tuple[Path, ...]:
    """The text files of the repository, without installed packages."""
    inside = (file for room in ROOMS for file in (ROOT / room).rglob("*"))
    return tuple(
        file
        for file in (*ROOT.iterdir(), *inside)
        if file.suffix in TEXT and file.is_file() and "node_modules" not in file.parts
    )


@cache
def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def python_files() -> list[Path]:
    return sorted(file for file in text_files() if file.suffix == ".py")


def documents() -> list[Path]:
    return sorted(file for file in text_files() if file.suffix == ".md")


def headings(document: Path) -> list[str]:
    return re.findall(r"^#+ (.+)$", read(document), re.MULTILINE)


@cache
def steps_of(document: str) -> frozenset[str]:
    """The numbered steps of docs/protocol.md or docs/method.md."""
    found = [re.match(rf"({_STEP}) ", heading) for heading in headings(ROOT / "docs" / document)]
    return frozenset(match[1] for match in found if match)


def docstrings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(read(file))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


@cache
def sources(file: Path) -> list[str]:
    """The paragraphs that name sources, all docstrings of a file, each in one line."""
    found = []
    for text in docstrings(file) if "Source:" in read(file) else ():
        for paragraph in re.split(r"\n\s*\n", text):
            if "Source:" in paragraph:
                found.append(" ".join(paragraph.partition("Source:")[2].split()))
    return found


def unresolved(source: str) -> list[str]:
    """What of a source cannot be looked up."""
    steps = list(re.finditer(rf"docs/(\w+)\.md(?:,? ({_STEPS}))?", source))
    passages = sections(source) + re.findall(r"table \d", source)
    problems = [f"paper: {name}" for name in passages if name not in PAPER]
    for match in steps:
        known = _known_steps(match[1])
        problems += [step for step in re.findall(_STEP, match[2] or "") if step not in known]
    if not (steps or passages or any(name in source for name in ELSEWHERE)):
        problems.append(f"names nothing that can be looked up: {source}")
    return problems


def sections(text: str) -> list[str]:
    """The numbers of all sections that a text cites."""
    return [number for found in _SECTIONS.findall(text) for number in re.findall(_NUMBER, found)]


def _known_steps(stem: str) -> set[str]:
    assert (ROOT / "docs" / f"{stem}.md").is_file(), f"docs/{stem}.md is cited"
    return steps_of(f"{stem}.md")


def test_the_steps_are_numbered_without_gaps():
    for document, letter in (("protocol.md", "P"), ("method.md", "M")):
        steps = [h.split()[0] for h in headings(ROOT / "docs" / document) if re.match(_STEP, h)]
        assert steps == [f"{letter}{number}" for number in range(1, len(steps) + 1)]
        assert len(steps) > 20


def test_every_source_can_be_looked_up():
    problems = [
        f"{file.relative_to(ROOT)}: {problem}"
        for file in python_files()
        for source in sources(file)
        for problem in unresolved(source)
    ]
    assert not problems


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("docs/protocol.md P999.", ["P999"]),
        ("docs/protocol.md P4 and P998, docs/method.md M1.", ["P998"]),
        ("docs/method.md P4.", ["P4"]),
        ("the paper, section 3.5.", ["paper: 3.5"]),
        ("the paper, sections 3.2 and 4.1.", ["paper: 4.1"]),
        ("docs/protocol.md P22; the paper, section 4.2 and table 2.", []),
        ("somebody's memory", ["names nothing that can be looked up: somebody's memory"]),
    ],
)
def test_a_source_that_is_not_there_is_found(source, problem):
    assert unresolved(source) == problem


def test_sources_are_found_in_the_code():
    """The search itself works: the metric and the warps name their steps."""
    assert any("P25" in source for source in sources(ROOT / "chorus_bench/metrics/pap.py"))
    assert sum(len(sources(file)) for file in python_files()) > 25


@cache
def texts_but_this() -> tuple[tuple[Path, str], ...]:
    """Every text file but this one, comment signs and line ends replaced by spaces."""
    return tuple(
        (file.relative_to(ROOT), " ".join(re.sub(r"\n\s*#:? ?", " ", read(file)).split()))
        for file in text_files()
        if file != Path(__file__)
    )


def test_steps_that_any_text_cites_exist():
    """`docs/protocol.md P4` anywhere: comments and messages too."""
    for name, text in texts_but_this():
        for document, cited in re.findall(rf"docs/(protocol|method)\.md\)?,? ({_STEPS})", text):
            missing = set(re.findall(_STEP, cited)) - steps_of(f"{document}.md")
            assert not missing, f"{name} cites {sorted(missing)}"


def test_sections_that_any_text_cites_are_the_papers():
    for name, text in texts_but_this():
        unknown = set(sections(text)) - PAPER
        assert not unknown, f"{name} cites section {sorted(unknown)}"


def test_the_two_documents_cite_steps_that_exist():
    known = steps_of("protocol.md") | steps_of("method.md")
    for document in ("protocol.md", "method.md"):
        text = read(ROOT / "docs" / document)
        assert set(re.findall(rf"\b{_STEP}\b", text)) == known & set(re.findall(_STEP, text))


def test_anchors_exist():
    for document in documents():
        text = re.sub(r"```.*?```", "", read(document), flags=re.DOTALL)
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text):
            goal = document.parent / target if target else document
            known = {_slug(heading) for heading in headings(goal)}
            assert anchor in known, f"{document.relative_to(ROOT)} links to {target}#{anchor}"


def _slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.replace(" ", "-")


def test_no_working_notes_are_named():
    for name, text in texts_but_this():
        named = [note for note in NOTES if note in text]
        assert not named, f"{name} names {named}"
