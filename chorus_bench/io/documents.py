"""Small text files of unknown origin: plain values and their lines.

A document is a tree of tables, lists, texts, numbers, booleans and nulls. Whatever a file
contains, reading it ends with a `Document` or with an `InputError`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.io.findings import has_controls, printable, shown

#: Largest nesting depth of tables and lists, the document itself included.
MAX_DEPTH = 16
#: Integers beyond this are refused.
MAX_WHOLE = 1 << 63

#: Names of keys and indices of items, from the document's root.
KeyPath = tuple[str | int, ...]


class Lines:
    """The lines of the keys in a file.

    Args:
        file: the name to show in findings.
        find: returns path of keys -> line, from 1. It is called when the first line is needed.
    """

    def __init__(self, file: str, find: Callable[[], Mapping[KeyPath, int]] = dict) -> None:
        self.file, self._find = file, find

    @cached_property
    def _known(self) -> Mapping[KeyPath, int]:
        return self._find()

    def line(self, path: KeyPath) -> int:
        """Return the line of a key, or of its nearest existing ancestor."""
        return next((self._known[path[:n]] for n in _lengths(path) if path[:n] in self._known), 1)

    def at(self, *keys: str | int) -> str:
        """Return ``file:line: key[item].key``, with the line of the nearest existing key.

        If no line is known, it is left out.
        """
        place = f"{self.file}:{self.line(keys)}" if self._known else self.file
        return printable(f"{place}{': ' if keys else ''}{label(keys)}", 400)


def label(path: KeyPath) -> str:
    """Return a path as text: ``key[item].key``."""
    parts = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return "".join(parts).removeprefix(".")


def _lengths(path: KeyPath) -> range:
    return range(len(path), -1, -1)


@dataclass(frozen=True)
class Document:
    """A file that was read.

    Attributes:
        content: the unchecked tree of values.
        lines: lines of its keys.
        fix: advice for a number or similar value that should be text; None in a format that
            quotes every text.
    """

    content: Any
    lines: Lines
    fix: str | None = None


def decode(data: bytes, file: object) -> str:
    """Return the text of a UTF-8 file, without a byte order mark.

    Raises:
        InputError: it is in another encoding.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        why = "it is UTF-16" if wide else f"byte {error.start} cannot be decoded"
        found = f"is not UTF-8 text: {why}"
        raise InputError(found, where=file, fix="save it as UTF-8") from error


#: What was found, and what was expected if that does not depend on the place.
Problem = tuple[str, str | None]


def without_odd_values(content: object) -> tuple[Any, dict[KeyPath, Problem]]:
    """Return a tree with null for every forbidden value, and the forbidden values.

    Keys with half a character are left out of the tree.

    These are texts with control, direction or surrogate characters (line breaks and tabs are
    allowed), numbers that are not finite or beyond `MAX_WHOLE`, and anything nested deeper than
    `MAX_DEPTH`.

    Returns:
        The tree, and for each such place what was found and what was expected.
    """
    problems: dict[KeyPath, Problem] = {}
    return _copy(content, (), problems), problems


def _copy(value: object, path: KeyPath, problems: dict[KeyPath, Problem]) -> object:
    problem = _problem(value, path)
    if problem is not None:
        problems[path] = problem
        return None
    if isinstance(value, Mapping):
        copied = {key: _copy(item, (*path, key), problems) for key, item in value.items()}
        return {key: item for key, item in copied.items() if not _has_half(key)}
    if isinstance(value, list | tuple):
        return [_copy(item, (*path, n), problems) for n, item in enumerate(value)]
    return value


def _has_half(key: object) -> bool:
    """Whether a key has half a character in it, which no JSON parser in C takes."""
    return isinstance(key, str) and any("\ud800" <= c <= "\udfff" for c in key)


def _problem(value: object, path: KeyPath) -> Problem | None:
    if path and isinstance(path[-1], str) and has_controls(path[-1]):
        return f"the key '{printable(path[-1], 60)}' has control characters", "plain text"
    if isinstance(value, str) and has_controls(value, allowed="\n\r\t"):
        return f"has control characters: {shown(value)}", "plain text"
    if isinstance(value, float) and not math.isfinite(value):
        return "is NaN" if math.isnan(value) else "is infinite or too large", None
    if isinstance(value, int) and abs(value) >= MAX_WHOLE:
        return f"is too large: {shown(value)}", None
    if isinstance(value, Mapping | list | tuple) and len(path) >= MAX_DEPTH:
        return f"is nested more than {MAX_DEPTH} deep", "keys and values"
    return None if _is_plain(value) else (f"is {shown(value)}", "text or a number")


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value)
    return value is None or isinstance(value, str | int | float | list | tuple)
