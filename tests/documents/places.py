"""The files that the documents speak of, made small."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.geometry.body_files import load_body, save_body
from chorus_bench.io.shipped import EXAMPLE, PACKAGED_SPLITS, packaged_folder, submission_folder

SUBMISSION = submission_folder(EXAMPLE)


def write_model_file(path: Path) -> None:
    """Write the default body as SMPL's model files are: a pickled mapping of arrays."""
    arrays = dict(np.load(save_body(load_body("default"), path.with_suffix(".npz"))))
    path.write_bytes(pickle.dumps(arrays))


def write_small_split(folder: Path, each: int = 2) -> None:
    """Write the first samples of every category of the shipped split, as a split of its own."""
    (source,) = packaged_folder(PACKAGED_SPLITS[EXAMPLE]).glob("*.parquet")
    table = pq.read_table(source)
    names = np.array(table["category"].to_pylist())
    chosen = np.concatenate([np.flatnonzero(names == name)[:each] for name in dict.fromkeys(names)])
    table = table.take(pa.array(np.sort(chosen)))
    facts = json.dumps({**json.loads(table["facts"][0].as_py()), "min_samples": each})
    column = pa.array([facts] * len(table))
    table = table.set_column(table.schema.get_field_index("facts"), "facts", column)
    folder.mkdir()
    metadata = {**table.schema.metadata, b"chorus_bench": facts.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), folder / "test.parquet")
