"""Names and places in a leaderboard."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from chorus_bench.io.leftovers import owner_of
from chorus_bench.io.owners import Owner

ENTRIES_FOLDER = "entries"
PUBLISHED_FILE = "published.yaml"
ENTRY_FILE = "entry.yaml"
FIELDS_FILE, OVERLAYS_FILE = "fields.npz.xz", "overlays.npz.xz"
#: Their names in entries of earlier versions.
EARLIER_FIELDS_FILE = "fields.npz"
PICTURES_FOLDER, PICTURES_FILE = "pictures", "pictures.json"

MAX_SLUG_LENGTH = 100
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Names of other files of the page.
_TAKEN = re.compile(r"board|body|samples-.*|published-.*|.*-fields")


def slug_of(method: str) -> str:
    """Return the folder name for a method's name: lower-case letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", method).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        slug = "method-" + hashlib.sha256(method.encode("utf-8", "replace")).hexdigest()[:8]
    return f"method-{slug}-entry" if _TAKEN.fullmatch(slug) else slug


def slug_problem(name: str, method: str | None) -> str | None:
    """Return the problem with an entry's folder name, or None.

    Args:
        name: name of the folder.
        method: the method's name; the folder must be named after it, and may add a suffix
            (the same method on another split). None skips this check.
    """
    if not _SLUG.fullmatch(name) or len(name) > MAX_SLUG_LENGTH:
        return "does not consist of lower-case letters, digits and single hyphens"
    if _TAKEN.fullmatch(name):
        return "is a name reserved for the page"
    wanted = None if method is None else slug_of(method)
    if wanted is not None and name != wanted and not name.startswith(f"{wanted}-"):
        return f"is not named after the method: '{wanted}' or '{wanted}-...'"
    return None


def entry_folders(leaderboard: Path) -> list[Path]:
    """Return the contents of ``entries``, sorted by name; hidden files are left out."""
    folder = leaderboard / ENTRIES_FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def hidden_entries(leaderboard: Path) -> list[str]:
    """Return the names of hidden files in ``entries`` except those that a run is writing."""
    folder = leaderboard / ENTRIES_FOLDER
    if not folder.is_dir():
        return []
    names = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    return sorted(name for name in names if name != ".gitkeep" and not _is_being_written(name))


def _is_being_written(name: str) -> bool:
    owner = owner_of(name)
    return owner is not None and owner.machine == Owner.current().machine and not owner.is_gone()
