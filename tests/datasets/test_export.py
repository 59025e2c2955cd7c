"""Export: folders that plain `datasets` loads, whole or not at all, with an honest fingerprint."""

import errno
import functools
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import Image, load_dataset

from chorus_bench.datasets import export as export_module
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.export import export
from chorus_bench.datasets.folder import DatasetInfo, category_folder
from chorus_bench.datasets.parquet import TableWriter
from chorus_bench.datasets.recipe import Piece
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from chorus_bench.io.files import WriteError
from tests.datasets.recipes import rows_of, squares, train_row, training


def load(folder, cache, *config, split="test"):
    return load_dataset(str(folder), *config, split=split, cache_dir=str(cache))


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_the_folder_is_complete(tmp_path):
    built = export(squares(), tmp_path / "out")
    files = sorted(p.relative_to(built.path).as_posix() for p in built.path.rglob("*.*"))
    assert files == [
        "README.md",
        "chorus_bench.json",
        "data/skateboard/test-00000-of-00001.parquet",
        "data/tennis_racket/test-00000-of-00001.parquet",
        "notes.jsonl",
        "pictures/overview.png",
    ]
    assert built.info.categories == {"skateboard": 27, "tennis racket": 11}
    assert built.info.left_out == {"nines": 4}
    assert DatasetInfo.load(built.path) == built.info
    assert leftovers(tmp_path) == []
    notes = [json.loads(line) for line in (built.path / "notes.jsonl").read_text().splitlines()]
    assert [note["entry"] for note in notes] == ["number 9", "number 19", "number 29", "number 9"]


def test_load_dataset_by_category_and_all(tmp_path):
    built = export(squares(), tmp_path / "out")
    one = load(built.path, tmp_path / "cache", "tennis racket")
    assert set(one["category"]) == {"tennis racket"}
    assert len(one) == 11
    everything = load(built.path, tmp_path / "cache")
    assert len(everything) == 38
    assert everything.features["image"] == Image()
    assert everything[0]["pose"] == [0.0] * 72
    assert everything.features["pose"].length == -1
    assert everything[0]["image"] is None


