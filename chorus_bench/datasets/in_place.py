"""Rows of a built dataset by number, read where they are: for sets too large for a second copy.

`datasets.load_dataset` copies a folder into its cache. `RowsInPlace` opens the Parquet files
themselves: a row is decoded with its row group (at most 100 rows and about 32 MB of pictures), and
the last few groups stay in memory. It has the methods of a map-style dataset of PyTorch, can be
sent to other processes, and imports no torch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chorus_bench.datasets.lengths import check_lengths
from chorus_bench.datasets.parquet import open_parquet, unreadable
from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import visible_files

#: Row groups that stay in memory.
GROUPS_KEPT = 4


class _Group(NamedTuple):
    """Where a row group is, and which of its rows are wanted."""

    file: Path
    number: int
    rows: np.ndarray[Any, np.dtype[np.int64]]


class RowsInPlace(Sequence[Row]):
    """The rows of a dataset, by number, without a copy.

    Args:
        folder: a built dataset, any folder of Parquet files with its columns, or one file.
        categories: only rows of these; None for all.
        columns: only these columns; None for all.
        verdict: only rows with this verdict, for example ``kept``; None for all.
        groups_kept: row groups that stay in memory.

    Raises:
        InputError: no rows, an unknown category or column.
    """

    def __init__(
        self,
        folder: str | Path,
        categories: Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
        *,
        verdict: str | None = None,
        groups_kept: int = GROUPS_KEPT,
    ) -> None:
        data = DatasetRows.open(folder).select(categories)
        data.check_columns([*(columns or ()), *(["verdict"] if verdict else [])])
        self.name, self.columns = data.name, tuple(columns or data.columns)
        self._kept = groups_kept
        wanted = {"category": set(data.categories)} | ({"verdict": {verdict}} if verdict else {})
        path = Path(folder) if data.place is None else data.place
        files = [path] if path.is_file() else visible_files(path, ".parquet")
        self._groups = [group for file in files for group in _groups(file, wanted)]
        self._ends = np.cumsum([len(group.rows) for group in self._groups], dtype=np.int64)
        self._cache: OrderedDict[int, pa.Table] = OrderedDict()
        if not len(self):
            raise InputError("no such rows", where=folder, expected=f"rows with {wanted}")

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - a row, or rows for a slice
        if isinstance(number, slice):
            return self.__getitems__(range(*number.indices(len(self))))
        place = range(len(self))[number]
        group = int(np.searchsorted(self._ends, place, side="right"))
        first = int(self._ends[group - 1]) if group else 0
        row = int(self._groups[group].rows[place - first])
        (found,) = self._table(group).slice(row, 1).to_pylist()
        check_lengths(found)
        return found

    def __getitems__(self, numbers: Sequence[int]) -> list[Row]:
        """Return some rows in this order; PyTorch's loader asks for batches in this way."""
        return [self[number] for number in numbers]

    def __iter__(self) -> Iterator[Row]:
        for number in range(len(self)):
            yield self[number]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is in memory: another process reads for itself."""
        return {**self.__dict__, "_cache": OrderedDict()}

    def _table(self, group: int) -> pa.Table:
        if group in self._cache:
            self._cache.move_to_end(group)
            return self._cache[group]
        file, number, _ = self._groups[group]
        try:
            with open_parquet(file) as parquet:
                table = parquet.read_row_group(number, columns=list(self.columns))
        except (pa.ArrowException, OSError) as error:
            raise unreadable(file, error) from error
        self._cache[group] = table
        while len(self._cache) > self._kept:
            self._cache.popitem(last=False)
        return table


def _groups(file: Path, wanted: dict[str, set[str]]) -> Iterator[_Group]:
    """Yield the row groups of a file in which rows have the wanted values."""
    with open_parquet(file) as parquet:
        for number in range(parquet.num_row_groups):
            table = parquet.read_row_group(number, columns=list(wanted))
            chosen = np.ones(len(table), dtype=bool)
            for column, values in wanted.items():
                chosen &= pc.is_in(table[column], pa.array(sorted(values))).to_numpy()
            if chosen.any():
                yield _Group(file, number, np.flatnonzero(chosen))
