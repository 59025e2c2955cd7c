"""The table of the samples of a result, ``samples.parquet``: its columns, and reading it.

Others send it with their results, so no more memory is used than the limits below allow, whatever
the file says of itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chorus_bench.errors import InputError
from chorus_bench.io.findings import printable
from chorus_bench.io.limits import GIB
from chorus_bench.io.parquet_pages import check_pages
from chorus_bench.metrics.pap import SCORE_NAMES, THRESHOLDS
from chorus_bench.names import MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH

#: The columns with a number for each threshold.
COUNTS = ("predicted", "hit", "predicted_hoa", "hit_hoa")
#: One row per sample: the four numbers, the areas, and the counts behind them by threshold.
SAMPLES_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("category", pa.string()),
        *[(name, pa.float64()) for name in SCORE_NAMES],
        ("target_area", pa.int32()),
        ("target_area_hoa", pa.int32()),
        *[(name, pa.list_(pa.int32())) for name in COUNTS],
    ]
)

#: What the track `conditioned` gives beside the field of a sample's own type: the category's
#: field, and the best and the mean over all types.
READINGS = ("total", "best", "mean")
#: The rows of the track `conditioned`: those of the own type's field, its name (empty for the
#: category's field), and the four numbers of the other readings.
CONDITIONED_SCHEMA = pa.schema(
    [
        *SAMPLES_SCHEMA,
        ("own_type", pa.string()),
        *[(f"{reading}_{name}", pa.float64()) for reading in READINGS for name in SCORE_NAMES],
    ]
)

#: Texts that stand once in a file and are repeated in memory: columns and longest lengths.
_TEXTS = {
    "sample_id": MAX_SAMPLE_LENGTH,
    "category": MAX_CATEGORY_LENGTH,
    "own_type": MAX_CATEGORY_LENGTH,
}
_AGAIN = "copy it again from the result"


def read_samples(file: Path, *, rows: int = 10**6, size: int = 4 * GIB) -> pa.Table:
    """Return the table.

    Args:
        file: the file.
        rows: most rows.
        size: largest size of the table's pages, unpacked, in bytes.

    Raises:
        InputError: it is missing or damaged, has no rows or too many, other columns, or texts
            that are too long. The error does not name the file.
    """
    if not file.is_file():
        raise InputError("no such file", expected="the table of the samples", fix=_AGAIN)
    try:
        with file.open("rb") as stream:
            _check(stream, rows, size)
            stream.seek(0)
            with pq.ParquetFile(stream) as opened:
                return opened.read().combine_chunks()
    except InputError:
        raise
    except (OSError, pa.ArrowException, ValueError) as error:
        raise InputError(
            f"cannot be read as Parquet: {printable(str(error))}", fix=_AGAIN
        ) from error


def _check(stream: BinaryIO, rows: int, size: int) -> None:
    with pq.ParquetFile(stream) as opened:
        number = opened.metadata.num_rows
        if not 0 < number <= rows:
            raise InputError(f"has {number} rows", expected=f"1 to {rows} rows", fix=_AGAIN)
        _check_columns(opened.schema_arrow)
        check_pages(stream, opened, values=number * len(THRESHOLDS), size=size)
        texts = [name for name in _TEXTS if name in opened.schema_arrow.names]
    stream.seek(0)
    with pq.ParquetFile(stream, read_dictionary=texts) as opened:
        _check_texts(opened.read(columns=texts))


def _check_columns(schema: pa.Schema) -> None:
    if not any(map(schema.equals, (SAMPLES_SCHEMA, CONDITIONED_SCHEMA))):
        names = ", ".join(f"{field.name}: {field.type}" for field in SAMPLES_SCHEMA)
        raise InputError("has other columns", expected=names, fix=_AGAIN)


def _check_texts(table: pa.Table) -> None:
    """Refuse long texts before they are repeated row by row, which their size says nothing of.

    A Parquet file keeps each text once, in a dictionary; a few kilobytes read as gigabytes.
    """
    for name in table.column_names:
        limit = _TEXTS[name]
        for chunk in table[name].chunks:
            longest = pc.max(pc.binary_length(chunk.dictionary)).as_py() or 0
            if longest > 4 * limit:
                raise InputError(
                    f"column '{name}' has a text of {longest} bytes",
                    expected=f"at most {limit} characters",
                    fix=_AGAIN,
                )
