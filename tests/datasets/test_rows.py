"""Rows by category, from folders and from memory."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import TEST_COLUMNS, TRAIN_SCHEMA
from chorus_bench.errors import InputError


def train_row(number: int, category: str) -> dict:
    image = {"bytes": b"x" * 10, "path": None}
    return dict.fromkeys(TRAIN_SCHEMA.names) | {
        "sample_id": f"{category}-{number}", "category": category, "prompt": f"prompt {number % 2}",
        "height": 8, "width": 9, "people": [], "objects": [], "image": image,
    }  # fmt: skip


ROWS = [train_row(n, "skis" if n % 3 else "bench") for n in range(200)]


@pytest.fixture
def folder(tmp_path):
    """Write files that hold both categories, as other tools may write them."""
    for part in range(2):
        table = pa.Table.from_pylist(ROWS[100 * part : 100 * part + 100], schema=TRAIN_SCHEMA)
        (tmp_path / f"part{part}").mkdir()
        pq.write_table(table, tmp_path / f"part{part}" / "rows.parquet", row_group_size=30)
    return tmp_path


@pytest.mark.parametrize("source", ["folder", "rows", "generator"])
def test_rows_by_category(folder, source):
    given = {"folder": folder, "rows": ROWS, "generator": (row for row in ROWS)}[source]
    data = DatasetRows.open(given)
    assert data.categories == ("bench", "skis")
    assert data.counts == {"bench": 67, "skis": 133}
    assert data.total == 200
    assert data.split == "train"
    for _ in range(2):
        found = [row["sample_id"] for row in data.rows("bench")]
        assert found == [row["sample_id"] for row in ROWS if row["category"] == "bench"]
    assert DatasetRows.open(data) is data


@pytest.mark.parametrize("stored", [True, False])
def test_pictures_are_not_read_and_columns_are_chosen(folder, stored):
    data = DatasetRows.open(folder if stored else ROWS)
    first = next(data.rows("skis"))
    assert "image" not in first
    assert first["height"] == 8
    assert set(next(data.rows("skis", ["sample_id", "prompt", "nothing"]))) == {
        "sample_id",
        "prompt",
    }


def test_pictures_can_be_asked_for(folder):
    row = next(DatasetRows.open(folder).rows("skis", ["image"]))
    assert row == {"image": {"bytes": b"x" * 10, "path": None}}


def test_metadata_gives_name_split_and_body(folder):
    (folder / "chorus_bench.json").write_text(
        '{"name": "mine", "split": "train", "body": "default@abc"}'
    )
    data = DatasetRows.open(folder)
    assert (data.name, data.split, data.body) == ("mine", "train", "default@abc")


def test_a_shipped_test_split_has_a_name():
    data = DatasetRows.open("example")
    assert data.split == "test"
    assert set(TEST_COLUMNS) <= set(data.columns)
    assert "surfboard" in data.categories


def test_some_categories(folder):
    data = DatasetRows.open(folder)
    assert data.select(["skis"]).counts == {"skis": 133}
    assert data.select(None) is data
    with pytest.raises(InputError, match="Did you mean 'skis'"):
        data.select(["skies"])
    with pytest.raises(InputError, match="unknown category 'skis'"):
        data.select(["bench"]).rows("skis")


def test_what_is_not_a_dataset(tmp_path):
    with pytest.raises(InputError, match="no such dataset"):
        DatasetRows.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no Parquet files"):
        DatasetRows.open(tmp_path)
    (tmp_path / "x.parquet").write_bytes(b"not Parquet")
    with pytest.raises(InputError, match="cannot be read as rows"):
        DatasetRows.open(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="cannot be read as rows"):
        DatasetRows.open(tmp_path)
    pq.write_table(pa.table({"category": pa.array([None], pa.string())}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="rows without a category"):
        DatasetRows.open(tmp_path)
    with pytest.raises(InputError, match="no rows"):
        DatasetRows.open([])
    with pytest.raises(InputError, match="row 1: a row without a category"):
        DatasetRows.open([{"category": "a"}, {"sample_id": "x"}])
