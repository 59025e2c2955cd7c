"""Writing files and folders whole or not at all.

Everything is written under a temporary name beside its destination, flushed to the disk and
renamed. Whatever goes wrong before the rename, a full disk or an interruption included, the
destination is as it was and the temporary file is gone. Whether something is in the way is
decided by the rename itself: what somebody else has put there meanwhile is never moved or
removed. What a killed process leaves is removed by the next one that writes there.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.io.leftovers import (
    PREFIX,
    remove,
    remove_leftovers,
    remove_leftovers_once,
    unfinished_name,
)
from chorus_bench.io.renames import exchange, rename_new

log = logging.getLogger(__name__)

_SPACE = "free some space, or write to another disk (CHORUS_BENCH_CACHE moves the cache)"
_WHOLE = "nothing half-written was left"
_PERMISSION = "choose a place you may write to, or change its permissions"
_ADVICE = {
    errno.ENOSPC: _SPACE,
    errno.EFBIG: _SPACE,
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: "choose a place on a file system that is not read-only",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "choose a place whose parents are folders",
    errno.EMFILE: "allow more open files (ulimit -n), or use fewer workers",
}
_ADVICE_OTHERWISE = "check the disk, or write to another place"
#: These are always about what is written, whichever file the system names.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_SYNCS_AT_ONCE = 16


class WriteError(InputError):
    """Something could not be written at the place that was asked for (exit code 2)."""

    @classmethod
    def of(cls, path: object, error: OSError, then: str = _WHOLE) -> WriteError:
        """Return the error for a failed write to ``path``.

        Args:
            path: where.
            error: what the system said.
            then: the end of the advice: what has become of the work.
        """
        return cls(
            f"cannot be written: {error.strerror or error}",
            where=path,
            expected="a place with enough room that you may write to",
            fix=f"{_ADVICE.get(error.errno or 0, _ADVICE_OTHERWISE)}; {then}",
        )


def describe_failure(error: OSError) -> tuple[str, int]:
    """Return what to say of a failure that no code nearer to it has explained, and an exit code.

    The code is 2 where users can do something about the place, 1 otherwise.
    """
    name = error.filename2 or error.filename
    place = "" if name is None else f"{os.fsdecode(name)}: "
    known = error.errno in _ADVICE or isinstance(error, FileNotFoundError | IsADirectoryError)
    advice = _ADVICE.get(error.errno or 0, "check the place and the disk")
    return f"{place}{error.strerror or error}\n  What to do: {advice}", 2 if known else 1


def atomic_write_bytes(path: str | Path, data: bytes) -> Path:
    """Write ``data`` to the file ``path``, replacing it whole or leaving it as it was.

    Missing parent folders are made.

    Returns:
        ``path``.

    Raises:
        WriteError: the disk is full, the place is not writable, ...
    """
    target = Path(path)
    with atomic_file(target) as temporary, temporary.open("xb") as file:
        file.write(data)
    return target


@contextlib.contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary name for a file; what the block writes there becomes ``path`` at its end.

    When the block raises, nothing is left and ``path`` is as it was. Missing parent folders are
    made.

    Yields:
        The temporary name, on the same file system as ``path``; nothing is there yet.

    Raises:
        WriteError: the disk is full, the place is not writable, ...
    """
    target = Path(path)
    temporary = unfinished_name(target.parent)
    with _writing_to(target, temporary):
        remove_leftovers_once(target.parent.absolute())
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync(target.parent)


def remove_unfinished(folder: str | Path) -> None:
    """Remove the half-written files that killed processes left in a folder, whoever they were.

    Only for folders that nobody else is writing to.
    """
    for file in Path(folder).glob(f".{PREFIX}*.tmp"):
        if file.is_file():
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class FolderKind:
    """A kind of folder that this tool makes, and may replace when asked to.

    Attributes:
        name: for messages: ``a submission``.
        marks: files that every folder of the kind has, relative to it.
    """

    name: str
    marks: tuple[str, ...]


@contextlib.contextmanager
def atomic_folder(
    path: str | Path, overwrite: bool = False, kind: FolderKind | None = None
) -> Iterator[Path]:
    """Give an empty temporary folder to fill; it becomes ``path`` when the block ends well.

    When the block raises, the temporary folder is removed and ``path`` is as it was. Missing
    parent folders are made. A folder that is replaced is there until the new one has its name,
    and it is replaced only as it was when the block began.

    Args:
        path: the folder to make.
        overwrite: replace a folder that is there, with everything in it.
        kind: as for `check_new_folder`.

    Yields:
        The temporary folder, on the same file system as ``path``.

    Raises:
        InputError: ``path`` exists and ``overwrite`` is false, it is not a folder or not of
            this kind, or somebody has made or changed it during the block.
        WriteError: the disk is full, the place is not writable, ...
    """
    target = Path(path).absolute()
    remove_leftovers(target.parent)
    seen = _Contents.of(target) if overwrite else None
    check_new_folder(Path(path), overwrite=overwrite, kind=kind)
    temporary = unfinished_name(target.parent)
    with _writing_to(target, temporary):
        with _made_folder(temporary):
            yield temporary
            _sync_tree(temporary)
            _publish(temporary, target, seen)
        _sync(target.parent)


@contextlib.contextmanager
def _made_folder(path: Path) -> Iterator[None]:
    """Make a folder; where the block raises, remove it if it still has this name."""
    path.mkdir()
    made = _identity(path)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            if _identity(path) == made:
                remove(path)
        raise


