"""One run at a time in a place; the others are told who has it, or wait.

A lock is the system's (``flock``), so it is free when its process is gone, however it ended. The
file says who has it; it is removed when the lock is given back.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import hashlib
import json
import logging
import os
import platform
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.io.files import WriteError
from chorus_bench.io.findings import printable
from chorus_bench.io.leftovers import PREFIX

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


log = logging.getLogger(__name__)

#: The lock of a folder, in it.
LOCK_FILE = ".lock"

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
#: What file systems answer that have no locks.
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})
_TAKEN = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})
_SECONDS_A_TRY, _SECONDS_A_LINE = 0.2, 30.0
_TRIES_TO_READ, _LONGEST_OWNER = 5, 2**16


@contextlib.contextmanager
def only_run(folder: str | Path, *, where: object | None = None) -> Iterator[None]:
    """Hold the lock of a folder for the time of the block.

    Args:
        folder: made if it is not there, and removed if it stays empty.
        where: what messages name; by default the folder.

    Raises:
        InputError: another run has it; the message says which.
        WriteError: the folder cannot be made or written to.
    """
    place = Path(folder).absolute()
    with (
        _without_empty(place, *place.parents),
        _held(place / LOCK_FILE, where or folder, wait=False),
    ):
        yield


@contextlib.contextmanager
def only_writer(output: str | Path, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of something that is to be written, for the time of the block.

    The lock lies beside the output, which need not be there. One process must not ask for the
    same output twice at a time.

    Args:
        output: a file or folder; missing parents are made, and removed where they stay empty.
        wait: wait for another run, and say so, instead of raising.

    Raises:
        InputError: another run is writing it; the message says which.
        WriteError: the place cannot be written to.
    """
    target = Path(output).absolute()
    with _without_empty(*target.parents), _held(lock_file(target), Path(output), wait=wait):
        yield


@contextlib.contextmanager
def _without_empty(*folders: Path) -> Iterator[None]:
    """Remove those of some folders, inner ones first, that were not there and stay empty."""
    missing = [folder for folder in folders if not os.path.lexists(folder)]
    try:
        yield
    finally:
        for folder in missing:
            with contextlib.suppress(OSError):
                folder.rmdir()


def lock_file(target: Path) -> Path:
    """Return the file of the lock of an output: hidden, beside it."""
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]
    return target.parent / f".{PREFIX}{digest}.lock"


def remove_free_lock(file: Path) -> bool:
    """Remove the lock file of a killed process; False if another process has it."""
    try:
        descriptor = _try(file)
    except OSError:
        return False
    if descriptor is not None:
        _give_back(descriptor, file)
    return descriptor is not None


@contextlib.contextmanager
def _held(file: Path, where: object, *, wait: bool) -> Iterator[None]:
    try:
        descriptor = _acquire(file, where, wait=wait)
    except OSError as error:
        raise WriteError.of(where, error) from error
    try:
        yield
    finally:
        _give_back(descriptor, file)


def _acquire(file: Path, where: object, *, wait: bool) -> int:
    """Take a lock and write down who has it; return the open file."""
    told = -_SECONDS_A_LINE
    while (descriptor := _try(file)) is None:
        owner = _read_owner(file)
        if not wait:
            raise InputError(
                f"another run is working here: {owner}",
                where=where,
                fix="wait for it, end it, or choose another output",
            )
        if time.monotonic() - told > _SECONDS_A_LINE:
            told = time.monotonic()
            log.warning("waiting for another run that is making %s: %s", where, owner)
        time.sleep(_SECONDS_A_TRY)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(_owner()).encode())
    except BaseException:
        _give_back(descriptor, file)
        raise
    return descriptor


def _try(file: Path) -> int | None:
    """Take a lock if it is free and return the open file."""
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, _FLAGS, 0o666)
        except FileNotFoundError:  # the folder was removed by who had the lock
            continue
        try:
            taken = _is_taken(descriptor, file)
        except BaseException:
            os.close(descriptor)
            raise
        if not taken and _is_at(descriptor, file):
            return descriptor
        os.close(descriptor)
        if taken:
            return None


def _is_taken(descriptor: int, file: Path) -> bool:
    """Lock an open file; return whether another process has it."""
    try:
        _lock(descriptor)
    except OSError as error:
        if error.errno in _TAKEN:
            return True
        if error.errno not in _NO_LOCKS:
            raise
        log.warning("%s: this file system has no locks; start no other run here", file.parent)
    return False


def _is_at(descriptor: int, file: Path) -> bool:
    """Whether a lock file still has its name; who gives a lock back removes its file."""
    try:
        there, held = file.stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)


def _give_back(descriptor: int, file: Path) -> None:
    """Remove a lock's file, if it is still this one's, and free the lock."""
    with contextlib.suppress(OSError):
        if os.name != "nt" and _is_at(descriptor, file):
            file.unlink()
    os.close(descriptor)


def _owner() -> dict[str, str]:
    return {
        "process": str(os.getpid()),
        "host": platform.node(),
        "user": _user(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _user() -> str:
    """Return the user's name, or the number where the system knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _read_owner(file: Path) -> str:
    """Describe the owner of a lock; one that has just taken it gets time to write its name."""
    for _ in range(_TRIES_TO_READ):
        try:
            with file.open("rb") as stream:
                owner = json.loads(stream.read(_LONGEST_OWNER))
            return printable(", ".join(f"{key} {value}" for key, value in owner.items()), 600)
        except (OSError, ValueError, AttributeError):
            time.sleep(_SECONDS_A_TRY / _TRIES_TO_READ)
    return "its owner is unknown"
