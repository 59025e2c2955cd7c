"""Where things lie in a leaderboard, and where in a file a finding is."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import yaml

from chorus_bench.io.findings import printable

ENTRIES_FOLDER = "entries"
PUBLISHED_FILE = "published.yaml"
ENTRY_FILE = "entry.yaml"
FIELDS_FILE, OVERLAYS_FILE = "fields.npz.xz", "overlays.npz.xz"
#: What entries of earlier versions have in their place.
EARLIER_FIELDS_FILE = "fields.npz"
PICTURES_FOLDER, PICTURES_FILE = "pictures", "pictures.json"

MAX_SLUG_LENGTH = 100
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Names that other files of the page have.
_TAKEN = re.compile(r"board|body|samples-.*|published-.*|.*-fields")

KeyPath = tuple[str | int, ...]


def slug_of(method: str) -> str:
    """Return the folder name that a method's name gives: lower case letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", method).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        slug = "method-" + hashlib.sha256(method.encode("utf-8", "replace")).hexdigest()[:8]
    return f"method-{slug}-entry" if _TAKEN.fullmatch(slug) else slug


def slug_problem(name: str, method: str | None) -> str | None:
    """Return what is wrong with an entry's folder name, or None.

    Args:
        name: of the folder.
        method: the method's name; the folder must be named after it, and may add a suffix
            (the same method on another split). None to leave that out.
    """
    if not _SLUG.fullmatch(name) or len(name) > MAX_SLUG_LENGTH:
        return "is not lower case letters, digits and single hyphens"
    if _TAKEN.fullmatch(name):
        return "is a name that the page needs itself"
    wanted = None if method is None else slug_of(method)
    if wanted is not None and name != wanted and not name.startswith(f"{wanted}-"):
        return f"is not named after the method: '{wanted}' or '{wanted}-...'"
    return None


def entry_folders(leaderboard: Path) -> list[Path]:
    """Return what lies in ``entries``, sorted by name; hidden files are left out."""
    folder = leaderboard / ENTRIES_FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


class Lines:
    """The lines on which the keys of a text file stand.

    Args:
        file: the name that findings show.
        find: path of keys -> line, from 1.
    """

    def __init__(self, file: str, find: Callable[[KeyPath], int]) -> None:
        self.file, self._find = file, find

    def at(self, *keys: str | int) -> str:
        """Return ``file:line: key.key``; the line of the nearest key that is there."""
        label = ".".join(str(key) for key in keys)
        return printable(f"{self.file}:{self._find(keys)}" + (f": {label}" if label else ""), 400)

    @classmethod
    def of_yaml(cls, file: str, text: str) -> Lines:
        """Return the lines of a YAML text that `load_mapping` has accepted."""

        @cache
        def known() -> dict[KeyPath, int]:
            found: dict[KeyPath, int] = {}
            _walk(yaml.compose(text, Loader=yaml.SafeLoader), (), found)
            return found

        return cls(file, lambda keys: _nearest(keys, known()))

    @classmethod
    def of_json(cls, file: str, text: str) -> Lines:
        """Return the lines of a JSON text, found by looking for the keys in their order."""
        return cls(file, lambda keys: _json_line(text, keys))


def _nearest(keys: KeyPath, found: Mapping[KeyPath, int]) -> int:
    places = (found.get(keys[:n]) for n in range(len(keys), -1, -1))
    return next((line for line in places if line is not None), 1)


def _walk(node: yaml.Node | None, path: KeyPath, found: dict[KeyPath, int]) -> None:
    if node is None:
        return
    found.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            found[(*path, str(key.value))] = key.start_mark.line + 1
            _walk(value, (*path, str(key.value)), found)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _walk(value, (*path, number), found)


def _json_line(text: str, path: KeyPath) -> int:
    position = 0
    for key in path:
        found = text.find(f'"{key}"', position)
        position = position if found < 0 else found
    return text.count("\n", 0, position) + 1
