"""docs/submissions.md is complete: every key of the manifest, every ending, a drawing."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.findings import Findings
from chorus_bench.submission import open_submission
from chorus_bench.submission.arrays import SUFFIXES, TENSOR_NAME
from chorus_bench.submission.interactions import InteractionEntry
from chorus_bench.submission.layout import FieldKey
from chorus_bench.submission.manifest import Grid, ManifestFile, OwnGrid, read_manifest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "submissions.md").read_text(encoding="utf-8")
KEYS = [
    *ManifestFile.model_fields,
    *(f"grid.{key}" for key in Grid.model_fields),
    *(f"grids.{key}" for key in OwnGrid.model_fields),
    *(f"interactions.{key}" for key in InteractionEntry.model_fields),
]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_in_the_table(key):
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert any(f"`{key}`" in row.split("|")[1] for row in rows)


def test_the_files_are_where_the_page_says():
    for suffix in SUFFIXES:
        assert f"| `{suffix}` |" in PAGE
    assert f"`{TENSOR_NAME}`" in PAGE
    for key in (
        FieldKey("<category>"),
        FieldKey("<category>", "<sample_id>"),
        FieldKey("<category>", interaction="<name>"),
    ):
        assert f"{key.path}.safetensors" in PAGE


def test_the_example_is_valid():
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    errors = Findings()
    manifest = read_manifest(text.encode(), errors)
    assert not errors
    assert [kind.name for kind in manifest.interactions["tennis racket"]] == ["swing", "hands"]


def test_the_drawing_can_be_read():
    (name,) = re.findall(r"\]\((images/[^)]+\.svg)\)", PAGE)
    root = ET.parse(DOCS / name).getroot()
    assert root.tag.endswith("svg")
    words = " ".join("".join(node.itertext()) for node in root.iter())
    for word in ("y: up", "z: forward", "K (R x + t)", "occupancy[i, j, k]"):
        assert word in words


def test_the_examples_of_ids_and_grids_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for text in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[:2]:
        exec(text, {})
    with open_submission("posed") as submission:
        assert submission.posed_samples("bench") == ("724", "785")
    with open_submission("submission") as submission:
        assert submission.grid_of("tie") == GridSpec(96, 1.2, (0, 0.1, 0.1))
        assert submission.grid_of("boat") == GridSpec(48, 4.0)
