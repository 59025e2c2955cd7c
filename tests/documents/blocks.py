"""The code blocks of the documents: README, docs/, the leaderboard's page, CONTRIBUTING."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.project.imports import ROOT

PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "leaderboard/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page below the root, its first line there, its language and text."""

    page: str
    line: int
    language: str
    text: str

    def commands(self) -> list[list[str]]:
        """Return the arguments of every ``chorus-bench`` command of a block without language."""
        if self.language:
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        return [
            shlex.split(line, comments=True)[1:]
            for line in lines
            if line.startswith("chorus-bench ")
        ]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*, language: str | None = None) -> Iterator[Block]:
    """Yield the blocks of all pages, or those of one language."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            indent, name, body = found.groups()
            if language is None or name == language:
                body = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
                line = text.count("\n", 0, found.start()) + 2
                yield Block(path.relative_to(ROOT).as_posix(), line, name, body)
