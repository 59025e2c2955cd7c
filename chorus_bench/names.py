"""Names: those of categories and samples, and the fingerprint in a label."""

from __future__ import annotations

import unicodedata

from chorus_bench.errors import InputError

MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH = 80, 200
#: What the names of configs of `datasets`, and of files on Windows, may not contain, and the comma,
#: which divides the categories of a signature.
_RESERVED = '<>:"|?*,'


def wrong_name(name: str, limit: int) -> str | None:
    """Return what is wrong with the name of a category or sample; None when nothing is."""
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
    """Return a category's name without spaces around it, checked.

    Args:
        name: any text, for example ``bow_(weapon)``, as LVIS names it.
        where: named in errors.

    Raises:
        InputError: empty, longer than 80 characters, a path, a hidden file's name, characters
            that cannot be shown or that names of configs may not contain.
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
            expected=f"1 to {MAX_CATEGORY_LENGTH} letters, digits, spaces and other signs, "
            f"but for / \\ {' '.join(_RESERVED)}",
            fix="rename the category",
        )
    return stripped


def fingerprint_of(label: str) -> str:
    """Return the fingerprint in ``name@fingerprint``, which is what a thing is known by."""
    return label.rpartition("@")[2]
