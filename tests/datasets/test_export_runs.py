"""Several builds at once, killed builds, and names that look like patterns."""

import multiprocessing
import os
import signal
import threading

import pytest

from chorus_bench.datasets import named
from chorus_bench.datasets.export import build_once, export
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.recipe import Piece
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from chorus_bench.io import locks
from chorus_bench.io.files import WriteError
from chorus_bench.io.workplaces import open_working_folder, output_of, working_folder
from tests.datasets.recipes import rows_of, squares


def gated(begun, go_on):
    """A recipe whose second piece waits."""

    def slow(notes):
        begun.set()
        assert go_on.wait(60)
        yield from rows_of(range(8, 12), "skateboard", 0.0, notes)

    first = Piece("first", lambda notes: rows_of(range(8), "skateboard", 0.0, notes), 8)
    return squares(pieces=[first, Piece("second", slow, 4)])


@pytest.fixture
def building(tmp_path):
    """Give a recipe that is being built, until it is let go on."""
    begun, go_on, built = threading.Event(), threading.Event(), []
    recipe = gated(begun, go_on)
    thread = threading.Thread(target=lambda: built.append(export(recipe, tmp_path / "out")))
    thread.start()
    assert begun.wait(60)
    yield recipe, go_on, thread
    go_on.set()
    thread.join()
    assert built[0].info.rows == 11
    assert verify_dataset(tmp_path / "out").ok


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_build_is_refused_with_the_name_of_the_first(tmp_path, building, overwrite):
    for recipe in (building[0], squares()):  # the same rows, and others
        with pytest.raises(InputError, match="another run is working here") as caught:
            export(recipe, tmp_path / "out", overwrite=overwrite)
        assert f"process {os.getpid()}" in str(caught.value)


def test_who_needs_it_waits_and_takes_it(tmp_path, building, monkeypatch, caplog):
    recipe, go_on, thread = building
    monkeypatch.setattr(locks, "_SECONDS_A_TRY", 0.01)
    threading.Timer(0.3, go_on.set).start()
    assert build_once(recipe, tmp_path / "out") == tmp_path / "out"
    thread.join()
    assert "waiting for another run that is making" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_who_waits_builds_where_the_first_one_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "_SECONDS_A_TRY", 0.01)
    begun, fail = threading.Event(), threading.Event()

    def broken(notes):
        begun.set()
        fail.wait(60)
        raise WriteError("no room")

    def first():
        with pytest.raises(WriteError):
            build_once(squares(pieces=[Piece("broken", broken)]), tmp_path / "out")

    thread = threading.Thread(target=first)
    thread.start()
    begun.wait(60)
    threading.Timer(0.2, fail.set).start()
    build_once(squares(), tmp_path / "out")
    thread.join()
    assert DatasetInfo.load(tmp_path / "out").rows == 38


def die_in_the_second_piece(recipe, output):
    def dying(notes):
        os.kill(os.getpid(), signal.SIGKILL)

    pieces = [recipe.pieces[0], Piece(recipe.pieces[1].key, dying), *recipe.pieces[2:]]
    export(squares(pieces=pieces), output)


def killed(output):
    """Have a build killed in its second piece."""
    process = multiprocessing.get_context("fork").Process(
        target=die_in_the_second_piece, args=(squares(), output)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_killed_build_goes_on_and_leaves_nothing(tmp_path):
    killed(tmp_path / "out")
    assert len(list(tmp_path.iterdir())) == 3  # the lock, the pieces, the folder to be
    built = export(squares(), tmp_path / "out")
    assert built.resumed == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert built.info == export(squares(), tmp_path / "whole").info


def test_another_build_there_leaves_nothing_of_a_killed_one(tmp_path):
    killed(tmp_path / "out")
    export(squares(value=0.5), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_build_that_was_killed_when_all_was_done(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("chorus_bench.datasets.export.remove_working_folder", lambda folder: None)
        export(squares(), tmp_path / "out")
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(InputError, match="already exists"):
        export(squares(), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_pieces_that_are_still_needed_stay(tmp_path):
    """An unfinished build of other rows, to replace those that are there."""
    export(squares(), tmp_path / "out")
    work = working_folder(tmp_path / "out", squares(value=0.5).key)
    open_working_folder(work, {})
    with pytest.raises(InputError, match="already exists"):
        export(squares(), tmp_path / "out")
    assert work.is_dir()


@pytest.mark.parametrize("name", ["data[1]", "data*", "d?ta", "data\n1", "caf\udce9"])
def test_names_are_no_patterns(tmp_path, name):
    others = [".data1.building-0123456789ab", ".dxta.building-0123456789ab"]
    for other in others:
        (tmp_path / other / "piece-00000").mkdir(parents=True)
    open_working_folder(working_folder(tmp_path / "data1", "ba9876543210"), {})
    others.append(".data1.building-ba9876543210")
    export(squares(), tmp_path / name)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, name])


def test_a_folder_of_somebody_else_is_not_taken_for_pieces(tmp_path):
    own = working_folder(tmp_path / "out", squares().key)
    own.mkdir()
    (own / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="already exists"):
        export(squares(), tmp_path / "out")
    assert [path.name for path in own.iterdir()] == ["notes.txt"]


def test_only_a_dataset_is_overwritten(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="is not a dataset, so it is not replaced"):
        export(squares(), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "thesis.tex").read_text() == "mine"


def test_a_user_who_writes_there_meanwhile(tmp_path):
    export(squares(), tmp_path / "out")

    def slow(notes):
        (tmp_path / "out" / "notes.txt").write_text("mine")
        yield from rows_of(range(3), "skateboard", 0.5, notes)

    with pytest.raises(InputError, match="has created or changed it in the meantime"):
        export(squares(pieces=[Piece("slow", slow)]), tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


@pytest.fixture
def small_simulated(monkeypatch):
    class Builder:
        def configured(self, options):
            return squares

    monkeypatch.setattr("chorus_bench.datasets.registry.get_builder", lambda name: Builder())
    monkeypatch.setattr(named, "_folder_of_this_process", named._folder_of_this_process.__wrapped__)


def test_the_simulated_split_is_built_once(tmp_path, monkeypatch, small_simulated, caplog):
    monkeypatch.setenv("CHORUS_BENCH_CACHE", str(tmp_path))
    caplog.set_level("INFO", logger="chorus_bench")
    folder = named.dataset_folder("simulated")
    assert folder.parent == tmp_path / "datasets"
    assert named.dataset_folder("simulated") == folder
    assert caplog.text.count("building squares, once") == 1
    assert sorted(p.name for p in folder.parent.iterdir()) == ["CACHEDIR.TAG", folder.name]


@pytest.mark.parametrize("place", ["/dev/full/cache", "~nobody-of-this-name/x"])
def test_the_simulated_split_without_a_cache(monkeypatch, small_simulated, caplog, place):
    monkeypatch.setenv("CHORUS_BENCH_CACHE", place)
    folder = named.dataset_folder("simulated")
    assert verify_dataset(folder).ok
    assert "set CHORUS_BENCH_CACHE to a folder" in caplog.text


def test_what_a_working_folder_is_for(tmp_path):
    assert output_of(working_folder(tmp_path / "a b", "0123456789ab")) == tmp_path / "a b"
    with pytest.raises(ValueError, match="is not a working folder"):
        output_of(tmp_path / "a b")
