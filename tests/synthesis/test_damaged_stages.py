"""Stages that are missing, unfinished or damaged: found, named, and made again."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from chorus_bench.synthesis.recipe import synthesized_recipe
from chorus_bench.synthesis.work_folder import ROW_STAGES, STAGES, StageFolder
from tests.synthesis.world import (
    FIRST,
    again,
    make_small,
    rows_of,
    shard_bytes,
)


@pytest.mark.parametrize("stage", STAGES[1:])
def test_a_stage_before_its_predecessor(tmp_path, stage):
    with pytest.raises(InputError, match="has not been run") as caught:
        make_small(tmp_path, stage=stage)
    before = STAGES[STAGES.index(stage) - 1] if stage == "images" else "prompts"
    assert f"run the stage '{before}' first" in str(caught.value)


@pytest.mark.parametrize("stage", ROW_STAGES[1:])
def test_a_stage_before_its_predecessor_is_finished(finished, copy, stage):
    before = STAGES[STAGES.index(stage) - 1]
    (copy / "d.work" / before / f"{FIRST}.json").unlink()
    with pytest.raises(InputError, match=f"1 of 3 shards of the stage '{before}'") as caught:
        again(finished, copy, stage=stage)
    assert FIRST in str(caught.value)


def test_a_dataset_is_made_again_when_its_rows_have_changed(finished, copy):
    """As when a model's files were changed under the same name, and the stage made again."""
    work = copy / "d.work"
    folder = StageFolder(work, "cameras")
    shard = folder.load_manifest().shards[0]
    rows = folder.read(shard)
    rows[0] |= {"verdict": "rejected", "reason": "no camera: another model"}
    folder.write(shard, rows, seconds=0, counts={}, models={})
    again(finished, copy)
    assert rows_of(copy)[0]["reason"] == "no camera: another model"
    assert verify_dataset(copy / "d").ok


def test_the_packaged_builder_of_unfinished_stages(finished, copy):
    from chorus_bench.datasets.packaged.synthesized import Synthesized

    (copy / "d.work" / "filters" / f"{FIRST}.json").unlink()
    with pytest.raises(InputError, match="1 of 3 shards of the stage 'filters' are missing"):
        Synthesized(work=str(copy / "d.work"))


def made_of_it(folder):
    """Return the record of the dataset's one file; without it, the file is made again."""
    (record,) = folder.glob("d.work/dataset/*/data/surfboard/*.json")
    return record


@pytest.mark.parametrize("stage", ROW_STAGES)
def test_a_damaged_shard_is_noticed(finished, copy, stage):
    file = copy / "d.work" / stage / f"{FIRST}.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    shutil.rmtree(copy / "d")
    made_of_it(copy).unlink()
    with pytest.raises(InputError, match="was changed after it was written") as caught:
        again(finished, copy)
    assert str(file) in str(caught.value)
    assert f"remove it and run the stage '{stage}' again" in str(caught.value)
    file.unlink()
    again(finished, copy)
    assert shard_bytes(copy / "d.work") == shard_bytes(finished / "d.work")
    assert verify_dataset(copy / "d").ok


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_a_missing_shard_is_made_again(finished, copy, suffix):
    (copy / "d.work" / "annotations" / f"surfboard-00001.{suffix}").unlink()
    made = again(finished, copy)
    assert [report.rows for report in made.stages[1:]] == [0, 4, 0, 0]
    assert shard_bytes(copy / "d.work") == shard_bytes(finished / "d.work")


def test_a_truncated_shard_is_made_again(finished, copy):
    file = copy / "d.work" / "images" / "surfboard-00001.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    made = again(finished, copy)
    assert [report.rows for report in made.stages[1:]] == [4, 0, 0, 0]
    assert shard_bytes(copy / "d.work") == shard_bytes(finished / "d.work")


def test_what_a_killed_run_left_half_written_is_removed(finished, copy):
    left = copy / "d.work" / "images" / ".chorus-bench-0123456789ab.tmp"
    left.write_bytes(b"half a shard")
    again(finished, copy)
    assert not left.exists()


def test_a_damaged_manifest(finished, copy):
    (copy / "d.work" / "filters" / "manifest.json").write_text('{"format": 1, "st')
    with pytest.raises(InputError, match="is damaged") as caught:
        again(finished, copy)
    assert "--redo filters" in str(caught.value)
    again(finished, copy, redo="filters")
    assert shard_bytes(copy / "d.work") == shard_bytes(finished / "d.work")


def test_stages_of_other_rows_are_not_put_together(finished, copy):
    folder = StageFolder(copy / "d.work", "cameras")
    shard = folder.load_manifest().shards[0]
    rows = folder.read(shard)
    folder.write(shard, rows[::-1], seconds=0, counts={}, models={})
    recipe = synthesized_recipe(copy / "d.work")
    with pytest.raises(InputError, match="other rows than the stages before it") as caught:
        list(recipe.pieces[0].make([]))
    assert "--redo cameras" in str(caught.value)


def test_filters_read_no_image(finished, copy, monkeypatch):
    """They read the other columns alone, and notice a change in these all the same."""
    folder = StageFolder(copy / "d.work", "images")
    shard = folder.load_manifest().shards[0]
    columns = ("sample_id", "category", "fault")
    whole = [{name: row[name] for name in columns} for row in folder.read(shard)]
    monkeypatch.setattr(Path, "read_bytes", lambda file: pytest.fail(f"{file} was read whole"))
    assert folder.read(shard, columns) == whole
    monkeypatch.undo()
    table = pq.read_table(folder.shard_file(shard))
    changed = pa.array(["tie"] * len(table))
    place = table.column_names.index("category")
    pq.write_table(table.set_column(place, "category", changed), folder.shard_file(shard))
    size = folder.shard_file(shard).stat().st_size
    record = folder.path / f"{shard.name}.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "moved": None, "size": size}))
    with pytest.raises(InputError, match="was changed after it was written"):
        folder.read(shard, columns)


def test_records_of_earlier_versions(finished, copy):
    """Without a digest of the other columns, the whole file is read and checked."""
    folder = StageFolder(copy / "d.work", "images")
    shard = folder.load_manifest().shards[0]
    wanted = folder.read(shard, ("sample_id",))
    record = folder.path / f"{shard.name}.json"
    content = json.loads(record.read_text())
    del content["others"]
    record.write_text(json.dumps(content))
    assert folder.read(shard, ("sample_id",)) == wanted