def check_new_folder(
    path: Path, *, overwrite: bool = False, kind: FolderKind | None = None
) -> None:
    """Raise an `InputError` when a folder cannot be made at ``path``.

    Args:
        path: the folder.
        overwrite: whether one that is there may be replaced.
        kind: what the folder must be to be replaced, if there is anything in it, so that
            nobody's own files are.
    """
    if not os.path.lexists(path):
        return
    if path.is_symlink() or not path.is_dir():
        raise InputError("exists and is not a folder", where=path, fix="choose another name")
    if not overwrite:
        raise InputError(
            "the folder already exists",
            where=path,
            expected="a folder that does not exist yet",
            fix="choose another name, or replace it with --overwrite (in Python overwrite=True)",
        )
    if kind is not None and any(path.iterdir()) and not _has_files(path, kind.marks):
        raise InputError(
            f"the folder already exists and is not {kind.name}, so it is not replaced",
            where=path,
            expected=f"a folder with {', '.join(kind.marks)}, or none",
            fix="choose another name",
        )


def _has_files(folder: Path, names: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in names)


def is_folder(path: Path) -> bool:
    """Whether a folder is there; False also where one may not look."""
    try:
        return path.is_dir()
    except OSError:
        return False


@contextlib.contextmanager
def _writing_to(target: Path, temporary: Path) -> Iterator[None]:
    """Make the parents of ``target``, and turn failures to write into a `WriteError`.

    An `OSError` that names a file elsewhere is somebody else's (a source that cannot be read,
    say) and passes.
    """
    made = _missing_parents(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            place = _failed_place(error, target, temporary)
            if place is not None:
                raise WriteError.of(place, error) from error
        raise


def _failed_place(error: OSError, target: Path, temporary: Path) -> Path | None:
    """Return what could not be written; None where the failure is not about writing.

    It is ours where it names no file, or one of ours; copying names two, the second one being
    written. A full disk is always about writing.
    """
    named = [Path(os.fsdecode(n)) for n in (error.filename, error.filename2) if n is not None]
    ours = (target, *target.parents)
    if any(name in ours or name.is_relative_to(temporary) for name in named):
        return target
    if not named:
        return None if error.errno is None else target
    return named[-1] if error.errno in _FULL else None


def _missing_parents(target: Path) -> list[Path]:
    """Return the parent folders that do not exist, the deepest first."""
    return [parent for parent in target.parents if not os.path.lexists(parent)]


@dataclass(frozen=True)
class _Contents:
    """What a folder is and has in it, to know it again.

    Attributes:
        identity: of the folder itself: device and number.
        files: path, number, size and time of every file below it.
    """

    identity: tuple[int, int]
    files: frozenset[tuple[str, int, int, int]]

    @classmethod
    def of(cls, folder: Path) -> _Contents | None:
        """Return what is at a place, or None where no folder is."""
        try:
            identity = _identity(folder)
        except (FileNotFoundError, NotADirectoryError):
            return None
        found = set()
        for parent, _, names in os.walk(folder):
            for file in (Path(parent, name) for name in names):
                status = file.lstat()
                name = str(file.relative_to(folder))
                found.add((name, status.st_ino, status.st_size, status.st_mtime_ns))
        return cls(identity, frozenset(found))


def _identity(path: Path) -> tuple[int, int]:
    status = path.lstat()
    return status.st_dev, status.st_ino


def _publish(source: Path, target: Path, seen: _Contents | None) -> None:
    """Rename ``source`` to ``target``, replacing what was seen there and nothing else."""
    try:
        if seen is None:
            rename_new(source, target)
        else:
            _replace(source, target, seen)
    except FileExistsError as error:
        raise _made_meanwhile(target) from error


def _replace(source: Path, target: Path, seen: _Contents) -> None:
    """Rename ``source`` to ``target`` and remove what was there, if it is still as it was seen."""
    try:
        exchanged = exchange(source, target)
    except FileNotFoundError:  # somebody has removed it, so nothing is in the way
        rename_new(source, target)
        return
    old = source if exchanged else _put_aside(source, target, seen)
    if exchanged and _Contents.of(old) != seen:
        exchange(source, target)
        raise _made_meanwhile(target)
    try:
        remove(old)
    except OSError as error:
        log.warning("What %s was before could not be removed: %s", target, error)


def _put_aside(source: Path, target: Path, seen: _Contents) -> Path:
    """Do in two renames what the system cannot do in one; return the place of the old folder.

    A crash between them leaves the old folder under its own name in one that ends in ``.old``,
    and the next run that writes here puts it back.
    """
    place = unfinished_name(target.parent, "old")
    place.mkdir()
    aside = place / target.name
    try:
        target.rename(aside)
        if _Contents.of(aside) != seen:
            raise _made_meanwhile(target)
        rename_new(source, target)
    except BaseException:
        if os.path.lexists(aside):
            rename_new(aside, target)
        place.rmdir()
        raise
    return place


def _made_meanwhile(target: Path) -> InputError:
    return InputError(
        "another process has created or changed it in the meantime, so it was left as it is",
        where=target,
        expected="no other writer in this place during a run",
        fix="check what is there now; run the same command again, or choose another name",
    )


def _sync_tree(folder: Path) -> None:
    """Flush every file and folder below ``folder`` to the disk.

    Many at a time: file systems then write them together, ten times as fast as one by one.
    """
    paths = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(_sync, paths))
    for parent, _, _ in os.walk(folder):
        _sync(Path(parent))


def _sync(path: Path) -> None:
    """Flush one file or folder; systems that cannot open folders do without."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
