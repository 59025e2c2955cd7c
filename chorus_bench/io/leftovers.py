"""Leftovers of killed runs: names that state their owner, and removal.

    .chorus-bench-<owner>-<token>.tmp    an unfinished file or folder
    .chorus-bench-<owner>-<token>.old/   what is being replaced, under its own name
    .chorus-bench-<digest>.lock          the lock of an output (`chorus_bench.io.locks`)
    chorus-bench-<owner>-<token>.tmp     in the system's temporary folder

Only things with such a name whose owner has certainly ended are removed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from chorus_bench.io.owners import Owner
from chorus_bench.io.renames import rename_new

log = logging.getLogger(__name__)

PREFIX = "chorus-bench-"
_NAME = re.compile(rf"\.?{PREFIX}(?P<owner>[0-9a-f-]+)-(?P<token>[0-9a-z_]+)\.(?P<kind>tmp|old)")

_LOCK = re.compile(rf"\.{PREFIX}[0-9a-f]{{12}}\.lock")


def unfinished_name(folder: Path, kind: str = "tmp") -> Path:
    """Return a new hidden name in a folder, owned by this process.

    Args:
        folder: the folder.
        kind: ``tmp`` for something unfinished, ``old`` for a folder of what is being replaced.
    """
    return folder / f".{PREFIX}{Owner.current().label}-{secrets.token_hex(6)}.{kind}"


def owner_of(name: str) -> Owner | None:
    """Return the owner that a name states; None if the name is not of this form."""
    found = _NAME.fullmatch(name)
    return None if found is None else Owner.parse(found["owner"])


def is_lock(name: str) -> bool:
    """Whether this is the name of the lock of an output."""
    return _LOCK.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove the unfinished files of ended processes in a folder."""
    for path, owner in unfinished(folder):
        if owner.is_gone():
            with contextlib.suppress(OSError):
                remove_leftover(path)


def remove_leftover(path: Path) -> None:
    """Remove something unfinished.

    Something that was being replaced gets its name back unless the name is taken.

    Raises:
        OSError: it could not be removed.
    """
    if path.suffix == ".old":
        _put_back(path)
    remove(path)


def unfinished(folder: Path) -> list[tuple[Path, Owner]]:
    """Return everything of this user in a folder with the name of something unfinished."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as items:
        for item in items:
            owner = owner_of(item.name)
            if owner is not None and _is_ours(Path(item.path)):
                found.append((Path(item.path), owner))
    return sorted(found, key=lambda pair: pair[0])


@lru_cache(maxsize=1024)
def remove_leftovers_once(folder: Path) -> None:
    """Remove leftovers when this process writes to a folder for the first time."""
    remove_leftovers(folder)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Provide an empty private folder in the system's temporary folder; removed afterwards.

    Leftovers of killed processes of this user are removed first.

    Raises:
        OSError: the system's temporary folder cannot be written to.
    """
    remove_leftovers(Path(tempfile.gettempdir()))
    prefix = f"{PREFIX}{Owner.current().label}-"
    folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, a folder with its contents, or a link, never its target.

    Raises:
        OSError: something could not be removed; the rest is gone.
    """
    if not path.is_symlink() and path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        if path.is_dir():
            shutil.rmtree(path)  # says why
    else:
        path.unlink(missing_ok=True)


def _is_ours(path: Path) -> bool:
    """Whether this user owns it; anybody may write to the system's temporary folder."""
    try:
        status = path.lstat()
    except OSError:
        return False
    usual = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return usual and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _put_back(aside: Path) -> None:
    """Restore the name of a file that was put aside, unless the name is taken."""
    for path in list(aside.iterdir()):
        with contextlib.suppress(FileExistsError):
            rename_new(path, aside.parent / path.name)
