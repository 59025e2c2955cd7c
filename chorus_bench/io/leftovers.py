"""What killed runs leave behind: names that say whose they are, and removing what nobody has.

    .chorus-bench-<owner>-<token>.tmp    a file or folder that is not finished
    .chorus-bench-<owner>-<token>.old/   what is being replaced, under its own name
    .chorus-bench-<digest>.lock          who works on an output (`chorus_bench.io.locks`)
    chorus-bench-<owner>-<token>.tmp     in the system's temporary folder

Only things with such a name, whose owner has certainly ended, are ever removed.
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
    """Return a new hidden name in a folder that says that this process owns it.

    Args:
        folder: where.
        kind: ``tmp`` for what is not finished, ``old`` for a folder of what is replaced.
    """
    return folder / f".{PREFIX}{Owner.current().label}-{secrets.token_hex(6)}.{kind}"


def owner_of(name: str) -> Owner | None:
    """Return who made something of this name; None where the name is none of ours."""
    found = _NAME.fullmatch(name)
    return None if found is None else Owner.parse(found["owner"])


def is_lock(name: str) -> bool:
    """Whether this is the name of the lock of an output."""
    return _LOCK.fullmatch(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that have ended left unfinished in a folder."""
    for path, owner in unfinished(folder):
        if owner.is_gone():
            with contextlib.suppress(OSError):
                remove_leftover(path)


def remove_leftover(path: Path) -> None:
    """Remove something unfinished.

    Something that was being replaced goes back to its name where nothing has taken it.

    Raises:
        OSError: it could not be removed.
    """
    if path.suffix == ".old":
        _put_back(path)
    remove(path)


def unfinished(folder: Path) -> list[tuple[Path, Owner]]:
    """Return everything of this user in a folder that has the name of something unfinished."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as items:
        for item in items:
            owner = owner_of(item.name)
            if owner is not None and _is_ours(Path(item.path)):
                found.append((Path(item.path), owner))
    return sorted(found, key=lambda pair: pair[0])


@lru_cache(maxsize=1024)
def remove_leftovers_once(folder: Path) -> None:
    """Remove leftovers the first time that this process writes to a folder."""
    remove_leftovers(folder)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty private folder in the system's temporary folder; it is removed at the end.

    What killed processes of this user left there is removed first.

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
    """Remove a file, or a folder with all that is in it; a link itself, never what it names.

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
    """Whether this user made it; anybody may write to a system's temporary folder."""
    try:
        status = path.lstat()
    except OSError:
        return False
    usual = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return usual and (not hasattr(os, "getuid") or status.st_uid == os.getuid())


def _put_back(aside: Path) -> None:
    """Give what was put aside its name again, unless something is there by now."""
    for path in list(aside.iterdir()):
        with contextlib.suppress(FileExistsError):
            rename_new(path, aside.parent / path.name)
