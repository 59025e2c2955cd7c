"""The cache folder: what can be made again, kept between runs.

    geometry/   prepared test geometry
    datasets/   the named splits that are built when they are first used

Each of these folders is made with a ``CACHEDIR.TAG`` in it, by which backups pass it over and
``cache clear`` knows that all in it is ours.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.io.files import atomic_folder, is_folder
from chorus_bench.io.variables import CACHE

GEOMETRY_FOLDER, DATASETS_FOLDER = "geometry", "datasets"
#: What users can do when the cache is not usable.
ADVICE = f"set {CACHE} to a folder on a disk with room that you may write to"

TAG_FILE = "CACHEDIR.TAG"
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# Made by chorus-bench, which can make all that is in this folder again.\n"
    "# For what this file means see https://bford.info/cachedir/\n"
)
_GEOMETRY_FILE = re.compile(r"[0-9a-f]{32}-(geometry|lookup-[^/]+)\.bin")
_DATASET, _DATASET_FILE = re.compile(r"simulated-[0-9a-f]{12}"), "chorus_bench.json"


class NoCacheError(InputError):
    """There is no place for a cache: no home folder, and none is named (exit code 2)."""


def cache_folder() -> Path:
    """Return where prepared geometry and built splits are kept.

    ``$CHORUS_BENCH_CACHE``, or ``chorus-bench`` in ``$XDG_CACHE_HOME`` or ``~/.cache``. Empty
    variables count as not set, and ``~`` is the home folder.

    Raises:
        NoCacheError: no variable says where, and there is no home folder.
    """
    chosen = os.environ.get(CACHE, "")
    if chosen.strip():
        return _expanded(chosen)
    base = _expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return (base if base.is_absolute() else _home() / ".cache") / "chorus-bench"


def _expanded(text: str) -> Path:
    """Return a path with a ``~`` at its beginning replaced."""
    if text == "~" or text.startswith("~/"):
        return _home() / text[2:]
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise NoCacheError(str(error), where=text, fix=ADVICE) from error


def _home() -> Path:
    """Return the home folder by HOME or, where that says nothing, by the system's list."""
    said = os.environ.get("HOME", "")
    if os.name == "nt" or not said.strip():
        try:
            return _listed_home()
        except (RuntimeError, KeyError) as error:
            raise NoCacheError("there is no home folder for a cache", fix=ADVICE) from error
    return Path(said)


def _listed_home() -> Path:
    if os.name == "nt":
        return Path.home()
    import pwd

    return Path(pwd.getpwuid(os.getuid()).pw_dir)


def without_cache(error: InputError) -> str:
    """Return the message of a run without the cache: the reason, and what would help."""
    place = "" if error.where is None else f"{error.where}: "
    return f"{place}{error.found}. What to do: {ADVICE}"


def make_cache_folder(folder: Path) -> None:
    """Make a folder of the cache, with its tag; an existing one is kept as it is.

    Raises:
        WriteError: it cannot be made.
    """
    if is_folder(folder):
        return
    try:
        with atomic_folder(folder) as place:
            (place / TAG_FILE).write_text(_TAG, encoding="ascii")
    except InputError:
        if not is_folder(folder):  # else another process has made it
            raise


def cached_things(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Give what lies directly in a folder of the cache, and whether this tool has made it.

    In a folder with its tag everything is ours. In another one, made by somebody else or by an
    earlier version, it is what looks as we make it.

    Args:
        folder: ``geometry`` or ``datasets`` of a cache.

    Raises:
        OSError: it cannot be listed.
    """
    if folder.is_symlink() or not is_folder(folder):
        return
    tagged = is_tagged(folder)
    for path in sorted(folder.iterdir()):
        yield path, tagged or _looks_like_ours(path)


def _looks_like_ours(path: Path) -> bool:
    if path.parent.name == DATASETS_FOLDER:
        return bool(_DATASET.fullmatch(path.name)) and (path / _DATASET_FILE).is_file()
    files = [file for file in path.rglob("*") if not file.is_dir()]
    return path.is_dir() and all(_GEOMETRY_FILE.fullmatch(file.name) for file in files)


def is_tagged(folder: Path) -> bool:
    """Whether a folder has the tag of a cache of this tool."""
    try:
        return (folder / TAG_FILE).read_text(encoding="ascii") == _TAG
    except (OSError, ValueError):
        return False


def cache_size(folder: Path) -> tuple[int, int]:
    """Return how many files are in a folder and below it, and their bytes."""
    sizes = []
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # another run has removed it meanwhile
                sizes.append(Path(parent, name).lstat().st_size)
    return len(sizes), sum(sizes)
