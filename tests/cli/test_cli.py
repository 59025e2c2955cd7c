"""The command line: what a user types and reads."""

from __future__ import annotations

import dataclasses
import json
import os
import pty
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench import selftest
from chorus_bench.datasets.schema import TEST_SCHEMA
from chorus_bench.io.shipped import packaged_folder
from chorus_bench.submission import open_submission, write_submission
from tests.cli.cli_tools import run_cli, run_process
from tests.evaluation.small_split import blob_field, make_row


@pytest.fixture
def split_folder(tmp_path):
    rows = [make_row("surfboard", number) | {"image": None} for number in range(3)]
    folder = tmp_path / "split"
    folder.mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schema=TEST_SCHEMA), folder / "test-0.parquet")
    return folder


@pytest.fixture
def submission(tmp_path):
    return write_submission(tmp_path / "s", method="blob", fields={"surfboard": blob_field()})


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from chorus_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'scipy', 'pyarrow', 'datasets', 'cv2', 'pandas'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in ("evaluate", "compare", "validate", "selftest", "body", "cache", "datasets"):
        assert command in done.stdout


def test_version():
    from chorus_bench import __version__

    assert run_process("--version").stdout.strip() == __version__


def test_evaluate_table_and_files(tmp_path, split_folder, submission):
    output = tmp_path / "result"
    done = run_process(
        "evaluate", submission, "--split", split_folder, "--min-samples", 3, "--output", output
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "surfboard" in done.stdout
    assert "mean over categories" in done.stdout
    assert "Signature: PAP|v1|split:split@" in done.stdout
    result = json.loads((output / "results.json").read_text())
    assert result["schema"] == 1
    assert result["scores"]["samples"] == 3
    assert pq.read_table(output / "samples.parquet").num_rows == 3


@pytest.mark.parametrize("style", ["json", "markdown", "latex"])
def test_formats(split_folder, submission, style):
    arguments = ("--split", split_folder, "--min-samples", 3, "--format", style)
    done = run_cli("evaluate", submission, *arguments)
    assert done.returncode == 0, done.stderr
    if style == "json":
        assert set(json.loads(done.stdout)["scores"]) >= {"mPAP", "mPAP_strict_hoa"}
    else:
        assert {"markdown": "| surfboard", "latex": r"\begin{tabular}"}[style] in done.stdout


def test_compare(tmp_path, split_folder, submission):
    other = write_submission(
        tmp_path / "o", method="other", fields={"surfboard": blob_field(center=(0, -0.6, 0))}
    )
    arguments = ("--split", split_folder, "--min-samples", 3, "--output")
    assert run_cli("evaluate", submission, *arguments, tmp_path / "r1").returncode == 0
    assert run_cli("evaluate", other, *arguments, tmp_path / "r2").returncode == 0
    done = run_cli("compare", tmp_path / "r1", tmp_path / "r2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert {lines[2].split()[1], lines[3].split()[1]} == {"blob", "other"}
    closed = ("--split", split_folder, "--min-samples", 2, "--output", tmp_path / "r3")
    assert run_cli("evaluate", other, *closed).returncode == 0
    refused = _fails("compare", tmp_path / "r1", tmp_path / "r3")
    assert "scored differently: min: 3 against 2" in refused
    assert "two or more" in _fails("compare", tmp_path / "r1")


def _fails(*arguments) -> str:
    done = run_cli(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_errors_have_exit_code_2(tmp_path, split_folder, submission):
    assert "no such split" in _fails("evaluate", submission, "--split", tmp_path / "nowhere")
    assert "min-samples 3" in _fails("evaluate", submission, "--split", split_folder)
    unknown = _fails("evaluate", submission, "--split", split_folder, "--category", "surfbord")
    assert "Did you mean 'surfboard'" in unknown
    assert "Did you mean 'closed'" in _fails("evaluate", submission, "--protocol", "close")
    assert "no such body file" in _fails("evaluate", submission, "--body", tmp_path / "b.npz")
    assert "--format" in _fails("evaluate", submission, "--format", "html")
    assert "nowhere" in _fails("evaluate", tmp_path / "nowhere")


@pytest.mark.parametrize("cache", ["/dev/full/cache", "~nobody-of-this-name/cache"])
def test_a_cache_that_cannot_be_used(tmp_path, split_folder, submission, cache):
    """It is said once, the variable is named, and the evaluation goes on."""
    environment = os.environ | {"CHORUS_BENCH_CACHE": cache}
    arguments = ("evaluate", submission, "--split", split_folder, "--min-samples", 3)
    done = run_process(*arguments, "--output", tmp_path / "out", env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Prepared geometry is not kept for the next run") == 1
    assert "set CHORUS_BENCH_CACHE to a folder" in done.stderr
    run_cli(*arguments, "--output", tmp_path / "usual")
    own, usual = (tmp_path / name / "samples.parquet" for name in ("out", "usual"))
    assert own.read_bytes() == usual.read_bytes()


def test_validate_reports_everything(tmp_path, submission):
    good = run_cli("validate", submission, "--split", "none")
    assert good.returncode == 0, good.stdout + good.stderr
    assert "valid: 0 errors" in good.stdout
    bad = write_submission(tmp_path / "bad", method="bad", fields={"tie": blob_field()})
    (bad / "submission.yaml").write_text("metod: bad\ntrack: canonical\n")
    values = np.full((48, 48, 48), 0.5, np.float32)
    values[1, 2, 3] = np.nan
    np.save(bad / "grids" / "bench.npy", values)
    done = run_cli("validate", bad)
    assert done.returncode == 2
    for text in ("metod", "method", "bench.npy", "1 of 110592"):
        assert text in done.stdout


def test_validate_notices_a_turned_field(tmp_path):
    """The example's fields with z up are noticed, and as they are they pass."""
    with open_submission(packaged_folder("example/submission")) as example:
        fields = {name: example.field(name).values for name in example.categories}
    turned = {name: values.transpose(0, 2, 1) for name, values in fields.items()}
    for name, chosen, expected in (("good", fields, 0), ("turned", turned, 1)):
        done = run_cli("validate", write_submission(tmp_path / name, method="m", fields=chosen))
        assert done.returncode == 0, done.stderr
        warnings = [x for x in done.stdout.splitlines() if "the field fits better" in x]
        assert len(warnings) >= expected
        assert expected or not warnings


def test_body_info_and_convert(tmp_path):
    done = run_cli("body", "info")
    assert done.returncode == 0, done.stderr
    assert "vertices" in done.stdout
    from importlib import resources

    default = resources.files("chorus_bench") / "data/default_body.npz"
    target = tmp_path / "body.npz"
    assert run_cli("body", "convert", default, target).returncode == 0
    again = run_cli("body", "info", target).stdout
    assert _fingerprint(done.stdout) == _fingerprint(again)


def _fingerprint(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("fingerprint"))


def test_selftest(monkeypatch):
    """The command says what the comparisons give; tests/parity/test_golden.py makes them all."""
    checks = (selftest.compare_metric, selftest.compare_azimuth)
    monkeypatch.setattr(selftest, "_CHECKS", checks)
    compared = [comparison for check in checks for comparison in check()]
    done = run_cli("selftest")
    assert done.returncode == 0, done.stdout
    assert all(comparison.name in done.stdout for comparison in compared)
    assert f"All {len(compared)} comparisons agree with the original code's figures" in done.stdout
    failing = dataclasses.replace(compared[0], name="a quantity of ours", largest_difference=1)
    monkeypatch.setattr(selftest, "_CHECKS", (*checks, lambda: [failing]))
    done = run_cli("selftest")
    assert done.returncode == 1, done.stdout
    assert "a quantity of ours" in done.stdout


def test_progress_bar_only_in_a_terminal():
    """In a terminal a bar with an estimate appears after two seconds; elsewhere no bar does."""
    code = (
        "import time\n"
        "from chorus_bench.cli.progress import progress_bar\n"
        "with progress_bar('Scoring samples') as update:\n"
        "    for i in range(26):\n"
        "        time.sleep(0.1)\n"
        "        update(i, 40)\n"
        "    update.say('Trying repairs')\n"
        "    time.sleep(0.3)\n"
    )
    main, side = pty.openpty()
    done = subprocess.run([sys.executable, "-c", code], stderr=side, check=True)
    os.close(side)
    shown = os.read(main, 100_000).decode()
    assert done.returncode == 0
    assert "Scoring samples" in shown
    assert "Trying repairs" in shown
    assert "/40" in shown
    assert "0:00:0" in shown
    piped = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert piped.stderr == b""


def test_cache_commands(tmp_path):
    environment = os.environ | {"CHORUS_BENCH_CACHE": str(tmp_path / "cache")}
    assert "0 files" in run_cli("cache", "info", env=environment).stdout
    assert run_cli("cache", "clear", env=environment).returncode == 0


def test_a_converted_body_is_written_here_and_replaces_nothing(tmp_path):
    done = run_cli("body", "convert", "default", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote default.npz\n"), done.stderr
    again = run_cli("body", "convert", "default", cwd=tmp_path)
    assert again.returncode == 2
    assert "default.npz: the file already exists" in again.stderr
