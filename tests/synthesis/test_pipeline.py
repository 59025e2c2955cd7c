"""The whole synthesis on a small simulated world: stages, going on, changes, damages."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from chorus_baselines.chorus import aggregate
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.engines import EngineSettings
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.synthesis import filter_rows, pipeline
from chorus_bench.synthesis.image_files import decode_picture
from chorus_bench.synthesis.interfaces import Address
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.recipe import synthesized_recipe
from chorus_bench.synthesis.settings import read_settings
from chorus_bench.synthesis.work_folder import ROW_STAGES, STAGES, Shard, StageFolder
from tests.synthesis.world import (
    PROMPTS,
    VIEWS,
    make_small,
    shard_bytes,
    small_settings,
    times,
    write_inputs,
)

FIRST = "surfboard-00000"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Give the folder of a finished run; it is only read."""
    folder = tmp_path_factory.mktemp("finished")
    make_small(folder)
    return folder


@pytest.fixture
def copy(finished, tmp_path):
    """Give a finished run that may be changed; its settings name the first one's inputs."""
    for name in ("d", "d.work"):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path


def again(finished, copy, changes=None, **arguments):
    return synthesize(small_settings(finished, **(changes or {})), copy / "d", **arguments)


def rows_of(folder):
    return pq.read_table(folder / "d" / "data").to_pylist()


def pictures(folder):
    """Return address -> (seed, pixels) of a dataset."""
    return {
        tuple(row[key] for key in ("category", "prompt", "view", "index")): (
            row["seed"],
            decode_picture(row["image"]["bytes"], folder).tobytes(),
        )
        for row in rows_of(folder)
    }


def test_all_stages_give_a_dataset(finished):
    checked = verify_dataset(finished / "d")
    assert checked.ok, checked.problems
    assert checked.rows == 12
    data = DatasetRows.open(finished / "d")
    assert (data.split, data.categories, data.total) == ("train", ("surfboard",), 12)
    assert data.body.startswith("default@")


def test_rows_are_in_the_order_of_their_addresses(finished):
    found = [(row["prompt"], row["view"], row["index"]) for row in rows_of(finished)]
    assert found == [(p, v, i) for p in PROMPTS for v in VIEWS for i in range(2)]


def test_rows_carry_seed_verdict_and_camera(finished):
    rows = rows_of(finished)
    assert {row["verdict"] for row in rows} == {"kept", "rejected"}
    for row in rows:
        address = Address(row["category"], row["prompt"], row["view"], row["index"])
        assert row["seed"] == address.seed(0)
        assert (row["source"], row["height"], row["width"]) == ("synthesized", 64, 64)
        assert row["generator"].endswith("batches fixed 1")
        kept = row["verdict"] == "kept"
        assert kept == (row["reason"] is None)
        for name in ("camera_rotation", "camera_translation", "camera_intrinsics", "pose"):
            assert (row[name] is not None) == kept
        if kept:
            rotation = np.array(row["camera_rotation"])
            np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)


def test_each_stage_alone_gives_the_same_dataset(finished, tmp_path):
    for stage in STAGES:
        made = again(finished, tmp_path, stage=stage)
        assert [report.stage for report in made.stages] == [stage]
        assert (made.dataset is not None) == (stage == "cameras")
    assert made.dataset.info.fingerprint == DatasetInfo.load(finished / "d").fingerprint
    assert shard_bytes(tmp_path / "d.work") == shard_bytes(finished / "d.work")


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


def test_a_second_run_makes_nothing_again(finished, copy):
    before = times(copy / "d"), times(copy / "d.work")
    made = again(finished, copy)
    after = times(copy / "d"), times(copy / "d.work")
    manifests = {f"{stage}/manifest.json" for stage in STAGES}
    changed = {name for name, time in after[1].items() if before[1].get(name) != time}
    assert changed <= manifests
    assert after[0] == before[0]
    assert [report.found for report in made.stages] == [1, 3, 3, 3, 3]
    assert made.dataset.info == DatasetInfo.load(copy / "d")


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"images__generator__size": 72}, ["images.generator.size: 64 -> 72"]),
        ({"seed": 3}, ["seed: 0 -> 3"]),
        ({"shard_size": 3}, ["shard_size: 4 -> 3"]),
        ({"filters__keypoints": "none"}, ["filters.keypoints: 'torso' -> 'none'"]),
        ({"cameras__solver": "lm"}, ["cameras.solver: 'adam' -> 'lm'"]),
        (
            {"images__quality": 80, "annotations__pose__noise": 0.5},
            ["images.quality: 95 -> 80", "annotations.pose.noise: 1.0 -> 0.5"],
        ),
    ],
)
def test_a_changed_setting_is_refused(finished, copy, changes, lines):
    before = times(copy)
    with pytest.raises(InputError, match="made with other settings") as caught:
        again(finished, copy, changes)
    for line in lines:
        assert line in str(caught.value)
    assert "--redo" in str(caught.value)
    assert times(copy) == before
    assert "size: 64" in (copy / "d.work" / "settings.yaml").read_text()


