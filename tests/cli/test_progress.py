"""Waiting: lines where standard error is no terminal, --quiet, and what is announced."""

from __future__ import annotations

import logging
import sys
import threading
import time

import pytest
import typer
from typer.testing import CliRunner

from chorus_bench.cli import progress
from chorus_bench.cli.added_options import long_command
from chorus_bench.cli.app import app
from chorus_bench.cli.progress import StageLines, progress_bar, say_written
from chorus_bench.datasets.builders import build_dataset
from tests.cli.test_options import ALL, options_of

#: Commands that end within a second or two, whatever they are given.
SHORT = {
    ("baseline", "list"), ("baseline", "show"), ("body", "convert"), ("body", "info"),
    ("cache", "clean"), ("cache", "clear"), ("cache", "info"), ("cache", "prune"),
    ("datasets", "card"), ("datasets", "list"), ("doctor",), ("table",),
}  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_A_LINE", 0.01)


def test_every_long_command_can_be_quiet():
    loud = {words for words, command in ALL.items() if "--quiet" not in options_of(command)}
    assert loud <= SHORT
    assert ("evaluate",) in ALL.keys() - loud


def test_a_line_now_and_then(impatient, capsys):
    """Also where the work reports nothing for a while."""
    with progress_bar("Scoring samples") as update:
        time.sleep(0.2)
        update(3, 40)
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Scoring samples, 0 s so far"
    assert lines[-1] == "Scoring samples: 3 of 40, 0 s so far"
    assert len(lines) < 8, "the pauses grow"


@pytest.fixture
def talking():
    """A command that reports progress, notes and a warning."""
    single = typer.Typer()

    @single.command()
    @long_command
    def work(count: int = 1) -> None:
        with progress_bar("Working") as update:
            update(count, count)
            time.sleep(0.1)
        lines = StageLines()
        lines.update("drawing", 0, 1)
        reporting = threading.Thread(target=lines.update, args=("scoring", 0, 1))
        reporting.start()
        reporting.join()
        say_written(["a.json"], "json")
        logging.getLogger("chorus_bench.some").info("a note")
        logging.getLogger("chorus_bench.some").warning("a warning")
        typer.echo(f"done {count}")

    return single


def test_quiet(impatient, talking, caplog):
    logging.getLogger("chorus_bench").setLevel(logging.INFO)
    told = CliRunner().invoke(talking, ["--count", "2"])
    assert told.exit_code == 0, told.output
    assert "Working: 2 of 2" in told.stderr
    assert "drawing: 0 of 1" in told.stderr
    assert "scoring: 0 of 1" in told.stderr
    assert "wrote a.json" in told.stderr
    assert caplog.messages == ["a note", "a warning"]
    caplog.clear()
    quiet = CliRunner().invoke(talking, ["--count", "2", "-q"])
    assert (quiet.stdout, quiet.stderr) == ("done 2\n", "")
    assert caplog.messages == ["a warning"]
    assert logging.getLogger("chorus_bench").level == logging.INFO


def test_the_truth_is_missed_before_anything_is_scored(monkeypatch):
    def scored(*arguments, **options):
        raise AssertionError("it was scored first")

    monkeypatch.setattr("chorus_bench.evaluation.harness._score", scored)
    done = run("evaluate", "--truth")
    assert "example: has no ground truth in 3D" in str(done.exception)
    assert "--truth" in str(done.exception)


def test_what_was_written_is_said(tmp_path):
    """All files, on standard error beside data; the seconds are those of all the work."""
    build_dataset("simulated", tmp_path / "test", categories=["tie"], per_category=2, images=False)
    arguments = ("evaluate", "--split", tmp_path / "test", "--truth", "--min-samples", 1)
    output = tmp_path / "result"
    done = run(*arguments, "--output", output, "--format", "latex")
    assert done.exit_code == 0, done.output
    names = ("results.json", "samples.parquet", "truth.json")
    assert done.stderr.splitlines()[-1] == f"wrote {', '.join(str(output / n) for n in names)}"
    assert sorted(file.name for file in output.iterdir()) == sorted(names)
    assert done.stdout.count(r"\begin{tabular}") == done.stdout.count(r"\end{tabular}") == 3
    assert "Against the ground truth" not in done.stdout
    assert r"Chamfer, cm" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "work", "message"),
    [
        (
            ("leaderboard", "show", "--score", "PAP"),
            "leaderboard.checking.check_leaderboard",
            "PAP",
        ),
        (
            ("compare", "chorus", "uniform", "--baseline", "chorsu"),
            "evaluation.comparison.compare",
            "unknown method 'chorsu'",
        ),
        (("datasets", "info", "x", "--plots", "p"), "datasets.named.dataset_folder", "matplotlib"),
        (
            ("reconstruct", "--fields", "x", "--output", "x.obj"),
            "submission.open_submission",
            "mesh",
        ),
    ],
)
def test_other_work_is_refused_before_it_starts(monkeypatch, arguments, work, message):
    def started(*arguments, **options):
        raise AssertionError("it was started")

    missing = {"matplotlib", "skimage"}
    monkeypatch.setattr(f"chorus_bench.{work}", started)
    for name in {*missing, *(name for name in sys.modules if name.split(".")[0] in missing)}:
        monkeypatch.setitem(sys.modules, name, None)
    done = run(*arguments)
    assert message in str(done.exception), done.exception
    assert "it was started" not in str(done.exception)
