"""Large JSON files from other projects: plain or gzipped, checked for completeness."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TRUNCATED = "the complete file; this looks like an interrupted download"
_AGAIN = "download it again and compare its size"


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """Read a JSON file, gzipped or not, regardless of its name.

    Raises:
        InputError: the file is empty, truncated, an archive, or not JSON.
    """
    data = _unpacked(path)
    if not data.strip():
        raise InputError("is empty", where=path, expected="a JSON file", fix=_AGAIN)
    try:
        return json.loads(data)
    except UnicodeDecodeError as error:
        raise InputError("is not text", where=path, expected="a JSON file", fix=_AGAIN) from error
    except json.JSONDecodeError as error:
        text = error.doc.rstrip()
        if error.pos >= len(text) or text[-1] not in "]}":
            raise InputError(
                f"is truncated: the JSON breaks off after {len(data):,} bytes",
                where=path,
                expected=_TRUNCATED,
                fix=_AGAIN,
            ) from error
        raise InputError(
            f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            where=path,
            expected="a JSON file as published by its project",
            fix=_AGAIN,
        ) from error


def _unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if data.startswith(_ZIP):
        raise InputError(
            "is a zip archive", where=path, expected="a JSON file", fix="unpack it first"
        )
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"is truncated or damaged: {error}", where=path, expected=_TRUNCATED, fix=_AGAIN
        ) from error
