"""Pages of commands run from their first line to their last, on small files of the same names."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import trimesh
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.geometry.body_files import load_body
from tests.documents.blocks import blocks
from tests.documents.places import SUBMISSION, write_model_file, write_small_split

#: What stands for the names in the pages.
WORDS = {
    "SPLIT": "split",
    "SUBMISSION": "submission",
    "RESULT": "result",
    "other-result": "result",
    "simulated": "split",
    "FOLDER": "labels",
    "INPUT": "meshes",
    "my-submission.zip": "submission",
    "leaderboard/entries/my-method": "leaderboard/entries/example",
}
#: Options of commands that other tests run: `--rerun` takes minutes, `--measure` needs 3D truth.
ELSEWHERE = {"--rerun", "--measure"}
PAGES = (
    "docs/evaluation.md",
    "docs/diagnose.md",
    "docs/bodies.md",
    "docs/converting.md",
    "leaderboard/README.md",
)


def commands_of(page: str) -> list[list[str]]:
    return [words for block in blocks() if block.page == page for words in block.commands()]


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Return the folder that the commands run in."""
    write_small_split(tmp_path / "split")
    write_model_file(tmp_path / "SMPL_NEUTRAL.pkl")
    (tmp_path / "meshes").mkdir()
    trimesh.creation.box((0.4, 0.4, 0.4)).export(tmp_path / "meshes" / "chair.obj")
    (tmp_path / "labels").mkdir()
    contact = np.zeros(len(load_body().template), np.float32)
    contact[:200] = 1
    np.savez(tmp_path / "labels" / "surfboard.npz", contact=contact)
    (tmp_path / "leaderboard").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_the_page_run(page: str, place: Path) -> None:
    if page != "docs/converting.md":
        shutil.copytree(SUBMISSION, place / "submission")
    if page == "leaderboard/README.md":
        run(["evaluate", "submission", "--split", "split", "--output", "result"])
    for words in commands_of(page):
        if not ELSEWHERE & set(words):
            run([WORDS.get(word, word) for word in words if word != "..."])


def run(words: list[str]) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, f"{' '.join(words)}\n{result.output}"


def test_words_stand_in_the_pages() -> None:
    used = {word for page in PAGES for words in commands_of(page) for word in words}
    assert set(WORDS) <= used
