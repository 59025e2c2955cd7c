"""The whole synthesis on a small simulated world: stages, rows, workers, card and statistics."""

import json
import shutil

import numpy as np
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
from chorus_bench.synthesis.settings import read_settings
from chorus_bench.synthesis.work_folder import ROW_STAGES, STAGES, Shard
from tests.synthesis.world import (
    PROMPTS,
    VIEWS,
    again,
    make_small,
    rows_of,
    shard_bytes,
    small_settings,
    times,
    write_inputs,
)


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