def test_changed_inputs_are_refused(finished, copy):
    again_here = small_settings(finished).images.views
    views = copy / "views.yaml"
    views.write_text("plain: 'another wording'\n")
    with pytest.raises(InputError, match=r"views\.plain: 'plain' -> 'another wording'"):
        again(finished, copy, {"images__views": str(views)})
    prompts = copy / "d.work" / "prompts" / "surfboard.txt"
    prompts.write_text("a man waxes a surfboard\n")
    with pytest.raises(InputError, match=r"prompts\.surfboard: '\w+' -> '\w+'"):
        again(finished, copy, {"images__views": again_here})


@pytest.mark.parametrize("stage", STAGES)
def test_redo_makes_this_stage_and_later_ones_again(finished, copy, stage):
    before = times(copy / "d.work")
    made = again(finished, copy, redo=stage)
    after = times(copy / "d.work")
    place = STAGES.index(stage)
    for number, name in enumerate(STAGES[1:], start=1):
        files = [f"{name}/surfboard-0000{n}.parquet" for n in range(3)]
        assert all((before[file] != after[file]) == (number >= place) for file in files)
        assert made.stages[number].rows == (12 if number >= place else 0)
    assert shard_bytes(copy / "d.work") == shard_bytes(finished / "d.work")


def test_redo_takes_changes_of_what_it_makes_again(finished, copy):
    made = again(finished, copy, {"filters__keypoints": "none"}, redo="filters")
    assert made.statistics.counts["verdict"]["kept"] > 6
    assert {row["verdict"] for row in rows_of(copy)} == {"kept", "rejected"}
    assert made.dataset.info.fingerprint != DatasetInfo.load(finished / "d").fingerprint
    assert verify_dataset(copy / "d").ok


@pytest.mark.parametrize("redo", ["annotations", "cameras"])
def test_redo_with_changes_of_earlier_stages_touches_nothing(finished, copy, redo):
    before = times(copy)
    with pytest.raises(InputError, match=r"seed: 0 -> 3"):
        again(finished, copy, {"seed": 3}, redo=redo)
    assert times(copy) == before


def test_overwrite(finished, copy):
    with pytest.raises(InputError, match="made with other settings"):
        again(finished, copy, {"seed": 3})
    made = again(finished, copy, {"seed": 3}, overwrite=True)
    assert {report.found for report in made.stages} == {0}
    assert {row["seed"] for row in rows_of(copy)} == {
        Address("surfboard", p, v, i).seed(3) for p in PROMPTS for v in VIEWS for i in range(2)
    }


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


@pytest.mark.parametrize("key", ["stage", "redo"])
def test_unknown_stages(tmp_path, key):
    with pytest.raises(InputError, match="Did you mean 'images'"):
        make_small(tmp_path, **{key: "image"})
    assert not (tmp_path / "d.work").exists()


def test_no_category(tmp_path):
    with pytest.raises(InputError, match="add --category"):
        synthesize(small_settings(tmp_path, categories=[]), tmp_path / "d")
    assert not (tmp_path / "d.work").exists()


def test_a_category_that_the_segmenter_does_not_know_is_found_before_images(tmp_path):
    """The generator could not be made either; it is not even tried."""
    write_inputs(tmp_path, ["a person feeds a lama"], category="lama")
    generator = {"name": "diffusers", "model": str(tmp_path / "no-such-model")}
    settings = small_settings(tmp_path, categories=["lama"], images__generator=generator)
    with pytest.raises(InputError, match="unknown category 'lama'"):
        synthesize(settings, tmp_path / "d")
    assert not list((tmp_path / "d.work").rglob("*.parquet"))
    assert not list((tmp_path / "d.work").rglob("*.unfinished"))


def test_an_output_without_stages_is_refused(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "thesis.txt").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="already exists"):
            make_small(tmp_path, overwrite=overwrite)
    assert (tmp_path / "d" / "thesis.txt").read_text() == "years of work"
    assert not (tmp_path / "d.work").exists()


def test_an_output_that_is_something_else_is_refused_beside_stages_too(tmp_path):
    make_small(tmp_path, stage="prompts")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is not a synthesised dataset"):
        make_small(tmp_path)
    assert (tmp_path / "d" / "thesis.txt").read_text() == "years of work"


def test_workers_do_not_change_the_bytes(finished, tmp_path):
    made = again(finished, tmp_path, engine=EngineSettings(workers=2))
    assert shard_bytes(tmp_path / "d.work") == shard_bytes(finished / "d.work")
    assert len(shard_bytes(tmp_path / "d.work")) == 12
    assert made.dataset.info.fingerprint == DatasetInfo.load(finished / "d").fingerprint
    own, other = (sorted(f.glob("d/data/*/*.parquet")) for f in (tmp_path, finished))
    assert [file.read_bytes() for file in own] == [file.read_bytes() for file in other]


