"""The errors that users see.

Every error says what was found, where, what was expected, and what to do about it. The command
line prints the message without a traceback and exits with ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

#: Of longer lists of names only so many are shown.
MOST_LISTED = 12
#: Names that are so much alike are taken for typing errors of each other.
_NEAR = 0.6


class ChorusBenchError(Exception):
    """The tool could not do what was asked (exit code 1)."""

    exit_code = 1


class InputError(ChorusBenchError, ValueError):
    """The input or the arguments are wrong (exit code 2).

    Args:
        found: what is wrong, as one sentence without a final full stop.
        where: the file, key, row or argument in which it was found.
        expected: what was expected.
        fix: what the user can do.
    """

    exit_code = 2

    def __init__(
        self,
        found: str,
        *,
        where: object | None = None,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.found = found
        self.where = None if where is None else str(where)
        self.expected = expected
        self.fix = fix
        super().__init__(self._message())

    def _message(self) -> str:
        head = self.found if self.where is None else f"{self.where}: {self.found}"
        parts = [head]
        if self.expected:
            parts.append(f"Expected: {self.expected}")
        if self.fix:
            parts.append(f"What to do: {self.fix}")
        return "\n  ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.found, self.where, self.expected, self.fix))


def install_command(extra: str) -> str:
    """Return the command that installs what an extra of chorus-bench brings."""
    return f"pip install 'chorus-bench[{extra}]'"


class MissingDependencyError(ChorusBenchError, ImportError):
    """A required optional package is not installed (exit code 2)."""

    exit_code = 2

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        self.package, self.extra, self.purpose = package, extra, purpose
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed.\n"
            f"  What to do: {install_command(extra)}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_missing, (type(self), self.package, self.extra, self.purpose))


def _rebuild(
    kind: type[InputError], found: str, where: str | None, expected: str | None, fix: str | None
) -> InputError:
    return kind(found, where=where, expected=expected, fix=fix)


def _rebuild_missing(
    kind: type[MissingDependencyError], package: str, extra: str, purpose: str
) -> MissingDependencyError:
    return kind(package, extra=extra, purpose=purpose)


def import_extra(module: str, *, extra: str, purpose: str, package: str | None = None) -> Any:  # noqa: ANN401
    """Import a module of an optional package.

    Args:
        module: full name of the module.
        extra: the extra of chorus-bench that installs it.
        purpose: what needs it.
        package: the package to install, if its name is not the module's.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = package or module.partition(".")[0]
        raise MissingDependencyError(name, extra=extra, purpose=purpose) from error


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a sentence that suggests the nearest known name and lists known ones.

    Of many names the most alike are listed, and how many more there are.
    """
    names = sorted(known)
    if len(names) > MOST_LISTED:
        names.sort(key=lambda other: -likeness(name, other))  # stable: equals by the alphabet
    hint = suggestion(name, names)
    listed = f"Available: {list_some(names, MOST_LISTED) if names else 'nothing'}"
    return f"{hint} {listed}" if hint else listed


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return a question that suggests the nearest known name; None if none is near."""
    best = max(known, key=lambda other: likeness(name, other), default=None)
    near = best is not None and likeness(name, best) >= _NEAR
    return f"Did you mean '{best}'?" if near else None


def likeness(name: str, other: str) -> float:
    """Return how alike two names are, 0 to 1, whatever their case."""
    return difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio()


def unknown_name(
    kind: str, name: str, known: Iterable[str], *, where: object | None = None
) -> InputError:
    """Return the error for a name that is not among the ``known`` ones."""
    return InputError(f"unknown {kind} '{name}'", where=where, fix=did_you_mean(name, known))


def reason(error: Exception) -> str:
    """Return what an error says is wrong, to be told within another: without what to do."""
    return error.found if isinstance(error, InputError) else str(error)


def list_some(items: Sequence[object], limit: int = 5) -> str:
    """Return the first few items as text, with the number of remaining ones."""
    shown = ", ".join(str(item) for item in items[:limit])
    rest = len(items) - limit
    return f"{shown} and {rest} more" if rest > 0 else shown


def count_of(number: int, noun: str) -> str:
    """Return a number with its regular noun: ``1 row``, ``2 rows``, ``3 categories``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
