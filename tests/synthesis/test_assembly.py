"""The dataset as workers make it: files once on the disk, interrupted, cut otherwise, linked."""

import errno
import os
import shutil
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
import yaml

from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.statistics import folder_statistics
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.engines import EngineSettings
from chorus_bench.errors import InputError
from chorus_bench.synthesis import assembly
from chorus_bench.synthesis.assembly import Assembly, file_plans
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.recipe import synthesized_recipe
from chorus_bench.synthesis.work_folder import Manifest, Shard, StageFolder
from tests.synthesis.world import rows_of, shard_bytes, small_settings


def images_of(folder):
    return [row["image"]["bytes"] for row in rows_of(folder)]


def assembled(folder, output, **options):
    """Assemble the stages in a folder to another output."""
    recipe = synthesized_recipe(folder / "d.work")
    made = Assembly(recipe, folder / "d.work", folder / output, **options)
    made.make_files(EngineSettings(), lambda done, total: None)
    return made.publish(recipe)


def test_a_file_that_vanishes_before_the_end_is_named(copy):
    recipe = synthesized_recipe(copy / "d.work")
    made = Assembly(recipe, copy / "d.work", copy / "other")
    made.make_files(EngineSettings(), lambda done, total: None)
    (file,) = copy.glob("d.work/dataset/*/data/surfboard/*.parquet")
    file.unlink()
    with pytest.raises(InputError, match="removed or changed before the dataset") as caught:
        made.publish(recipe)
    assert str(file) in str(caught.value)
    assert not (copy / "other").exists()


def test_images_are_on_the_disk_once(finished):
    (file,) = finished.glob("d/data/surfboard/*.parquet")
    (same,) = finished.glob("d.work/dataset/*/data/surfboard/*.parquet")
    assert file.samefile(same)
    images = sum(len(content) for content in images_of(finished))
    assert file.stat().st_size > images
    for shard in (finished / "d.work" / "images").glob("*.parquet"):
        found = pq.read_table(shard).to_pylist()
        assert [row["image"] for row in found] == [None] * 4
        assert all(row["seed"] is not None for row in found)


def test_a_stage_is_made_again_from_moved_images(finished, copy):
    settings = small_settings(finished, filters__keypoints="none")
    made = synthesize(settings, copy / "d", redo="annotations")
    assert [report.rows for report in made.stages[1:]] == [0, 12, 12, 12]
    assert images_of(copy) == images_of(finished)
    (_,) = (copy / "d.work" / "dataset").iterdir()  # that of the earlier rows is gone
    assert verify_dataset(copy / "d").ok
    assert shard_bytes(copy / "d.work", ["images"]) == shard_bytes(finished / "d.work", ["images"])


def test_an_output_that_was_removed_is_there_again_without_work(finished, copy, monkeypatch):
    shutil.rmtree(copy / "d")
    monkeypatch.setattr(assembly, "joined_table", None)
    made = synthesize(small_settings(finished), copy / "d")
    assert made.dataset.info.fingerprint == DatasetInfo.load(finished / "d").fingerprint
    assert made.statistics.as_dict() == folder_statistics(finished / "d").as_dict()


def test_the_driver_reads_no_picture(finished, tmp_path, monkeypatch):
    """Workers are other processes, which know nothing of what is changed in this one."""
    monkeypatch.setattr(assembly, "joined_table", None)
    settings = small_settings(finished, categories=["surfboard", "backpack"])
    prompts = tmp_path / "prompts"
    shutil.copytree(finished / "prompts", prompts)
    (prompts / "backpack.txt").write_text("a person carries a backpack\n")
    source = settings.prompts.model_copy(update={"source": str(prompts)})
    settings = settings.model_copy(update={"prompts": source})
    for stage in ("prompts", "images", "annotations", "filters"):
        synthesize(settings, tmp_path / "d", stage=stage)
    made = synthesize(settings, tmp_path / "d", engine=EngineSettings(workers=2))
    assert made.dataset.info.categories == {"backpack": 6, "surfboard": 12}
    assert verify_dataset(tmp_path / "d").ok


