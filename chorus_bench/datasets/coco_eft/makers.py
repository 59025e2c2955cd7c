"""Who made a file of fits: part of the split's name, for only EFT's fits make COCO-EFT.

Known facts about EFT's file are its name and its 10,510 entries (the table in EFT's README); no
digest is published. So fits are taken for EFT's if no entry says otherwise and there are exactly
that many, or if the user says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chorus_bench.datasets.recipe import Note
from chorus_bench.datasets.sources import EFT_FITS
from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable

EFT = "eft"
EFT_ENTRIES = 10_510

_LONGEST = 40
_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{_LONGEST - 1}}}")


@dataclass(frozen=True)
class Statement:
    """What a file of fits says about its maker.

    Attributes:
        version: the file's ``ver``.
        makers: every ``fitted_by`` of its entries, sorted.
        complete: whether every entry has one.
        entries: number of entries.
    """

    version: str
    makers: tuple[str, ...]
    complete: bool
    entries: int

    @classmethod
    def of(cls, content: dict[str, Any], entries: Sequence[object]) -> Statement:
        """Return what the content of a file says."""
        said = [e.get("fitted_by") for e in entries if isinstance(e, dict)]
        makers = {printable(str(maker), 200) for maker in said if maker is not None}
        return cls(
            version=str(content.get("ver", "")),
            makers=tuple(sorted(makers)),
            complete=None not in said,
            entries=len(entries),
        )


@dataclass(frozen=True)
class Makers:
    """Whose fits they are.

    Attributes:
        name: ``eft``, or another short name for the split's name.
        known_by: how that is known, or why it is not.
        known: whether it is.
    """

    name: str
    known_by: str
    known: bool = True

    @property
    def eft(self) -> bool:
        """Whether they are taken for EFT's."""
        return self.name == EFT

    def note(self) -> list[Note]:
        """Return a remark for the builder's user if nothing says whose they are."""
        if self.known:
            return []
        message = (
            f"{self.known_by}; the split's name says '{self.name}'. If you know whose they are, "
            f"say so with --fits-name ('{EFT}' for EFT's)"
        )
        return [Note(EFT_FITS.option, "fits of unknown makers", message, False)]


def makers_of(statement: Statement, sha256: str, given: str | None = None) -> Makers:
    """Return whose fits a file has.

    Args:
        statement: what the file says.
        sha256: its digest.
        given: the user's name for them, which holds where the file says nothing.

    Raises:
        InputError: the given name is unusable, or not the one that the file states.
    """
    stated = _stated(statement, sha256)
    if given is None:
        return stated or _guessed(statement, sha256)
    if not _NAME.fullmatch(given):
        raise InputError(
            f"the name '{printable(given, 60)}' of the fits",
            where="--fits-name",
            expected=f"1 to {_LONGEST} lower-case letters, digits, dots, hyphens or underscores",
        )
    if stated is not None and stated.name != given:
        raise InputError(
            f"the fits are not '{given}': {stated.known_by}",
            where="--fits-name",
            expected=stated.name,
            fix="leave --fits-name out; the split is named after what the file says",
        )
    return stated or Makers(given, "the builder's user said so")


def _stated(statement: Statement, sha256: str) -> Makers | None:
    """Return the makers that entries name; such fits are never EFT's."""
    if not statement.makers:
        return None
    said = "; ".join(statement.makers)
    one = len(statement.makers) == 1 and statement.complete
    known_by = f"{'every entry says' if one else 'entries say'}: fitted by {printable(said, 200)}"
    names = [_short(text) for text in (statement.version, statement.makers[0])] if one else []
    usable = [name for name in names if name and EFT not in name and not name.startswith("fits-")]
    return Makers(usable[0] if usable else f"by-others-{sha256[:8]}", known_by)


def _guessed(statement: Statement, sha256: str) -> Makers:
    if statement.entries == EFT_ENTRIES:
        return Makers(EFT, f"the file has EFT's {EFT_ENTRIES:,} entries; none says otherwise")
    return Makers(
        f"fits-{sha256[:8]}",
        f"the file has {statement.entries:,} entries, not EFT's {EFT_ENTRIES:,}, and none says "
        "who fitted it",
        known=False,
    )


def _short(text: str) -> str:
    """Return a text in the letters of a name; empty if it has no letter that can stay."""
    letters = re.sub(r"[^a-z0-9._]+", "-", text.casefold()).strip("-._")[:_LONGEST].rstrip("-._")
    return letters if re.search("[a-z]", letters) else ""
