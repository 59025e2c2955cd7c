"""A few pictures of the simulated world as a crawler leaves them: files in folders of keywords."""

import functools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.simulation import simulate_train_row

CATEGORY, SIZE, SHARD = "surfboard", 64, 4
KEYWORDS = ("a person carries a surfboard", "a woman holds a surfboard")
VIEWS = ("plain", "full_body", "side_view")
ANNOTATORS = ("segmenter", "keypoints", "pose")


@functools.cache
def simulated_rows():
    """Return 12 training rows with pictures: two prompts, three views, two each."""
    return [
        simulate_train_row(CATEGORY, prompt, view, index, size=SIZE)
        for prompt in KEYWORDS
        for view in VIEWS
        for index in range(2)
    ]


def write_truth(folder):
    """Write the rows as a dataset in which the simulated annotators look pictures up."""
    Path(folder).mkdir(parents=True)
    table = pa.Table.from_pylist(simulated_rows(), schema=TRAIN_SCHEMA)
    pq.write_table(table, Path(folder) / "rows.parquet")
    return Path(folder)


def write_crawled(folder):
    """Write the pictures as a crawler does; their names say nothing."""
    for number, row in enumerate(simulated_rows()):
        place = Path(folder) / row["prompt"]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06d}.jpg").write_bytes(row["image"]["bytes"])
    return Path(folder)


def annotator_changes(truth):
    """Return the settings of annotators that look pictures up in a dataset."""
    found = {"name": "simulated", "truth": str(truth)}
    return {"shard_size": SHARD} | {f"annotations.{name}": found for name in ANNOTATORS}
