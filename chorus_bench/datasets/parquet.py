"""Rows and tables in Parquet files: written with their features, read with their lengths checked.

Files of earlier versions, which have lists of fixed sizes, are read too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.datasets.features import with_features
from chorus_bench.datasets.lengths import check_fixed_lists, check_lengths, fixed_lists
from chorus_bench.datasets.recipe import Row
from chorus_bench.errors import InputError

#: Largest number of rows in a group, and of bytes of pictures.
ROWS_A_GROUP, BYTES_A_GROUP = 100, 32_000_000
#: Rows that are read at once.
ROWS_AT_ONCE = 64

#: What pyarrow before 26 says of null fixed-size lists, which earlier versions wrote.
_FIXED_LISTS = "Expected all lists to be of size"


class TableWriter:
    """Writes tables to one new Parquet file.

    Args:
        path: the file; it must not exist.
        schema: schema of its rows; lists of a fixed size are stored with a variable length.
        metadata: more entries for the metadata of the file's schema.
    """

    def __init__(
        self, path: Path, schema: pa.Schema, metadata: Mapping[bytes, bytes] | None = None
    ) -> None:
        described = with_features(schema)
        self.schema = described.with_metadata({**described.metadata, **(metadata or {})})
        self._file = path.open("xb")
        self._writer = pq.ParquetWriter(self._file, self.schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        """Write a table as one row group."""
        self._writer.write_table(table)

    @property
    def size(self) -> int:
        """The number of bytes in the file so far."""
        return self._file.tell()

    def close(self) -> None:
        """Finish the file."""
        try:
            self._writer.close()
        finally:
            self._file.close()


class RowWriter:
    """Writes rows to one new Parquet file in groups of moderate size.

    Args:
        path: the file; it must not exist.
        schema: schema of its rows.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._tables = TableWriter(path, schema)
        self._fixed = fixed_lists(schema)
        self._rows: list[Row] = []
        self._bytes = 0

    def add(self, row: Row) -> None:
        """Add a row.

        Raises:
            InputError: a list of it has another length than it must have.
        """
        check_lengths(row)
        check_fixed_lists(self._fixed, row)
        self._rows.append(row)
        self._bytes += len((row.get("image") or {}).get("bytes") or b"")
        if len(self._rows) >= ROWS_A_GROUP or self._bytes >= BYTES_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._tables.write(pa.Table.from_pylist(self._rows, schema=self._tables.schema))
        self._rows, self._bytes = [], 0

    def close(self) -> None:
        """Write pending rows and finish the file."""
        try:
            self._flush()
        finally:
            self._tables.close()


@contextlib.contextmanager
def open_parquet(file: Path) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file of any name; pyarrow itself takes names in UTF-8 only.

    Raises:
        InputError: a column occurs twice.
        OSError: it cannot be opened.
        pa.ArrowException: it is not Parquet.
    """
    with file.open("rb") as stream, pq.ParquetFile(stream) as parquet:
        names = parquet.schema_arrow.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(
                f"has columns that occur twice: {', '.join(map(repr, twice))}",
                where=file,
                expected="every column once",
                fix="the file was changed or made by something else: build the dataset again",
            )
        yield parquet


def read_schema(file: Path) -> pa.Schema:
    """Return the schema of a Parquet file.

    Raises:
        InputError: it is none.
    """
    try:
        with open_parquet(file) as parquet:
            return parquet.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from error


def read_batches(
    file: Path, columns: Sequence[str] | None = None, rows: int = ROWS_AT_ONCE
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file in batches.

    Args:
        file: the file.
        columns: only these, of those that are there; None for all.
        rows: so many at once.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with open_parquet(file) as parquet:
            there = parquet.schema_arrow.names
            names = None if columns is None else [name for name in columns if name in there]
            yield from parquet.iter_batches(rows, columns=names)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from error


def read_rows(
    file: Path, columns: Sequence[str] | None = None, rows: int = ROWS_AT_ONCE
) -> Iterator[Row]:
    """Yield the rows of a Parquet file; arguments as for `read_batches`.

    Raises:
        InputError: the file cannot be read, or a list has another length than it must have.
    """
    for batch in read_batches(file, columns, rows):
        yield from rows_of(batch, file)


def rows_of(batch: pa.RecordBatch | pa.Table, where: object) -> Iterator[Row]:
    """Yield the rows of a batch.

    Raises:
        InputError: a list of a row has another length than it must have.
    """
    for row in batch.to_pylist():
        try:
            check_lengths(row)
        except InputError as error:
            raise InputError(
                f"{error.where}: {error.found}",
                where=where,
                expected=error.expected,
                fix="the file was changed or made by something else: build the dataset again",
            ) from error
        yield row


def unreadable(file: Path, error: Exception) -> InputError:
    """Return the error of a file that cannot be read as the rows of a dataset."""
    if _FIXED_LISTS in str(error):
        return InputError(
            f"has null lists of a fixed size, which pyarrow {pa.__version__} cannot read",
            where=file,
            expected="lists of variable length, as this version of chorus-bench writes them",
            fix="build the dataset again, or install pyarrow 26 or newer",
        )
    return InputError(f"cannot be read as rows of a dataset: {error}", where=file)
