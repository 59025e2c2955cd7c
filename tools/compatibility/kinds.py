"""Write every kind of dataset, or read those written by another environment.

    python kinds.py write FOLDER COCO        COCO: a folder with instances.json and fits.json
    python kinds.py read FOLDER...           prints a line of JSON for each kind of each folder

`pyarrow_matrix.py` runs it in one virtual environment per version.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import datasets
import numpy as np
import pyarrow.parquet as pq

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.settings import read_settings


def write(folder: Path, coco: Path) -> None:
    """Build a small dataset of every kind."""
    sources = {"annotations": coco / "instances.json", "fits": coco / "fits.json"}
    build_dataset("coco-eft", folder / "coco-eft", solver="lm", **sources)
    world = {"categories": ["surfboard"], "size": 64}
    build_dataset("simulated", folder / "simulated-test", split="test", per_category=3, **world)
    build_dataset("simulated", folder / "simulated-train", split="train", **world)
    build_dataset(
        "image-search", folder / "image-search", folder=_photos(folder), category="surfboard"
    )
    synthesize(_small_synthesis(folder), folder / "synthesized")


def _photos(folder: Path) -> Path:
    place = folder / "photos"
    place.mkdir(parents=True)
    for number in range(3):
        cv2.imwrite(str(place / f"{number}.png"), np.full((20, 30, 3), 80 * number, np.uint8))
    return place


def _small_synthesis(folder: Path) -> object:
    place = folder / "synthesis"
    (place / "prompts").mkdir(parents=True)
    (place / "prompts" / "surfboard.txt").write_text("a person carries a surfboard\n")
    (place / "views.yaml").write_text("plain: plain\nside_view: side view\n")
    changes = {
        "categories": ["surfboard"],
        "prompts.source": str(place / "prompts"),
        "images.views": str(place / "views.yaml"),
        "images.per_prompt_view": 2,
        "images.generator": {"name": "simulated", "size": 64},
    }
    return read_settings("tiny", changes=changes)


KINDS = ("coco-eft", "simulated-test", "simulated-train", "image-search", "synthesized")


def read(folder: Path) -> None:
    """Read every kind in every way, and report the outcome."""
    ways: dict[str, Callable[[Path], object]] = {
        "pyarrow": _plain,
        "chorus-bench": _ours,
        "datasets": _hub,
    }
    for kind in KINDS:
        found: dict[str, object] = {"folder": folder.name, "kind": kind}
        for name, way in ways.items():
            try:
                found[name] = way(folder / kind)
            except Exception as error:  # each fault is an entry of the table
                found[name] = f"{type(error).__name__}: {str(error)[:200]}"
        print(json.dumps(found), flush=True)


def _plain(folder: Path) -> int:
    files = sorted((folder / "data").rglob("*.parquet"))
    return sum(len(pq.read_table(file).to_pylist()) for file in files)


def _ours(folder: Path) -> int:
    checked = verify_dataset(folder)
    if not checked.ok:
        raise ValueError("; ".join(checked.problems))
    if checked.info.split == "test" and load_split(folder).label != checked.info.label:
        raise ValueError("another label")
    data = DatasetRows.open(folder)
    return sum(1 for category in data.categories for _ in data.rows(category))


def _hub(folder: Path) -> int:
    """Load with plain `datasets`, and again as parquet of its own."""
    [rows] = datasets.load_dataset(str(folder), cache_dir=str(folder.parent / "cache")).values()
    rows = rows.cast_column("image", datasets.Image(decode=False))
    again = folder.parent / "again" / f"{folder.name}.parquet"
    again.parent.mkdir(exist_ok=True)
    rows.to_parquet(str(again))
    saved = datasets.load_dataset(
        "parquet", data_files=str(again), split="train", cache_dir=str(folder.parent / "cache")
    )
    if list(saved) != list(rows):
        raise ValueError("a saved copy has other rows")
    return len(rows)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        for place in sys.argv[2:]:
            read(Path(place))
