"""Model files on the user's disk: their existence and identity."""

from __future__ import annotations

from pathlib import Path

import xxhash

from chorus_bench.errors import InputError

_BLOCK = 1 << 22


def check_file(path: Path, *, expected: str, fix: str) -> None:
    """Raise an `InputError` if there is no such file.

    Args:
        path: the file.
        expected: what it should be.
        fix: where to get such files.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "no such file"
        raise InputError(found, where=path, expected=expected, fix=fix)


def file_version(path: Path) -> str:
    """Return a file's name and a hash of its contents, without its folder, which may differ."""
    digest = xxhash.xxh3_64()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return f"{path.name} (xxh3 {digest.hexdigest()})"