def test_load_dataset_in_a_process_without_us(tmp_path):
    built = export(squares(), tmp_path / "out")
    script = (
        "import sys; from datasets import load_dataset\n"
        f"rows = load_dataset({str(built.path)!r}, 'skateboard', split='test')\n"
        "print(len(rows), rows[3]['sample_id'], 'chorus_bench' in sys.modules)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "27 skateboard-003 False\n", done.stderr


def test_a_rebuilt_folder_never_gives_old_rows(tmp_path):
    cache, folder = tmp_path / "cache", tmp_path / "out"
    for value in (0.0, 0.5, 0.0):
        export(squares(value=value), folder, overwrite=True)
        for config in ((), ("skateboard",)):
            rows = load(folder, cache, *config)
            assert rows[0]["pose"][0] == value
    export(squares(counts=(("skateboard", 4),)), folder, overwrite=True)
    assert len(load(folder, cache)) == 4


def test_two_folders_of_one_name_are_not_mixed_up(tmp_path):
    cache = tmp_path / "cache"
    for place, value in (("a", 0.0), ("b", 0.5)):
        export(squares(value=value), tmp_path / place / "same")
    for place, value in (("a", 0.0), ("b", 0.5), ("a", 0.0)):
        assert load(tmp_path / place / "same", cache)[0]["pose"][0] == value


def test_without_the_content_hash_the_cache_would_give_old_rows(tmp_path):
    """The trap itself: if this fails, `datasets` has mended it."""
    cache, folder = tmp_path / "cache", tmp_path / "out"
    seen = []
    for value in (0.0, 0.5):
        info = export(squares(value=value), folder, overwrite=True).info
        card = (folder / "README.md").read_text()
        (folder / "README.md").write_text(
            card.replace(info.content, "same").replace(info.label, "same")
        )
        seen.append(load(folder, cache)[0]["pose"][0])
    assert seen == [0.0, 0.0]


def test_training_rows_with_empty_columns_come_back(tmp_path):
    built = export(training(), tmp_path / "out")
    rows = load(built.path, tmp_path / "cache", "bench", split="train")
    rows = rows.cast_column("image", Image(decode=False))
    for number, row in enumerate(rows):
        expected = next(train_row(number, []))
        assert row["image"]["bytes"] == b"not looked at"
        assert row["pose"] == expected["pose"]
        assert len(row["people"]) == number % 3
        assert row["camera_rotation"] is None
        if row["people"]:
            assert row["people"][0]["keypoints"] == expected["people"][0]["keypoints"]
    assert verify_dataset(built.path).ok


@pytest.mark.parametrize("recipe", [squares, training])
def test_the_fingerprint_does_not_depend_on_pieces_or_shards(tmp_path, recipe):
    whole = export(recipe(), tmp_path / "a").info
    if recipe is squares:
        cut = export(squares(a_piece=3), tmp_path / "b", shard_bytes=1).info
    else:
        cut = export(training(), tmp_path / "b", shard_bytes=1).info
    assert len(cut.shards) > len(whole.shards)
    assert cut.fingerprint == whole.fingerprint
    assert cut.content != whole.content
    for shard in cut.shards:
        assert f"-of-{sum(s.category == shard.category for s in cut.shards):05d}." in shard.path
    assert verify_dataset(tmp_path / "b").ok


def test_the_fingerprint_is_that_of_the_signature(tmp_path):
    built = export(squares(), tmp_path / "out")
    split = load_split(built.path)
    assert split.label == built.info.label
    assert split.counts == built.info.categories
    assert split.body == "default@123"


def test_the_fingerprint_sees_every_row_and_column(tmp_path):
    fingerprints = {
        export(recipe, tmp_path / str(n)).info.fingerprint
        for n, recipe in enumerate(
            (
                squares(),
                squares(value=1e-6),
                squares(counts=(("skateboard", 30),)),
                training(4),
                training(5),
            )
        )
    }
    assert len(fingerprints) == 5


def test_two_builds_are_equal_to_the_byte(tmp_path):
    folders = [
        export(squares(), tmp_path / name, workers=n).path for name, n in (("a", 1), ("b", 2))
    ]
    contents = [
        {p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders
    ]
    assert contents[0] == contents[1]


def interrupted(recipe, at, error):
    """The recipe with one piece that stops half-way, and a list of the pieces that ran."""
    ran = []

    def make(number, piece, notes):
        ran.append(number)
        for index, row in enumerate(piece.make(notes)):
            if number == at and index == 2:
                raise error
            yield row

    pieces = [
        Piece(piece.key, functools.partial(make, number, piece), piece.size)
        for number, piece in enumerate(recipe.pieces)
    ]
    return squares(pieces=pieces), ran


def test_an_interrupted_build_goes_on(tmp_path):
    recipe, ran = interrupted(squares(), 3, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        export(recipe, tmp_path / "out")
    assert ran == [0, 1, 2, 3]
    assert not (tmp_path / "out").exists()
    recipe, ran = interrupted(squares(), None, None)
    calls = []
    built = export(
        recipe, tmp_path / "out", progress=lambda done, total: calls.append((done, total))
    )
    assert ran == [3, 4, 5]
    assert built.resumed == 3
    assert calls == [(32, 48), (40, 48), (48, 48)]
    assert leftovers(tmp_path) == []
    whole = export(squares(), tmp_path / "whole")
    assert built.info == whole.info
    assert built.notes == whole.notes


def test_other_inputs_do_not_take_over_old_pieces(tmp_path):
    recipe, _ = interrupted(squares(), 3, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        export(recipe, tmp_path / "out")
    built = export(squares(value=0.5), tmp_path / "out")
    assert built.resumed == 0
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("phase", ["pieces", "shards"])
def test_a_full_disk_leaves_nothing_that_looks_complete(tmp_path, monkeypatch, phase):
    write, count = TableWriter.write, [0]
    fails_at = 3 if phase == "pieces" else 8

    def full(self, table):
        count[0] += 1
        if count[0] == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, table)

    with monkeypatch.context() as patch:
        patch.setattr(TableWriter, "write", full)
        with pytest.raises(InputError, match="No space left on device") as caught:
            export(squares(), tmp_path / "out")
    assert "free some space" in str(caught.value)
    assert isinstance(caught.value, WriteError)
    assert ("continues from what is finished" in str(caught.value)) == (phase == "pieces")
    assert not (tmp_path / "out").exists()
    [work] = leftovers(tmp_path)
    assert work.startswith(".out.building-")
    assert not list((tmp_path / work).glob("*.unfinished"))
    built = export(squares(), tmp_path / "out")
    assert built.resumed == (2 if phase == "pieces" else 6)
    assert verify_dataset(built.path).ok


def test_a_fault_in_the_first_piece_leaves_nothing(tmp_path):
    recipe, _ = interrupted(squares(), 0, InputError("a fault"))
    with pytest.raises(InputError, match="a fault"):
        export(recipe, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_stays(tmp_path):
    export(squares(), tmp_path / "out")
    before = (tmp_path / "out/chorus_bench.json").read_bytes()
    with pytest.raises(InputError, match="already exists"):
        export(squares(value=0.5), tmp_path / "out")
    assert (tmp_path / "out/chorus_bench.json").read_bytes() == before


def test_no_row_at_all(tmp_path):
    nothing = Piece("nines", functools.partial(rows_of, [9, 19], "skateboard", 0.0))
    with pytest.raises(InputError, match="no row is left") as caught:
        export(squares(pieces=[nothing]), tmp_path / "out")
    assert "number 9: it ends in nine" in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\\b", "c:d", "x" * 81, "a\nb"])
def test_categories_that_make_no_folder(name):
    with pytest.raises(InputError, match="the category"):
        category_folder(name)


def test_rows_are_streamed(tmp_path, monkeypatch):
    """Never more rows in memory than one group, whatever the piece."""
    sizes = []
    write = TableWriter.write

    def record(self, table):
        sizes.append(table.num_rows)
        write(self, table)

    monkeypatch.setattr(TableWriter, "write", record)
    export(squares(counts=(("skateboard", 500),), a_piece=500), tmp_path / "out")
    assert max(sizes) == 100
    assert export_module.SHARD_BYTES > 1e8


def test_the_card_says_what_a_reader_asks(tmp_path):
    built = export(squares(), tmp_path / "out")
    text = (built.path / "README.md").read_text()
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["license"] == "cc0-1.0"
    assert [c["config_name"] for c in header["configs"]] == [
        "default",
        "skateboard",
        "tennis racket",
    ]
    for part in (
        built.info.label,
        'load_dataset("path/to/this/folder", "skateboard", split="test")',
        "| skateboard    |     27 |",
        "ab" * 32,
        "chorus-bench datasets build squares",
        "@misc{squares}",
        "| nines    |         4 |",
        "mask (COCO RLE)",
        "pictures/overview.png",
    ):
        assert part in text, part


def break_rows(folder):
    [file] = folder.glob("data/skateboard/*.parquet")
    table = pq.read_table(file)
    changed = pa.Table.from_pylist(table.to_pylist()[:-1], schema=table.schema)
    pq.write_table(changed, file)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: next(f.rglob("*.parquet")).unlink(), "is missing"),
        (break_rows, "has 26 rows, not 27"),
        (lambda f: next(f.rglob("*.parquet")).write_bytes(b"PAR1"), "cannot be read"),
        (lambda f: (f / "README.md").unlink(), "README.md: is missing"),
        (lambda f: (f / "README.md").write_text("# No header"), "has no header with configs"),
        (
            lambda f: pq.write_table(pa.table({"a": [1]}), f / "data/skateboard/test-1.parquet"),
            "is not part of the dataset",
        ),
    ],
)
def test_verify_finds_damage(tmp_path, damage, message):
    built = export(squares(), tmp_path / "out")
    assert verify_dataset(built.path).ok
    damage(built.path)
    problems = verify_dataset(built.path).problems
    assert any(message in problem for problem in problems), problems


def test_verify_finds_another_card(tmp_path):
    export(squares(), tmp_path / "a")
    export(squares(value=1.0), tmp_path / "b")
    (tmp_path / "a/README.md").write_bytes((tmp_path / "b/README.md").read_bytes())
    assert "describes other rows" in " ".join(verify_dataset(tmp_path / "a").problems)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{", r"chorus_bench\.json:1: is not JSON"),
        ("[]", r"chorus_bench\.json:1: is a list: \[\]\n  Expected: a table with the keys name"),
        ("[" * 100_000, r"chorus_bench\.json: is nested too deep"),
        ('{"name": "a",\n"name": "b"}', r"chorus_bench\.json:2: has the key 'name' twice"),
        ({"format": 99}, r":2: format: is 99\n  Expected: 1, the format that this version reads"),
        ({"name": "\ud800"}, r":3: name: has control characters: '\\ud800'"),
        ({"name": "a|b"}, r":3: name: is 'a\|b'\n.*without '@' and '\|'"),
        (
            {"rows": 10**400},
            r"rows: is infinite or too large\n  Expected: a whole",
        ),
        ({"body": 5}, r"body: is 5\n  Expected: name@fingerprint or null"),
        (
            {"min_samples": "5"},
            r"min_samples: is the text '5'\n  Expected: a whole",
        ),
        ({"extra": {"a": [float("nan")]}}, r"extra\.a\[0\]: is NaN"),
        ({"shards": [{"path": "../x"}]}, r"shards\[0\]\.path: is '\.\./x'\n.* a path inside"),
        ({"shards": [], "card": {}}, r"card\.license: is missing"),
    ],
)
def test_a_damaged_description_is_named(tmp_path, change, message):
    built = export(squares(), tmp_path / "out")
    file = built.path / "chorus_bench.json"
    content = json.loads(file.read_text())
    text = change if isinstance(change, str) else json.dumps({**content, **change}, indent=1)
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        DatasetInfo.load(built.path)


def test_cards_with_the_older_spelling_are_read(tmp_path):
    built = export(squares(), tmp_path / "out")
    file = built.path / "chorus_bench.json"
    content = json.loads(file.read_text())
    older = ("title", "summary", "construction", "licence", "licence_note", "citation", "tags")
    newer = (key.replace("licence", "license") for key in older)
    for keys in (older, newer):
        texts = iter(content["card"].values())
        file.write_text(json.dumps({**content, "card": dict(zip(keys, texts, strict=True))}))
        assert DatasetInfo.load(built.path) == built.info


def test_not_a_dataset(tmp_path):
    with pytest.raises(InputError, match="is not a built dataset: no chorus_bench"):
        verify_dataset(tmp_path)
    (tmp_path / "chorus_bench.json").write_text('{"name": "facts"}')
    with pytest.raises(InputError, match="lists no files"):
        verify_dataset(tmp_path)
