"""Names of categories and samples, and the fingerprint in a label."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from chorus_bench.errors import InputError

MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH = 80, 200
#: Characters that are invalid in config names of `datasets` or in file names on Windows, and the
#: comma, which separates categories in a signature.
_RESERVED = '<>:"|?*,'


def wrong_name(name: str, limit: int) -> str | None:
    """Return the problem with the name of a category or sample; None if there is none."""
    if not 1 <= len(name) <= limit:
        return f"has {len(name)} characters, but may have 1 to {limit}"
    if name in (".", "..") or "/" in name or "\\" in name:
        return "is a path"
    if name.startswith("."):
        return "begins with a dot, like a hidden file"
    if name != name.strip():
        return "begins or ends with a space"
    if not name.isprintable():
        return "has characters that cannot be displayed"
    if name != unicodedata.normalize("NFC", name):
        return "is not in Unicode's normal form NFC"
    return None


def category_name(name: str, *, where: object | None = None) -> str:
    """Return a category's name without surrounding spaces, after checking it.

    Args:
        name: any text, for example ``bow_(weapon)``, a name of LVIS.
        where: place to name in errors.

    Raises:
        InputError: the name is empty, longer than 80 characters, a path or the name of a hidden
            file, or has characters that cannot be displayed or are invalid in config names.
    """
    stripped = unicodedata.normalize("NFC", name).strip()
    wrong = wrong_name(stripped, MAX_CATEGORY_LENGTH)
    reserved = sorted(set(stripped) & set(_RESERVED))
    if wrong is None and reserved:
        wrong = f"has the characters {' '.join(reserved)}"
    if wrong is not None:
        raise InputError(
            f"the category {name!r} {wrong}",
            where=where,
            expected=f"1 to {MAX_CATEGORY_LENGTH} letters, digits, spaces and other characters, "
            f"except / \\ {' '.join(_RESERVED)}",
            fix="rename the category",
        )
    return stripped


def given_categories(categories: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return the categories that a caller chose, each once, in their order; None for all.

    Args:
        categories: several names, or one: a text is a name, not a series of letters.

    Raises:
        InputError: no name, or something that is not a name.
    """
    if categories is None:
        return None
    names = (categories,) if isinstance(categories, str) else tuple(categories)
    if not names or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"categories {categories!r}", expected="the name of a category, or several names"
        )
    return tuple(dict.fromkeys(names))


def fingerprint_of(label: str) -> str:
    """Return the fingerprint in ``name@fingerprint``, which is the identity."""
    return label.rpartition("@")[2]
