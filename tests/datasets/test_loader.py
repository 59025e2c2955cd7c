"""Rows by number, and a stream, through PyTorch's loader, with worker processes and without."""

import pytest
from torch.utils.data import DataLoader

from chorus_bench.datasets.export import export
from chorus_bench.datasets.in_place import RowsInPlace
from chorus_bench.datasets.rows import DatasetRows
from tests.datasets.recipes import squares


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a dataset of 11 + 27 rows in many files; it is only read."""
    return export(squares(), tmp_path_factory.mktemp("built") / "squares", shard_bytes=1).path


def ids(rows):
    return [row["sample_id"] for row in rows]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_of_pytorch(folder, workers):
    rows = RowsInPlace(folder, columns=["sample_id", "pose"])
    loader = DataLoader(rows, batch_size=7, num_workers=workers, collate_fn=list)
    batches = [ids(batch) for batch in loader]
    assert [len(batch) for batch in batches] == [7, 7, 7, 7, 7, 3]
    assert [name for batch in batches for name in batch] == ids(rows)
    shuffled = DataLoader(rows, batch_size=7, shuffle=True, num_workers=workers, collate_fn=list)
    assert sorted(name for batch in shuffled for name in ids(batch)) == sorted(ids(rows))


def test_a_loader_of_pytorch_on_a_stream(folder):
    """`datasets` gives every worker its own files, so no row comes twice."""
    from datasets import load_dataset

    data = DatasetRows.open(folder)
    stream = load_dataset(str(folder), split="test", streaming=True).select_columns(["sample_id"])
    loader = DataLoader(stream, batch_size=7, num_workers=2)
    found = [name for batch in loader for name in batch["sample_id"]]
    assert sorted(found) == sorted(
        name for kind in data.categories for name in ids(data.rows(kind))
    )
