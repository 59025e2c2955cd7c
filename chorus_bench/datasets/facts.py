"""Facts about a dataset that travel with its rows, however it is loaded.

The export writes them to three places: ``chorus_bench.json``, the metadata of every Parquet file's
schema (key `METADATA_KEY`), and the column `FACTS` of every row, which no filter, copy or
conversion loses. All copies that are found must agree. The column is not part of a fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator

from chorus_bench.datasets.folder import metadata_file, read_metadata
from chorus_bench.datasets.metadata import DatasetFacts
from chorus_bench.datasets.parquet import read_batches, read_schema
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.schema import FACTS
from chorus_bench.errors import InputError
from chorus_bench.io.documents import Document, Lines
from chorus_bench.io.findings import printable, shown
from chorus_bench.io.json_files import parse_json
from chorus_bench.io.schemas import loaded
from chorus_bench.names import fingerprint_of

#: Their key in the metadata of a Parquet file, which also has the provenance of the rows.
METADATA_KEY = b"chorus_bench"

_ROWS_AT_ONCE = 10_000


def _sorted(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))


class Facts(DatasetFacts, extra="ignore"):
    """Facts about a dataset besides its rows; None for unknown ones."""

    population: Annotated[tuple[str, ...] | None, AfterValidator(_sorted)] = None

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> Facts:
        """Return the facts about a recipe's dataset."""
        head = {"name": recipe.name, "version": recipe.version, "split": recipe.split}
        return cls.read({**recipe.metadata, **head}, f"recipe '{recipe.name}'")

    @classmethod
    def read(cls, content: Mapping[str, Any], where: object) -> Facts:
        """Return the facts among the entries of a JSON object; other entries are ignored.

        Raises:
            InputError: entries of a wrong type, or a name that cannot be part of a signature.
        """
        known = {name: content.get(name) for name in cls.model_fields}
        return loaded(cls, Document(known, Lines(str(where))))

    def as_dict(self) -> dict[str, Any]:
        """Return the known facts, for JSON."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_text(self) -> str:
        """Return the value of the column `FACTS`: the same text for the same facts."""
        return json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str, where: object) -> Facts:
        """Read what `to_text` wrote.

        Raises:
            InputError: it is not JSON, or an entry has a wrong type.
        """
        content = parse_json(text.encode(), str(where)).content
        if not isinstance(content, dict):
            raise InputError(f"facts that are {shown(content)}", where=where)
        return cls.read(content, where)


# Writing


def file_metadata(recipe: Recipe, made_with: str) -> dict[bytes, bytes]:
    """Return the metadata of a Parquet file of a recipe's rows: facts and provenance."""
    facts = Facts.of_recipe(recipe).as_dict()
    details = {key: value for key, value in recipe.metadata.items() if key not in facts}
    provenance = {
        "made_with": made_with,
        "license": recipe.card.license,
        "sources": [[source.title, source.name, source.sha256] for source in recipe.sources],
        "details": details,
    }
    content = {**facts, "provenance": provenance}
    return {METADATA_KEY: json.dumps(content, sort_keys=True, ensure_ascii=False).encode()}


def schema_with_facts(schema: pa.Schema) -> pa.Schema:
    """Return the schema of rows that carry their facts."""
    return schema.append(pa.field(FACTS, pa.string()))


def table_with_facts(table: pa.Table, facts: Facts) -> pa.Table:
    """Return a table whose every row carries the facts."""
    column = pa.array([facts.to_text()] * len(table), pa.string())
    return table.append_column(pa.field(FACTS, pa.string()), column)


# Reading


def read_facts(path: Path, files: Sequence[Path]) -> Facts:
    """Return the facts of some files: those beside them, in their metadata and in their rows.

    Args:
        path: the user's path: a dataset's folder, one inside it, or one file.
        files: the Parquet files.

    Raises:
        InputError: they cannot be read, or two places disagree.
    """
    found: list[tuple[object, Facts]] = []
    place = metadata_file(path, files)
    if place is not None:
        found.append((place, Facts.read(read_metadata(place.parent), place)))
    for file in files:
        schema = read_schema(file)
        text = (schema.metadata or {}).get(METADATA_KEY)
        if text is not None:
            found.append((file, Facts.from_text(text.decode("utf-8", "replace"), file)))
        if FACTS in schema.names:
            batches = read_batches(file, [FACTS], _ROWS_AT_ONCE)
            texts = {text for batch in batches for text in pc.unique(batch[FACTS]).to_pylist()}
            found += facts_of_rows(texts, file)
    return agreed(found)


def facts_of_rows(texts: Iterable[object], where: object) -> list[tuple[object, Facts]]:
    """Return the facts in the column `FACTS`, with their places.

    Args:
        texts: the column.
        where: place of the rows, for errors.

    Raises:
        InputError: they cannot be read.
    """
    place = f"{where}, column '{FACTS}'"
    known = sorted({str(text) for text in texts if text is not None})
    return [(place, Facts.from_text(text, place)) for text in known]


def agreed(found: Iterable[tuple[object, Facts]]) -> Facts:
    """Return the facts on which several places agree.

    Bodies are equal if their fingerprints are. Facts known only in some places hold for all.

    Raises:
        InputError: two places disagree.
    """
    listed = list(found)
    return Facts(**{name: _agreed(name, listed) for name in Facts.model_fields})


def _agreed(name: str, found: Sequence[tuple[object, Facts]]) -> Any:  # noqa: ANN401
    known = [(where, getattr(facts, name)) for where, facts in found]
    known = [(where, value) for where, value in known if value is not None]
    for where, value in known[1:]:
        first = known[0][1]
        same = fingerprint_of(value) == fingerprint_of(first) if name == "body" else value == first
        if not same:
            raise InputError(
                f"says {name} {_shown(value)}, but {known[0][0]} says {_shown(first)}",
                where=where,
                expected="rows of one dataset",
                fix="give the datasets one by one, or build them again",
            )
    return known[0][1] if known else None


def _shown(value: object) -> str:
    return printable(", ".join(value) if isinstance(value, tuple) else str(value), 120)
