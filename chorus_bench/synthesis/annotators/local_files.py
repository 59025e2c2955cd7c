"""Model files on the user's disk: that they are there, and which ones they are."""

from __future__ import annotations

from pathlib import Path

import xxhash

from chorus_bench.errors import InputError

_BLOCK = 1 << 22


def check_file(path: Path, *, expected: str, fix: str) -> None:
    """Raise an `InputError` where there is no such file.

    Args:
        path: the file.
        expected: what it should be.
        fix: where such files come from.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise InputError(found, where=path, expected=expected, fix=fix)


def file_version(path: Path) -> str:
    """Return a file's name and a hash of what is in it; the folder differs between machines."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return f"{path.name} (xxh3 {digest.hexdigest()})"
