"""A built dataset's folder: its layout and the file that says what it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from chorus_bench.datasets.metadata import FORMAT, DatasetFacts, DatasetFile
from chorus_bench.datasets.metadata import Shard as Shard
from chorus_bench.datasets.recipe import CardText, SourceFile
from chorus_bench.datasets.samples import METADATA_FILE
from chorus_bench.errors import InputError
from chorus_bench.io.schemas import loaded, read_document

DATA_FOLDER, CARD_FILE, NOTES_FILE, PICTURES_FOLDER = "data", "README.md", "notes.jsonl", "pictures"


@dataclass(frozen=True)
class DatasetInfo:
    """What a built dataset is, as `METADATA_FILE` keeps it.

    Attributes:
        name: stands in signatures.
        version: of the builder.
        split: ``test`` or ``train``.
        fingerprint: over the rows; stands in signatures.
        shards: the Parquet files.
        sources: the files that it was made of.
        details: what the builder adds: body, solver, settings, ...
        left_out: entries that were left out, by reason.
        noted: entries that were used although something about them is odd, by reason.
        command: the command line that makes it.
        made_with: the program and its version.
        card: the texts of the card.
    """

    name: str
    version: str
    split: str
    fingerprint: str
    shards: tuple[Shard, ...]
    card: CardText
    sources: tuple[SourceFile, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)
    command: str = ""
    made_with: str = ""

    @property
    def label(self) -> str:
        """The dataset as it stands in a signature, ``name@fingerprint``."""
        return f"{self.name}@{self.fingerprint}"

    @cached_property
    def categories(self) -> dict[str, int]:
        """The number of rows of each category."""
        counts: dict[str, int] = {}
        for shard in self.shards:
            counts[shard.category] = counts.get(shard.category, 0) + shard.rows
        return dict(sorted(counts.items()))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.categories.values())

    @cached_property
    def content(self) -> str:
        """The first 16 hex digits of a SHA-256 over the names and contents of all shards."""
        lines = sorted(f"{shard.path} {shard.sha256}\n" for shard in self.shards)
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]

    def save(self, folder: Path) -> None:
        """Write it into a folder."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
        (folder / METADATA_FILE).write_text(text, encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; the builder's details stand beside the rest."""
        head = {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "split": self.split,
            "fingerprint": self.fingerprint,
            "content": self.content,
            "rows": self.rows,
            "categories": self.categories,
        }
        tail = {
            "left_out": dict(self.left_out),
            "noted": dict(self.noted),
            "sources": [asdict(source) for source in self.sources],
            "shards": [asdict(shard) for shard in self.shards],
            "command": self.command,
            "made_with": self.made_with,
            "card": asdict(self.card),
        }
        return {**head, **self.details, **tail}

    @classmethod
    def load(cls, folder: str | Path) -> DatasetInfo:
        """Read it from a built dataset's folder.

        Raises:
            InputError: there is none, or it is not of this format.
        """
        file = Path(folder) / METADATA_FILE
        if not file.is_file():
            raise InputError(
                f"is not a built dataset: it has no {METADATA_FILE}",
                where=folder,
                expected="a folder that `chorus-bench datasets build` wrote",
            )
        document = read_document(file)
        found = loaded(DatasetFile, document, fix="build the dataset again")
        card, ours = found.card, DatasetFile.__annotations__
        return cls(
            **{key: getattr(found, key) for key in ("name", "version", "split", "fingerprint")},
            **{key: getattr(found, key) for key in ("left_out", "noted", "command", "made_with")},
            shards=found.shards,
            sources=found.sources,
            card=CardText(
                *(card.title, card.summary, card.construction, card.license, card.license_note),
                *(card.citation, card.tags),
            ),
            details={key: value for key, value in document.content.items() if key not in ours},
        )


def category_folder(category: str) -> str:
    """Return the name of a category's folder.

    Raises:
        InputError: the category makes no safe folder name.
    """
    name = category.strip().replace(" ", "_")
    if not name or not all(letter.isalnum() or letter in "_-+" for letter in name):
        raise InputError(
            f"the category {category!r} makes no folder name",
            expected="letters, digits, spaces, '_', '-' and '+'",
        )
    return name


def describe_shard(file: Path, root: Path, category: str) -> Shard:
    """Return path, rows, size and SHA-256 of a Parquet file."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    rows = pq.read_metadata(file).num_rows
    path = file.relative_to(root).as_posix()
    return Shard(path, category, rows, file.stat().st_size, digest)


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what `METADATA_FILE` in or beside ``path`` says; empty where there is none."""
    file = (path if path.is_dir() else path.parent) / METADATA_FILE
    if not file.is_file():
        return {}
    document = read_document(file)
    loaded(DatasetFacts, document)
    content: dict[str, Any] = document.content
    return content
