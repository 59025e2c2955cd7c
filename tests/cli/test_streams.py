"""Standard output and error of any kind, and a polite end when the system asks for one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ECHO = """
import json, sys, typer
from chorus_bench.cli import main
import chorus_bench.cli
def work():
    typer.echo(TEXT)
chorus_bench.cli._run = work
main()
"""


def run(code, **options):
    return subprocess.run([sys.executable, "-c", code], check=False, **options)


def echo(text, **options):
    return run(ECHO.replace("TEXT", repr(text)), **options)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "caf\u00e9 \u2192 \U0001f3c4 \\udce9"),
        ("ascii", "caf\u00e9 \u2192 \U0001f3c4 ?"),  # Typer takes it for a mistake: UTF-8
        ("cp1252", "caf\u00e9 \\u2192 \\ud83c\\udfc4 \\udce9"),
    ],
)
def test_characters_that_an_encoding_lacks(encoding, shown, unbuffered):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUNBUFFERED": unbuffered}
    done = echo("caf\u00e9 \u2192 \U0001f3c4 \udce9", env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("utf-8" if encoding == "ascii" else encoding).strip() == shown


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("length", [5, 100_000])
def test_a_full_disk(length, unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        done = echo(
            "x" * length, stdout=full, stderr=subprocess.PIPE, encoding="utf-8", env=environment
        )
        assert done.returncode == 2
        assert done.stderr.startswith("error: standard output: No space left on device\n")
        assert "free some space" in done.stderr
        assert "Traceback" not in done.stderr
        assert echo("x" * length, stdout=full, stderr=full, env=environment).returncode == 2


def test_nobody_reads():
    reading, writing = os.pipe()
    os.close(reading)
    done = echo("x" * 100_000, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams(tmp_path, closed):
    """No file that is opened later takes the place of what is closed."""
    (tmp_path / "code.py").write_text(
        ECHO.replace("TEXT", "'x', file=sys.stderr)\n    typer.echo('x'").replace(
            "def work():", "def work():\n    file = open('file', 'w')"
        )
    )
    done = subprocess.run(
        ["sh", "-c", f"exec '{sys.executable}' code.py {closed}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == ""


FAILING = """
import chorus_bench.cli
def work():
    raise ERROR
chorus_bench.cli._run = work
chorus_bench.cli.main()
"""


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("OSError(28, 'No space left on device', '/a/b')", 2, "error: /a/b: No space left on"),
        ("FileNotFoundError(2, 'No such file', 'c')", 2, "error: c: No such file"),
        ("OSError(5, 'Input/output error', 'c')", 1, "error: c: Input/output error"),
        ("OSError('odd')", 1, "error: odd"),
        ("MemoryError('3 GB')", 1, "error: out of memory 3 GB"),
    ],
)
def test_what_the_system_cannot_do(error, code, message):
    done = run(FAILING.replace("ERROR", error), capture_output=True, text=True)
    assert done.returncode == code
    assert done.stderr.startswith(message)
    assert "What to do: " in done.stderr
    assert "Traceback" not in done.stderr
    environment = os.environ | {"CHORUS_BENCH_TRACEBACK": "1"}
    shown = run(FAILING.replace("ERROR", error), capture_output=True, text=True, env=environment)
    assert "Traceback" in shown.stderr


def test_a_fault_of_our_own_is_shown_whole():
    done = run(FAILING.replace("ERROR", "KeyError('k')"), capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


WAITING = """
import os, signal, sys, time
import chorus_bench.cli
from chorus_bench.io.files import atomic_folder
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.io.locks import only_writer
def work():
    with only_writer("out"), atomic_folder("out") as folder, temporary_folder() as unpacked:
        (folder / "part").touch()
        (unpacked / "part").touch()
        print("ready", flush=True)
        try:
            time.sleep(300)
        finally:
            os.kill(os.getpid(), NUMBER)  # once more, while it cleans up
            time.sleep(0.1)
chorus_bench.cli._run = work
signal.signal(NUMBER, signal.SIG_DFL)  # whatever this test was started by
chorus_bench.cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_asked_to_end_cleans_up(tmp_path, number):
    code = WAITING.replace("NUMBER", str(int(number)))
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        assert len(list(tmp_path.iterdir())) == 3
        process.send_signal(number)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 128 + number
    assert err == f"ended by {number.name}; run the same command again to continue\n"
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    """As nohup has it."""
    code = (
        "import signal, chorus_bench.cli\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "chorus_bench.cli._run = lambda: signal.raise_signal(signal.SIGHUP)\n"
        "chorus_bench.cli.main()\n"
    )
    assert run(code).returncode == 0


def test_notes_of_the_hub_s_libraries_are_printed_once():
    """They print their own; those of a library that prints nothing are seen as well."""
    notes = """
import logging
from huggingface_hub.utils import logging as hub
import chorus_bench.cli
def work():
    hub.get_logger("huggingface_hub.file_download").warning("of the hub")
    logging.getLogger("some.library").warning("of a library")
    logging.getLogger("chorus_bench.io.locks").info("of ours")
    logging.getLogger("chorus_bench.io.locks").warning("our warning")
chorus_bench.cli._run = work
for time in range(2):  # a second run in the same process prints them once, too
    try:
        chorus_bench.cli.main()
    except SystemExit as end:
        assert end.code == 0
"""
    done = subprocess.run([sys.executable, "-c", notes], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == 2 * [
        "of the hub",
        "of a library",
        "INFO: of ours",
        "WARNING: our warning",
    ]
