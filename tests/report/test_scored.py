"""Pictures and diagnoses beside scores are of the very samples that were scored."""

import dataclasses
import json

import numpy as np
import pytest

from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.diagnosis import diagnose
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.shipped import submission_folder
from chorus_bench.leaderboard.adding import add_entry
from chorus_bench.report import curves_figure, sample_overlays, write_report
from chorus_bench.report.scored import diagnosis_differences, scored_split, shipped_split
from chorus_bench.submission import open_submission
from tests.cli.cli_tools import run_cli as run

SURFBOARD = {"categories": ["surfboard"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Two splits of one name with different samples of the same ids, and a result of the first."""
    place = tmp_path_factory.mktemp("seeds")
    for seed in (1, 2):
        build_dataset(
            "simulated", place / str(seed), per_category=3, seed=seed, images=False, **SURFBOARD
        )
    result = evaluate("example", split=place / "1", min_samples=3, output=place / "result")
    names = [load_split(place / seed).name for seed in "12"]
    ids = [[sample.sample_id for sample in load_split(place / seed).samples] for seed in "12"]
    assert names[0] == names[1]
    assert ids[0] == ids[1]
    return place, result


def test_the_split_of_another_seed_is_refused(world, tmp_path):
    place, result = world
    for split in (place / "2", load_split(place / "2")):
        with pytest.raises(InputError, match="is not the split that was scored") as caught:
            scored_split(split, result)
        assert caught.value.expected == load_split(place / "1").label
    assert scored_split(place / "1", result).label == load_split(place / "1").label
    for diagnosed in (False, True):
        with pytest.raises(InputError, match="is not the split that was scored"):
            write_report(
                result, tmp_path / "r", submission="example", split=place / "2", diagnose=diagnosed
            )
    assert not (tmp_path / "r").exists()


def test_a_report_on_the_split_of_the_result_in_its_own_scope(world, tmp_path):
    """The smallest number of samples of the result holds for its diagnosis too."""
    place, _ = world
    closed = evaluate("example", split=place / "1", min_samples=3, protocol="closed")
    report = write_report(
        closed, tmp_path / "r", submission="example", split=place / "1", diagnose=True
    )
    assert not report.left_out
    assert f"{100 * closed.scores['mPAP']:.2f}" in report.page.read_text()


def test_an_entry_has_no_pictures_of_another_seed(world, tmp_path):
    place, _ = world
    known = {"submitted_by": "somebody", "date": "2026-01-31", "submission": "example"}
    with pytest.raises(InputError, match="is not the split that was scored"):
        add_entry(place / "result", tmp_path / "board", split=place / "2", **known)
    done = run("leaderboard", "add", place / "result", "--leaderboard", tmp_path / "board",
               "--submitted-by", "somebody", "--submission", submission_folder("example"),
               "--split", place / "2")  # fmt: skip
    assert done.returncode == 2
    assert "is not the split that was scored" in done.stderr
    assert not list((tmp_path / "board" / "entries").glob("*"))
    entry = add_entry(place / "result", tmp_path / "board", split=place / "1", **known)
    assert (entry / "overlays.npz.xz").is_file()


def test_pictures_are_of_the_body_of_the_result(world, tmp_path):
    place, result = world
    body = load_body("default")
    taller = dataclasses.replace(body, template=body.template * np.float32(1.1))
    assert taller.fingerprint != body.fingerprint
    renamed = dataclasses.replace(body, name="another name")
    with open_submission(submission_folder("example")) as opened:
        with pytest.raises(InputError, match="the result is of the body"):
            sample_overlays(result, opened, place / "1", taller)
        assert len(sample_overlays(result, opened, place / "1", renamed)) == 3


def test_a_shipped_split_is_found_by_its_fingerprint():
    result = evaluate("example", **SURFBOARD)
    name, _, fingerprint = load_split("example").label.partition("@")
    assert shipped_split(result) == name
    other = result.signature.replace(fingerprint, "0" * 12)
    assert shipped_split(dataclasses.replace(result, signature=other)) is None
    stranger = result.signature.replace(f"{name}@", "stranger@")
    assert shipped_split(dataclasses.replace(result, signature=stranger)) is None


def test_a_report_says_which_split_it_lacks(tmp_path):
    result = evaluate("example", **SURFBOARD)
    label = load_split("example").label
    name = label.partition("@")[0]
    other = dataclasses.replace(
        result, signature=result.signature.replace(label, f"{name}@{'0' * 12}")
    )
    report = write_report(other, tmp_path / "r", submission="example", diagnose=True)
    assert any(f"give the test split (--split), {name}@000" in text for text in report.left_out)
    assert not list((report.folder / "pictures").glob("overlays/*"))
    assert "Where the score is lost" not in report.page.read_text()


@pytest.fixture(scope="module")
def diagnosis():
    return json.loads(json.dumps(diagnose("example", **SURFBOARD).as_dict()))


def test_a_diagnosis_of_this_result(diagnosis, tmp_path):
    result = evaluate("example", output=tmp_path / "result", **SURFBOARD)
    assert diagnosis_differences(diagnosis, result) == []
    (tmp_path / "result" / "diagnosis.json").write_text(json.dumps(diagnosis))
    report = write_report(tmp_path / "result", tmp_path / "r")
    assert "Where the score is lost" in report.page.read_text()
    assert not any("diagnos" in text for text in report.left_out)


def _other_split(content):
    label = load_split("example").label
    content["signature"] = content["signature"].replace(label, f"{label[:-1]}z")


def _other_submission(content):
    content["submission"]["sha256"] = "0" * 64


def _other_categories(content):
    content["categories"]["tie"] = content["categories"]["surfboard"]


def _other_scores(content):
    content["categories"]["surfboard"]["PAP"] += 0.01


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_split, "split: "),
        (_other_submission, "submission: "),
        (_other_categories, "categories: surfboard, tie against surfboard"),
        (_other_scores, "PAP of surfboard: "),
    ],
)
def test_a_diagnosis_of_something_else_is_left_out(diagnosis, change, said, tmp_path):
    content = json.loads(json.dumps(diagnosis))
    change(content)
    result = evaluate("example", output=tmp_path / "result", **SURFBOARD)
    assert diagnosis_differences(content, result)[0].startswith(said)
    (tmp_path / "result" / "diagnosis.json").write_text(json.dumps(content))
    report = write_report(tmp_path / "result", tmp_path / "r")
    assert any(f"not of this result ({said}" in text for text in report.left_out)
    assert "Where the score is lost" not in report.page.read_text()


@pytest.mark.parametrize("text", ["[]", "{}", '{"signature": "x"}'])
def test_what_is_no_diagnosis_is_refused(text, tmp_path):
    evaluate("example", output=tmp_path / "result", **SURFBOARD)
    (tmp_path / "result" / "diagnosis.json").write_text(text)
    with pytest.raises(InputError, match="is not a diagnosis"):
        write_report(tmp_path / "result", tmp_path / "r")


def test_curves_of_different_splits_are_not_one_figure(world):
    place, result = world
    other = evaluate("example", split=place / "2", min_samples=3)
    with pytest.raises(InputError, match="were scored differently: split: "):
        curves_figure({"one": result, "other": other})
