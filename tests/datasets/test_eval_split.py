"""Test splits: loading, checks, fingerprint."""

from __future__ import annotations

import copy
import json

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.datasets.schema import TEST_COLUMNS, TEST_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.evaluation import load_split, split_from_rows


def _write(folder, rows, files=1):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        part = [row | {"image": None} for row in rows[number::files]]
        table = pa.Table.from_pylist(part, schema=TEST_SCHEMA)
        pq.write_table(table, folder / f"test-{number:05d}.parquet")
    return folder


def test_folder_and_rows_agree(tmp_path, rows, split):
    loaded = load_split(_write(tmp_path / "made", rows))
    assert loaded.label == split.label
    assert loaded.counts == {"bench": 5, "surfboard": 4, "tennis racket": 2}


def test_fingerprint_ignores_order_and_files(tmp_path, rows, split):
    assert load_split(_write(tmp_path / "a", rows[::-1], files=3)).fingerprint == split.fingerprint


def test_dataset_object(rows, split):
    with_image = [{**row, "image": None} for row in rows]
    dataset = datasets.Dataset.from_list(with_image)
    assert load_split(dataset).fingerprint == split.fingerprint


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sample_id", "other"),
        ("category", "tie"),
        ("pose", [0.125] * 72),
        ("betas", [1.0] * 10),
        ("camera_translation", [0.0, 0.0, 3.5]),
    ],
)
def test_fingerprint_sees_every_change(rows, split, column, value):
    changed = copy.deepcopy(rows)
    changed[3][column] = value
    assert split_from_rows(changed, "made").fingerprint != split.fingerprint


def test_metadata_names_the_split(tmp_path, rows):
    folder = _write(tmp_path / "folder", rows)
    metadata = {"name": "my-split", "min_samples": 4, "body": "smpl@0123456789ab"}
    (folder / "chorus_bench.json").write_text(json.dumps(metadata))
    loaded = load_split(folder)
    assert loaded.label.startswith("my-split@")
    assert (loaded.min_samples, loaded.body) == (4, "smpl@0123456789ab")


def _broken(rows, **change):
    changed = copy.deepcopy(rows)
    changed[1].update(change)
    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"camera_rotation": np.zeros((3, 3)).tolist()}, "impossible camera"),
        ({"camera_intrinsics": np.ones((3, 3)).tolist()}, "impossible camera"),
        ({"pose": [float("nan")] * 72}, "72 values that are not finite"),
        ({"pose": [0.0] * 71}, r"pose of shape \(71,\)"),
        ({"height": 121}, "object_mask of"),
        ({"sample_id": "a/b"}, "sample_id 'a/b'"),
        ({"camera_translation": None}, "camera_translation: no camera"),
    ],
)
def test_unusable_rows_are_named(rows, change, message):
    with pytest.raises(InputError, match=message) as caught:
        split_from_rows(_broken(rows, **change), "made")
    assert "1 of 11 rows" in str(caught.value)
    assert f"{change.get('sample_id', 'made-bench-001')}: " in str(caught.value)


def test_duplicate_ids(rows):
    with pytest.raises(InputError, match="1 sample_ids occur twice: made-bench-000"):
        split_from_rows([*rows, rows[0]], "made")


def test_missing_columns(tmp_path):
    pq.write_table(pa.table({"sample_id": ["a"]}), tmp_path / "test-0.parquet")
    with pytest.raises(InputError, match="missing columns: category, height"):
        load_split(tmp_path)


def test_not_parquet(tmp_path):
    (tmp_path / "test-0.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(InputError, match="cannot be read as rows of a dataset"):
        load_split(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="no such split"):
        load_split(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no Parquet files"):
        load_split(tmp_path)


def test_a_dataset_dict_is_refused(rows):
    dataset = datasets.Dataset.from_list([{**row, "image": None} for row in rows])
    with pytest.raises(InputError, match="choose the split"):
        load_split(datasets.DatasetDict({"test": dataset}))


def test_unknown_category(split):
    with pytest.raises(InputError, match="Did you mean 'surfboard'"):
        split.select(["surfbord"])


def test_only_needed_columns_are_read(tmp_path, rows, split):
    folder = tmp_path / "lean"
    folder.mkdir()
    lean = [{key: row[key] for key in TEST_COLUMNS} for row in rows]
    pq.write_table(pa.Table.from_pylist(lean), folder / "test-0.parquet")
    assert load_split(folder).fingerprint == split.fingerprint
