"""One run at a time in a folder; a second one is told who holds the lock."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from chorus_bench.errors import InputError
from chorus_bench.io.files import WriteError, atomic_write_bytes

_LOCK, _OWNER = ".lock", ".lock-owner.json"


@contextlib.contextmanager
def only_run(folder: str | Path) -> Iterator[None]:
    """Hold the lock of a folder during the block. It is released when the process ends.

    Args:
        folder: created if missing.

    Raises:
        InputError: another run holds it; the message says which.
        WriteError: the folder cannot be created or written to.
    """
    place = Path(folder)
    lock = FileLock(place / _LOCK, timeout=0)
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"another run is working here: {_read_owner(place)}",
            where=place,
            fix="wait for it, end it, or choose another output",
        ) from error
    except OSError as error:
        raise WriteError.of(place, error) from error
    try:
        atomic_write_bytes(place / _OWNER, json.dumps(_owner()).encode())
        yield
    finally:
        (place / _OWNER).unlink(missing_ok=True)
        lock.release()


def _owner() -> dict[str, str]:
    return {
        "process": str(os.getpid()),
        "host": platform.node(),
        "user": getpass.getuser(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }


def _read_owner(folder: Path) -> str:
    try:
        owner = json.loads((folder / _OWNER).read_text(encoding="utf-8"))
        return ", ".join(f"{key} {value}" for key, value in owner.items())
    except (OSError, ValueError, AttributeError):
        return "its owner is unknown"
