"""Single values in a pickle: text and whole numbers, each from its own bytes."""

from __future__ import annotations

import codecs
import re

from chorus_bench.io.safe_pickle._values import damaged

_LONGEST_INTEGER = 256
_PYTHON2_STRING = re.compile(rb"(?:[^\\]++|\\(?:[\\'\"nrt]|x[0-9a-fA-F]{2}))*+", re.DOTALL)


def utf8(raw: bytes | memoryview) -> str:
    return str(raw, "utf-8", "surrogatepass")


def latin1(raw: bytes | memoryview) -> str:
    return str(raw, "latin-1")


def integer(raw: bytes | memoryview) -> int:
    if len(raw) > _LONGEST_INTEGER:
        raise damaged(f"an integer of {len(raw)} bytes")
    return int.from_bytes(raw, "little", signed=True)


def integer_line(line: bytes) -> int:
    if len(line) > _LONGEST_INTEGER:
        raise damaged(f"an integer of {len(line)} digits")
    return int(line.removesuffix(b"L"))


def bool_or_integer_line(line: bytes) -> int | bool:
    return line == b"01" if line in (b"00", b"01") else integer_line(line)


def string_line(line: bytes) -> str:
    """Return a Python 2 string written as in a program, each byte as one character."""
    body = line.strip()
    if len(body) < 2 or body[0] != body[-1] or body[0] not in b"'\"":
        raise damaged("a string without quotes")
    if not _PYTHON2_STRING.fullmatch(body, 1, len(body) - 1):
        raise damaged("a string with an unknown escape")
    return latin1(codecs.escape_decode(body[1:-1])[0])


def unicode_line(line: bytes) -> str:
    return line.decode("raw-unicode-escape")
