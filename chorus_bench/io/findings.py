"""Findings of a submission check, and the error that carries all of them."""

from __future__ import annotations

import difflib
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from chorus_bench.boundary import checked
from chorus_bench.displays import Table
from chorus_bench.errors import InputError, count_of, list_some

T = TypeVar("T")

#: The place of a finding that concerns no single file.
WHOLE = "the submission"

_SHORT = 60
#: Equal findings up to this number are told one by one.
_SEPARATE = 7
# Characters that change the order in which text is displayed.
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@checked
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
    @checked
    def of(cls, error: InputError, where: str) -> Finding:
        """Return an error as the finding about the file ``where``."""
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

    def take(self, error: InputError, file: str, fix: str | None = None) -> None:
        """Append what an error says about a file.

        Args:
            error: one problem, or all of a file.
            file: the file's name, for an error that does not say where.
            fix: what helps where the error does not say.
        """
        alone = Finding(error.where or file, error.found, error.expected, error.fix or fix)
        self.extend(error.findings if isinstance(error, ProblemsError) else (alone,))

    def collect(self, make: Callable[[], T], file: str, fix: str | None = None) -> T | None:
        """Return what a function makes, or None and append the problems that it raises."""
        try:
            return make()
        except InputError as error:
            self.take(error, file, fix)
            return None


class ProblemsError(InputError):
    """Everything that is wrong with a file, in one error: a single finding as it is.

    Args:
        findings: every problem.
        place: the file.
        keys: the first keys of the places that are wrong; None for the file as a whole.
    """

    def __init__(
        self, findings: Sequence[Finding], place: str, keys: Iterable[object] = ()
    ) -> None:
        self.findings, self.keys, self._place = tuple(findings), frozenset(keys), place
        if len(self.findings) == 1:
            (one,) = self.findings
            super().__init__(one.found, where=one.where, expected=one.expected, fix=one.fix)
        else:
            super().__init__(listed_problems(self.findings, printable(place)))

    def __reduce__(self) -> tuple[object, ...]:
        return (ProblemsError, (self.findings, self._place, self.keys))


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
    listed = "".join(f"\n- {textwrap.indent(str(f), '  ')[2:]}" for f in grouped(findings))
    return f"{count_of(len(findings), 'problem')} in {place}{listed}"


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings for a reader: those of several places that say the same as one.

    A few equal ones stay as they are; of more, the first places are named, and how many there are.
    """
    places: dict[Finding, list[str]] = {}
    for one in findings:
        places.setdefault(replace(one, where=""), []).append(one.where)
    return [
        replace(one, where=where)
        for one, there in places.items()
        for where in (
            [f"{len(there)} places ({list_some(there)})"] if len(there) > _SEPARATE else there
        )
    ]


def has_controls(text: str, allowed: str = "") -> bool:
    """Whether a text has control, direction or surrogate characters other than ``allowed``."""
    return not text.isprintable() and any(
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


def findings_table(errors: Iterable[Finding], warnings: Iterable[Finding | str]) -> Table:
    """Return errors and warnings as a table, for `chorus_bench.displays`."""
    known = (("error", errors), ("warning", warnings))
    return ("", "finding"), [[kind, str(one)] for kind, group in known for one in group]
