"""A synthesis run again with other settings or inputs, or to an output that is something else."""

import pytest

from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from chorus_bench.synthesis.interfaces import Address
from chorus_bench.synthesis.pipeline import synthesize
from chorus_bench.synthesis.work_folder import STAGES
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
