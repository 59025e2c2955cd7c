"""Lists have variable lengths in every schema, and their lengths are checked on every way."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.datasets.coco_eft.rows import SCHEMA
from chorus_bench.datasets.export import export
from chorus_bench.datasets.lengths import check_lengths, lengths_of
from chorus_bench.datasets.parquet import RowWriter, read_rows, read_schema, unreadable
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import TEST_SCHEMA, TRAIN_SCHEMA
from chorus_bench.datasets.statistics import folder_statistics
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from chorus_bench.simulation.recipe import SIMULATED_TEST_SCHEMA, SIMULATED_TRAIN_SCHEMA
from chorus_bench.synthesis.work_folder import STAGE_SCHEMAS
from tests.datasets.recipes import train_row, training

SCHEMAS = {
    "test": TEST_SCHEMA,
    "train": TRAIN_SCHEMA,
    "coco-eft": SCHEMA,
    "simulated test": SIMULATED_TEST_SCHEMA,
    "simulated train": SIMULATED_TRAIN_SCHEMA,
    **{f"stage {name}": schema for name, schema in STAGE_SCHEMAS.items()},
}


def _lists(name, kind):
    """Yield the name and type of every list of numbers below a column."""
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _lists(field.name, field.type)
    elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        yield from _lists(name, kind.value_type)
    elif pa.types.is_nested(kind):
        yield name, kind


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_list_is_variable_and_has_lengths(name):
    found = [entry for column in SCHEMAS[name] for entry in _lists(column.name, column.type)]
    for column, kind in found:
        depth = 0
        while pa.types.is_nested(kind):
            assert pa.types.is_list(kind), f"{column} is a {kind}"
            kind, depth = kind.value_type, depth + 1
        assert len(lengths_of(column) or ()) == depth, column
    assert "fixed_size_list" not in str(SCHEMAS[name])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"pose": [0.0] * 71}, r"x: pose has 71 entries\n  Expected: 72"),
        ({"true_pose": []}, "true_pose has 0 entries"),
        ({"camera_rotation": [[1, 0, 0], [0, 1, 0]]}, "camera_rotation has 2 entries"),
        ({"camera_rotation": [[1, 0, 0], [0, 1], [0, 0, 1]]}, r"camera_rotation\[1\] has 2"),
        ({"camera_rotation": [[1, 0, 0], None, [0, 0, 1]]}, r"rotation\[1\] has a NoneType"),
        ({"human_mask": {"size": [3], "counts": "0"}}, r"human_mask\.size has 1 entry"),
        ({"people": [{"box": [0] * 4}, {"box": [0] * 5}]}, r"people\[1\]\.box has 5 entries"),
        ({"objects": [{"mask": {"size": [1, 2, 3]}}]}, r"objects\[0\]\.mask\.size has 3"),
        ({"betas": 4.0}, "betas has a float"),
    ],
)
def test_wrong_lengths_are_named(row, message):
    with pytest.raises(InputError, match=message):
        check_lengths({"sample_id": "x", **row})


def test_what_is_missing_or_of_other_columns_passes():
    check_lengths({"pose": None, "people": [], "objects": None, "category": "tie", "mine": [1, 2]})
    check_lengths({"pose": np.zeros(72), "human_mask": None, "people": [{"pose": None}]})


def _spoilt(place, column, value):
    """Change a column of the first row of a built training set's file."""
    [file] = place.rglob("*.parquet")
    table = pq.read_table(file)
    rows = table.to_pylist()
    rows[0][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
    return file


def test_reading_says_which_file_row_and_column(tmp_path):
    export(training(), tmp_path / "out")
    file = _spoilt(tmp_path / "out", "camera_rotation", [[1.0, 0.0, 0.0]])
    for read in (
        lambda: list(read_rows(file)),
        lambda: list(DatasetRows.open(tmp_path / "out").rows("bench")),
        lambda: folder_statistics(tmp_path / "out"),
    ):
        with pytest.raises(InputError, match=r"camera_rotation has 1 entry") as caught:
            read()
        assert str(caught.value).startswith(f"{file}: ")
        assert "build the dataset again" in str(caught.value)
    problems = verify_dataset(tmp_path / "out").problems
    assert any("camera_rotation has 1 entry" in problem for problem in problems)


def test_wrong_rows_are_not_written(tmp_path):
    writer = RowWriter(tmp_path / "rows.parquet", TRAIN_SCHEMA)
    row = next(train_row(0, []))
    writer.add(row)
    with pytest.raises(InputError, match="0: pose has 3 entries"):
        writer.add({**row, "pose": [0.0] * 3})
    writer.close()
    assert pq.read_metadata(tmp_path / "rows.parquet").num_rows == 1


def test_rows_in_memory_are_checked():
    row = {**next(train_row(0, [])), "betas": [0.0]}
    with pytest.raises(InputError, match="betas has 1 entry"):
        DatasetRows.open([row])


def _fixed(kind, name):
    """Return a type with its lists of fixed sizes, as earlier versions wrote them."""
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _fixed(field.type, field.name)) for field in kind])
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return pa.list_(_fixed(kind.value_type, name))
    for length in reversed(lengths_of(name) or ()):
        kind = pa.list_(pa.float32() if not pa.types.is_fixed_size_list(kind) else kind, length)
    return kind


