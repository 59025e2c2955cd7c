"""Listing and opening files of unknown origin: regular files only, never through a link."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.io.findings import WHOLE, Findings, printable
from chorus_bench.io.limits import MAX_FILES

# Files that operating systems leave in folders; they are not part of a submission.
_IGNORED = ("__MACOSX", "Thumbs.db", "desktop.ini")
_SAFE_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, order=True)
class FileEntry:
    """A regular file of a submission.

    Attributes:
        name: path relative to the submission, with ``/``.
        path: full path.
        size: bytes.
    """

    name: str
    path: Path
    size: int


def read_bytes(entry: FileEntry, limit: int) -> bytes:
    """Return the content of a file of a listed folder; see `read_regular`.

    Raises:
        InputError: it cannot be read so, or is not as long as the entry says.
    """
    data = read_regular(entry.path, limit)
    if len(data) != entry.size:
        raise InputError(
            f"has {len(data)} bytes, but had {entry.size} when the folder was listed",
            expected="files that do not change while they are read",
            fix="wait until the submission is complete, and try again",
        )
    return data


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file.

    What it is, is looked at once it is open: a regular file, not reached through a link, not
    longer than ``limit``.

    Raises:
        InputError: it is not such a file, or cannot be read.
    """
    try:
        with os.fdopen(os.open(path, _SAFE_FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError("is not a regular file", expected="a regular file")
            if status.st_size > limit:
                raise too_long(status.st_size, limit)
            data = file.read(status.st_size + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror or error}", fix="check the file and its permissions"
        ) from error
    if len(data) != status.st_size:
        raise InputError("changed while it was read", fix="wait until it is complete")
    return data


def read_limited(path: Path, limit: int) -> bytes:
    """Return the content of a file that a user names; links and pipes are followed.

    Args:
        path: the file.
        limit: its largest size in bytes; no more is read.

    Raises:
        InputError: it is longer.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        size = status.st_size if stat.S_ISREG(status.st_mode) else limit
        data = file.read(size + 1) if size <= limit else b""
    if len(data) > limit or size > limit:
        found = f"has {size} bytes" if size > limit else f"has more than {limit} bytes"
        raise InputError(found, where=path, expected=f"at most {limit} bytes")
    return data


def too_long(size: int, limit: int) -> InputError:
    """Return the error for a file of ``size`` bytes."""
    return InputError(f"has {size} bytes", expected=f"at most {limit} bytes")


def list_files(folder: Path, errors: Findings) -> list[FileEntry]:
    """Return the regular files below a folder, sorted by name; hidden ones are left out.

    Links, devices, pipes and unreadable folders are added to ``errors``; nothing is opened.
    """
    found: list[FileEntry] = []
    folders = [(folder, "")]
    seen = 0
    while folders:
        parent, prefix = folders.pop()
        for base, status in _listed(parent, prefix, errors):
            seen += 1
            if seen > MAX_FILES:
                errors.add(WHOLE, f"has more than {MAX_FILES} files", expected="fewer")
                return []
            name = prefix + base
            if _check_kind(name, status.st_mode, errors) and not is_ignored(base):
                if stat.S_ISDIR(status.st_mode):
                    folders.append((parent / base, f"{name}/"))
                else:
                    found.append(FileEntry(name, parent / base, status.st_size))
    return sorted(found)


def visible_files(folder: Path, suffix: str = "") -> list[Path]:
    """Return the files below a folder, sorted, without hidden ones and what systems leave there.

    So neither ``.ipynb_checkpoints`` nor what an unfinished run is writing is taken for data.

    Args:
        folder: links to folders below it are not followed.
        suffix: only files whose name ends so.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_ignored(name)]
        found += [Path(parent, n) for n in names if n.endswith(suffix) and not is_ignored(n)]
    return sorted(found)


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is skipped."""
    return name.startswith(".") or name in _IGNORED


def _listed(folder: Path, prefix: str, errors: Findings) -> list[tuple[str, os.stat_result]]:
    """Return the names in a folder and their kinds, at most as many as are allowed in total."""
    try:
        with os.scandir(folder) as items:
            some = islice(items, MAX_FILES + 1)
            return [(item.name, item.stat(follow_symlinks=False)) for item in some]
    except OSError as error:
        errors.add(
            printable(prefix) or WHOLE,
            f"the folder cannot be listed: {error.strerror or error}",
            fix="check the folder and its permissions",
        )
        return []


def _check_kind(name: str, mode: int, errors: Findings) -> bool:
    """Whether this is a file or folder; anything else is an error."""
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return True
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    errors.add(
        printable(name),
        f"is {kinds.get(stat.S_IFMT(mode), 'no file')}, which is never followed or opened",
        expected="regular files and folders",
        fix="put the file itself there",
    )
    return False
