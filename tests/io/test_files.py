"""Files and folders are written whole or not at all."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

import pytest

from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.io import files, renames
from chorus_bench.io.files import FolderKind, WriteError, atomic_folder, atomic_write_bytes
from chorus_bench.io.leftovers import remove


@pytest.fixture
def two_renames(monkeypatch):
    """Take away the system call that exchanges names, as other systems and NFS have none."""
    monkeypatch.setattr(renames, "_system_call", lambda: None)


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def fail(number: int, name: str | None = None):
    def raising(*_args, **_kwargs):
        raise OSError(number, os.strerror(number), name)

    return raising


def test_a_file_is_written_and_replaced(tmp_path):
    target = tmp_path / "deep" / "er" / "file.json"
    assert atomic_write_bytes(target, b"one") == target
    atomic_write_bytes(target, b"two")
    assert target.read_bytes() == b"two"
    assert names(tmp_path) == ["deep", "deep/er", "deep/er/file.json"]


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    atomic_write_bytes(tmp_path / "ours", b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EACCES, "may write to"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "check the disk"),
    ],
)
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, number, advice):
    target = atomic_write_bytes(tmp_path / "file", b"old")
    monkeypatch.setattr(os, "fsync", fail(number))
    with pytest.raises(WriteError) as caught:
        atomic_write_bytes(target, b"new")
    message = str(caught.value)
    assert str(target) in message
    assert os.strerror(number) in message
    assert advice in message
    assert isinstance(caught.value, ChorusBenchError)
    assert caught.value.exit_code == 2
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_failed_write_removes_the_parents_it_made(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", fail(errno.ENOSPC))
    with pytest.raises(WriteError, match="No space left"):
        atomic_write_bytes(tmp_path / "a" / "b" / "file", b"new")
    assert names(tmp_path) == []


def test_a_parent_that_is_a_file_is_explained(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="cannot be written"):
        atomic_write_bytes(tmp_path / "file" / "below", b"")
    with pytest.raises(WriteError, match="cannot be written"):
        atomic_write_bytes(tmp_path, b"")
    assert names(tmp_path) == ["file"]


def test_a_name_that_is_too_long_is_explained(tmp_path):
    with pytest.raises(WriteError, match="choose a shorter name"):
        atomic_write_bytes(tmp_path / ("x" * 300), b"")
    with (
        pytest.raises(WriteError, match="choose a shorter name"),
        atomic_folder(tmp_path / ("x" * 300)),
    ):
        pass
    assert names(tmp_path) == []


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write_bytes(tmp_path / "file", b"new")
    assert names(tmp_path) == []


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with atomic_folder(tmp_path / "deep" / "out") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_bytes(b"x")
        assert not (tmp_path / "deep" / "out").exists()
    assert names(tmp_path) == ["deep", "deep/out", "deep/out/sub", "deep/out/sub/file"]


def test_a_block_that_raises_leaves_nothing(tmp_path):
    def fill():
        with atomic_folder(tmp_path / "deep" / "out") as folder:
            (folder / "file").write_bytes(b"x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fill()
    assert names(tmp_path) == []


def test_an_existing_folder_is_refused_unless_asked(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").write_bytes(b"x")
    with (
        pytest.raises(InputError, match="already exists") as caught,
        atomic_folder(tmp_path / "out"),
    ):
        pass
    assert "choose another name" in str(caught.value)
    with atomic_folder(tmp_path / "out", overwrite=True) as folder:
        (folder / "new").write_bytes(b"y")
    assert names(tmp_path) == ["out", "out/new"]


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_not_a_folder_is_never_replaced(tmp_path, kind):
    target = tmp_path / "out"
    if kind == "file":
        target.write_bytes(b"x")
    else:
        target.symlink_to(tmp_path)
    with pytest.raises(InputError, match="is not a folder"), atomic_folder(target, overwrite=True):
        pass
    assert names(tmp_path) == ["out"]


def test_a_full_disk_in_the_block_keeps_the_old_folder(tmp_path):
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "old").write_bytes(b"x")

    def fill():
        with atomic_folder(tmp_path / "out", overwrite=True) as folder:
            (folder / "new").write_bytes(b"y")
            fail(errno.ENOSPC)()

    with pytest.raises(WriteError, match=r"No space left on device[\s\S]*free some space"):
        fill()
    assert names(tmp_path) == ["out", "out/old"]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_failed_exchange_puts_the_old_folder_back(tmp_path, monkeypatch, two_renames, fails_at):
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "old").write_bytes(b"x")
    renamed, rename = [], Path.rename

    def one_fails(self, target):
        renamed.append(self)
        if len(renamed) == fails_at:
            fail(errno.EIO, str(self))()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", one_fails)
    with pytest.raises(WriteError), atomic_folder(tmp_path / "out", overwrite=True):
        pass
    assert names(tmp_path) == ["out", "out/old"]


def test_a_refused_exchange_keeps_the_old_folder(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "old").write_bytes(b"x")
    monkeypatch.setattr(renames, "_system_call", lambda: lambda *_: ctypes.set_errno(5) or -1)
    with (
        pytest.raises(WriteError, match="Input/output error"),
        atomic_folder(tmp_path / "out", overwrite=True),
    ):
        pass
    assert names(tmp_path) == ["out", "out/old"]


def somebody_else_makes(path: Path, what: str) -> None:
    if what == "a file":
        path.write_bytes(b"theirs")
    else:
        path.mkdir()
    if what == "a folder":
        (path / "precious").write_bytes(b"theirs")


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("what", ["a folder", "an empty folder", "a file"])
def test_what_is_made_meanwhile_stays(tmp_path, what, overwrite):
    def fill():
        with atomic_folder(tmp_path / "out", overwrite=overwrite) as folder:
            (folder / "ours").write_bytes(b"x")
            somebody_else_makes(tmp_path / "out", what)

    with pytest.raises(InputError, match="another process has created or changed it"):
        fill()
    assert names(tmp_path) == ["out", "out/precious"] if what == "a folder" else ["out"]


@pytest.mark.parametrize("what", ["a folder", "a file"])
def test_what_is_made_meanwhile_stays_on_any_file_system(tmp_path, what, two_renames):
    test_what_is_made_meanwhile_stays(tmp_path, what, overwrite=False)


def test_what_is_made_in_the_last_moment_stays(tmp_path, monkeypatch, two_renames):
    """The look before the rename is not what decides."""
    monkeypatch.setattr(os.path, "lexists", lambda _path: False)
    test_what_is_made_meanwhile_stays(tmp_path, "a folder", overwrite=False)


CHANGES = {
    "another folder": lambda out: (out.rename(out.parent / "away"), out.mkdir()),
    "a new file": lambda out: (out / "deep" / "new").write_bytes(b"theirs"),
    "a changed file": lambda out: (out / "deep" / "old").write_bytes(b"theirs"),
    "a removed file": lambda out: (out / "deep" / "old").unlink(),
}


def old_folder(out: Path) -> None:
    with atomic_folder(out) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "old").write_bytes(b"x")


def overwrite_while(out: Path, change) -> None:
    with atomic_folder(out, overwrite=True) as folder:
        (folder / "ours").write_bytes(b"y")
        change(out)


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_meanwhile_is_not_replaced(tmp_path, change):
    out = tmp_path / "out"
    old_folder(out)
    with pytest.raises(InputError, match="in the meantime, so it was left as it is"):
        overwrite_while(out, CHANGES[change])
    assert not (out / "ours").exists()
    assert not list(tmp_path.glob(".*"))
    if change == "a changed file":
        assert (out / "deep" / "old").read_bytes() == b"theirs"
    if change == "a new file":
        assert names(out) == ["deep", "deep/new", "deep/old"]


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_meanwhile_is_put_back(tmp_path, change, two_renames):
    test_what_is_changed_meanwhile_is_not_replaced(tmp_path, change)


def test_a_folder_that_was_removed_meanwhile_is_written(tmp_path):
    old_folder(tmp_path / "out")
    overwrite_while(tmp_path / "out", shutil.rmtree)
    assert names(tmp_path) == ["out", "out/ours"]


def test_an_overwritten_folder_is_there_at_every_moment(tmp_path, monkeypatch):
    out, seen = tmp_path / "out", []
    old_folder(out)
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: seen.append(out.is_dir()) or sync(file))
    monkeypatch.setattr(files, "remove", lambda path: seen.append(out.is_dir()) or remove(path))
    overwrite_while(out, lambda out: None)
    assert len(seen) > 2
    assert all(seen)
    assert names(tmp_path) == ["out", "out/ours"]


THING = FolderKind("a thing", ("thing.json",))


def test_only_a_folder_of_the_kind_is_replaced(tmp_path):
    out = tmp_path / "out"
    old_folder(out)
    with (
        pytest.raises(InputError, match="is not a thing, so it is not replaced") as caught,
        atomic_folder(out, overwrite=True, kind=THING),
    ):
        pass
    assert "thing.json" in str(caught.value)
    assert names(out) == ["deep", "deep/old"]
    (out / "thing.json").write_bytes(b"")
    with atomic_folder(out, overwrite=True, kind=THING):
        pass
    assert names(out) == []
    with atomic_folder(out, overwrite=True, kind=THING):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_while_files_are_copied(tmp_path, monkeypatch, number):
    """Copying names the source first."""
    source = atomic_write_bytes(tmp_path / "source", b"x")

    def fill():
        with atomic_folder(tmp_path / "out") as folder:
            raise OSError(number, os.strerror(number), str(source), None, str(folder / "copy"))

    with pytest.raises(WriteError, match=os.strerror(number)) as caught:
        fill()
    assert str(caught.value).startswith(str(tmp_path / "out"))
    assert names(tmp_path) == ["source"]


def test_another_disk_that_is_full_is_named(tmp_path):
    def fill():
        with atomic_folder(tmp_path / "out"):
            raise OSError(errno.ENOSPC, "No space left on device", "/elsewhere/file")

    with pytest.raises(WriteError, match=r"^/elsewhere/file: cannot be written"):
        fill()


def test_a_source_that_cannot_be_read_is_not_called_a_failed_write(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "out"):
        (tmp_path / "missing").read_bytes()
    assert names(tmp_path) == []


def test_a_relative_path_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atomic_write_bytes("file", b"x")
    with atomic_folder("out") as folder:
        (folder / "inside").write_bytes(b"y")
    assert names(tmp_path) == ["file", "out", "out/inside"]


def test_a_failed_flush_of_a_folder_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", fail(errno.ENOSPC))

    def fill():
        with atomic_folder(tmp_path / "out") as folder:
            for i in range(40):
                (folder / str(i)).write_bytes(b"x")

    with pytest.raises(WriteError, match="No space left on device"):
        fill()
    assert names(tmp_path) == []
