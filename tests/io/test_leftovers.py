"""What killed runs left is removed, and nothing else is."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from chorus_bench.io import leftovers, owners
from chorus_bench.io.cleaning import clean
from chorus_bench.io.files import atomic_folder, atomic_write_bytes
from chorus_bench.io.leftovers import (
    owner_of,
    remove_leftovers,
    temporary_folder,
    unfinished,
    unfinished_name,
)
from chorus_bench.io.locks import lock_file, only_writer
from chorus_bench.io.owners import Owner
from chorus_bench.io.workplaces import is_working_folder, open_working_folder, working_folder

DIE = """
import os, signal, sys
from pathlib import Path
from chorus_bench.io import files
from chorus_bench.io.files import atomic_folder, atomic_write_bytes
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.io.locks import only_writer
die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
place = Path(sys.argv[1])
"""
DEATHS = {
    "in a folder": "with atomic_folder(place / 'out') as f: (f / 'a').touch(); die()",
    "in a file": "files.os.fsync = die; atomic_write_bytes(place / 'file', b'x')",
    "in the temporary folder": "with temporary_folder() as f: (f / 'a').touch(); die()",
    "with a lock": "with only_writer(place / 'out'): die()",
    "before the old one is gone": "files.remove = die\n"
    "with atomic_folder(place / 'out', overwrite=True) as f: (f / 'new').touch()",
}


def die(folder: Path, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIE + how, str(folder)],
        env=os.environ | {"TMPDIR": str(folder)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


@pytest.fixture
def own_tmp(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("how", ["in a folder", "in a file"])
def test_the_next_run_removes_what_a_killed_one_left(tmp_path, how):
    die(tmp_path, DEATHS[how])
    assert any(name.startswith(".chorus-bench-") for name in names(tmp_path))
    with atomic_folder(tmp_path / "other"):
        pass
    assert names(tmp_path) == ["other"]


def test_a_file_written_beside_removes_it_too(tmp_path):
    die(tmp_path, DEATHS["in a folder"])
    atomic_write_bytes(tmp_path / "other", b"")
    assert names(tmp_path) == ["other"]


def test_a_run_that_was_killed_before_it_removed_the_old_folder(tmp_path):
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "old").touch()
    die(tmp_path, DEATHS["before the old one is gone"])
    assert len(names(tmp_path)) == 4
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["out", "out/new"]


def test_an_unpacked_archive_of_a_killed_run(own_tmp):
    die(own_tmp, DEATHS["in the temporary folder"])
    assert len(names(own_tmp)) == 2
    with temporary_folder() as folder:
        assert list(own_tmp.iterdir()) == [folder]
        assert folder.stat().st_mode & 0o077 == 0
    assert names(own_tmp) == []


def test_a_lock_of_a_killed_run(own_tmp):
    die(own_tmp, DEATHS["with a lock"])
    assert names(own_tmp) == [lock_file(own_tmp / "out").name]
    assert len(clean([own_tmp]).removed) == 1
    assert names(own_tmp) == []


def left_by(owner: Owner, folder: Path, kind: str = "tmp") -> Path:
    path = folder / f".chorus-bench-{owner.label}-0a1b2c.{kind}"
    path.mkdir()
    return path


def gone(process=2**22 + 5) -> Owner:
    return Owner(Owner.current().machine, process, 1)


def test_what_somebody_works_on_stays(tmp_path):
    here = Owner.current()
    living = [
        left_by(here, tmp_path),
        left_by(Owner(here.machine, os.getppid(), 0), tmp_path),  # its start is not known
        left_by(Owner("0" * 8, 2**22 + 5, 1), tmp_path),  # of another machine
    ]
    left_by(gone(), tmp_path)
    left_by(Owner(here.machine, here.process, here.started + 1), tmp_path)  # the number is new
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(living)


def test_a_process_that_nobody_has_collected_is_gone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        started = owners._state_and_start(process.pid)[1]
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert Owner(Owner.current().machine, process.pid, started).is_gone()


@pytest.mark.parametrize(
    "name",
    [
        ".chorus-bench-notes.tmp",
        ".chorus-bench-0123456789ab.tmp",
        "chorus-bench-results.old",
        f".chorus-bench-{gone().label}-0a1b2c.txt",
        f".chorus-bench-{gone().label}x-0a1b2c.tmp",
    ],
)
def test_what_has_another_name_stays(tmp_path, name):
    (tmp_path / name).mkdir()
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [name]


def test_a_link_with_such_a_name_is_not_followed(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / f".chorus-bench-{gone().label}-0a1b2c.tmp").symlink_to(tmp_path / "mine")
    remove_leftovers(tmp_path)
    assert (tmp_path / "mine").is_dir()


def test_what_is_of_another_user_stays(tmp_path, monkeypatch):
    left_by(gone(), tmp_path)
    monkeypatch.setattr(leftovers.os, "getuid", lambda: 54321)
    assert unfinished(tmp_path) == []


def test_what_was_put_aside_goes_back(tmp_path):
    aside = left_by(gone(), tmp_path, "old")
    (aside / "out").mkdir()
    (aside / "out" / "old").write_bytes(b"x")
    with atomic_folder(tmp_path / "other"):
        pass
    assert names(tmp_path) == ["other", "out", "out/old"]


def test_what_was_put_aside_does_not_come_before_what_is_there(tmp_path):
    aside = left_by(gone(), tmp_path, "old")
    (aside / "out").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "new").write_bytes(b"x")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["out", "out/new"]


def test_names_say_whose_they_are(tmp_path):
    here = Owner.current()
    assert owner_of(unfinished_name(tmp_path).name) == here
    assert owner_of(unfinished_name(tmp_path, "old").name) == here
    assert not here.is_gone()
    assert here.started > 0
    assert Owner.parse(here.label) == here
    assert Owner.parse("nobody") is None


def unfinished_build(output: Path) -> Path:
    folder = working_folder(output, "0123456789ab")
    open_working_folder(folder, {"name": "x"})
    return folder


def test_clean_looks_below(own_tmp):
    deep = own_tmp / "some" / "where"
    deep.mkdir(parents=True)
    unfinished_build(deep / "data[1]")
    left_by(gone(), deep)
    (deep / ".data1.building-0123456789ab").mkdir()  # somebody's own
    (deep / "results.json").touch()
    assert len(clean([own_tmp]).removed) == 2
    assert sorted(path.name for path in deep.iterdir()) == [
        ".data1.building-0123456789ab",
        "results.json",
    ]


def test_clean_leaves_what_is_in_use(own_tmp):
    build = unfinished_build(own_tmp / "out")
    with only_writer(own_tmp / "out"):
        done = clean([own_tmp])
        assert build.is_dir()
    assert done.removed == []
    assert (build, "another run is using it") in done.left


def test_clean_leaves_what_other_machines_left_unless_asked(own_tmp):
    path = left_by(Owner("0" * 8, 1, 1), own_tmp)
    done = clean([own_tmp])
    assert [left for left, _ in done.left] == [path] * 2  # it is the temporary folder as well
    assert "--all-machines" in done.left[0][1]
    assert clean([own_tmp], all_machines=True).removed == [path]
    assert names(own_tmp) == []


def test_a_folder_that_is_no_working_folder(tmp_path):
    folder = working_folder(tmp_path / "out", "0123456789ab")
    folder.mkdir()
    assert not is_working_folder(folder)
    (folder / "building.json").write_text('{"made_with": "something else"}')
    assert not is_working_folder(folder)
