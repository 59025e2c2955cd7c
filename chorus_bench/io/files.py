"""Atomic writing of files and folders.

Everything is written under a temporary name beside its destination, flushed to disk and renamed.
If anything fails before the rename (a full disk, an interruption), the destination is unchanged
and the temporary file is removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chorus_bench.errors import InputError

_ADVICE = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EACCES: "choose a place you may write to, or change its permissions",
    errno.EPERM: "choose a place you may write to, or change its permissions",
    errno.EROFS: "choose a place on a file system that is not read-only",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "choose a path whose parents are folders",
}
_ADVICE_OTHERWISE = "check the disk, or write to another place"

_SYNCS_AT_ONCE = 16
_PREFIX = ".chorus-bench-"


class WriteError(InputError):
    """Something could not be written at the requested place (exit code 2)."""

    @classmethod
    def of(cls, path: Path, error: OSError) -> WriteError:
        """Return the error for a failed write to ``path``."""
        return cls(
            f"cannot be written: {error.strerror or error}",
            where=path,
            expected="a place with enough room that you may write to",
            fix=f"{_ADVICE.get(error.errno or 0, _ADVICE_OTHERWISE)}; nothing was left behind",
        )


def atomic_write_bytes(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to the file ``path``, replacing it completely or leaving it unchanged.

    Missing parent folders are created.

    Returns:
        ``path``.

    Raises:
        WriteError: the disk is full, the place is not writable, ...
    """
    target = Path(path)
    temporary = _temporary_sibling(target)
    with _writing_to(target, temporary):
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(target.parent)
    return target


def remove_unfinished(folder: str | Path) -> None:
    """Remove the partial files that killed processes left in a folder.

    Only for folders that no other process is writing to.
    """
    for file in Path(folder).glob(f"{_PREFIX}*.tmp"):
        if file.is_file():
            file.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty temporary folder to fill; it becomes ``path`` when the block succeeds.

    If the block raises, the temporary folder is removed and ``path`` is unchanged. Missing parent
    folders are created. Replacing an existing folder takes two renames, so a crash exactly between
    them leaves the old folder beside ``path`` under a name that ends in ``.old``.

    Args:
        path: the folder to create.
        overwrite: replace an existing folder and everything in it.

    Yields:
        The temporary folder, on the same file system as ``path``.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is false, or it is not a folder.
        WriteError: the disk is full, the place is not writable, ...
    """
    target = Path(path)
    check_new_folder(target, overwrite=overwrite)
    temporary = _temporary_sibling(target)
    with _writing_to(target, temporary):
        try:
            temporary.mkdir()
            yield temporary
            _sync_tree(temporary)
            _move_folder(temporary, target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _sync(target.parent)


def check_new_folder(path: Path, *, overwrite: bool = False) -> None:
    """Raise an `InputError` if a folder cannot be created at ``path``."""
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        raise InputError("exists and is not a folder", where=path, fix="choose another name")
    if not overwrite:
        raise InputError(
            "the folder already exists",
            where=path,
            expected="a folder that does not exist yet",
            fix="choose another name, or ask for it to be replaced (overwrite)",
        )


@contextlib.contextmanager
def _writing_to(target: Path, temporary: Path) -> Iterator[None]:
    """Create the parents of ``target``, and turn write failures into a `WriteError`.

    An `OSError` that names another file (for example a source that cannot be read) passes through.
    """
    made = _missing_parents(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError) and _concerns(error, target, temporary):
            raise WriteError.of(target, error) from error
        raise


def _concerns(error: OSError, target: Path, temporary: Path) -> bool:
    """Whether a failure concerns writing here: it names no file, or one of ours."""
    if error.filename is None:
        return error.errno is not None
    name = Path(os.fsdecode(error.filename))
    return name in (target, *target.parents) or name.is_relative_to(temporary)


def _missing_parents(target: Path) -> list[Path]:
    """Return the parent folders that do not exist, the deepest first."""
    return [parent for parent in target.parents if not os.path.lexists(parent)]


def _temporary_sibling(target: Path, suffix: str = "tmp") -> Path:
    return target.parent / f"{_PREFIX}{secrets.token_hex(6)}.{suffix}"


def _move_folder(source: Path, target: Path) -> None:
    """Rename ``source`` to ``target``; an existing folder is moved aside first."""
    if not target.exists():
        source.rename(target)
        return
    aside = _temporary_sibling(target, "old")
    target.rename(aside)
    try:
        source.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    """Flush every file and folder below ``folder`` to disk.

    Many at a time: file systems then write them together, ten times as fast as one by one.
    """
    paths = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(_sync, paths))
    for parent, _, _ in os.walk(folder):
        _sync(Path(parent))


def _sync(path: Path) -> None:
    """Flush one file or folder; skipped on systems that cannot open folders."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
