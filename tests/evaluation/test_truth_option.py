"""`evaluate(truth=True)`: 3D scores beside PAP, refused before anything is scored."""

from __future__ import annotations

import json

import numpy as np
import pytest

import chorus_bench
from chorus_bench import InputError
from chorus_bench.datasets.builders import build_dataset
from chorus_bench.evaluation import split_from_rows
from chorus_bench.evaluation.truth_file import TruthScores, load_truth
from chorus_bench.report import calibration_figure
from tests.evaluation.small_split import blob_field, make_row
from tests.leaderboard import world as world_of_results
from tests.leaderboard.measures import make_truth, saved

FIELDS = {"backpack": blob_field(48)}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "split"
    build_dataset("simulated", folder, images=False, categories=["backpack"], per_category=2)
    return folder


def test_the_result_has_its_3d_scores(world, tmp_path):
    place = tmp_path / "result"
    result = chorus_bench.evaluate(
        FIELDS, split=world, min_samples=2, output=place, truth=True, workers=1
    )
    assert set(result.truth.categories) == {"backpack"}
    assert 0 < result.truth.soft_iou < 1
    assert result.truth.sha256 == result.submission["sha256"]
    read = chorus_bench.load_result(place).truth
    assert read.signature == result.signature
    ours, theirs = result.truth.as_dict(), read.as_dict()
    curves = [[tuple(one.values()) for one in each.pop("calibration")] for each in (ours, theirs)]
    np.testing.assert_allclose(*curves)
    assert theirs.pop("calibration_error") == pytest.approx(ours.pop("calibration_error"))
    assert theirs == ours
    for given in (result, place, str(place), result.truth, {"mine": result}):
        assert calibration_figure(given).axes
    plain = chorus_bench.evaluate(FIELDS, split=world, min_samples=2, workers=1)
    assert plain.truth is None
    assert plain.scores == result.scores
    with pytest.raises(InputError, match="without 3D scores"):
        calibration_figure(plain)


@pytest.fixture
def stored(tmp_path):
    """A result with 3D scores in a folder, and the content of its `truth.json`."""
    result = world_of_results.make_result("mine")
    return saved(result, tmp_path / "result", 0.3), make_truth(result, 0.3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "0" * 64}, "is of another submission"),
        ({"signature": "other"}, "split: made-up@"),
    ],
)
def test_scores_of_another_result_are_left_out(stored, caplog, change, said):
    """Also of the same submission on another split, which only the signature tells."""
    folder, content = stored
    assert chorus_bench.load_result(folder).truth.measures == content["measures"]
    if "signature" in change:
        mine = chorus_bench.load_result(folder).signature
        change = {"signature": mine.replace("split:made-up@", "split:made-up@0")}
        content["signature"] = mine
        (folder / "truth.json").write_text(json.dumps(content))
        assert chorus_bench.load_result(folder).truth.signature == mine
    assert not caplog.messages
    (folder / "truth.json").write_text(json.dumps(content | change))
    assert chorus_bench.load_result(folder).truth is None
    assert "truth.json is left out, it is not of this result" in caplog.text
    assert said in caplog.text


def test_files_of_earlier_versions(stored):
    """They named no signature, and the first ones had no measures and no digest."""
    folder, content = stored
    oldest = {name: content[name] for name in ("brier", "soft_iou", "categories", "calibration")}
    (folder / "truth.json").write_text(json.dumps(oldest))
    read = load_truth(folder / "truth.json")
    assert isinstance(read, TruthScores)
    assert (read.brier, read.measures, read.signature) == (content["brier"], {}, None)
    (folder / "truth.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match="is not a file of 3D scores"):
        chorus_bench.load_result(folder)


@pytest.mark.parametrize("kind", ["rows without truth", "a loaded split"])
def test_a_split_without_truth_is_refused_before_scoring(kind):
    loaded = split_from_rows([make_row("backpack", n) for n in range(3)], "made", min_samples=3)
    split = "example" if kind == "rows without truth" else loaded
    steps = []
    with pytest.raises(InputError, match="ground truth"):
        chorus_bench.evaluate(
            FIELDS, split=split, truth=True, progress=lambda *step: steps.append(step)
        )
    assert steps == []
