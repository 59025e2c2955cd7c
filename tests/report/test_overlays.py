"""Overlays: which samples are chosen, what is drawn where, and what bad input says."""

import dataclasses

import cv2
import numpy as np
import pyarrow as pa
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, load_split
from chorus_bench.evaluation.prepare import prepare_sample
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.shipped import submission_folder
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.report import Overlay, sample_overlays, sample_photos
from chorus_bench.report.overlays import picture_bytes
from chorus_bench.report.samples import KINDS, choose_samples, choose_shared, occupancy_image
from chorus_bench.submission import open_submission

BODY = load_body("default")


@pytest.fixture(scope="module")
def example():
    return evaluate("example")


@pytest.fixture(scope="module")
def opened():
    with open_submission(submission_folder("example")) as submission:
        yield submission


def scores(result, category):
    rows = result.samples.select(["sample_id", "category", "PAP", "target_area"]).to_pylist()
    return {
        row["sample_id"]: row["PAP"]
        for row in rows
        if row["category"] == category and row["target_area"]
    }


def test_best_median_and_worst_are_chosen(example):
    known = scores(example, "surfboard")
    chosen = {one.kind: one for one in choose_samples(example, "surfboard")}
    assert tuple(chosen) == KINDS[:3]
    assert chosen["best"].score == max(known.values())
    assert chosen["worst"].score == min(known.values())
    assert chosen["median"].score == np.median(sorted(known.values()))
    assert all(known[one.sample_id] == one.score for one in chosen.values())


def test_no_sample_is_shown_twice(example):
    chosen = choose_samples(example, "surfboard", each=20)
    ids = [one.sample_id for one in chosen]
    assert len(ids) == len(set(ids)) == len(scores(example, "surfboard"))


def test_shared_samples_depend_on_their_names_alone(example):
    chosen = choose_shared(example, "surfboard", 3)
    rows = [row | {"PAP": 0.25} for row in reversed(example.samples.to_pylist())]
    table = pa.Table.from_pylist(rows, schema=example.samples.schema)
    other = dataclasses.replace(example, samples=table)
    ids = [one.sample_id for one in choose_shared(other, "surfboard", 3)]
    assert [one.sample_id for one in chosen] == ids
    assert {one.kind for one in chosen} == {"shared"}
    assert [one.score for one in chosen] == [scores(example, "surfboard")[name] for name in ids]


def test_the_projection_is_what_was_scored(example, opened):
    sample = next(s for s in load_split("example").samples if s.category == "surfboard")
    prepared = prepare_sample(sample, BODY, OFFICIAL)
    image = occupancy_image(opened, sample, prepared)
    row = next(r for r in example.samples.to_pylist() if r["sample_id"] == sample.sample_id)
    predicted = [(image >= np.float32(t)).sum() for t in OFFICIAL.thresholds]
    assert predicted == row["predicted"]


def test_heat_outline_and_person_are_where_they_should_be(opened):
    sample = next(s for s in load_split("example").samples if s.category == "surfboard")
    projection = np.full((32, 32), -np.inf, np.float32)
    plain = Overlay.of(sample, projection).draw()
    assert plain.shape == (sample.height, sample.width, 3)
    mask = sample.decode_object_mask()
    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    blue = (plain[..., 2].astype(int) - plain[..., 0]) > 100
    assert blue.any()
    assert (cv2.dilate(edge.astype(np.uint8), np.ones((7, 7), np.uint8))[blue] > 0).all()
    projection[:16] = 0.5
    hot = Overlay.of(sample, projection).draw()
    changed = (hot != plain).any(axis=2)
    half = sample.height // 2
    assert changed[: half - 4].mean() > 0.8
    assert not changed[half + 4 :].any()


def test_the_heat_keeps_what_is_compared(opened):
    sample = next(s for s in load_split("example").samples if s.category == "surfboard")
    image = occupancy_image(opened, sample, prepare_sample(sample, BODY, OFFICIAL))
    overlay = Overlay.of(sample, image)
    known = np.maximum(image, 0)
    assert overlay.heat.shape == image.shape
    assert overlay.top == known.max()
    kept = overlay.heat * np.float32(overlay.top / 255)
    np.testing.assert_allclose(kept, known, atol=0.51 / 255 * overlay.top)
    nothing = Overlay.of(sample, np.full_like(image, -np.inf))
    assert nothing.top == 0
    assert not nothing.heat.any()


def test_pictures_with_and_without_photographs(tmp_path):
    built = build_dataset(
        "simulated", tmp_path / "split", categories=["surfboard"], per_category=3, seed=1
    )
    with open_submission(submission_folder("example")) as submission:
        result = evaluate(submission, split=built.path, categories=["surfboard"])
        overlays = sample_overlays(result, submission, built.path, BODY)
    assert [sample.kind for sample in overlays] == list(KINDS[:3])
    photos = sample_photos(built.path, {sample.sample_id for sample in overlays})
    for sample, overlay in overlays.items():
        drawn, shown = overlay.draw(), overlay.draw(photos[sample.sample_id])
        assert drawn.shape == shown.shape
        assert (drawn != shown).any()
        read = cv2.imdecode(np.frombuffer(picture_bytes(shown), np.uint8), cv2.IMREAD_COLOR)
        assert (read[..., ::-1] == shown).all()


def test_another_split_is_refused(example, opened, tmp_path):
    built = build_dataset(
        "simulated", tmp_path / "split", categories=["surfboard"], per_category=2, seed=1
    )
    with pytest.raises(InputError, match="is not the split that was scored"):
        sample_overlays(example, opened, built.path, BODY)


def test_a_table_of_other_samples_is_refused(example, opened):
    ids = pa.array([f"other-{n}" for n in range(len(example.samples))])
    table = example.samples.set_column(0, "sample_id", ids)
    with pytest.raises(InputError, match=r"has 12 samples not in its split"):
        sample_overlays(dataclasses.replace(example, samples=table), opened, "example", BODY)


def test_a_photograph_of_another_size():
    sample = load_split("example").samples[0]
    photo = np.zeros((5, 5, 3), np.uint8)
    with pytest.raises(InputError, match="5 x 5 pixels"):
        Overlay.of(sample, np.zeros((32, 32), np.float32)).draw(photo)
