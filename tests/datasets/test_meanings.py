"""What cards say of columns: each has a meaning, and the lines that decode them run."""

from pathlib import Path

import numpy as np
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.coco_eft.rows import SCHEMA as COCO_SCHEMA
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.meanings import MEANINGS, decoding, meaning_of
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import FACTS
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.simulation.recipe import SIMULATED_TEST_SCHEMA, SIMULATED_TRAIN_SCHEMA

SCHEMAS = (COCO_SCHEMA, SIMULATED_TEST_SCHEMA, SIMULATED_TRAIN_SCHEMA)
DOCS = Path(__file__).parents[2] / "docs" / "datasets.md"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build_dataset(
        "simulated", tmp_path_factory.mktemp("m") / "test", categories=["tie"], per_category=1
    )


def test_every_column_has_a_meaning_and_no_other():
    names = {name for schema in SCHEMAS for name in schema.names}
    assert {name for name in names if not meaning_of(name)} == set()
    assert set(MEANINGS) - names <= {FACTS}
    assert meaning_of("true_pose") == f"the truth: {MEANINGS['pose']}"
    assert meaning_of("something") == meaning_of("true_something") == ""


def test_the_lines_that_decode_run(built):
    """Together they give what the library reads, and the person is where its mask is."""
    (row,) = DatasetRows.open(built.path).rows("tie", SIMULATED_TEST_SCHEMA.names)
    names = {"row": row}
    for piece in decoding(row):
        exec(piece, names)
    assert np.array_equal(names["pixels"], decode_mask(row["object_mask"]))
    assert names["voxels"].any()
    assert names["picture"].size == (row["width"], row["height"])
    camera = PerspectiveCamera.from_row(row)
    expected = camera.project(names["points"].astype(np.float64))
    assert np.allclose(np.stack([names["u"], names["v"]], axis=1), expected, atol=1e-2)
    inside = decode_mask(row["human_mask"])
    u, v = (
        np.clip(names[n].astype(int), 0, s - 1) for n, s in zip("uv", inside.T.shape, strict=True)
    )
    assert inside[v, u].mean() > 0.5


def test_a_card_without_a_citation_has_no_empty_block(built):
    text = (built.path / "README.md").read_text()
    assert "bibtex" not in text
    assert "| `object_mask` " in text
    assert MEANINGS["object_mask"] in text
    for piece in decoding(SIMULATED_TEST_SCHEMA.names):
        assert piece in text


def test_the_docs_have_the_same_lines():
    text = DOCS.read_text()
    assert all(piece in text for piece in decoding(SIMULATED_TEST_SCHEMA.names))
    assert decoding(["category"]) == []
