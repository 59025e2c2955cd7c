"""The split of the real people: two builds, and every way to one, are the same split."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import datasets
import numpy as np
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.coco_eft.categories import BENCHMARK
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.named import packaged_folder
from chorus_bench.datasets.packaged.coco_eft import CocoEft
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.comparison import compare
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.submission import write_submission
from tests.evaluation.small_split import blob_field

REAL = Path(__file__).parents[1] / "data" / "real_coco"
SOURCES = {"annotations": str(REAL / "instances.json"), "fits": str(REAL / "fits.json")}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """The default body under two other names, and a taller one."""
    folder = tmp_path_factory.mktemp("bodies")
    arrays = dict(np.load(packaged_folder("default_body.npz")))
    for name, factor in (("SMPL_NEUTRAL", 1), ("body", 1), ("tall", 1.1)):
        changed = {**arrays, "v_template": arrays["v_template"] * np.float32(factor)}
        np.savez(folder / f"{name}.npz", **changed)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory, bodies):
    """The folder that is built with the body `SMPL_NEUTRAL`."""
    folder = tmp_path_factory.mktemp("real") / "first"
    return build_dataset(
        "coco-eft", folder, body=bodies / "SMPL_NEUTRAL.npz", solver="lm", **SOURCES
    ).path


def _facts(split):
    fingerprint = split.body.partition("@")[2]
    return split.label, fingerprint, split.min_samples, split.population


def _one_file(built, bodies, place):
    """All rows in one file, moved away from the folder."""
    rows = datasets.load_dataset(str(built), split="test", cache_dir=str(place / "cache"))
    rows.to_parquet(str(place / "all.parquet"))
    return place / "all.parquet"


def _packaged(built, bodies, place):
    builder = CocoEft(
        cache_dir=str(place / "cache"), body=str(bodies / "body.npz"), solver="lm", **SOURCES
    )
    builder.download_and_prepare()
    return builder.as_dataset(split="test")


def _second_build(built, bodies, place):
    body = bodies / "body.npz"
    return build_dataset("coco-eft", place / "second", body=body, solver="lm", **SOURCES).path


WAYS = {
    "another build, another body name": _second_build,
    "moved data folder": lambda built, bodies, place: shutil.copytree(
        built / "data", place / "data"
    ),
    "load_dataset": lambda built, bodies, place: datasets.load_dataset(
        str(built), split="test", cache_dir=str(place / "cache")
    ),
    "streaming": lambda built, bodies, place: datasets.load_dataset(
        str(built), split="test", streaming=True
    ),
    "one file": _one_file,
    "packaged builder": _packaged,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_same_split(built, bodies, tmp_path, way):
    folder = load_split(built)
    assert folder.population == tuple(sorted(BENCHMARK))
    assert len(BENCHMARK) == 14
    found = load_split(WAYS[way](built, bodies, tmp_path))
    assert _facts(found) == _facts(folder)
    assert found.counts == folder.counts


@pytest.fixture(scope="module")
def submission(tmp_path_factory):
    field = blob_field(24, (0.0, -0.6, 0.2), 0.4)
    folder = tmp_path_factory.mktemp("submission") / "s"
    fields = {"skateboard": field, "surfboard": field}
    return write_submission(folder, method="blob", fields=fields, grid=GridSpec(24))


@pytest.fixture(scope="module")
def scored(built, bodies, submission):
    """The result on the folder, with the body under its first name."""
    return evaluate(submission, split=built, body=bodies / "SMPL_NEUTRAL.npz", min_samples=1)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_compares_without_a_warning(built, bodies, scored, submission, tmp_path, way):
    """Whichever way the split is loaded, and whatever its body's file is called."""
    source = WAYS[way](built, bodies, tmp_path)
    other = evaluate(submission, split=source, body=bodies / "body.npz", min_samples=1)
    assert "|body:SMPL_NEUTRAL@" in scored.signature
    assert "|body:body@" in other.signature
    assert other.warnings == scored.warnings
    assert not any("body" in text for text in other.warnings)
    assert (other.scores, other.intervals) == (scored.scores, scored.intervals)
    assert other.samples == scored.samples
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranking = compare([scored, other])
    assert ranking.ranks.tolist() == [1, 1]
    assert not np.triu(ranking.high, 1).any()


def test_a_category_of_the_packaged_builder_is_that_file(built, bodies, tmp_path):
    builder = CocoEft(
        cache_dir=str(tmp_path / "cache"),
        config_name="skateboard",
        body=str(bodies / "body.npz"),
        solver="lm",
        **SOURCES,
    )
    builder.download_and_prepare()
    [file] = (built / "data" / "skateboard").glob("*.parquet")
    assert _facts(load_split(builder.as_dataset(split="test"))) == _facts(load_split(file))


@pytest.fixture(scope="module")
def tall(tmp_path_factory, bodies):
    """The split built with the tall body, and a folder where `body` is the tall one too."""
    place = tmp_path_factory.mktemp("tall")
    for name in ("tall", "body"):
        shutil.copy(bodies / "tall.npz", place / f"{name}.npz")
    body = place / "tall.npz"
    return build_dataset("coco-eft", place / "split", body=body, solver="lm", **SOURCES).path


@pytest.mark.parametrize("way", WAYS)
def test_no_way_loses_the_guard(tall, tmp_path, way):
    """A split made with a tall body is never scored with another one by accident."""
    source = WAYS[way](tall, tall.parent, tmp_path)
    for body in (None, "default", load_body("default")):
        with pytest.raises(InputError, match=r"made with the body (tall|body)@.*, not with"):
            evaluate("example", split=source, body=body, min_samples=1)
