"""Make the example test split and the example submission of the package.

    python tools/example/build_example.py

The split has sixty rows of the simulated world, without pictures. The submission is what a method
that knows the world could submit: for each category, the share of 120 *other* simulated people for
whom a canonical voxel is occupied by the object, slightly blurred.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.ndimage import gaussian_filter

from chorus_bench.datasets.facts import METADATA_KEY, Facts, table_with_facts
from chorus_bench.datasets.interaction_labels import LABEL_COLUMNS
from chorus_bench.datasets.occupancy import decode_occupancy
from chorus_bench.datasets.parquet import TableWriter
from chorus_bench.datasets.schema import TEST_COLUMNS, TEST_SCHEMA
from chorus_bench.evaluation import load_split
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import voxel_skinning, warp_forward
from chorus_bench.simulation import simulate_test_row
from chorus_bench.submission import write_submission

CATEGORIES = ("backpack", "skateboard", "surfboard", "tennis racket")
PER_CATEGORY, TRAINING, SEED, BLUR_VOXELS = 15, 120, 2023, 0.8
TARGET = Path(__file__).parents[2] / "chorus_bench" / "data" / "example"


def main() -> None:
    """Write both."""
    shutil.rmtree(TARGET, ignore_errors=True)
    write_split(TARGET / "split")
    fields = {category: expected_occupancy(category) for category in CATEGORIES}
    write_submission(
        TARGET / "submission",
        method="example",
        fields=fields,
        format="npz",
        dtype="uint8",
        description="Mean occupancy of 120 simulated people per category: an example, no method.",
        license="CC0-1.0",
    )


def write_split(folder: Path) -> None:
    """Write the rows as Parquet, with the metadata file of the split."""
    rows = [
        simulate_test_row(category, index, seed=SEED, with_image=False)
        for category in CATEGORIES
        for index in range(PER_CATEGORY)
    ]
    facts = Facts(
        name="example",
        version="1.2.0",
        split="test",
        body=load_body("default").label,
        min_samples=10,
        population=CATEGORIES,
    )
    lean = [{name: row[name] for name in (*TEST_COLUMNS, *LABEL_COLUMNS)} for row in rows]
    fields = [TEST_SCHEMA.field(name) for name in TEST_COLUMNS]
    schema = pa.schema([*fields, *((name, pa.string()) for name in LABEL_COLUMNS)])
    table = table_with_facts(pa.Table.from_pylist(lean, schema=schema), facts)
    metadata = {METADATA_KEY: json.dumps(facts.as_dict(), sort_keys=True).encode()}
    folder.mkdir(parents=True)
    writer = TableWriter(folder / "test-00000-of-00001.parquet", table.schema, metadata)
    writer.write(table)
    writer.close()
    (folder / "chorus_bench.json").write_text(json.dumps(facts.as_dict(), indent=1) + "\n")
    print(f"{folder}: {load_split(folder).label}")


def expected_occupancy(category: str) -> np.ndarray:
    """Return the blurred mean occupancy (48, 48, 48) of a category in canonical space."""
    grid, body = GridSpec(), load_body("default")
    operator = voxel_skinning(body.canonical_vertices, grid)
    total = np.zeros(grid.voxels)
    for index in range(TRAINING):
        row = simulate_test_row(category, index, seed=SEED + 1, with_image=False)
        posed = OccupancyGrid(decode_occupancy(row["object_occupancy"]).astype(np.float32), grid)
        total += posed.at(warp_forward(operator, body, row["pose"]))
    mean = gaussian_filter(total.reshape(grid.shape) / TRAINING, BLUR_VOXELS)
    return np.clip(mean, 0, 1).astype(np.float32)


if __name__ == "__main__":
    main()
