"""Working folders: the finished parts of a long build, hidden beside its output.

    .<output>.building-<key>/    with a file that says what is built, and by which command

The next build of the same output continues there. Its user must hold the lock of the output
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
        output: the output.
        key: 12 hex digits that depend on everything that determines the output.
    """
    target = output.absolute()
    return target.parent / f".{target.name}.building-{key}"


def open_working_folder(folder: Path, about: Mapping[str, str]) -> None:
    """Create a working folder, or reuse an existing one.

    Args:
        folder: from `working_folder`.
        about: what is built, for people who find the folder.

    Raises:
        InputError: the name is taken.
        WriteError: it cannot be written to.
    """
    if is_working_folder(folder):
        return
    text = json.dumps({**_MADE, **about}, indent=1)
    with atomic_folder(folder) as place:
        (place / _MARK).write_text(text + "\n", encoding="utf-8")


def mark_used(folder: Path) -> None:
    """Record that the output is about to get its name; then the folder is no longer needed."""
    (folder / _USED).touch()


def is_used(folder: Path) -> bool:
    """Whether a working folder is no longer needed once its output exists."""
    return (folder / _USED).is_file()


def is_empty(folder: Path) -> bool:
    """Whether a working folder has no finished part."""
    return [path.name for path in folder.iterdir()] == [_MARK]


def remove_working_folder(folder: Path) -> None:
    """Remove a working folder; its mark goes first."""
    gone = unfinished_name(folder.parent)
    folder.rename(gone)
    remove(gone)


def is_working_folder(path: Path) -> bool:
    """Whether this is a working folder of this tool."""
    if not _NAME.fullmatch(path.name) or path.is_symlink():
        return False
    try:
        content = json.loads((path / _MARK).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and _MADE.items() <= content.items()


def output_of(folder: Path) -> Path:
    """Return the output of a working folder."""
    found = _NAME.fullmatch(folder.name)
    if found is None:
        raise ValueError(f"{folder} is not a working folder")
    return folder.parent / found["output"]


def working_folders(output: Path) -> list[Path]:
    """Return all working folders of an output, whatever is built in them."""
    target = output.absolute()
    return [
        path
        for path in sorted(target.parent.iterdir())
        if is_working_folder(path) and output_of(path) == target
    ]
