"""Where the cache is, and that `cache clear` and `cache clean` remove only what is ours."""

import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chorus_bench.cli.cache import app
from chorus_bench.io import cache
from chorus_bench.io.cache import NoCacheError, cache_folder, make_cache_folder
from chorus_bench.io.cleaning import clear_cache
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.leftovers import remove
from chorus_bench.io.locks import only_writer
from chorus_bench.io.workplaces import open_working_folder, working_folder
from tests.cli.test_options import ALL, options_of

FILE = f"ab/ab{'0' * 30}-geometry.bin"


@pytest.fixture
def variables(monkeypatch, tmp_path):
    for name in ("CHORUS_BENCH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "home/.cache/chorus-bench"),
        ({"XDG_CACHE_HOME": "xdg"}, "home/.cache/chorus-bench"),  # not absolute: to be ignored
        ({"XDG_CACHE_HOME": ""}, "home/.cache/chorus-bench"),
        ({"XDG_CACHE_HOME": "~/x"}, "home/x/chorus-bench"),
        ({"CHORUS_BENCH_CACHE": ""}, "home/.cache/chorus-bench"),
        ({"CHORUS_BENCH_CACHE": "  "}, "home/.cache/chorus-bench"),
        ({"CHORUS_BENCH_CACHE": "~"}, "home"),
        ({"CHORUS_BENCH_CACHE": "~/y"}, "home/y"),
        ({"CHORUS_BENCH_CACHE": "y"}, "y"),
    ],
)
def test_where_it_is(variables, tmp_path, given, place):
    for name, value in given.items():
        variables.setenv(name, value)
    assert cache_folder().absolute() == tmp_path / place


def test_an_absolute_place_of_the_desktop(variables, tmp_path):
    variables.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "chorus-bench"


@pytest.mark.parametrize("home", ["", None])
def test_without_a_home(variables, tmp_path, home):
    variables.delenv("HOME")
    if home is not None:
        variables.setenv("HOME", home)
    variables.setattr(cache, "_listed_home", lambda: tmp_path / "listed")
    assert cache_folder() == tmp_path / "listed" / ".cache" / "chorus-bench"
    variables.setattr(cache, "_listed_home", lambda: {}["uid not found: 54321"])
    with pytest.raises(NoCacheError, match="set CHORUS_BENCH_CACHE"):
        cache_folder()
    variables.setenv("CHORUS_BENCH_CACHE", "~nobody-of-this-name/x")
    with pytest.raises(NoCacheError, match="set CHORUS_BENCH_CACHE"):
        cache_folder()


def filled(folder: Path) -> Path:
    make_cache_folder(folder / "geometry")
    atomic_write_bytes(folder / "geometry" / FILE, b"x")
    make_cache_folder(folder / "datasets")
    atomic_write_bytes(folder / "datasets" / "simulated-0123456789ab" / "chorus_bench.json", b"")
    return folder


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def test_clear_removes_what_was_made(tmp_path):
    done = clear_cache(filled(tmp_path / "cache"))
    assert not done.kept
    assert list((tmp_path / "cache").iterdir()) == []


def test_clear_keeps_what_others_made(tmp_path):
    """The cache may be set to a folder with a `geometry` of somebody's own."""
    own = tmp_path / "geometry"
    atomic_write_bytes(own / "notes.txt", b"my own meshes")
    atomic_write_bytes(own / "cd" / "mesh.bin", b"mine")
    atomic_write_bytes(own / FILE, b"from an earlier version")
    atomic_write_bytes(tmp_path / "datasets" / "simulated-0123456789ab" / "notes.txt", b"mine")
    done = clear_cache(tmp_path)
    assert done.removed == [own / "ab"]
    assert {path.name for path, _ in done.kept} == {"notes.txt", "cd", "simulated-0123456789ab"}
    assert names(tmp_path) == [
        "datasets/simulated-0123456789ab/notes.txt",
        "geometry/cd/mesh.bin",
        "geometry/notes.txt",
    ]


def test_a_folder_that_was_there_gets_no_tag(tmp_path):
    (tmp_path / "geometry").mkdir()
    make_cache_folder(tmp_path / "geometry")
    assert names(tmp_path) == []
    make_cache_folder(tmp_path / "datasets")
    assert names(tmp_path) == ["datasets/CACHEDIR.TAG"]


