"""Every reader of files from strangers: a valid thing, and what reads it to the end."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import yaml

from chorus_baselines.chorus.accumulate import Tally
from chorus_baselines.chorus.aggregation import Aggregation, AggregationSettings
from chorus_baselines.chorus.clusters import dominant_segments, read_segments
from chorus_baselines.chorus.inference import read_pose
from chorus_baselines.chorus.storage import load_aggregation, save_aggregation
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.export import export
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.named import packaged_folder
from chorus_bench.datasets.registry import get_builder
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.datasets.view_conditions import read_views
from chorus_bench.errors import ChorusBenchError
from chorus_bench.evaluation.results import load_result
from chorus_bench.geometry.body_files import load_body, save_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.pictures import decode_upright
from chorus_bench.io.safe_pickle import load_pickle
from chorus_bench.leaderboard.checking import check_leaderboard
from chorus_bench.submission import check_submission, open_submission, write_submission
from chorus_bench.synthesis.annotators.pose_files import read_pose_file, write_pose_file
from chorus_bench.synthesis.prompts import read_prompts
from chorus_bench.synthesis.settings import SynthesisSettings, read_settings
from tests.datasets.coco_eft_world import World
from tests.io.pickle_pieces import OLD_PICKLES
from tests.leaderboard.world import add, make_result


@dataclass(frozen=True)
class Reader:
    """Something that reads what others wrote.

    Attributes:
        name: what it reads.
        make: writes a valid thing into an empty folder.
        read: reads it; it may raise nothing but the project's own errors.
        suffixes: the files that are broken, by the ends of their names.
    """

    name: str
    make: Callable[[Path], object]
    read: Callable[[Path], object]
    suffixes: tuple[str, ...]

    def files(self, folder: Path) -> list[Path]:
        """The files of a valid thing that are broken."""
        return sorted(
            f for f in folder.rglob("*") if f.is_file() and f.name.endswith(self.suffixes)
        )


def _submission(folder: Path) -> None:
    field = np.linspace(0, 1, 8**3, dtype=np.float32).reshape(8, 8, 8)
    for kind in ("safetensors", "npz"):
        write_submission(
            folder / kind,
            method="m",
            fields={"tie": field, "skis": field},
            grid=GridSpec(8),
            format=kind,
        )


def _read_submission(folder: Path) -> None:
    for place in sorted(folder.iterdir()):
        if check_submission(place).ok:
            with open_submission(place) as submission:
                for category in submission.categories:
                    submission.field(category)


def _archive(folder: Path) -> None:
    _submission(folder / "source")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (folder / "source" / "npz").rglob("*"):
            archive.write(file, file.relative_to(folder / "source" / "npz"))
    shutil.make_archive(str(folder / "b"), "gztar", folder / "source" / "safetensors")
    shutil.rmtree(folder / "source")


def _split(folder: Path) -> None:
    shutil.copytree(packaged_folder("example/split"), folder / "split")


def _read_dataset(folder: Path) -> None:
    rows = DatasetRows.open(folder / "split")
    for category in rows.categories:
        for _ in rows.rows(category):
            break


def _dataset(folder: Path) -> None:
    recipe = get_builder("simulated").load()(
        split="train",
        categories=["surfboard"],
        images_per_prompt_view=1,
        size=32,
        images=False,
    )
    export(replace(recipe, pieces=recipe.pieces[:1]), folder / "split")


def _read_built(folder: Path) -> None:
    DatasetInfo.load(folder / "split")
    verify_dataset(folder / "split")
    _read_dataset(folder)


def _board(folder: Path) -> None:
    for number, method in enumerate(("one", "two")):
        add(folder / "board", make_result(method, seed=number, categories={"bench": 30}))
    shutil.rmtree(folder / "result", ignore_errors=True)
    published = Path(__file__).parents[2] / "leaderboard" / "published.yaml"
    shutil.copy(published, folder / "board" / "published.yaml")


def _result(folder: Path) -> None:
    make_result("one", categories={"bench": 30}).save(folder / "result")


def _coco(folder: Path) -> None:
    World().write(folder)


def _read_coco(folder: Path) -> None:
    recipe = get_builder("coco-eft").load()(
        folder / "instances_val2014.json", folder / "COCO2014-Val-ver10.json", solver="lm"
    )
    for piece in recipe.pieces:
        pa.Table.from_pylist(list(piece.make([])), schema=recipe.schema)  # as they are written


def _bodies(folder: Path) -> None:
    save_body(load_body("default"), folder / "body.npz")


def _pickles(folder: Path) -> None:
    for name, content in OLD_PICKLES.items():
        (folder / f"{name}.pkl").write_bytes(content)


def _poses(folder: Path) -> None:
    arrays = {
        "pose": np.zeros((2, 72)), "betas": np.zeros((2, 10)), "weak_camera": np.ones((2, 3)),
        "crop_center": np.full((2, 2), 100.0), "crop_scale": np.ones(2),
    }  # fmt: skip
    write_pose_file(folder / "a.npz", **arrays)
    text = json.dumps({name: value.tolist() for name, value in arrays.items()})
    (folder / "b.json").write_text(text)


def _settings(folder: Path) -> None:
    text = yaml.safe_dump(SynthesisSettings().as_dict())
    (folder / "settings.yaml").write_text(text)


def _texts(folder: Path) -> None:
    (folder / "tie.txt").write_text("A man ties a tie\n# no prompt\nA woman wears a tie\n")
    (folder / "views.yaml").write_text('plain: ""\nside: side view\n')


def _read_texts(folder: Path) -> None:
    _tolerant(lambda: read_prompts(folder, "tie"))
    _tolerant(lambda: read_views(folder / "views.yaml"))


def _pictures(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    for kind in ("png", "jpg", "webp", "bmp"):
        cv2.imwrite(str(folder / f"a.{kind}"), pixels)


def _each(read: Callable[[Path], object]) -> Callable[[Path], None]:
    """Read every file of a folder, each for itself."""

    def read_all(folder: Path) -> None:
        for file in sorted(f for f in folder.iterdir() if f.is_file()):
            _tolerant(lambda file=file: read(file))

    return read_all


def _tolerant(read: Callable[[], object]) -> None:
    """Read; a refusal of one file does not hide what happens with the next."""
    with contextlib.suppress(ChorusBenchError):
        read()


def _votes(folder: Path) -> None:
    grid = GridSpec(8)
    tally = Tally(grid.voxels)
    ones = np.ones(grid.voxels, np.uint16)
    tally.add(3, ones, 2 * ones, 2)
    settings = AggregationSettings("default", grid, "none", (("head", "head"),))
    tallies = {(None, None): tally, (None, "head"): tally}
    save_aggregation(Aggregation(settings, tallies), folder / "votes.npz")


def _segments(folder: Path) -> None:
    segments = dominant_segments(load_body("default"))
    text = json.dumps({name: ids.tolist() for name, ids in segments.items()})
    (folder / "segments.json").write_text(text)
    (folder / "pose.json").write_text(json.dumps([0.0] * 72))
    np.save(folder / "pose.npy", np.zeros(72))


def _read_segments(folder: Path) -> None:
    _tolerant(lambda: read_segments(folder / "segments.json", load_body("default")))
    for suffix in ("json", "npy"):
        _tolerant(lambda suffix=suffix: read_pose(folder / f"pose.{suffix}"))


READERS = (
    Reader("submission", _submission, _read_submission, (".yaml", ".safetensors", ".npz")),
    Reader("archive", _archive, _each(lambda f: _read_one_archive(f)), (".zip", ".gz")),
    Reader("test split", _split, lambda f: load_split(f / "split"), (".json", ".parquet")),
    Reader("rows", _split, _read_dataset, (".json", ".parquet")),
    Reader("dataset", _dataset, _read_built, (".json", ".parquet", ".md")),
    Reader("leaderboard", _board, lambda f: check_leaderboard(f / "board"),
           (".yaml", ".json", ".parquet", ".npz", ".xz")),
    Reader("result", _result, lambda f: load_result(f / "result"), (".json", ".parquet")),
    Reader("COCO and EFT", _coco, _read_coco, (".json",)),
    Reader("body", _bodies, lambda f: load_body(f / "body.npz"), (".npz",)),
    Reader("pickle", _pickles, _each(load_pickle), (".pkl",)),
    Reader("poses", _poses, _each(read_pose_file), (".npz", ".json")),
    Reader("aggregation", _votes, lambda f: load_aggregation(f / "votes.npz"), (".npz",)),
    Reader("segments and pose", _segments, _read_segments, (".json", ".npy")),
    Reader("settings", _settings, lambda f: read_settings(file=f / "settings.yaml"), (".yaml",)),
    Reader("prompts and views", _texts, _read_texts, (".txt", ".yaml")),
    Reader("pictures", _pictures, _each(lambda f: decode_upright(f.read_bytes())),
           (".png", ".jpg", ".webp", ".bmp")),
)  # fmt: skip


def _read_one_archive(file: Path) -> None:
    if check_submission(file).ok:
        with open_submission(file) as submission:
            submission.field(submission.categories[0])


@cache
def valid(name: str) -> Path:
    """Return a folder with a valid thing, made once a process."""
    reader = next(reader for reader in READERS if reader.name == name)
    folder = Path(tempfile.mkdtemp(prefix="chorus-bench-fuzz-"))
    reader.make(folder)
    return folder
