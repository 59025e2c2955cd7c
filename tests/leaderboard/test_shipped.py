"""The repository's own leaderboard: its entries obey the rules. These are the acceptance tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.evaluation.results import load_result
from chorus_bench.io.shipped import packaged_leaderboard, packaged_results
from chorus_bench.leaderboard.board import board_json, make_board
from chorus_bench.leaderboard.checking import check_leaderboard
from chorus_bench.leaderboard.places import (
    PUBLISHED_FILE,
    entry_folders,
)
from chorus_bench.leaderboard.rerun import check_recipe
from chorus_bench.leaderboard.site import build_site
from tests.leaderboard.pages import badly_nested

ROOT = Path(__file__).parents[2]
LEADERBOARD = ROOT / "leaderboard"

#: Two entries, which make a small leaderboard.
SOME = ("uniform", "body-proximity")


def test_an_installation_carries_the_results(tmp_path, monkeypatch):
    """The build copies them; fields and pictures stay in the repository."""
    shutil.copy(ROOT / "setup.py", tmp_path)
    _some_entries(tmp_path / "leaderboard")
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", "built"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    carried = tmp_path / "built" / "chorus_bench" / "data" / "leaderboard"
    files = {str(file.relative_to(carried)) for file in carried.rglob("*") if file.is_file()}
    small = [file for file in (tmp_path / "leaderboard").rglob("*.*") if file.suffix != ".xz"]
    assert files == {str(file.relative_to(tmp_path / "leaderboard")) for file in small}
    monkeypatch.setattr("chorus_bench.io.shipped.packaged_folder", lambda name: carried)
    assert set(packaged_results()) == set(SOME)


def test_a_checkout_reads_the_repositorys_own():
    assert packaged_leaderboard() == LEADERBOARD
    assert set(packaged_results()) == {folder.name for folder in entry_folders(LEADERBOARD)}


def _some_entries(leaderboard):
    for name in SOME:
        shutil.copytree(LEADERBOARD / "entries" / name, leaderboard / "entries" / name)
    shutil.copy(LEADERBOARD / PUBLISHED_FILE, leaderboard)


def test_outside_a_checkout(tmp_path, monkeypatch):
    """`leaderboard show` and `compare` know the baselines where there is no leaderboard."""
    carried = tmp_path / "leaderboard-of-the-package"
    _some_entries(carried)
    monkeypatch.setattr("chorus_bench.io.shipped.packaged_leaderboard", lambda: carried)
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["leaderboard", "show"])
    assert shown.exit_code == 0, shown.output
    assert "body-proximity" in shown.stdout
    ranked = CliRunner().invoke(app, ["compare", "uniform", "body-proximity", "--resamples", "100"])
    assert ranked.exit_code == 0, ranked.output
    assert ranked.stdout.splitlines()[2].split()[1] == "body-proximity"
    wrong = CliRunner().invoke(app, ["compare", "unifrom", "body-proximity"])
    assert "Did you mean 'uniform'" in str(wrong.exception)
    (tmp_path / "uniform").mkdir()
    own = CliRunner().invoke(app, ["compare", "uniform", "body-proximity"])
    assert "uniform: no result here" in str(own.exception), "a folder of that name comes first"


@pytest.fixture(scope="module")
def checked():
    return check_leaderboard(LEADERBOARD)


@pytest.mark.parametrize("slug", [folder.name for folder in entry_folders(LEADERBOARD)])
def test_entry(checked, slug):
    found = [str(finding) for finding in checked.problems.get(slug, ())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("slug", [folder.name for folder in entry_folders(LEADERBOARD)])
def test_every_row_can_be_repeated(checked, slug):
    """Each was reproduced or scored again, and its recipe can be run by anybody."""
    [manifest] = [entry.manifest for entry in checked.entries if entry.slug == slug]
    assert manifest.status in ("reproduced", "verified")
    assert manifest.verified is not None
    assert manifest.verified.version
    assert manifest.verified.processor
    assert manifest.recipe is not None
    check_recipe(manifest.recipe)


@pytest.mark.parametrize("slug", ["chorus", "mean-mask-extrusion", "body-proximity", "uniform"])
def test_posed_fields_score_as_the_canonical_ones(slug):
    """So that a posed method is compared with them on the posed board."""
    canonical, posed = (
        load_result(LEADERBOARD / "entries" / name) for name in (slug, f"{slug}-posed")
    )
    assert "track:posed" in posed.signature
    assert posed.samples.equals(canonical.samples)
    assert posed.scores == canonical.scores


def test_every_entry_is_accepted(checked):
    checked.raise_problems()
    assert len(checked.entries) == len(entry_folders(LEADERBOARD))


def test_the_papers_figures(checked):
    """Every figure of the paper's two tables, to the digit, and marked as published."""
    assert PUBLISHED_FILE not in checked.problems
    site = board_json(make_board(checked.entries, checked.published), "2026-01-31")
    board = site["boards"][-1]
    assert board["kind"] == "published"
    rows = {row["method"]: row for row in board["methods"]}
    means = {
        name: [round(100 * value, 2) for value in row["scores"].values()]
        for name, row in rows.items()
        if row["scores"]["mPAP"] is not None
    }
    assert means == {
        "CHORUS, without keypoint filtering": [18.31, 15.90, 19.97, 16.52],
        "CHORUS, without canonicalization": [17.52, 15.12, 19.56, 15.85],
        "CHORUS, 1 % of the images": [14.98, 13.81, 15.21, 13.73],
        "CHORUS, 10 % of the images": [17.90, 16.13, 18.86, 15.82],
        "CHORUS, full": [19.86, 17.18, 20.28, 16.80],
    }
    scores = ("PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa")
    motorcycle = {
        name: [round(100 * row["categories"]["motorcycle"][score], 2) for score in scores]
        for name, row in rows.items()
        if row["categories"]
    }
    assert motorcycle == {
        "Image search, 1k": [53.64, 52.15, 60.08, 56.86],
        "Image search, 10k": [55.97, 54.59, 63.62, 61.11],
        "Synthetic, 1k": [56.33, 55.11, 63.91, 61.85],
        "Synthetic, 10k": [57.14, 55.19, 64.82, 62.11],
    }
    assert all(row["status"] == "published" and row["rank"] is None for row in rows.values())
    assert all(row["source"] and "not recomputed" in row["note"] for row in rows.values())


def test_the_page_of_the_shipped_entries(checked, tmp_path):
    build_site(LEADERBOARD, tmp_path / "page", date="2026-01-31")
    text = (tmp_path / "page" / "index.html").read_text()
    for name in [row.name for row in checked.published]:
        assert name in text
    for entry in checked.entries:
        assert (tmp_path / "page" / "methods" / f"{entry.slug}.html").is_file()
    assert badly_nested(tmp_path / "page") == {}


def test_the_workflow_runs_commands_that_exist():
    text = (ROOT / ".github" / "workflows" / "leaderboard.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in text
    commands = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    for wanted in ("check --against", "verify", "build --output"):
        assert any(f"chorus-bench leaderboard {wanted}" in command for command in commands)
