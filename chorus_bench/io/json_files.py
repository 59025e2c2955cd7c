"""JSON from others: small files with their lines, and large ones, gzip'ed or not."""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.io.documents import Document, KeyPath, Lines, decode
from chorus_bench.io.findings import printable
from chorus_bench.io.limits import MAX_UNPACK_RATIO, MAX_UNPACKED_BYTES, RATIO_FREE_BYTES
from chorus_bench.io.untrusted_files import read_limited

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TRUNCATED = "the complete file; this looks like an interrupted download"
_AGAIN = "download it again and compare its size"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}:,]|[^][{}:,"\s]+')
# No whole number of more digits is needed anywhere; Python refuses 4301.
_MAX_DIGITS = 30
# An escaped backslash, a pair of surrogates, or half of one (the group).
_SURROGATES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def parse_json(data: bytes, file: str) -> Document:
    """Read the bytes of a small JSON file.

    Numbers need not be finite: `without_odd_values` finds those that are not.

    Raises:
        InputError: not UTF-8, not JSON, empty, nested too deep, or a key occurs twice.
    """
    text = decode(data, file)
    try:
        content = json.loads(text, parse_int=_whole, object_pairs_hook=_table)
    except json.JSONDecodeError as error:
        where = f"{file}:{error.lineno}"
        raise InputError(f"is not JSON: {error.msg} (column {error.colno})", where=where) from error
    except RecursionError:
        raise InputError("is nested too deep", where=file, expected="keys and values") from None
    except _TwiceError as error:
        raise _twice(error.key, text, file) from None
    return Document(content, Lines(file, lambda: _lines(text)))


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _MAX_DIGITS else math.inf


class _TwiceError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return found


def _twice(key: str, text: str, file: str) -> InputError:
    found = f"has the key '{printable(key, 60)}' twice"
    return InputError(found, where=f"{file}:{_again(text)}", fix="remove one of them")


def _again(text: str) -> int:
    """Return the line where a key occurs for the second time."""
    seen: set[KeyPath] = set()
    for path, line in _places(text):
        if path in seen:
            return line
        seen.add(path)
    return 1


def _lines(text: str) -> dict[KeyPath, int]:
    return {(): 1} | dict(_places(text))


def _places(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Yield path and line of every key and item of a valid JSON text."""
    path: list[Any] = []  # in each open table its key, in each open list the item's number
    line, seen = 1, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if token in ("]", "}"):
            path.pop()
        elif token == ",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else None
        elif path and path[-1] is None:
            path[-1] = json.loads(token)
            yield tuple(path), line
        elif path and isinstance(path[-1], int):
            yield tuple(path), line
        if token in ("[", "{"):
            path.append(0 if token == "[" else None)


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a JSON file of any size, gzip'ed or not, whatever its name says.

    Numbers need not be finite.

    Raises:
        InputError: the file is empty, cut off, an archive, unpacks to too much, not JSON, nested
            too deep, or holds a whole number of thousands of digits or half of a surrogate pair.
    """
    data = _unpacked(path)
    if not data.strip():
        raise InputError("is empty", where=path, expected="a JSON file", fix=_AGAIN)
    text = decode(data, path)
    some = any(start in text for start in (r"\ud", r"\uD"))
    half = next((m for m in _SURROGATES.finditer(text) if m[1]), None) if some else None
    if half is not None:
        line = text.count("\n", 0, half.start()) + 1
        found = f"holds half of a character, {half[1]}, in line {line}"
        raise InputError(found, where=path, expected="whole characters", fix=_AGAIN)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(error, len(data), path) from error
    except RecursionError:
        raise InputError("is nested too deep", where=path, expected="a JSON file") from None
    except ValueError as error:
        raise InputError(f"holds a number too large: {error}", where=path) from error


def _not_json(error: json.JSONDecodeError, size: int, path: Path) -> InputError:
    text = error.doc.rstrip()
    if error.pos >= len(text) or text[-1] not in "]}":
        found = f"is truncated: the JSON ends in the middle, after {size:,} bytes"
        return InputError(found, where=path, expected=_TRUNCATED, fix=_AGAIN)
    return InputError(
        f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
        where=path,
        expected="a JSON file as its project distributes it",
        fix=_AGAIN,
    )


def _unpacked(path: Path) -> bytes:
    data = read_limited(path, MAX_UNPACKED_BYTES)
    if data.startswith(_ZIP):
        raise InputError(
            "is a zip archive", where=path, expected="a JSON file", fix="unpack it first"
        )
    if not data.startswith(_GZIP):
        return data
    most = min(MAX_UNPACKED_BYTES, max(RATIO_FREE_BYTES, MAX_UNPACK_RATIO * len(data)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"is truncated or damaged: {error}", where=path, expected=_TRUNCATED, fix=_AGAIN
        ) from error
    if len(content) > most:
        raise InputError(
            f"unpacks to more than {most:,} bytes",
            where=path,
            expected="a file that shrank less",
            fix="unpack it yourself if you trust it",
        )
    return content
