"""The rows that a baseline reads: a built dataset or rows in memory, category by category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from chorus_bench.datasets.facts import Facts, agreed, facts_of_rows, read_facts
from chorus_bench.datasets.labels import plain_name
from chorus_bench.datasets.lengths import check_lengths
from chorus_bench.datasets.named import dataset_folder
from chorus_bench.datasets.parquet import read_batches, read_schema, rows_of
from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.samples import METADATA_FILE
from chorus_bench.datasets.schema import FACTS
from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.io.untrusted_files import visible_files
from chorus_bench.names import given_categories

#: Columns that are read only on request.
_PICTURES = ("image",)
#: Rows that are counted at once.
_ROWS_COUNTED = 10_000

#: (category, columns) -> rows.
_Reader = Callable[[str, Collection[str]], Iterator[Row]]


@dataclass(frozen=True, eq=False)
class DatasetRows:
    """Rows by category. They can be read any number of times, and are never all in memory.

    Attributes:
        name: name of the rows.
        split: ``train``, or ``test`` for the rows of a test split.
        counts: category -> number of rows, sorted.
        columns: the available columns.
        body: ``name@fingerprint`` of the body of the poses, if known.
        place: the folder or file with the rows; None for rows in memory.
    """

    name: str
    split: str
    counts: Mapping[str, int]
    columns: tuple[str, ...]
    reader: _Reader
    body: str | None = None
    place: Path | None = None

    @classmethod
    def open(cls, source: str | Path | DatasetRows | Iterable[Mapping[str, Any]]) -> DatasetRows:
        """Open a dataset.

        Args:
            source: a folder that `chorus-bench datasets build` wrote, any folder of Parquet
                files or one such file, the name of a test split that comes with the package,
                or rows (dictionaries), which are kept without their pictures.

        Raises:
            InputError: nothing there, no rows, or rows without a category.
        """
        if isinstance(source, DatasetRows):
            return source
        if isinstance(source, str | Path):
            return _open_files(source)
        if not isinstance(source, Iterable):
            raise InputError(
                f"rows of type {type(source).__name__}",
                expected="a folder, a name, or rows: dictionaries with the columns of the schema",
                fix="give what the split was loaded from",
            )
        return _open_rows(source)

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories, sorted."""
        return tuple(self.counts)

    @property
    def total(self) -> int:
        """The number of rows."""
        return sum(self.counts.values())

    def rows(self, category: str, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """Yield the rows of a category.

        Args:
            category: one of `categories`.
            columns: only these columns; by default all but pictures.

        Raises:
            InputError: an unknown category.
        """
        if category not in self.counts:
            raise unknown_name("category", category, self.counts, where=self.name)
        wanted = [name for name in self.columns if name not in _PICTURES]
        if columns is not None:
            wanted = [name for name in self.columns if name in columns]
        return self.reader(category, wanted)

    def select(self, categories: str | Iterable[str] | None) -> DatasetRows:
        """Return the data of some categories (None for all).

        Raises:
            InputError: an unknown category, or none.
        """
        chosen = given_categories(categories)
        if chosen is None:
            return self
        for name in chosen:
            if name not in self.counts:
                raise unknown_name("category", name, self.counts, where=self.name)
        return replace(self, counts={k: n for k, n in self.counts.items() if k in chosen})

    def check_columns(self, needed: Sequence[str]) -> None:
        """Raise an `InputError` if one of the columns is missing."""
        missing = [name for name in needed if name not in self.columns]
        if missing:
            raise InputError(
                f"lacks the columns {', '.join(missing)}",
                where=self.name,
                expected=f"rows with {', '.join(needed)}",
            )


def _open_rows(rows: Iterable[Mapping[str, Any]]) -> DatasetRows:
    kept: dict[str, list[Row]] = {}
    columns: dict[str, None] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise InputError(
                f"is of type {type(row).__name__}", where=f"row {number}", expected="a dictionary"
            )
        if row.get("category") is None:
            raise InputError("a row without a category", where=f"row {number}")
        columns |= dict.fromkeys(row)
        check_lengths(row)
        without = {name: value for name, value in row.items() if name not in _PICTURES}
        kept.setdefault(str(row["category"]), []).append(without)
    _check_some(kept, "rows")

    def read(category: str, wanted: Collection[str]) -> Iterator[Row]:
        names = set(wanted)
        for row in kept[category]:
            yield {name: value for name, value in row.items() if name in names}

    counts = {name: len(kept[name]) for name in sorted(kept)}
    texts = (row.get(FACTS) for members in kept.values() for row in members)
    facts = agreed(facts_of_rows(texts, "rows"))
    return _dataset(facts, "rows", counts, tuple(columns), read)


def _dataset(
    facts: Facts, name: str, counts: Mapping[str, int], columns: tuple[str, ...], reader: _Reader
) -> DatasetRows:
    return DatasetRows(
        name=facts.name or plain_name(name),
        split=facts.split or _split_of(columns),
        counts=counts,
        columns=columns,
        reader=reader,
        body=facts.body,
    )


def _open_files(source: str | Path) -> DatasetRows:
    path = dataset_folder(source)
    files = _parquet_files(path)
    counted = {file: _count(file) for file in files}
    counts: Counter[str] = sum(counted.values(), Counter())
    _check_some(counts, path)
    facts = read_facts(path, files)
    columns = tuple(read_schema(files[0]).names)

    def read(category: str, wanted: Collection[str]) -> Iterator[Row]:
        for file in files:
            if category in counted[file]:
                yield from _read_rows(file, category, wanted)

    data = _dataset(facts, path.stem, dict(sorted(counts.items())), columns, read)
    return replace(data, place=path)


def _parquet_files(path: Path) -> list[Path]:
    if not path.exists():
        raise InputError("no such dataset", where=path, expected="a folder of Parquet files")
    files = [path] if path.is_file() else visible_files(path, ".parquet")
    if not files:
        raise InputError(
            "no Parquet files",
            where=path,
            expected=f"a dataset as `chorus-bench datasets build` writes it, with {METADATA_FILE}",
        )
    return files


def _count(file: Path) -> Counter[str]:
    counts: Counter[str] = Counter()
    if "category" not in read_schema(file).names:
        raise InputError("cannot be read as rows of a dataset: no column 'category'", where=file)
    for batch in read_batches(file, ["category"], _ROWS_COUNTED):
        for entry in pc.value_counts(batch["category"]):
            counts[str(entry["values"].as_py())] += entry["counts"].as_py()
    return counts


def _read_rows(file: Path, category: str, wanted: Collection[str]) -> Iterator[Row]:
    for batch in read_batches(file, [*dict.fromkeys([*wanted, "category"])]):
        for row in rows_of(batch.filter(pc.equal(batch["category"], category)), file):
            yield row if "category" in wanted else _without(row, "category")


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _split_of(columns: Iterable[str]) -> str:
    """Return the split to which the columns belong: only training rows have people."""
    return "train" if "people" in columns else "test"


def _check_some(found: Mapping[str, Any], where: object) -> None:
    if not found:
        raise InputError("no rows", where=where, expected="a dataset with rows")
    empty = [name for name in found if name in ("", "None")]
    if empty:
        raise InputError(f"rows without a category ({list_some(empty)})", where=where)
