"""Load test splits: by name, from a folder of Parquet files, or from a `datasets.Dataset`.

Only columns that affect a score are read; pictures stay on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from chorus_bench.boundary import checked
from chorus_bench.datasets.facts import Facts, agreed, facts_of_rows, read_facts
from chorus_bench.datasets.interaction_labels import LABEL_COLUMNS
from chorus_bench.datasets.labels import plain_name
from chorus_bench.datasets.named import NAMED_SPLITS, dataset_folder
from chorus_bench.datasets.parquet import read_batches, read_schema
from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.samples import EvalSample, EvalSplit, checked_samples
from chorus_bench.datasets.schema import FACTS, TEST_COLUMNS
from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import visible_files

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

__all__ = ["EvalSample", "EvalSplit", "load_split", "split_from_rows"]

#: What is read: the columns that make the fingerprint, the labels, and the facts.
_WANTED = (*TEST_COLUMNS, *LABEL_COLUMNS, FACTS)


@checked
def load_split(source: str | Path | EvalSplit | Dataset | IterableDataset) -> EvalSplit:
    """Load a test split.

    Name, body, minimum and population are those that stand with the rows, whatever the path to
    them (`chorus_bench.datasets.facts`); without any, the split has the name of the folder, and
    nothing is known of its body.

    Args:
        source: the name of a split that comes with the package (``"example"``, or
            ``"simulated"``, which is built on first use), a folder of
            Parquet files, one Parquet file, or a `datasets.Dataset` with the columns of the
            row schema, streaming or not.

    Raises:
        InputError: nothing there, columns missing, rows that are not usable (each is named),
            or rows of several datasets.
    """
    if isinstance(source, EvalSplit):
        return source
    if isinstance(source, str | Path):
        path = dataset_folder(source)
        if not path.exists():
            raise InputError(
                "no such split",
                where=source,
                expected=f"a folder of Parquet files, or one of: {', '.join(NAMED_SPLITS)}",
            )
        return _from_files(path)
    return _from_dataset(source)


@checked
def split_from_rows(
    rows: Sequence[Row], name: str, *, min_samples: int | None = None, body: str | None = None
) -> EvalSplit:
    """Make a split of rows (dictionaries with the columns of the row schema).

    Args:
        rows: the rows; the facts that they carry hold where an argument does not say.
        name: of the split.
        min_samples: the smallest number of samples for a category to be scored.
        body: ``name@fingerprint`` of the body that the cameras were made with.

    Raises:
        InputError: rows that are not usable, or another body than the rows'.
    """
    given = ("arguments of split_from_rows", Facts(body=body))
    facts = agreed([given, *facts_of_rows((row.get(FACTS) for row in rows), name)])
    return EvalSplit(
        name=name,
        samples=checked_samples(rows, name),
        min_samples=facts.min_samples if min_samples is None else min_samples,
        body=facts.body,
        population=facts.population,
    )


def _split(rows: Sequence[Row], facts: Facts, name: str, where: object) -> EvalSplit:
    return EvalSplit(
        name=facts.name or plain_name(name),
        samples=checked_samples(rows, where),
        min_samples=facts.min_samples,
        body=facts.body,
        population=facts.population,
    )


def _from_files(path: Path) -> EvalSplit:
    files = _test_files(path)
    for file in files:
        _check_columns(read_schema(file).names, file)
    rows = [row for file in files for row in _rows_of(file)]
    name = path.stem if path.is_file() else path.resolve().name
    return _split(rows, read_facts(path, files), name, path)


def _rows_of(file: Path) -> Iterator[Row]:
    labels = [name for name in LABEL_COLUMNS if name in read_schema(file).names]
    for batch in read_batches(file, [*TEST_COLUMNS, *labels]):
        yield from _rows(batch)


def _test_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = visible_files(path, ".parquet")
    files = [f for f in files if f.name.startswith("test")] or files
    if not files:
        saved = any(path.rglob("*.arrow"))
        raise InputError(
            "no Parquet files",
            where=path,
            expected="a test split as `chorus-bench datasets build` writes it",
            fix="load what Dataset.save_to_disk wrote with datasets.load_from_disk, and give the "
            "Dataset in Python or its to_parquet file"
            if saved
            else None,
        )
    return files


def _check_columns(names: Sequence[str], where: object) -> None:
    if "people" in names:
        raise InputError(
            "these are training rows",
            where=where,
            expected="a test split",
            fix="make a submission of them with `chorus-bench baseline run`; a test split is what "
            "it is scored on",
        )
    missing = [name for name in TEST_COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"missing columns: {', '.join(missing)}",
            where=where,
            expected=f"a test split with the columns {', '.join(TEST_COLUMNS)}",
            fix="evaluate on a test split; a training set is for making a submission",
        )


def _from_dataset(dataset: Dataset | IterableDataset) -> EvalSplit:
    names = getattr(dataset, "column_names", None)
    known = hasattr(dataset, "select_columns")
    streaming = known and not hasattr(dataset, "__len__")
    if streaming:
        rows = _streamed(dataset, names)
    elif known and isinstance(names, list):
        rows = _stored(dataset, names)
    else:
        raise InputError(
            f"a split of type {type(dataset).__name__}",
            expected="a folder, a name, or one split of a datasets.Dataset",
            fix='choose the split, for example load_dataset(...)["test"]; of rows in memory, '
            "make one with chorus_bench.evaluation.split_from_rows",
        )
    name = getattr(dataset.info, "dataset_name", None) or "dataset"
    facts = agreed(facts_of_rows((row.get(FACTS) for row in rows), name))
    return _split(rows, facts, name, name)


def _stored(dataset: Dataset, names: Sequence[str]) -> list[Row]:
    _check_columns(names, "split")
    chosen = dataset.select_columns([name for name in _WANTED if name in names])
    table = chosen.with_format("arrow")[:]
    return [row for batch in table.to_batches(max_chunksize=256) for row in _rows(batch)]


def _streamed(dataset: IterableDataset, names: Sequence[str] | None) -> list[Row]:
    """Read a streaming dataset to its end; its pictures are left out where it names its columns."""
    plain = dataset.with_format(None)
    if names is not None:
        _check_columns(names, "split")
        plain = plain.select_columns([name for name in _WANTED if name in names])
    rows: list[Row] = []
    for row in plain:
        if names is None:
            _check_columns(list(row), "split")
        rows.append({name: row[name] for name in _WANTED if name in row})
    return rows


def _rows(batch: pa.RecordBatch) -> list[Row]:
    rows: list[Row] = batch.to_pylist()
    return rows
