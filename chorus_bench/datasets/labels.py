"""Names and labels of datasets and bodies that can be part of a signature."""

from __future__ import annotations

from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable

#: Largest length of a name, and of a label ``name@fingerprint``, in characters.
LONGEST_NAME, LONGEST_LABEL = 80, 120


def check_name(name: str | None, where: object) -> None:
    """Refuse a name that cannot be part of a signature or shown on a terminal; None passes.

    Raises:
        InputError: it is empty or too long, or has invalid characters.
    """
    _check("name", name, LONGEST_NAME, "@|", where)


def check_label(label: str | None, where: object) -> None:
    """Refuse a body's ``name@fingerprint`` that cannot be part of a signature; None passes.

    Raises:
        InputError: it is empty or too long, or has invalid characters.
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
    """Return the name of a file or folder in a form that can be part of a signature."""
    letters = (letter if letter.isprintable() and letter not in "@|" else "-" for letter in name)
    return "".join(letters)[:LONGEST_NAME] or "dataset"
