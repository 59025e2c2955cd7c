"""Removing files of this tool that are no longer needed.

Files that could not be removed, or may be in use, are reported.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from chorus_bench.io.cache import (
    DATASETS_FOLDER,
    GEOMETRY_FOLDER,
    TAG_FILE,
    NoCacheError,
    cache_folder,
    cached_things,
    is_tagged,
)
from chorus_bench.io.leftovers import is_lock, remove, remove_leftover, unfinished
from chorus_bench.io.locks import lock_file, remove_free_lock
from chorus_bench.io.owners import Owner
from chorus_bench.io.workplaces import is_working_folder, output_of

_FOREIGN = "this tool did not create it"
_ELSEWHERE = "belongs to another machine or container; --all-machines removes it too"
_BUSY = "another run is using it"


@dataclass
class Cleaning:
    """The outcome.

    Attributes:
        removed: what was removed.
        kept: what could not be removed, and why.
        left: what may be in use, and why.
    """

    removed: list[Path] = field(default_factory=list)
    kept: list[tuple[Path, str]] = field(default_factory=list)
    left: list[tuple[Path, str]] = field(default_factory=list)

    def remove(self, path: Path, how: Callable[[Path], None] | None = None) -> None:
        """Remove something and record the outcome."""
        try:
            (how or remove)(path)
        except OSError as error:
            self.kept.append((path, error.strerror or str(error)))
        else:
            self.removed.append(path)


def clear_cache(cache: Path, *, unused_since: float = math.inf) -> Cleaning:
    """Remove prepared geometry and built splits.

    Args:
        cache: folder of the cache.
        unused_since: only what was neither written nor read after this time, seconds since the
            epoch; some file systems note only writing.
    """
    done = Cleaning()
    for name in (GEOMETRY_FOLDER, DATASETS_FOLDER):
        folder = cache / name
        try:
            things = list(cached_things(folder))
        except OSError as error:
            done.kept.append((folder, error.strerror or str(error)))
            continue
        if unused_since == math.inf:
            _clear_folder(folder, things, done)
        else:
            _prune(things, unused_since, done)
    return done


def _prune(things: Iterable[tuple[Path, bool]], unused_since: float, done: Cleaning) -> None:
    """Remove prepared batches, and built splits as a whole, that were not used after a time."""
    for path, ours in things:
        batches = path.is_dir() and path.parent.name == GEOMETRY_FOLDER
        for one in sorted(path.iterdir()) if batches else (path,):
            if ours and one.name != TAG_FILE and last_use(one) < unused_since:
                _remove_free(one, done)
        if ours and batches:
            with contextlib.suppress(OSError):
                path.rmdir()  # only if it is empty


def last_use(path: Path) -> float:
    """Return when a file, or any file in a folder, was last written or read, since the epoch."""
    times = []
    for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
        with contextlib.suppress(OSError):  # another run has removed it meanwhile
            status = file.lstat()
            seen = 0.0 if file.is_dir() else status.st_atime  # looking into a folder is no use
            times.append(max(status.st_mtime, seen))
    return max(times, default=math.inf)


def _clear_folder(folder: Path, things: list[tuple[Path, bool]], done: Cleaning) -> None:
    """Remove this tool's files in a folder of the cache, and the folder if it is empty then."""
    tag = folder / TAG_FILE if is_tagged(folder) else None
    for path, ours in things:
        if not ours:
            done.kept.append((path, _FOREIGN))
        elif path != tag:
            _remove_free(path, done)
    with contextlib.suppress(OSError):
        if things and not {path.name for path in folder.iterdir()} - {TAG_FILE}:
            done.remove(folder)


def _remove_free(path: Path, done: Cleaning) -> None:
    """Remove something unless a run is using it."""
    if is_lock(path.name):
        lock = path
    else:
        lock = lock_file(output_of(path) if is_working_folder(path) else path)
    if os.path.lexists(lock):
        if not remove_free_lock(lock):
            done.left.append((path, _BUSY))
            return
        done.removed.append(lock)
    if path != lock:
        done.remove(path)


def clean(folders: Iterable[Path], *, all_machines: bool = False) -> Cleaning:
    """Remove leftovers of killed runs in the temporary folder, the cache and other folders.

    Args:
        folders: other places to search, with everything below them.
        all_machines: also remove leftovers of other machines and containers.
    """
    done = Cleaning()
    temporary, *places = searched(folders)
    _clean_folder(temporary, done, all_machines=all_machines)
    for place in places:
        for parent, names, _ in os.walk(place):
            _clean_folder(Path(parent), done, all_machines=all_machines)
            names[:] = [name for name in names if os.path.lexists(Path(parent, name))]
    return done


def searched(folders: Iterable[Path]) -> list[Path]:
    """Return where `clean` looks: the temporary folder itself, then whole trees."""
    places = [Path(tempfile.gettempdir()), *map(Path, folders)]
    with contextlib.suppress(NoCacheError):
        places.append(cache_folder())
    return places


def _clean_folder(folder: Path, done: Cleaning, *, all_machines: bool) -> None:
    """Remove leftovers, free locks and unfinished builds directly in a folder."""
    for path, owner in unfinished(folder):
        if owner.is_gone() or (all_machines and owner.machine != Owner.current().machine):
            done.remove(path, remove_leftover)
        elif owner.machine != Owner.current().machine:
            done.left.append((path, _ELSEWHERE))
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            if os.path.lexists(path) and (is_lock(path.name) or is_working_folder(path)):
                _remove_free(path, done)
