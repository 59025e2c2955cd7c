"""Findings of a submission check, and the error that carries all of them."""

from __future__ import annotations

import difflib
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.errors import InputError

#: The place of a finding that concerns no single file.
WHOLE = "the submission"

_SHORT = 60
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
    def of(cls, error: InputError, where: str, fix: str | None = None) -> Finding:
        """Return an error as the finding about the file ``where``; ``fix`` is advice for all."""
        return cls(where, error.found, error.expected, error.fix or fix)

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
        super().__init__(
            listed_problems(self.findings, "the submission"), where=printable(str(path))
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (SubmissionError, (self.where, self.findings))


def listed_problems(findings: Sequence[Finding], place: str) -> str:
    """Return how many problems there are in a place, and under it each of them."""
    count = len(findings)
    listed = "".join(f"\n- {textwrap.indent(str(f), '  ')[2:]}" for f in findings)
    return f"{count} problem{'' if count == 1 else 's'} in {place}{listed}"


def problems_error(findings: Sequence[Finding], place: str) -> InputError:
    """Return findings as one error: a single one as it is, several as a list."""
    if len(findings) == 1:
        (one,) = findings
        return InputError(one.found, where=one.where, expected=one.expected, fix=one.fix)
    return InputError(listed_problems(findings, printable(place)))


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


def shown(value: object) -> str:
    """Return any value of unknown origin as short, safe text that says what it is."""
    if isinstance(value, str):
        length = f" ({len(value)} characters)" if len(value) > _SHORT else ""
        return f"'{printable(value, _SHORT)}'{length}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    table, many = isinstance(value, dict), isinstance(value, list | tuple)
    try:
        text = printable(repr(value), _SHORT)
    except (ValueError, RecursionError):  # Python prints no number of thousands of digits
        return "a very long number" if isinstance(value, int) else "nested too deep"
    return f"{'a table of keys: ' if table else 'a list: ' if many else ''}{text}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to ``name``, or None if none is similar."""
    by_folded = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None
