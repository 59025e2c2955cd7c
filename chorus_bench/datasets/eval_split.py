"""Load test splits: by name, from a folder of Parquet files, or from a `datasets.Dataset`.

Only the columns that move a number are read; pictures stay on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.datasets.folder import read_metadata
from chorus_bench.datasets.named import NAMED_SPLITS, named_split_folder
from chorus_bench.datasets.samples import (
    EvalSample,
    EvalSplit,
    checked_samples,
    split_from_rows,
)
from chorus_bench.datasets.schema import TEST_COLUMNS
from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import visible_files

if TYPE_CHECKING:
    from datasets import Dataset

__all__ = ["EvalSample", "EvalSplit", "load_split", "split_from_rows"]


def load_split(source: str | Path | EvalSplit | Dataset) -> EvalSplit:
    """Load a test split.

    Args:
        source: the name of a split that comes with the package (``"example"``, or
            ``"simulated"``, which is built when it is first used), a folder of
            Parquet files, one Parquet file, or a `datasets.Dataset` with the columns of the
            row schema.

    Raises:
        InputError: nothing there, columns missing, rows that are not usable (each is named).
    """
    if isinstance(source, EvalSplit):
        return source
    if isinstance(source, str | Path):
        if str(source) in NAMED_SPLITS:
            return _from_files(named_split_folder(str(source)))
        path = Path(source)
        if not path.exists():
            raise InputError(
                "no such split",
                where=source,
                expected=f"a folder of Parquet files, or one of: {', '.join(NAMED_SPLITS)}",
            )
        return _from_files(path)
    return _from_dataset(source)


def _from_files(path: Path) -> EvalSplit:
    files = _test_files(path)
    tables = [_read_columns(file) for file in files]
    rows = [row for table in tables for row in _rows(table)]
    metadata = read_metadata(path)
    name = str(metadata.get("name", path.stem if path.is_file() else path.resolve().name))
    return EvalSplit(
        name=name,
        samples=checked_samples(rows, path),
        min_samples=metadata.get("min_samples"),
        body=metadata.get("body"),
        metadata=metadata,
    )


def _test_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = visible_files(path, ".parquet")
    files = [f for f in files if f.name.startswith("test")] or files
    if not files:
        raise InputError(
            "no Parquet files",
            where=path,
            expected="a test split as `chorus-bench datasets build` writes it",
        )
    return files


def _read_columns(file: Path) -> pa.Table:
    try:
        names = pq.read_schema(file).names
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"cannot be read as Parquet: {error}", where=file) from error
    _check_columns(names, file)
    return pq.read_table(file, columns=list(TEST_COLUMNS))


def _check_columns(names: Sequence[str], where: object) -> None:
    missing = [name for name in TEST_COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"missing columns: {', '.join(missing)}",
            where=where,
            expected=f"a test split with the columns {', '.join(TEST_COLUMNS)}",
            fix="for a training set, make a submission first; a test split is what it is scored on",
        )


def _from_dataset(dataset: Dataset) -> EvalSplit:
    names = getattr(dataset, "column_names", None)
    if not isinstance(names, list):
        raise InputError(
            f"a split of type {type(dataset).__name__}",
            expected="a folder, a name, or one split of a datasets.Dataset",
            fix='choose the split, for example load_dataset(...)["test"]',
        )
    _check_columns(names, "split")
    table = dataset.select_columns(list(TEST_COLUMNS)).with_format("arrow")[:]
    name = getattr(dataset.info, "dataset_name", None) or "dataset"
    return EvalSplit(name=name, samples=checked_samples(list(_rows(table)), name))


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=256):
        yield from batch.to_pylist()