def test_files_of_earlier_versions_are_read(tmp_path):
    """Fixed-size lists without nulls are readable everywhere, and give the same rows."""
    row = next(train_row(2, []))
    row = {key: value for key, value in row.items() if key not in ("people", "objects")}
    new = pa.schema([TRAIN_SCHEMA.field(name) for name in row])
    old = pa.schema([(column.name, _fixed(column.type, column.name)) for column in new])
    assert "fixed_size_list" in str(old)
    for schema, name in ((old, "old"), (new, "new")):
        pq.write_table(pa.Table.from_pylist([row], schema=schema), tmp_path / f"{name}.parquet")
    rows = [next(read_rows(tmp_path / f"{name}.parquet")) for name in ("old", "new")]
    assert rows[0] == rows[1]
    assert rows[0]["pose"] == [0.25] * 72


def test_null_lists_of_a_fixed_size_are_refused_in_words(tmp_path):
    """What pyarrow 15 to 25 say of files that earlier versions wrote with pyarrow 26."""
    error = pa.ArrowInvalid("Expected all lists to be of size=3 but index 1 had size=0")
    message = str(unreadable(tmp_path / "x.parquet", error))
    assert f"pyarrow {pa.__version__} cannot read" in message
    assert "install pyarrow 26 or newer" in message


def test_fixed_lists_of_a_plug_in_are_stored_with_a_variable_length(tmp_path):
    """Null ones too, in structs and lists: what no two versions of pyarrow agree about."""
    three = pa.list_(pa.float32(), 3)
    inner = pa.struct([("corner", three), ("name", pa.string())])
    schema = pa.schema(
        [("mine", three), ("matrix", pa.list_(three, 2)), ("parts", pa.list_(inner))]
    )
    rows = [
        {"mine": None, "matrix": None, "parts": [{"corner": None, "name": "a"}]},
        {"mine": [1.0, 2.0, 3.0], "matrix": [[0.0] * 3, None], "parts": None},
    ]
    writer = RowWriter(tmp_path / "x.parquet", schema)
    for row in rows:
        writer.add(row)
    with pytest.raises(InputError, match=r"a row: parts\[0\].corner has 2 entries"):
        writer.add({"parts": [{"corner": [1.0, 2.0], "name": "b"}]})
    with pytest.raises(InputError, match=r"a row: matrix has 1 entry"):
        writer.add({"matrix": [[0.0] * 3]})
    writer.close()
    assert "fixed_size_list" not in str(read_schema(tmp_path / "x.parquet"))
    assert list(read_rows(tmp_path / "x.parquet")) == rows
