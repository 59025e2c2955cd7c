"""Findings of a submission check, and the error that carries all of them."""

from __future__ import annotations

import difflib
import textwrap
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.errors import InputError

#: The place of a finding that concerns no single file.
WHOLE = "the submission"

# Characters that change the order in which text is displayed.
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@dataclass(frozen=True, order=True)
class Finding:
    """One problem or one warning.

    Attributes:
        where: the file, and the key in it.
        found: what was found, as one sentence without a final full stop.
        expected: what was expected.
        fix: what the author of the submission can do.
    """

    where: str
    found: str
    expected: str | None = None
    fix: str | None = None

    @classmethod
    def of(cls, error: InputError, where: str) -> Finding:
        """Return an error as a finding about the file ``where``."""
        return cls(where, error.found, error.expected, error.fix)

    def __str__(self) -> str:
        return str(InputError(self.found, where=self.where, expected=self.expected, fix=self.fix))


class Findings(list[Finding]):
    """Findings in the order in which they occur."""

    def add(
        self, where: str, found: str, *, expected: str | None = None, fix: str | None = None
    ) -> None:
        """Append a finding."""
        self.append(Finding(where, found, expected, fix))


class SubmissionError(InputError):
    """A submission that cannot be scored (exit code 2).

    Args:
        path: the submission.
        findings: every problem in it.
    """

    def __init__(self, path: str | Path, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        listed = "".join(f"\n{_bullet(finding)}" for finding in self.findings)
        super().__init__(
            f"{count} problem{'' if count == 1 else 's'} in the submission{listed}",
            where=printable(str(path)),
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (SubmissionError, (self.where, self.findings))


def _bullet(finding: Finding) -> str:
    return "- " + textwrap.indent(str(finding), "  ")[2:]


def has_controls(text: str, allowed: str = "") -> bool:
    """Whether a text has control, direction or surrogate characters other than ``allowed``."""
    return any(
        c not in allowed and (unicodedata.category(c) in ("Cc", "Cs") or c in _DIRECTIONS)
        for c in text
    )


def printable(text: str, limit: int = 200) -> str:
    """Return text of unknown origin in a form that is safe to show on a terminal.

    Control, direction and surrogate characters become escapes; the middle of a long text is
    left out.
    """
    if len(text) > limit:
        text = f"{text[: limit // 2]} ... {text[-limit // 4 :]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to ``name``, or None if none is similar."""
    by_folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None
