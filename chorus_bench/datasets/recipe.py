"""Recipes: what a builder passes to the export, in pieces of rows with their description.

A builder turns its options into a `Recipe`, which describes in small pieces how the rows are
made; `chorus_bench.datasets.export` runs the pieces, keeps the finished ones if it is
interrupted, and writes the folder. `chorus_bench.datasets.packaged` provides the same rows as
`datasets` builders.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True)
class Note:
    """A problem with one entry of a source.

    Attributes:
        entry: the entry's id as its source gives it.
        reason: what is wrong in a few words, the same for all entries with this fault.
        message: what is wrong with this one.
        left_out: whether the entry, or a part of it, is left out for this reason.
    """

    entry: str
    reason: str
    message: str
    left_out: bool = True

    def __str__(self) -> str:
        return f"{self.entry}: {self.message}"


def count_reasons(notes: Iterable[Note], *, left_out: bool) -> dict[str, int]:
    """Return the number of notes by reason, of those that leave entries out or do not."""
    return dict(sorted(Counter(n.reason for n in notes if n.left_out == left_out).items()))


@dataclass(frozen=True)
class Piece:
    """Rows that are made together; an interrupted build repeats at most one piece.

    Attributes:
        key: identifies the piece in its recipe.
        make: called with a list that collects notes; returns the rows. It must be picklable
            if a build uses several processes.
        size: approximate number of items (images, people) in it, for the progress bar.
    """

    key: str
    make: Callable[[list[Note]], Iterable[Row]]
    size: int = 1


@dataclass(frozen=True)
class SourceFile:
    """A file that went into a dataset.

    Attributes:
        title: description.
        name: file name.
        size: size in bytes.
        sha256: SHA-256 in hex digits.
    """

    title: str
    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class CardText:
    """The texts of a dataset's card beside its rows and numbers.

    Attributes:
        title: the heading.
        summary: a paragraph or more.
        construction: how it is built, Markdown.
        license: identifier of the hub's list, for example ``cc-by-nc-4.0``.
        license_note: which license holds for which part, Markdown.
        citation: BibTeX.
        tags: the hub's tags.
        header: more entries of the card's header, for the hub: ``task_categories``, ...
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    title: str
    summary: str
    construction: str
    license: str
    license_note: str
    citation: str
    tags: tuple[str, ...] = ()
    header: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """How a dataset is made, and what is known about it beforehand.

    Attributes:
        name: appears in the signature, for example ``coco-eft``.
        version: version of the builder; it changes when the rows do.
        split: ``test`` or ``train``.
        schema: schema of the rows; the column ``category`` sorts them into configs.
        pieces: the pieces in the order of the rows.
        inputs: everything that the rows depend on, as JSON values: options, fingerprints of
            bodies, digests of sources. Two recipes with equal inputs make equal rows.
        metadata: further entries for ``chorus_bench.json``.
        card: the texts of the card.
        sources: the files that it is made from.
        notes: problems with the sources that are known before the pieces run.
        command: the command line that makes it.
    """

    name: str
    version: str
    split: str
    schema: pa.Schema
    pieces: Sequence[Piece]
    inputs: Mapping[str, Any]
    card: CardText
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[SourceFile, ...] = ()
    notes: tuple[Note, ...] = ()
    command: str = ""

    @property
    def key(self) -> str:
        """The first 12 hex digits of a SHA-256 over everything that the rows depend on."""
        parts = {
            "name": self.name,
            "version": self.version,
            "split": self.split,
            "columns": [str(column) for column in self.schema],
            "pieces": [piece.key for piece in self.pieces],
            "inputs": self.inputs,
            "sources": [asdict(source) for source in self.sources],
        }
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]
