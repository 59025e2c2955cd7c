"""Every Python example of the documents runs as it stands, where its files are."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.synthesis.pipeline import synthesize
from tests.documents.blocks import Block, blocks
from tests.documents.places import SUBMISSION, write_model_file
from tests.project.imports import ROOT
from tests.synthesis.world import make_small, small_settings

EXAMPLES = list(blocks(language="python"))
#: Pages with examples that run in tests of their own: page -> (the test, what is in these).
ELSEWHERE = {
    "docs/converting.md": ("tests/adapters/test_documented.py", ""),
    "docs/datasets.md": ("tests/datasets/test_meanings.py", 'row["'),
    "docs/evaluation.md": ("tests/evaluation/test_torch_projection.py", "import torch"),
    "docs/python.md": ("tests/project/test_python_page.py", ""),
    "docs/synthesis.md": ("tests/synthesis/test_documented_plugin.py", "class MyMasks"),
}
REAL = ROOT / "tests" / "data" / "real_coco"


def runs_elsewhere(block: Block) -> bool:
    """Whether another test runs an example, in settings of its own."""
    test, mark = ELSEWHERE.get(block.page, ("", None))
    if mark is None or mark not in block.text:
        return False
    assert block.page.removeprefix("docs/") in (ROOT / test).read_text(encoding="utf-8")
    return True


HERE = [block for block in EXAMPLES if not runs_elsewhere(block)]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with the files that the pages speak of."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("instances.json", "fits.json"):
        shutil.copy(REAL / name, folder)
    write_model_file(folder / "SMPL_NEUTRAL.pkl")
    sources = {name: str(folder / f"{name}.json") for name in ("instances", "fits")}
    build_dataset(
        "coco-eft", folder / "real-people", annotations=sources["instances"], fits=sources["fits"]
    )
    made = make_small(folder / "inputs")
    for name in ("surfboards", "simulated-train"):
        shutil.copytree(made, folder / name)
    images = small_settings(folder / "inputs")
    for stage in ("prompts", "images"):
        synthesize(images, folder / "more" / "surfboards", stage=stage)
    (folder / "more" / "surfboards.work").rename(folder / "surfboards.work")
    return folder


@pytest.mark.parametrize("block", HERE, ids=map(str, HERE))
def test_the_example_runs(block: Block, place: Path, tmp_path: Path, monkeypatch) -> None:
    here = Path(shutil.copytree(place, tmp_path / "here"))
    if "write_submission(" not in block.text:
        shutil.copytree(SUBMISSION, here / "submission")
    monkeypatch.chdir(here)
    field = np.random.default_rng(5).random((48, 48, 48), np.float32)
    names = {"__name__": "example", "grid": field, "field": field, "field_of_swings": field}
    exec(compile(block.text, str(block), "exec"), names)


def test_examples_are_found() -> None:
    assert len(HERE) >= 10
    assert {block.page for block in EXAMPLES} >= {"README.md", *ELSEWHERE}
