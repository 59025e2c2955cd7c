"""The simulated world as datasets: built, loaded, scored, and the same every time."""

from __future__ import annotations

import json

import datasets
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.packaged.simulated_test import SimulatedTest
from chorus_bench.datasets.packaged.simulated_train import SimulatedTrain
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, load_split
from chorus_bench.submission import write_submission
from tests.cli.cli_tools import run_cli
from tests.evaluation.small_split import COARSE, blob_field

SMALL = {"categories": ["surfboard", "tie"], "per_category": 3}


@pytest.fixture(scope="module")
def test_folder(tmp_path_factory):
    return build_dataset("simulated", tmp_path_factory.mktemp("sim") / "test", **SMALL).path


@pytest.fixture(scope="module")
def train_folder(tmp_path_factory):
    return build_dataset(
        "simulated", tmp_path_factory.mktemp("sim") / "train",
        split="train", categories=["tie"], size=64,
    ).path  # fmt: skip


def test_loads_by_category(test_folder, tmp_path):
    loaded = datasets.load_dataset(
        str(test_folder), "tie", split="test", cache_dir=str(tmp_path / "hf")
    )
    assert loaded.num_rows == 3
    assert set(loaded["category"]) == {"tie"}
    row = loaded[0]
    assert row["image"].size == (row["width"], row["height"])
    assert load_split(loaded).counts == {"tie": 3}


def test_folder_and_dataset_have_the_same_samples(test_folder, tmp_path):
    loaded = datasets.load_dataset(str(test_folder), split="test", cache_dir=str(tmp_path / "hf"))
    assert load_split(loaded).fingerprint == load_split(test_folder).fingerprint


def test_scores(test_folder):
    fields = {"surfboard": blob_field(), "tie": blob_field(center=(0, 0.3, 0.15), width=0.15)}
    submission = write_submission(test_folder.parent / "s", method="m", fields=fields)
    result = evaluate(submission, split=test_folder, protocol=COARSE)
    assert set(result.categories) == {"surfboard", "tie"}
    assert result.scores["mPAP"] > 0


def test_scores_in_3d_stand_beside(test_folder, tmp_path):
    fields = {"surfboard": blob_field(), "tie": blob_field(center=(0, 0.3, 0.15), width=0.15)}
    submission = write_submission(tmp_path / "s", method="m", fields=fields)
    arguments = ("--split", test_folder, "--truth", "--output", tmp_path / "result")
    done = run_cli("evaluate", submission, *arguments)
    assert done.returncode == 0, done.stderr
    assert "soft IoU" in done.stdout
    truth = json.loads((tmp_path / "result" / "truth.json").read_text())
    assert 0 < truth["brier"] < 1
    assert set(truth["categories"]) == {"surfboard", "tie"}
    as_json = run_cli("evaluate", submission, *arguments[:3], "--format", "json")
    assert json.loads(as_json.stdout)["truth"] == truth


def test_every_way_of_building_gives_the_same(test_folder, tmp_path):
    plain = load_split(test_folder).fingerprint
    again = build_dataset("simulated", tmp_path / "again", images=False, **SMALL)
    assert again.info.fingerprint == plain
    builder = SimulatedTest(
        config_name="tie", per_category=3, images=False, cache_dir=str(tmp_path / "hf")
    )
    builder.download_and_prepare()
    packaged = load_split(builder.as_dataset(split="test"))
    split = load_split(test_folder)
    assert [s.digest() for s in packaged.samples] == [s.digest() for s in split.select(["tie"])]


def test_workers_change_nothing(tmp_path):
    for workers in (1, 2):
        done = run_cli(
            "datasets", "build", "simulated", "--category", "tie", "--per-category", 3,
            "--no-images", "--workers", workers, "--output", tmp_path / str(workers),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    one, two = (load_split(tmp_path / name).fingerprint for name in ("1", "2"))
    assert one == two


def test_another_seed_is_another_split(test_folder, tmp_path):
    other = build_dataset("simulated", tmp_path / "other", images=False, seed=1, **SMALL)
    assert other.info.fingerprint != load_split(test_folder).fingerprint


def test_training_rows(train_folder, tmp_path):
    loaded = datasets.load_dataset(str(train_folder), split="train", cache_dir=str(tmp_path / "hf"))
    assert loaded.num_rows % 22 == 0
    assert len(set(loaded["view"])) == 22
    assert loaded.features["image"] == datasets.Image()
    assert verify_dataset(train_folder).ok
    assert set(loaded["verdict"]) == {None}
    builder = SimulatedTrain(
        config_name="tie", size=64, images=False, cache_dir=str(tmp_path / "hf")
    )
    builder.download_and_prepare()
    assert builder.as_dataset(split="train")["sample_id"] == loaded["sample_id"]


def test_info_with_plots(train_folder, test_folder, tmp_path):
    done = run_cli("datasets", "info", test_folder, "--plots", tmp_path / "plots")
    assert done.returncode == 0, done.stderr
    assert "camera entropy" in done.stdout
    written = {path.name for path in (tmp_path / "plots").iterdir()}
    assert written == {"counts.png", "azimuth.png", "cameras.png"}
    assert "no cameras" in run_cli("datasets", "info", train_folder).stdout


def test_import_images(train_folder, tmp_path):
    loaded = datasets.load_dataset(str(train_folder), split="train", cache_dir=str(tmp_path / "hf"))
    folder = tmp_path / "crawled" / "man with tie"
    folder.mkdir(parents=True)
    for number in range(4):
        loaded[number % 3]["image"].save(folder / f"google_{number}.png")
    arguments = ("--category", "tie", "--output", tmp_path / "out")
    done = run_cli("datasets", "import-images", tmp_path / "crawled", *arguments)
    assert done.returncode == 0, done.stderr
    assert "3 rows" in done.stdout
    assert "1 x a duplicate" in done.stderr
    assert run_cli("datasets", "verify", tmp_path / "out").returncode == 0


def test_refusals(tmp_path):
    with pytest.raises(InputError, match="Did you mean 'surfboard'"):
        build_dataset("simulated", tmp_path / "x", categories=["surfbord"])
    with pytest.raises(InputError, match="unknown split 'val'"):
        build_dataset("simulated", tmp_path / "x", split="val")
    with pytest.raises(InputError, match="per_category is 0"):
        build_dataset("simulated", tmp_path / "x", per_category=0)
    assert not (tmp_path / "x").exists()
