"""The folder of a built dataset: its layout and its metadata file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from chorus_bench.datasets.metadata import FORMAT, DataFile, DatasetFacts, DatasetFile
from chorus_bench.datasets.parquet import open_parquet
from chorus_bench.datasets.recipe import CardText, SourceFile
from chorus_bench.datasets.samples import METADATA_FILE
from chorus_bench.errors import InputError
from chorus_bench.io.schemas import loaded, read_document
from chorus_bench.names import category_name

DATA_FOLDER, CARD_FILE, NOTES_FILE, PICTURES_FOLDER = "data", "README.md", "notes.jsonl", "pictures"

#: Folders between a dataset's folder and its Parquet files: ``data/<category>``.
_LEVELS = 2

#: The detail of training sets with the statistics of their rows, which readers show as tables.
STATISTICS = "statistics"


@dataclass(frozen=True)
class DatasetInfo:
    """The description of a built dataset, as stored in `METADATA_FILE`.

    Attributes:
        name: appears in signatures.
        version: version of the builder.
        split: ``test`` or ``train``.
        fingerprint: fingerprint of the rows; appears in signatures.
        shards: the Parquet files.
        sources: the files that it was made from.
        details: details that the builder adds: body, solver, settings, ...
        left_out: entries that were left out, by reason.
        noted: entries that were used despite a problem, by reason.
        command: the command line that makes it.
        made_with: the program and its version.
        card: the texts of the card.
    """

    name: str
    version: str
    split: str
    fingerprint: str
    shards: tuple[DataFile, ...]
    card: CardText
    sources: tuple[SourceFile, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)
    command: str = ""
    made_with: str = ""

    @property
    def label(self) -> str:
        """The dataset as it appears in a signature, ``name@fingerprint``."""
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
        """Return it as JSON; the builder's details are on the same level as the rest."""
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
            "card": {key: value for key, value in asdict(self.card).items() if value != {}},
        }
        return {**head, **self.details, **tail}

    @classmethod
    def load(cls, folder: str | Path) -> DatasetInfo:
        """Read it from a built dataset's folder.

        Raises:
            InputError: there is none, or its format is unknown.
        """
        file = Path(folder) / METADATA_FILE
        document = read_document(file) if file.is_file() else None
        content = {} if document is None else document.content
        if document is None or (
            isinstance(content, dict) and not {"format", "shards"} & {*content}
        ):
            lacks = f"no {METADATA_FILE}" if document is None else f"{METADATA_FILE} lists no files"
            raise InputError(
                f"is not a built dataset: {lacks}",
                where=folder,
                expected="a folder that `chorus-bench datasets build` wrote",
            )
        found = loaded(DatasetFile, document, fix="build the dataset again")
        ours = DatasetFile.__annotations__
        return cls(
            **{key: getattr(found, key) for key in ("name", "version", "split", "fingerprint")},
            **{key: getattr(found, key) for key in ("left_out", "noted", "command", "made_with")},
            shards=found.shards,
            sources=found.sources,
            card=found.card,
            details={key: value for key, value in document.content.items() if key not in ours},
        )


def category_folder(category: str) -> str:
    """Return the name of a category's folder: no two categories share one, on any system.

    Lower-case letters, digits, ``-``, ``+`` and spaces (as ``_``) stand for themselves; any other
    name is told apart by four bytes of its SHA-256.

    Raises:
        InputError: the name may not be a category's, see `chorus_bench.names.category_name`.
    """
    name = category_name(category)
    slug = "".join(letter if letter.isalnum() or letter in "-+" else "_" for letter in name)
    if slug.replace("_", " ") == name == name.casefold():
        return slug
    return f"{slug.strip('_')}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def describe_data_file(file: Path, root: Path, category: str) -> DataFile:
    """Return path, rows, size and SHA-256 of a Parquet file."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with open_parquet(file) as parquet:
        rows = parquet.metadata.num_rows
    path = file.relative_to(root).as_posix()
    return DataFile(path, category, rows, file.stat().st_size, digest)


def metadata_file(path: Path, files: Sequence[Path]) -> Path | None:
    """Return the `METADATA_FILE` of a dataset's folder, of a folder in it or of one of its files.

    Args:
        path: the folder or file.
        files: the Parquet files that are meant. A `METADATA_FILE` further up than ``path`` or
            its folder counts only when it lists them all.
    """
    folder = path if path.is_dir() else path.parent
    if (folder / METADATA_FILE).is_file():
        return folder / METADATA_FILE
    for above in folder.resolve().parents[:_LEVELS]:
        if (above / METADATA_FILE).is_file():
            listed = _listed_files(above)
            known = {file.resolve() for file in files} <= listed
            return above / METADATA_FILE if known else None
    return None


def _listed_files(folder: Path) -> set[Path]:
    shards = read_metadata(folder).get("shards")
    entries = shards if isinstance(shards, list) else []
    paths = (entry.get("path") for entry in entries if isinstance(entry, dict))
    return {(folder / path).resolve() for path in paths if isinstance(path, str)}


def read_metadata(folder: Path) -> dict[str, Any]:
    """Return what `METADATA_FILE` in a folder says; empty where there is none.

    Raises:
        InputError: it is not JSON.
    """
    file = folder / METADATA_FILE
    if not file.is_file():
        return {}
    document = read_document(file)
    loaded(DatasetFacts, document)
    content: dict[str, Any] = document.content
    return content