def test_a_dataset_that_is_interrupted_goes_on(finished, tmp_path, monkeypatch):
    """After each step in which a worker may die, nothing is lost, and the bytes are the same."""
    settings = small_settings(finished)
    whole = assembly.atomic_write_bytes
    from chorus_bench.synthesis import work_folder

    calls, numbers = [], [7, 1, 2, 3, 4]  # cameras' six files come before the first

    def dies(path, content):
        calls.append(path)
        if len(calls) == numbers[0]:
            raise KeyboardInterrupt
        return whole(path, content)

    for stage in ("prompts", "images", "annotations", "filters"):
        synthesize(settings, tmp_path / "d", stage=stage)
    recorded = StageFolder(tmp_path / "d.work", "images").path
    while numbers:
        calls.clear()
        monkeypatch.setattr(assembly, "atomic_write_bytes", dies)
        monkeypatch.setattr(work_folder, "atomic_write_bytes", dies)
        with pytest.raises(KeyboardInterrupt):
            synthesize(settings, tmp_path / "d", stage="cameras")
        monkeypatch.undo()
        assert not (tmp_path / "d").exists()
        numbers.pop(0)
        assert len(list(recorded.glob("*.json"))) == 4
        same = shard_bytes(tmp_path / "d.work", ["images"])
        assert same == shard_bytes(finished / "d.work", ["images"])
    synthesize(settings, tmp_path / "d")
    assert rows_of(tmp_path) == rows_of(finished)
    assert shard_bytes(tmp_path / "d.work") == shard_bytes(finished / "d.work")


def test_the_fingerprint_does_not_depend_on_the_files(finished, copy):
    made = assembled(copy, "many", limit=1)
    assert [shard.rows for shard in made.info.shards] == [4, 4, 4]
    assert made.info.shards[0].path == "data/surfboard/train-00000-of-00003.parquet"
    assert made.info.fingerprint == DatasetInfo.load(finished / "d").fingerprint
    checked = verify_dataset(copy / "many")
    assert checked.ok, checked.problems


def test_the_division_into_files():
    shards = tuple(Shard(f"{c}-{n}", c, n, n + 1) for c in ("kite", "car") for n in range(3))
    sizes = {shard.name: 10 for shard in shards}
    plans = file_plans(Manifest("images", {}, "", shards), sizes, "train", limit=15)
    assert [(plan.path, [s.name for s in plan.shards]) for plan in plans] == [
        ("data/kite/train-00000-of-00002.parquet", ["kite-0", "kite-1"]),
        ("data/kite/train-00001-of-00002.parquet", ["kite-2"]),
        ("data/car/train-00000-of-00002.parquet", ["car-0", "car-1"]),
        ("data/car/train-00001-of-00002.parquet", ["car-2"]),
    ]


def test_a_file_system_without_hard_links(finished, copy, monkeypatch):
    def refused(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), source, None, target)

    monkeypatch.setattr(os, "link", refused)
    made = assembled(copy, "copied")
    assert made.info.fingerprint == DatasetInfo.load(finished / "d").fingerprint
    assert verify_dataset(copy / "copied").ok


def test_images_that_were_changed_in_the_dataset_are_noticed(finished, copy):
    (file,) = copy.glob("d.work/dataset/*/data/surfboard/*.parquet")
    content = bytearray(file.read_bytes())
    place = bytes(content).index(images_of(finished)[5][-60:])
    content[place + 30] ^= 1
    file.write_bytes(content)
    settings = small_settings(finished)
    with pytest.raises(InputError, match="has other images than") as caught:
        synthesize(settings, copy / "d", redo="annotations")
    assert str(file) in str(caught.value)
    assert "--redo images" in str(caught.value)
    made = synthesize(settings, copy / "d", redo="images")
    assert made.dataset.info.fingerprint == DatasetInfo.load(finished / "d").fingerprint


def test_records_without_moved_images_are_read(finished):
    """As earlier versions wrote them."""
    folder = StageFolder(finished / "d.work", "cameras")
    shard = folder.load_manifest().shards[0]
    assert "moved" not in (folder.path / f"{shard.name}.json").read_text()
    assert replace(folder.record(shard)).moved is None


def test_the_card_is_what_the_hub_takes(finished):
    text = (finished / "d" / "README.md").read_text()
    header = yaml.safe_load(text.split("---\n")[1])
    assert (header["license"], header["license_name"]) == ("other", "licenses-of-the-models")
    assert header["task_categories"] == [
        "image-to-3d",
        "keypoint-detection",
        "image-segmentation",
    ]
    assert header["annotations_creators"] == ["machine-generated"]
    assert [entry["config_name"] for entry in header["dataset_info"]] == ["default", "surfboard"]
    assert header["dataset_info"][0]["splits"][0]["num_examples"] == 12
    names = [entry["name"] for entry in header["dataset_info"][0]["features"]]
    assert names[:6] == ["sample_id", "image", "category", "prompt", "view", "index"]
    for role in ("generator", "segmenter", "keypoint detector", "pose estimator"):
        (line,) = [x for x in text.splitlines() if x.startswith(f"| {role} ")]
        assert "part of chorus-bench, Apache-2.0" in line


def test_a_stream_of_the_dataset_has_pictures(finished):
    from datasets import load_dataset

    rows = load_dataset(str(finished / "d"), "surfboard", split="train", streaming=True)
    first = next(iter(rows))
    assert first["image"].size == (64, 64)
    assert first["sample_id"] == rows_of(finished)[0]["sample_id"]
