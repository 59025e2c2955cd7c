"""Names and labels of datasets and bodies, as they may stand in a signature."""

from __future__ import annotations

from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable

#: Characters of a name, and of a label ``name@fingerprint``.
LONGEST_NAME, LONGEST_LABEL = 80, 120


def check_name(name: str | None, where: object) -> None:
    """Refuse a name that could not stand in a signature or on a terminal; None is none.

    Raises:
        InputError: it is empty, too long, or has odd characters.
    """
    _check("name", name, LONGEST_NAME, "@|", where)


def check_label(label: str | None, where: object) -> None:
    """Refuse a body's ``name@fingerprint`` that could not stand in a signature; None is none.

    Raises:
        InputError: it is empty, too long, or has odd characters.
    """
    _check("body", label, LONGEST_LABEL, "|", where)


def _check(what: str, text: str | None, most: int, odd: str, where: object) -> None:
    if text is None or (0 < len(text) <= most and text.isprintable() and not set(text) & set(odd)):
        return
    raise InputError(
        f"the {what} is '{printable(text, 100)}', {len(text)} characters",
        where=where,
        expected=f"1 to {most} printable characters, none of them {' or '.join(odd)}",
    )


def plain_name(name: str) -> str:
    """Return the name of a file or folder as one that may stand in a signature."""
    letters = (letter if letter.isprintable() and letter not in "@|" else "-" for letter in name)
    return "".join(letters)[:LONGEST_NAME] or "dataset"