def test_clear_follows_no_link(tmp_path):
    filled(tmp_path / "elsewhere")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "geometry").symlink_to(tmp_path / "elsewhere" / "geometry")
    before = names(tmp_path / "elsewhere")
    clear_cache(tmp_path / "cache")
    assert names(tmp_path / "elsewhere") == before


def test_clear_leaves_a_split_that_is_being_built(tmp_path):
    place = filled(tmp_path / "cache") / "datasets"
    output = place / "simulated-ba9876543210"
    open_working_folder(working_folder(output, "ba9876543210"), {})
    with only_writer(output):
        done = clear_cache(tmp_path / "cache")
        assert working_folder(output, "ba9876543210").is_dir()
    assert [reason for _, reason in done.left] == ["another run is using it"] * 2
    assert clear_cache(tmp_path / "cache").left == []
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_cannot_be_removed_is_said(tmp_path, monkeypatch):
    def refused(path):
        if path.name == "ab":
            raise PermissionError(13, "Permission denied", str(path))
        remove(path)

    monkeypatch.setenv("CHORUS_BENCH_CACHE", str(filled(tmp_path / "cache")))
    monkeypatch.setattr("chorus_bench.io.cleaning.remove", refused)
    done = CliRunner().invoke(app, ["clear"])
    assert done.exit_code == 2
    assert f"not removed: {tmp_path}/cache/geometry/ab: Permission denied" in done.output
    assert f"removed {tmp_path}/cache/datasets" in done.output
    assert names(tmp_path) == ["cache/geometry/CACHEDIR.TAG", f"cache/geometry/{FILE}"]


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.setenv("CHORUS_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def said(*arguments):
        done = CliRunner().invoke(app, [*arguments])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    assert said("info") == f"{tmp_path}/cache: 0 files, 0.0 MB"
    assert said("clear") == f"nothing to remove in {tmp_path}/cache"
    assert said("clean") == f"no leftovers in {tmp_path}, {tmp_path}/cache"
    filled(tmp_path / "cache")
    assert said("info") == f"{tmp_path}/cache: 4 files, 0.0 MB"
    (tmp_path / f".chorus-bench-00000000-{os.getpid()}-1-abc.tmp").mkdir()
    assert "not removed" in said("clean")
    assert "removed" in said("clean", "--all-machines")
    assert said("prune", "--older-than", "1") == f"nothing to remove in {tmp_path}/cache"
    other = filled(tmp_path / "other")
    assert said("info", "--cache", str(other)) == f"{other}: 4 files, 0.0 MB"
    assert said("clear", "--cache", str(other)) != ""
    assert list(other.iterdir()) == []
    assert f"removed {tmp_path}/cache/geometry" in said("clear")
    assert os.environ["CHORUS_BENCH_CACHE"] == str(tmp_path / "cache")


def test_prune_removes_what_was_not_used(tmp_path):
    """Batches one by one, splits as a whole; the tags stay."""
    cache = filled(tmp_path / "cache")
    recent = cache / "geometry" / FILE.replace("ab0", "ab1")
    for path in (recent, cache / "datasets" / "simulated-ba9876543210" / "chorus_bench.json"):
        atomic_write_bytes(path, b"x")
    atomic_write_bytes(recent.parent.parent / "notes.txt", b"mine")
    used = time.time()
    for path in [path for path in cache.rglob("*") if path.is_file()]:
        old = used - 3 * 86400
        if path != recent and "ba98" not in str(path):
            os.utime(path, (old, old))
    for path in (cache / "datasets").iterdir():
        os.utime(path, (0, 0))
    done = clear_cache(cache, unused_since=used - 2 * 86400)
    assert names(cache) == [
        "datasets/CACHEDIR.TAG",
        "datasets/simulated-ba9876543210/chorus_bench.json",
        "geometry/CACHEDIR.TAG",
        recent.relative_to(cache).as_posix(),
    ]
    assert not done.kept


def test_commands_that_use_the_cache_take_its_folder():
    """All that open a split, a dataset or a result, any of which may be a name."""
    opening = {"split", "data", "dataset", "result", "results", "leaderboard"}
    lacking = {
        words
        for words, command in ALL.items()
        if {parameter.name for parameter in command.params} & opening
        and "--cache" not in options_of(command)
    }
    assert lacking == {
        ("annotate",),  # its --split is of the hub's datasets
        ("datasets", "build", "simulated"),  # --split test or train
        ("leaderboard", "build"),
        ("leaderboard", "check"),
        ("leaderboard", "show"),
    }
    assert "--cache" in options_of(ALL["cache", "prune"])
