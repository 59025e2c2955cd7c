"""Writing rows and tables to Parquet files that carry their features."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.datasets.features import with_features
from chorus_bench.datasets.recipe import Row

#: Largest number of rows in a group, and of bytes of pictures.
ROWS_A_GROUP, BYTES_A_GROUP = 100, 32_000_000


class TableWriter:
    """Writes tables to one new Parquet file.

    Args:
        path: the file; it must not exist.
        schema: schema of its rows.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.schema = with_features(schema)
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
        self._rows: list[Row] = []
        self._bytes = 0

    def add(self, row: Row) -> None:
        """Add a row."""
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
