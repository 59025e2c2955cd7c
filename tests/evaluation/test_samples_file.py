"""Tables of samples that others wrote: read, or refused in words and within the limits."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation.samples_file import SAMPLES_SCHEMA, read_samples
from chorus_bench.metrics.pap import THRESHOLDS


def table(rows=3, **changes):
    plain = {"sample_id": [f"s{n}" for n in range(rows)], "category": ["tie"] * rows}
    columns = {
        field.name: [[1] * len(THRESHOLDS)] * rows if pa.types.is_list(field.type) else [1] * rows
        for field in SAMPLES_SCHEMA
    }
    return pa.table(columns | plain | changes, schema=SAMPLES_SCHEMA)


def test_a_table_comes_back(tmp_path):
    pq.write_table(table(), tmp_path / "a.parquet")
    assert read_samples(tmp_path / "a.parquet").equals(table())


REFUSED = {
    "has 0 rows": table().slice(0, 0),
    "has 3 rows": table(),
    "has other columns": table().append_column("hit", table()["hit"]),
    "column 'category' has a text of 1000000 bytes": table(2, category=["y" * 10**6] * 2),
    "unpacks to": table(1, hit=[[0] * 5000]),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refused_tables(words, tmp_path):
    pq.write_table(REFUSED[words], tmp_path / "a.parquet", compression="zstd")
    with pytest.raises(InputError, match=words):
        read_samples(tmp_path / "a.parquet", rows=2 if "rows" in words else 3)


@pytest.mark.parametrize("name", ["hit", "sample_id"])
def test_columns_of_another_kind(name, tmp_path):
    pq.write_table(table().drop_columns([name]), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="has other columns"):
        read_samples(tmp_path / "a.parquet")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 20, None])
def test_what_is_no_parquet(content, tmp_path):
    file = tmp_path / "a.parquet"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="no such file" if content is None else "cannot be read"):
        read_samples(file)
