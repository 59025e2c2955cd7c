"""The annotator of docs/synthesis.md works as it stands there."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import cv2
import pytest
import yaml

from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.settings import SynthesisSettings, read_settings
from tests.synthesis.world import make_small, small_settings

PAGE = (Path(__file__).parents[2] / "docs" / "synthesis.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def _installed(tmp_path, monkeypatch):
    """Install the example under the entry point of the page."""
    info = tmp_path / "site" / "my_masks-1.0.dist-info"
    info.mkdir(parents=True)
    (source,) = (block for block in blocks("python") if "class MyMasks" in block)
    (entry,) = blocks("toml")
    ((group, values),) = tomllib.loads(entry)["project"]["entry-points"].items()
    lines = "".join(f"{name} = {value}\n" for name, value in values.items())
    (info.parent / "my_masks.py").write_text(source)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_masks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
    monkeypatch.delitem(sys.modules, "my_masks", raising=False)
    monkeypatch.syspath_prepend(info.parent)


@pytest.mark.usefixtures("_installed")
def test_the_example_gives_the_masks_of_its_files(tmp_path):
    first = list(DatasetRows.open(make_small(tmp_path)).rows("surfboard"))
    masks = tmp_path / "masks"
    masks.mkdir()
    for row in first:
        for name, things in (("person", row["people"]), ("surfboard", row["objects"])):
            for thing in things[:1]:
                file = masks / f"{row['sample_id']}.{name}.png"
                cv2.imwrite(str(file), decode_mask(thing["mask"]) * 255)
    component = {"name": "my-masks", "folder": str(masks)}
    settings = small_settings(tmp_path, annotations__segmenter=component)
    synthesize(settings, tmp_path / "mine")
    second = list(DatasetRows.open(tmp_path / "mine").rows("surfboard"))
    assert any(row["people"] for row in second)
    for old, new in zip(first, second, strict=True):
        for role in ("people", "objects"):
            assert len(new[role]) == min(len(old[role]), 1)
            assert [t["mask"] for t in new[role]] == [t["mask"] for t in old[role][:1]]
    assert "masks of masks" in (tmp_path / "mine" / "README.md").read_text()


def test_the_page_has_every_setting_with_its_default():
    (text,) = (block for block in blocks("yaml") if "shard_size" in block)
    assert yaml.safe_load(text) == SynthesisSettings().as_dict()


def test_configurations_of_the_page_are_read(tmp_path):
    for text in blocks("yaml"):
        file = tmp_path / "page.yaml"
        file.write_text(text)
        assert read_settings(file=file)
