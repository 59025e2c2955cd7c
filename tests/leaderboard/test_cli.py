"""``chorus-bench leaderboard`` as a user types it, from a real evaluation on."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess

import numpy as np
import pyarrow.parquet as pq
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.findings import Findings
from chorus_bench.io.shipped import packaged_folder
from chorus_bench.leaderboard.adding import add_entry, read_manifest
from chorus_bench.leaderboard.fields import STEPS, read_fields
from chorus_bench.leaderboard.overlays import read_overlays
from chorus_bench.submission import (
    InteractionField,
    InteractionType,
    open_submission,
    write_submission,
)
from tests.cli.cli_tools import run_cli
from tests.evaluation.small_split import blob_field
from tests.leaderboard import world


@pytest.fixture(scope="session")
def result(tmp_path_factory):
    """Return the result folder of the shipped example."""
    folder = tmp_path_factory.mktemp("example") / "result"
    evaluate("example", output=folder)
    return folder


@pytest.fixture(scope="session")
def _example(result, tmp_path_factory):
    board = tmp_path_factory.mktemp("example-board") / "board"
    done = run_cli(
        *("leaderboard", "add", result, "--leaderboard", board, "--submission", "example"),
        *("--split", "example", "--submitted-by", "me", "--training-data", "nothing"),
        *("--saw-coco-val", "no", "--url", "https://example.org/a.zip", "--date", "2026-01-31"),
        *("--parameter", "blur=2", "--description", "Two words."),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"wrote {board}/entries/example\n"
    return board


@pytest.fixture
def example(_example, tmp_path):
    """Return a leaderboard with the shipped example, and its entry."""
    board = shutil.copytree(_example, tmp_path / "example-board")
    return board, board / "entries" / "example"


def test_add_copies_the_result_and_what_the_page_shows(example, result):
    board, entry = example
    assert (entry / "results.json").read_bytes() == (result / "results.json").read_bytes()
    stored, made = (pq.read_table(folder / "samples.parquet") for folder in (entry, result))
    assert stored.equals(made)
    manifest = read_manifest(entry)
    assert manifest.saw_coco_val == "no"
    assert manifest.parameters == {"blur": "2"}
    assert manifest.texts["description"] == "Two words."
    fields = read_fields(entry / "fields.npz.xz")
    with open_submission(packaged_folder("example/submission")) as submission:
        assert sorted(fields.values) == sorted(submission.categories)
        field = submission.field(submission.categories[0])
        shown = fields.values[submission.categories[0]] / 255
        step = field.values.max() / STEPS
        np.testing.assert_allclose(shown, field.values, atol=step / 2 + 1 / 255)
    found = Findings()
    overlays = read_overlays(entry / "overlays.npz.xz", "overlays", found)
    assert not found
    assert {sample.kind for sample in overlays} == {"best", "median", "worst", "shared"}
    assert {sample.category for sample in overlays} == set(fields.values)
    assert all(overlay.heat.any() for overlay in overlays.values())
    assert run_cli("leaderboard", "check", "--leaderboard", board).stdout.startswith("valid: 1 ent")


def test_add_refuses_and_leaves_nothing_behind(example, result, tmp_path):
    board, _ = example
    again = run_cli("leaderboard", "add", result, "--leaderboard", board, "--submitted-by", "me")
    assert again.returncode == 2
    assert "the folder already exists" in again.stderr
    fields = {"surfboard": np.zeros((8, 8, 8), np.float32)}
    other = write_submission(tmp_path / "other", method="other", fields=fields, grid=GridSpec(8))
    with pytest.raises(InputError, match="is not the submission that was scored"):
        add_entry(
            result, board, submitted_by="me", date=world.DATE, submission=other, name="example-2"
        )
    with pytest.raises(InputError, match="is 'soon'"):
        add_entry(result, board, submitted_by="me", date="soon", name="example-2")
    with pytest.raises(InputError, match="is not named after the method"):
        add_entry(result, board, submitted_by="me", date=world.DATE, name="else")
    with pytest.raises(InputError, match="--split without a submission"):
        add_entry(
            result, board, submitted_by="me", date=world.DATE, split="example", name="example-2"
        )
    assert [p.name for p in (board / "entries").iterdir()] == ["example"]


def test_add_shrinks_fine_fields(tmp_path):
    grid = GridSpec(96)
    fine = np.zeros(grid.shape, np.float32)
    fine[40, 50, 60] = 0.8
    submission = write_submission(
        tmp_path / "fine", method="fine", fields={"bench": fine}, grid=grid
    )
    with open_submission(submission) as opened:
        digest = opened.sha256
    made = world.make_result("fine", sha256=digest)
    entry = world.add(tmp_path / "board", made, submission=submission)
    fields = read_fields(entry / "fields.npz.xz")
    assert fields.grid == GridSpec(48)
    assert fields.values["bench"][20, 25, 30] == 204
    assert np.count_nonzero(fields.values["bench"]) == 1


def test_add_keeps_fields_of_interaction_types(tmp_path):
    field = blob_field(8)
    types = [
        InteractionField(InteractionType(name, part=name, share=share), field)
        for name, share in [(f"part {n}", n / 100) for n in range(30)]
    ]
    submission = write_submission(
        tmp_path / "typed",
        method="typed",
        fields={"bench": field},
        interactions={"bench": types},
        grid=GridSpec(8),
    )
    with open_submission(submission) as opened:
        made = world.make_result("typed", sha256=opened.sha256)
    entry = world.add(tmp_path / "board", made, submission=submission)
    kept = read_fields(entry / "fields.npz.xz").values
    assert set(kept) == {"bench", *(f"bench: part {n}" for n in range(6, 30))}


def test_check_lists_problems_and_leaves_with_2(example):
    board, entry = example
    world.edit_json(entry, "scores", "mPAP", value=0.5)
    done = run_cli("leaderboard", "check", "--leaderboard", board)
    assert done.returncode == 2
    assert "entries/example/results.json:" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_against_a_revision(example):
    board, entry = example
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "start")):
        subprocess.run(["git", *identity, *arguments], cwd=board, check=True, capture_output=True)
    done = run_cli("leaderboard", "check", "--leaderboard", board, "--against", "HEAD")
    assert done.returncode == 0, done.stderr
    assert "no score changed without its submission since HEAD" in done.stdout
    world.edit_json(entry, "scores", "mPAP", value=0.5)
    done = run_cli("leaderboard", "check", "--leaderboard", board, "--against", "HEAD")
    assert done.returncode == 2
    assert "though the submission is the same" in done.stderr


@pytest.mark.parametrize("style", ["table", "markdown", "latex", "csv", "json"])
def test_show(board, style):
    done = run_cli("leaderboard", "show", "--leaderboard", board, "--format", style)
    assert done.returncode == 0, done.stderr
    score = 100 * json.loads((board / "entries/good/results.json").read_text())["scores"]["mPAP"]
    if style == "csv":
        rows = list(csv.DictReader(done.stdout.splitlines()))
        assert [row["method"] for row in rows] == ["Good", "Fair", "Poor"]
    elif style == "json":
        methods = json.loads(done.stdout)["boards"][0]["methods"]
        assert [method["rank"]["mPAP"] for method in methods] == [1, 2, 3]
    else:
        assert f"{score:.2f}" in done.stdout
        mark = {"table": "-----", "markdown": "|---", "latex": r"\toprule"}[style]
        assert mark in done.stdout


def test_show_by_another_score_and_signature(board):
    command = ("leaderboard", "show", "--leaderboard", board)
    done = run_cli(*command, "--score", "mPAP_hoa", "--signature", "split:made-up")
    assert done.returncode == 0, done.stderr
    assert "mPAP_hoa    95 % interval" in done.stdout
    wrong = run_cli(*command, "--score", "mAP")
    assert wrong.returncode == 2
    assert "unknown score 'mAP'" in wrong.stderr


def test_build_and_skip_invalid(board, tmp_path):
    page = tmp_path / "page"
    command = ("leaderboard", "build", "--leaderboard", board, "--output", page)
    done = run_cli(*command)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"wrote {page}/index.html\n"
    (board / "entries" / "good" / "results.json").write_text("{")
    done = run_cli(*command)
    assert done.returncode == 2
    assert "entries/good/results.json:1: is not JSON" in done.stderr
    done = run_cli(*command, "--skip-invalid")
    assert done.returncode == 0
    assert "warning: left out: entries/good/results.json:1: is not JSON" in done.stderr
    assert not (page / "methods" / "good.html").exists()
    assert (page / "methods" / "fair.html").exists()


def test_verify_scores_again_and_marks(example, tmp_path):
    board, entry = example
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", packaged_folder("example/submission"))
    command = ("leaderboard", "verify", entry, "--submission", archive, "--split", "example")
    done = run_cli(*command, "--by", "the tests", "--output", tmp_path / "again")
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(entry)
    assert manifest.status == "verified"
    assert manifest.verified is not None
    assert manifest.verified.by == "the tests"
    assert manifest.verified.sha256 == manifest.sha256
    assert (tmp_path / "again" / "results.json").is_file()
    assert run_cli("leaderboard", "check", "--leaderboard", board).returncode == 0
    assert "verified" in run_cli("leaderboard", "show", "--leaderboard", board).stdout


def test_verify_refuses_another_submission(example, tmp_path):
    _, entry = example
    before = (entry / "entry.yaml").read_bytes()
    fields = {"surfboard": np.full((8, 8, 8), 0.5, np.float32)}
    other = write_submission(tmp_path / "other", method="example", fields=fields, grid=GridSpec(8))
    done = run_cli("leaderboard", "verify", entry, "--submission", other, "--split", "example")
    assert done.returncode == 2
    assert "is not the submission that was scored" in done.stderr
    assert (entry / "entry.yaml").read_bytes() == before


def test_verify_refuses_made_up_scores(tmp_path):
    """A table that is consistent in itself, and is not what the submission scores."""
    source = packaged_folder("example/submission")
    with open_submission(source) as opened:
        digest = opened.sha256
    honest = evaluate("example")
    sizes = {name: entry["samples"] for name, entry in honest.categories.items()}
    made = world.make_result("example", sha256=digest, categories=sizes)
    signature = honest.signature
    object.__setattr__(made, "signature", signature)
    entry = world.add(tmp_path / "board", made)
    before = (entry / "entry.yaml").read_bytes()
    done = run_cli("leaderboard", "verify", entry, "--submission", source, "--split", "example")
    assert done.returncode == 2
    assert "rescoring the submission gives a different result: mPAP is" in done.stderr
    assert (entry / "entry.yaml").read_bytes() == before
