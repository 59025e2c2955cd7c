"""Files and folders are written whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.io.files import WriteError, atomic_folder, atomic_write_bytes


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


def test_a_failed_exchange_puts_the_old_folder_back(tmp_path, monkeypatch):
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "old").write_bytes(b"x")
    renamed, rename = [], Path.rename

    def second_fails(self, target):
        renamed.append(self)
        if len(renamed) == 2:
            fail(errno.EIO)()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(WriteError), atomic_folder(tmp_path / "out", overwrite=True):
        pass
    assert names(tmp_path) == ["out", "out/old"]


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
