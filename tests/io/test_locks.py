"""One run at a time in a folder: who has it, and that nobody has it when the process is gone."""

import json
import os
import signal
import subprocess
import sys

import pytest

from chorus_bench.errors import InputError
from chorus_bench.io.locks import only_run

HOLD = """
import sys, time
from chorus_bench.io.locks import only_run
with only_run(sys.argv[1]):
    print("held", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def holder(tmp_path):
    """Give a process that holds the lock of a folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "work")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_owner_is_named(tmp_path, holder):
    with (
        pytest.raises(InputError, match="another run is working here") as caught,
        only_run(tmp_path / "work"),
    ):
        pass
    message = str(caught.value)
    assert f"process {holder.pid}" in message
    assert str(tmp_path / "work") in message
    for word in ("host ", "user ", "since 20", "command "):
        assert word in message
    assert "wait for it, end it, or choose another output" in message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_is_free_when_its_process_is_gone(tmp_path, holder, how):
    holder.send_signal(how)
    holder.wait(timeout=20)
    with only_run(tmp_path / "work"):
        owner = json.loads((tmp_path / "work" / ".lock-owner.json").read_text())
        assert owner["process"] == str(os.getpid())


def test_it_is_free_after_the_block(tmp_path):
    for _ in range(2):
        with only_run(tmp_path):
            pass
        with pytest.raises(RuntimeError), only_run(tmp_path):
            raise RuntimeError
    assert not (tmp_path / ".lock-owner.json").exists()


def test_a_second_run_of_the_same_process_is_refused(tmp_path):
    with only_run(tmp_path):
        with pytest.raises(InputError, match=f"process {os.getpid()}"), only_run(tmp_path):
            pass
        assert (tmp_path / ".lock-owner.json").is_file()
        with pytest.raises(InputError, match="another run"), only_run(tmp_path):
            pass


def test_what_a_dead_owner_left_does_no_harm(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".lock-owner.json").write_text('{"process": "1", "host": "elsewhere"}')
    with only_run(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", "7", None])
def test_an_owner_who_has_not_said_who_it_is(tmp_path, holder, content):
    file = tmp_path / "work" / ".lock-owner.json"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(InputError, match="its owner is unknown"), only_run(tmp_path / "work"):
        pass


def test_the_folder_is_made(tmp_path):
    with only_run(tmp_path / "some" / "where"):
        assert (tmp_path / "some" / "where").is_dir()


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "work").write_text("")
    with (
        pytest.raises(InputError, match="cannot be written: File exists"),
        only_run(tmp_path / "work"),
    ):
        pass