def test_an_image_follows_from_its_address_alone(finished, tmp_path):
    """Other shards, another order, other company: the same seeds and pixels."""
    write_inputs(tmp_path, [*PROMPTS[::-1], "a man waxes a surfboard"], [VIEWS[2], VIEWS[0]])
    write_inputs(tmp_path, ["a person carries a backpack"], [VIEWS[2], VIEWS[0]], "backpack")
    settings = small_settings(
        tmp_path,
        categories=["backpack", "surfboard"],
        shard_size=5,
        images__per_prompt_view=1,
        images__format="png",
    )
    synthesize(settings, tmp_path / "d")
    lossless = pictures(tmp_path)
    shutil.copytree(finished / "prompts", tmp_path / "same" / "prompts")
    shutil.copy(finished / "views.yaml", tmp_path / "same")
    synthesize(small_settings(tmp_path / "same", images__format="png"), tmp_path / "same" / "d")
    whole = pictures(tmp_path / "same")
    common = set(lossless) & set(whole)
    assert len(lossless) == 8
    assert common == {("surfboard", p, v, 0) for p in PROMPTS for v in (VIEWS[2], VIEWS[0])}
    assert {address: lossless[address] for address in common} == {
        address: whole[address] for address in common
    }


def test_the_packaged_builder_gives_the_same_rows(finished, tmp_path):
    from chorus_bench.datasets.packaged.synthesized import Synthesized

    builder = Synthesized(work=str(finished / "d.work"), cache_dir=str(tmp_path))
    builder.download_and_prepare()
    rows = builder.as_dataset(split="train")
    assert rows.with_format("arrow")[:].to_pylist() == rows_of(finished)
    assert builder.info.dataset_name == "synthesized"
    assert builder.info.license == "other"
    assert str(builder.info.version) == "1.1.0"


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


def test_statistics_are_in_the_metadata(finished):
    content = json.loads((finished / "d" / "chorus_bench.json").read_text())
    rows = rows_of(finished)
    kept = sum(row["verdict"] == "kept" for row in rows)
    found = content["statistics"]
    assert found["rejection_rate"] == 1 - kept / len(rows)
    assert found["counts"]["verdict"] == {"kept": kept, "rejected": len(rows) - kept}
    assert sum(found["counts"]["reason"].values()) == len(rows) - kept
    assert found["camera_entropy"]["cameras"] == kept
    assert found["camera_entropy"]["bits"] > 0


def test_statistics_are_in_the_card(finished):
    card = (finished / "d" / "README.md").read_text()
    content = json.loads((finished / "d" / "chorus_bench.json").read_text())["statistics"]
    assert f"{100 * content['rejection_rate']:.2f} %" in card
    assert f"{content['camera_entropy']['bits']:.2f} bits" in card
    for reason in content["counts"]["reason"]:
        assert f"rejected: {reason}" in card
    for role in ("generator", "segmenter", "keypoint detector", "pose estimator"):
        assert f"| {role} " in card


def test_the_card_holds_the_configuration(finished, tmp_path):
    card = (finished / "d" / "README.md").read_text()
    text = card.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "again.yaml").write_text(text)
    assert read_settings(file=tmp_path / "again.yaml") == small_settings(finished)
    kept = finished / "d.work" / "settings.yaml"
    assert read_settings(file=kept) == small_settings(finished)


def test_progress_tells_of_every_stage(tmp_path):
    told = []
    make_small(tmp_path, progress=lambda *what: told.append(what))
    assert ("dataset", 0, 1) in told
    assert ("dataset", 1, 1) in told
    for stage in ROW_STAGES:
        assert (stage, 0, 3) in told
        assert (stage, 3, 3) in told
    assert ("prompts", 0, 1) in told


def test_the_work_folder_lies_beside_the_dataset():
    assert pipeline.work_folder("some/where/d").as_posix() == "some/where/d.work"


def test_rows_of_a_shard():
    assert Shard("tie-00001", "tie", 4, 7).rows == 3


def test_no_kept_image_is_an_error_with_the_reasons(finished, copy):
    """The stages stay, so that the filters can be repeated with other settings."""
    strict = {"filters__keypoints": "8", "filters__keypoint_confidence": 1.0}
    with pytest.raises(
        InputError, match=r"none of 12 images is kept \((?s:.*)redo filters"
    ) as caught:
        again(finished, copy, strict, redo="filters").check_kept()
    assert "keypoints not visible: " in str(caught.value)
    relaxed = again(finished, copy, redo="filters")
    relaxed.check_kept()
    assert relaxed.stages[-1].counts["kept"] > 0
    assert relaxed.stages[-1].empty == ()


def test_rows_of_a_built_set_can_be_aggregated(finished):
    rows = list(DatasetRows.open(finished / "d").rows("surfboard"))
    kept = sum(row["verdict"] == "kept" for row in rows)
    votes = aggregate(filter_rows(rows), grid=GridSpec(12))
    assert votes.views == kept
    assert votes.skipped.total == len(rows) - kept
