"""Rows by number, read where they are, alone."""

import pickle

import pytest

from chorus_bench.datasets import in_place
from chorus_bench.datasets.export import export
from chorus_bench.datasets.in_place import RowsInPlace
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import InputError
from tests.datasets.recipes import squares, training


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a dataset of 11 + 27 rows in many files; it is only read."""
    return export(squares(), tmp_path_factory.mktemp("built") / "squares", shard_bytes=1).path


def ids(rows):
    return [row["sample_id"] for row in rows]


def in_order(folder):
    data = DatasetRows.open(folder)
    return ids(row for name in data.categories for row in data.rows(name))


def test_rows_by_number(folder):
    rows = RowsInPlace(folder)
    assert ids(rows) == in_order(folder)
    assert len(rows) == 38
    assert rows[-1] == rows[37] == list(rows)[-1]
    assert ids(rows[3:12:4]) == [rows[n]["sample_id"] for n in (3, 7, 11)]
    with pytest.raises(IndexError):
        rows[38]


def test_categories_columns_and_verdicts(folder, tmp_path):
    some = RowsInPlace(folder, ["tennis racket"], ["sample_id", "pose"])
    assert len(some) == 11
    assert set(some[0]) == {"sample_id", "pose"}
    train = export(training(5), tmp_path / "train").path
    assert ids(RowsInPlace(train, verdict="keep")) == ["0", "2", "4"]


def test_few_groups_stay_in_memory(folder, monkeypatch):
    rows = RowsInPlace(folder, groups_kept=2)
    read = []
    whole = in_place.open_parquet
    monkeypatch.setattr(in_place, "open_parquet", lambda file: read.append(file) or whole(file))
    assert len(ids(rows)) == 38
    assert len(read) == len(rows._groups) > 2
    assert len(rows._cache) == 2
    assert len(read) == len(rows._groups)
    assert len(pickle.dumps(rows)) < 20_000
    assert ids(pickle.loads(pickle.dumps(rows))) == ids(rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"categories": ["skatebord"]}, "Did you mean 'skateboard'"),
        ({"columns": ["poses"]}, "lacks the columns poses"),
        ({"verdict": "kept"}, "lacks the columns verdict"),
    ],
)
def test_what_is_not_there(folder, arguments, message):
    with pytest.raises(InputError, match=message):
        RowsInPlace(folder, **arguments)


def test_no_row_of_a_verdict(tmp_path):
    train = export(training(5), tmp_path / "train").path
    with pytest.raises(InputError, match="no such rows"):
        RowsInPlace(train, verdict="kept")
