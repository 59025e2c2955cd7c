"""A body that the data was not made with: refused everywhere, or asked for and visible."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from datasets import Dataset, Image, load_dataset

from chorus_bench.baseline import fit_baseline
from chorus_bench.datasets.bodies import body_for, is_other_body
from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.named import packaged_folder
from chorus_bench.errors import InputError
from chorus_bench.evaluation.diagnosis import diagnose
from chorus_bench.evaluation.orientation import orientation_warnings
from chorus_bench.evaluation.truth import truth_scores
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.submission import open_submission
from tests.cli.cli_tools import run_cli

EXAMPLE = packaged_folder("example/submission")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A tall body, a test split and a training set that were made with it."""
    folder = tmp_path_factory.mktemp("tall")
    arrays = dict(np.load(packaged_folder("default_body.npz")))
    arrays["v_template"] = arrays["v_template"] * np.float32(1.1)
    np.savez(folder / "tall.npz", **arrays)
    shutil.copy(folder / "tall.npz", folder / "renamed.npz")
    known = {"body": folder / "tall.npz", "categories": ["surfboard"], "images": False, "size": 64}
    build_dataset("simulated", folder / "test", split="test", per_category=2, **known)
    build_dataset("simulated", folder / "train", split="train", **known)
    return folder


def test_on_the_command_line(place, tmp_path):
    split = ("--split", place / "test")
    for body in ((), ("--body", "default")):
        done = run_cli("evaluate", EXAMPLE, *split, *body)
        assert done.returncode == 2
        assert "made with the body tall@" in done.stderr
        assert "--allow-other-body" in done.stderr
    right = run_cli(
        "evaluate", EXAMPLE, *split, "--body", place / "renamed.npz", "--format", "json"
    )
    assert "other-body" not in json.loads(right.stdout)["signature"]
    done = run_cli("evaluate", EXAMPLE, *split, "--allow-other-body", "--truth", "--format", "json")
    tall = load_body(place / "tall.npz").fingerprint
    result = json.loads(done.stdout)
    assert f"|other-body:{tall}|" in result["signature"]
    assert any("poses and cameras do not match" in text for text in result["warnings"])


def test_diagnose_on_the_command_line(place):
    done = run_cli("diagnose", EXAMPLE, "--split", place / "test")
    assert done.returncode == 2
    assert "--allow-other-body" in done.stderr


def _train(place, form):
    if form == "folder":
        return place / "train"
    data = load_dataset(str(place / "train"), split="train", cache_dir=str(place / "cache"))
    data = data.cast_column("image", Image(decode=False))
    return {
        "Dataset": data,
        "stream": data.to_iterable_dataset(),
        "rows": data.to_list(),
        "copy": Dataset.from_list(data.to_list()),
    }[form]


@pytest.mark.parametrize("form", ["folder", "Dataset", "stream", "rows", "copy"])
def test_baselines(place, form):
    with pytest.raises(InputError, match=r"made with the body tall@.*, not with the default one"):
        fit_baseline("body-proximity", _train(place, form), grid=GridSpec(8))
    found = fit_baseline(
        "body-proximity", _train(place, form), body=place / "renamed.npz", grid=GridSpec(8)
    )
    assert set(found) == {"surfboard"}


def test_functions_in_python(place):
    other = {"match": r"made with the body tall@.*, not with"}
    with pytest.raises(InputError, **other):
        diagnose(EXAMPLE, split=place / "test")
    with pytest.raises(InputError, **other):
        truth_scores({"example": EXAMPLE}, place / "test")
    with open_submission(EXAMPLE) as opened, pytest.raises(InputError, **other):
        orientation_warnings(opened, split=place / "test")
    allowed = diagnose(EXAMPLE, split=place / "test", allow_other_body=True)
    assert "|other-body:" in allowed.signature


def test_names_are_no_identity(place):
    tall = load_body(place / "tall.npz")
    assert body_for(f"any@{tall.fingerprint}", place / "renamed.npz", "data").name == "renamed"
    assert not is_other_body(None, tall)
    assert is_other_body("tall@0123456789ab", tall)
    assert body_for(None, None, "data").name == "default"
    with pytest.raises(InputError) as caught:
        body_for("tall@0123456789ab", None, "data")
    assert "--allow-other-body" not in str(caught.value)  # where nobody can ask for it
