"""The whole chain on models of the real classes with random weights, from names to a dataset.

What random weights find means nothing; that every row is whole and comes out again is tested.
"""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.engines import EngineSettings
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.synthesis.pipeline import synthesize, work_folder
from chorus_bench.synthesis.settings import read_settings
from tests.synthesis.chat_server import Reply, running_chat, says
from tests.synthesis.tiny_annotators import tiny_keypoints, tiny_segmenter
from tests.synthesis.tiny_models import tiny_pipeline
from tests.synthesis.tiny_nlf import BODY, Nlf, Person, saved
from tests.synthesis.world import shard_bytes, write_inputs

SIZE = 48
CATEGORY = "tennis racket"
PROMPTS = ("a person swings a tennis racket", "a man holds a tennis racket")
VIEWS = ("plain", "side_view")
IMAGES = len(PROMPTS) * len(VIEWS) * 2
#: In the middle of the picture and as tall as most of it.
SOMEBODY = Person(0, (0.0, 0.0, 3.0), size=(SIZE, SIZE), focal=60.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the options that name the models, after saving them."""
    folder = tmp_path_factory.mktemp("models")
    generator = {
        "name": "diffusers", "model": str(tiny_pipeline(folder / "pipeline")), "steps": 2,
        "height": SIZE, "width": SIZE,
    }  # fmt: skip
    names = ("person", CATEGORY)
    segmenter = {
        "name": "transformers", "model": str(tiny_segmenter(folder / "segmenter", names)),
        "threshold": 0.0,
    }  # fmt: skip
    keypoints = {"name": "transformers", "model": str(tiny_keypoints(folder / "keypoints"))}
    pose = {"name": "nlf", "model": saved(Nlf([SOMEBODY]), folder), "min_overlap": 0.01}
    return {
        "images.generator": generator,
        "annotations.segmenter": segmenter,
        "annotations.keypoints": keypoints,
        "annotations.pose": pose,
    }


def settings_of(models, folder, **changes):
    write_inputs(folder, PROMPTS, VIEWS, CATEGORY)
    fixed = {
        "categories": [CATEGORY],
        "shard_size": 3,
        "prompts.source": str(folder / "prompts"),
        "images.views": str(folder / "views.yaml"),
        "images.per_prompt_view": 2,
        "images.batch": 2,
    }
    return read_settings(changes={**fixed, **models, **changes})


def rows_of(dataset):
    """Return all rows with their pictures."""
    return list(DatasetRows.open(dataset).rows(CATEGORY, TRAIN_SCHEMA.names))


@pytest.fixture(scope="module")
def made(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    settings = settings_of(models, folder, **{"images.format": "png"})
    return folder, settings, synthesize(settings, folder / "d")


def test_rows_are_whole(made):
    folder, _, found = made
    assert [report.stage for report in found.stages] == [
        "prompts", "images", "annotations", "filters", "cameras"
    ]  # fmt: skip
    rows = rows_of(folder / "d")
    assert len(rows) == IMAGES == found.statistics.rows
    assert len({row["sample_id"] for row in rows}) == IMAGES
    assert len({row["image"]["bytes"] for row in rows}) == IMAGES
    for row in rows:
        assert set(row) == set(TRAIN_SCHEMA.names)
        assert (row["height"], row["width"]) == (SIZE, SIZE)
        assert row["verdict"] in ("kept", "rejected")
        assert (row["reason"] is None) == (row["verdict"] == "kept")
        for thing in [*row["people"], *row["objects"]]:
            assert decode_mask(thing["mask"]).shape == (SIZE, SIZE)
            assert 0 <= thing["score"] <= 1
            left, top, right, bottom = thing["box"]
            assert 0 <= left < right <= SIZE
            assert 0 <= top < bottom <= SIZE
        for person in row["people"]:
            assert np.shape(person["keypoints"]) == (17, 3)
            assert np.isfinite(person["keypoints"]).all()


def test_people_get_poses_and_perspective_cameras(made):
    """The TorchScript file fits one person; one of those that were found is given the fit."""
    folder, _, _ = made
    rows = rows_of(folder / "d")
    fitted = [p for row in rows for p in row["people"] if p["pose"] is not None]
    assert len(fitted) == sum(bool(row["people"]) for row in rows) > 0
    for person in fitted:
        np.testing.assert_allclose(person["pose"], SOMEBODY.pose, atol=1e-6)
        placed = PerspectiveCamera.from_row(person).project(SOMEBODY.seen)
        np.testing.assert_allclose(placed, SOMEBODY.joints2d, atol=0.05)


def test_the_dataset_says_what_made_it(made):
    folder, settings, _ = made
    assert not verify_dataset(folder / "d").problems
    card = (folder / "d" / "README.md").read_text()
    for part in (
        "StableDiffusionPipeline", "PNDMScheduler", "Mask2Former", "VitPose", "NLF",
        "nlf.torchscript", "folder pipeline (xxh3", settings.to_yaml(), "rejection rate",
    ):  # fmt: skip
        assert part in card
    assert str(folder.parent) not in card.replace(settings.to_yaml(), "")


def test_two_workers_write_the_same_bytes(made, tmp_path):
    folder, settings, _ = made
    two = EngineSettings(workers=2)
    for stage in ("prompts", "images", "annotations"):
        synthesize(settings, tmp_path / "d", stage=stage, engine=two)
    synthesize(settings, tmp_path / "d")
    there = shard_bytes(work_folder(folder / "d"))
    assert len(there) == 4 * 3
    assert shard_bytes(work_folder(tmp_path / "d")) == there
    first, second = ({f.relative_to(d).as_posix(): f.read_bytes() for f in d.rglob("*.parquet")}
                     for d in (folder / "d", tmp_path / "d"))  # fmt: skip
    assert first == second


def test_every_image_depends_on_its_address_only(made, models, tmp_path):
    """Other shards and other prompts before it leave an image as it is: the batch is its own."""
    folder, _, _ = made
    rows = rows_of(folder / "d")
    write_inputs(tmp_path, ("a person looks at a tennis racket", PROMPTS[1]), VIEWS[:1], CATEGORY)
    changes = {
        "prompts.source": str(tmp_path / "prompts"), "images.views": str(tmp_path / "views.yaml"),
        "shard_size": 2, "images.format": "png",
    }  # fmt: skip
    other = settings_of(models, folder, **changes)
    synthesize(other, tmp_path / "d", stage="prompts")
    synthesize(other, tmp_path / "d", stage="images")
    again = synthesize(other, tmp_path / "d")
    assert again.stages[1].rows == 0
    known = {row["sample_id"]: row["image"]["bytes"] for row in rows}
    found = rows_of(tmp_path / "d")
    same = [row for row in found if row["sample_id"] in known]
    assert len(same) == 2
    assert all(known[row["sample_id"]] == row["image"]["bytes"] for row in same)


def test_prompts_of_a_language_model(models, monkeypatch, tmp_path):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    answer = "1. A person swings a tennis racket.\n2. A girl lifts a tennis racket."
    with running_chat() as chat:
        chat.replies = [Reply(status=500), says("I cannot"), says(answer)]
        monkeypatch.setenv("CHORUS_BENCH_CHAT_URL", chat.base_url)
        monkeypatch.setenv("CHORUS_BENCH_CHAT_MODEL", "tiny")
        monkeypatch.setenv("CHORUS_BENCH_CHAT_KEY", "secret-key-1234")
        changes = {"prompts.source": "chat", "prompts.count": 2, "images.per_prompt_view": 1}
        settings = settings_of(models, tmp_path, **changes)
        done = synthesize(settings, tmp_path / "d")
        asked = len(chat.requests)
        assert asked == 3
        assert synthesize(settings, tmp_path / "d").stages[0].found == 1
        assert len(chat.requests) == asked
    _, headers, question = chat.requests[-1]
    assert "Bearer secret-key-1234" in headers.values()
    assert CATEGORY in str(question["messages"])
    prompts = (done.work / "prompts" / f"{CATEGORY}.txt").read_text().splitlines()
    assert prompts == ["A person swings a tennis racket", "A girl lifts a tennis racket"]
    rows = rows_of(tmp_path / "d")
    assert {row["prompt"] for row in rows} == set(prompts)
    everything = [f for f in tmp_path.rglob("*") if f.is_file()]
    assert not any(b"secret-key" in file.read_bytes() for file in everything)


def test_the_body_of_the_models_is_the_default_one():
    assert BODY.label.startswith("default@")
