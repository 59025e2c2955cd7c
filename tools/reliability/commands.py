"""The commands that `crash.py` kills, with their inputs: as small as can be."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

#: Commands and their preparation get a temporary folder of their own; this is that of the tool.
_TEMPORARY = tempfile.gettempdir()


@dataclass(frozen=True)
class Command:
    """A command to be killed.

    Attributes:
        arguments: arguments of chorus-bench, which runs in a folder of its own.
        prepare: puts its input into that folder.
    """

    arguments: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda folder: None


def small_split(folder: Path) -> None:
    """Write a test split of three samples of the shipped one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from chorus_bench.io.shipped import packaged_folder

    source = packaged_folder("example/split")
    table = pq.read_table(next(source.glob("*.parquet")))
    names = table["category"].to_pylist()
    wanted = [names.index("surfboard"), names.index("surfboard") + 1, names.index("backpack")]
    (folder / "split").mkdir()
    pq.write_table(table.take(pa.array(wanted)), folder / "split" / "test-0.parquet")


def result(folder: Path) -> None:
    """Write a result of the shipped submission on three samples of the shipped split."""
    shutil.copytree(_result_of_this_run(), folder / "result")


@cache
def _result_of_this_run() -> Path:
    from chorus_bench.evaluation import evaluate

    folder = Path(tempfile.mkdtemp(prefix="crash-result-", dir=_TEMPORARY))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    small_split(folder)
    options = {"min_samples": 1, "cache": folder / "cache", "workers": 1}
    evaluate("example", split=folder / "split", output=folder / "result", **options)
    return folder / "result"


def board(folder: Path) -> None:
    """Write a leaderboard with one entry."""
    from chorus_bench.leaderboard.adding import add_entry

    result(folder)
    add_entry(folder / "result", folder / "lb", submitted_by="me", date="2026-01-01")


def pictures(folder: Path) -> None:
    """Write images the way a crawler does."""
    import cv2
    import numpy as np

    for number in range(3):
        place = folder / "crawled" / f"keyword {number}"
        place.mkdir(parents=True)
        pixels = np.random.default_rng(number).integers(0, 255, (20, 30, 3), dtype=np.uint8)
        cv2.imwrite(str(place / "a.png"), pixels)


def training(folder: Path) -> None:
    """Build the first piece of a small training set."""
    from chorus_bench.datasets.export import export
    from chorus_bench.datasets.registry import get_builder

    options = {"split": "train", "categories": ["surfboard"], "size": 64, "images": False}
    recipe = get_builder("simulated").load()(**options)
    export(replace(recipe, pieces=recipe.pieces[:1]), folder / "train")


_SCORING = ("--split", "split", "--min-samples", "1")
_SIMULATED = ("--categories", "surfboard", "--per-category", "1", "--split", "test", "--no-images")
COMMANDS = {
    "build": Command(("datasets", "build", "simulated", "--output", "out", *_SIMULATED)),
    "import": Command(
        ("datasets", "import-images", "crawled", "--category", "tie", "--output", "out"), pictures
    ),
    "evaluate": Command(
        ("evaluate", "example", *_SCORING, "--workers", "1", "--output", "out"), small_split
    ),
    "baseline": Command(
        ("baseline", "run", "uniform", "--data", "split", "--output", "out"), small_split
    ),
    "votes": Command(
        ("baseline", "run", "chorus", "--data", "train", "--output", "out", "--engine", "local"),
        training,
    ),
    "add": Command(
        ("leaderboard", "add", "result", "--leaderboard", "out", "--submitted-by", "me",
         "--date", "2026-01-01"),
        result,
    ),
    "board": Command(
        ("leaderboard", "build", "--leaderboard", "lb", "--output", "out", "--date", "2026-01-01"),
        board,
    ),
    "report": Command(("report", "result", "--output", "out"), result),
    "synthesize": Command(
        ("synthesize", "--preset", "tiny", "--output", "out", "--set", "shard_size=2", "--set",
         "images.generator.size=64", "--set", "images.views=views.yaml", "--prompts", "prompts"),
        lambda folder: _write_prompts(folder / "prompts"),
    ),
}  # fmt: skip


def _write_prompts(folder: Path) -> None:
    folder.mkdir()
    (folder / "surfboard.txt").write_text("a person rides a surfboard\n", encoding="utf-8")
    views = "front: front view\nside: side view\nback: back view\n"
    (folder.parent / "views.yaml").write_text(views, encoding="utf-8")
