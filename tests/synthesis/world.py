"""A synthesis of a few small pictures of the simulated world: seconds, and no model."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq

from chorus_bench.synthesis.manifests import plan_of
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.prompts import read_prompts
from chorus_bench.synthesis.settings import read_settings
from chorus_bench.synthesis.work_folder import ROW_STAGES, StageFolder, encoded

PROMPTS = ("a person carries a surfboard", "a woman holds a surfboard")
VIEWS = ("plain", "side_view", "full_body")
SIZE, SHARD = 64, 4
#: The first shard of the small dataset.
FIRST = "surfboard-00000"


def write_inputs(folder, prompts=PROMPTS, views=VIEWS, category="surfboard"):
    """Write a file of views and a folder of prompts."""
    (folder / "prompts").mkdir(parents=True, exist_ok=True)
    (folder / "prompts" / f"{category}.txt").write_text("".join(f"{p}\n" for p in prompts))
    lines = [f"{name}: '{name.replace('_', ' ')}'\n" for name in views]
    (folder / "views.yaml").write_text("".join(lines))


def small_changes(folder, **changes):
    """Return the changes to the preset `tiny` by dotted name; ``__`` stands for a dot."""
    return {
        "categories": ["surfboard"],
        "shard_size": SHARD,
        "prompts.source": str(folder / "prompts"),
        "images.views": str(folder / "views.yaml"),
        "images.per_prompt_view": 2,
        "images.generator": {"name": "simulated", "size": SIZE},
        **{name.replace("__", "."): value for name, value in changes.items()},
    }


def small_settings(tmp_path, **changes):
    """Return settings of 12 pictures in 3 shards; their inputs are written on the way."""
    if not (tmp_path / "views.yaml").is_file():
        write_inputs(tmp_path)
    return read_settings("tiny", changes=small_changes(tmp_path, **changes))


def small_plan(settings):
    folder = settings.prompts.source
    return plan_of(settings, {name: read_prompts(folder, name) for name in settings.categories})


def make_small(tmp_path, **arguments):
    """Make the small dataset and return its folder."""
    synthesize(small_settings(tmp_path), tmp_path / "d", **arguments)
    return tmp_path / "d"


def again(finished, folder, changes=None, **arguments):
    """Run in a folder with the inputs of a finished run; ``changes`` as of `small_changes`."""
    return synthesize(small_settings(finished, **(changes or {})), folder / "d", **arguments)


def rows_of(folder):
    """Return the rows of the dataset ``d`` in a folder."""
    return pq.read_table(folder / "d" / "data").to_pylist()


def shard_bytes(work, stages=ROW_STAGES):
    """Return the SHA-256 of every shard in a work folder by its name.

    Images that have moved into a dataset's file count as if they had not.
    """
    found = {}
    for stage in stages:
        folder = StageFolder(work, stage)
        manifest = folder.load_manifest()
        shards = {shard.name: shard for shard in manifest.shards} if manifest else {}
        for file in sorted((Path(work) / stage).glob("*.parquet")):
            record = folder.record(shards[file.stem]) if file.stem in shards else None
            moved = record is not None and record.moved is not None
            content = encoded(folder.table(shards[file.stem])) if moved else file.read_bytes()
            found[f"{stage}/{file.name}"] = hashlib.sha256(content).hexdigest()
    return found


def times(folder):
    """Return when every file below a folder was written, but for the settings of the last run."""
    return {
        file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in folder.rglob("*")
        if file.is_file() and file.name not in ("settings.yaml", ".lock")
    }
