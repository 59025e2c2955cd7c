"""Working folders: what a long build has finished so far, hidden beside its output.

    .<output>.building-<key>/    with a file that says what is built and by what

The next build of the same thing goes on with it. Whoever uses one holds the lock of its output
(`chorus_bench.io.locks.only_writer`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from chorus_bench.io.files import atomic_folder
from chorus_bench.io.leftovers import remove, unfinished_name

_NAME = re.compile(r"\.(?P<output>.+)\.building-[0-9a-f]{12}", re.DOTALL)
_MARK, _MADE = "building.json", {"made_with": "chorus-bench"}
_USED = "used"


def working_folder(output: Path, key: str) -> Path:
    """Return the working folder of a build.

    Args:
        output: what is built.
        key: 12 hex digits over everything that the result depends on.
    """
    target = output.absolute()
    return target.parent / f".{target.name}.building-{key}"


def open_working_folder(folder: Path, about: Mapping[str, str]) -> None:
    """Make a working folder, or take up one that is there.

    Args:
        folder: from `working_folder`.
        about: what is built, for those who find the folder.

    Raises:
        InputError: something else has this name.
        WriteError: it cannot be written to.
    """
    if is_working_folder(folder):
        return
    text = json.dumps({**_MADE, **about}, indent=1)
    with atomic_folder(folder) as place:
        (place / _MARK).write_text(text + "\n", encoding="utf-8")


def mark_used(folder: Path) -> None:
    """Write down that the output is about to take its name, after which nothing is needed here."""
    (folder / _USED).touch()


def is_used(folder: Path) -> bool:
    """Whether a working folder is not needed once its output is there."""
    return (folder / _USED).is_file()


def is_empty(folder: Path) -> bool:
    """Whether nothing is finished in a working folder."""
    return [path.name for path in folder.iterdir()] == [_MARK]


def remove_working_folder(folder: Path) -> None:
    """Remove a working folder; from the first moment on, it is one no more."""
    gone = unfinished_name(folder.parent)
    folder.rename(gone)
    remove(gone)


def is_working_folder(path: Path) -> bool:
    """Whether this is a working folder that this tool has made."""
    if not _NAME.fullmatch(path.name) or path.is_symlink():
        return False
    try:
        content = json.loads((path / _MARK).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and _MADE.items() <= content.items()


def output_of(folder: Path) -> Path:
    """Return the output that a working folder is for."""
    found = _NAME.fullmatch(folder.name)
    if found is None:
        raise ValueError(f"{folder} is no working folder")
    return folder.parent / found["output"]


def working_folders(output: Path) -> list[Path]:
    """Return all working folders of an output, whatever was built there."""
    target = output.absolute()
    return [
        path
        for path in sorted(target.parent.iterdir())
        if is_working_folder(path) and output_of(path) == target
    ]
