"""One run at a time in a folder: who has it, and that nobody has it when the process is gone."""

import errno
import getpass
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from chorus_bench.errors import InputError
from chorus_bench.io import locks
from chorus_bench.io.locks import lock_file, only_run, only_writer, remove_free_lock

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
    holder.wait(timeout=300)
    with only_run(tmp_path / "work"):
        owner = json.loads((tmp_path / "work" / ".lock").read_text())
        assert owner["process"] == str(os.getpid())


def test_it_is_free_after_the_block(tmp_path):
    for _ in range(2):
        with only_run(tmp_path):
            pass
        with pytest.raises(RuntimeError), only_run(tmp_path):
            raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_of_the_same_process_is_refused(tmp_path):
    with only_run(tmp_path):
        with pytest.raises(InputError, match=f"process {os.getpid()}"), only_run(tmp_path):
            pass
        assert (tmp_path / ".lock").is_file()
        with pytest.raises(InputError, match="another run"), only_run(tmp_path):
            pass


def test_what_a_dead_owner_left_does_no_harm(tmp_path):
    (tmp_path / ".lock").write_text('{"process": "1", "host": "elsewhere"}')
    with only_run(tmp_path):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", "7"])
def test_an_owner_who_has_not_said_who_it_is(tmp_path, holder, content):
    (tmp_path / "work" / ".lock").write_text(content)
    with pytest.raises(InputError, match="its owner is unknown"), only_run(tmp_path / "work"):
        pass


def test_the_folder_is_made(tmp_path):
    with only_run(tmp_path / "some" / "where"):
        assert (tmp_path / "some" / "where").is_dir()


def test_a_folder_that_stays_empty_is_removed(tmp_path):
    """So that a run that is refused leaves nothing; what was there, or has contents, stays."""
    (tmp_path / "there").mkdir()
    for name in ("there", "some/where", "there/as/well"):
        with pytest.raises(RuntimeError), only_run(tmp_path / name):
            raise RuntimeError
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]
    with only_run(tmp_path / "some" / "where"):
        (tmp_path / "some" / "where" / "file").touch()
    assert (tmp_path / "some" / "where" / "file").is_file()


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "work").write_text("")
    with (
        pytest.raises(InputError, match="cannot be written: File exists"),
        only_run(tmp_path / "work"),
    ):
        pass


def test_what_an_owner_says_cannot_steer_a_terminal(tmp_path, holder):
    (tmp_path / "work" / ".lock").write_text(json.dumps({"host": "\x1b[31mred"}))
    with pytest.raises(InputError, match=r"\\x1b\[31mred") as caught, only_run(tmp_path / "work"):
        pass
    assert "\x1b" not in str(caught.value)


def test_an_output_has_one_writer(tmp_path):
    with only_writer(tmp_path / "deep" / "out"):
        with (
            pytest.raises(InputError, match=f"process {os.getpid()}") as caught,
            only_writer(tmp_path / "deep" / "out"),
        ):
            pass
        assert str(caught.value).startswith(str(tmp_path / "deep" / "out"))
        with only_writer(tmp_path / "deep" / "another"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_others_wait_and_say_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(locks, "_SECONDS_A_LINE", 0.0)
    order, held = [], threading.Event()

    def first():
        with only_writer(tmp_path / "out"):
            held.set()
            time.sleep(0.5)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait()
    with only_writer(tmp_path / "out", wait=True):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]
    assert f"waiting for another run that is making {tmp_path}/out: process {os.getpid()}" in (
        caplog.text
    )
    assert list(tmp_path.iterdir()) == []


def test_never_two_at_once(tmp_path):
    """The file of a lock is removed when it is given back, between others' steps."""
    inside, most, end = [], [], time.monotonic() + 2

    def work():
        while time.monotonic() < end:
            with only_writer(tmp_path / "out", wait=True):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    locks_before = locks._SECONDS_A_TRY
    locks._SECONDS_A_TRY = 0.0
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        locks._SECONDS_A_TRY = locks_before
    assert len(most) > 20
    assert set(most) == {1}
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_nobody_has_is_removed(tmp_path, holder):
    assert not remove_free_lock(tmp_path / "work" / ".lock")
    holder.kill()
    holder.wait()
    assert remove_free_lock(tmp_path / "work" / ".lock")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_file_system_without_locks(tmp_path, monkeypatch, caplog):
    def no_locks(_descriptor):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "_lock", no_locks)
    with only_writer(tmp_path / "out"):
        assert lock_file(tmp_path / "out").is_file()
    assert "has no locks; start no other run here" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_user_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: {}["uid not found"])
    with only_run(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["user"] == str(os.getuid())


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputError, match="cannot be written"),
        only_writer(tmp_path / "file" / "out"),
    ):
        pass
