"""Facts travel with the rows: every path to a dataset gives the same name, body and minimum."""

from __future__ import annotations

import json
import shutil

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from chorus_bench.datasets.eval_split import load_split, split_from_rows
from chorus_bench.datasets.export import export
from chorus_bench.datasets.facts import METADATA_KEY, Facts, agreed
from chorus_bench.datasets.fingerprint import row_digest
from chorus_bench.datasets.labels import plain_name
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import FACTS, TEST_COLUMNS
from chorus_bench.datasets.verify import verify_dataset
from chorus_bench.errors import InputError
from tests.datasets.recipes import squares, training

BODY = "SMPL_NEUTRAL@0123456789ab"
KNOWN = {"body": BODY, "min_samples": 7, "population": ["tennis racket", "skateboard"]}


def facts_of(split):
    return split.label, split.body, split.min_samples, split.population


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return a built split with all facts, in one category, so that one file is the whole."""
    recipe = squares(counts=(("skateboard", 12),), metadata={**KNOWN, "solver": "lm"})
    return export(recipe, tmp_path_factory.mktemp("facts") / "a folder").path


@pytest.fixture(scope="module")
def loaded(built):
    return datasets.load_dataset(str(built), split="test", cache_dir=str(built.parent / "cache"))


@pytest.fixture(scope="module")
def expected(built):
    return facts_of(load_split(built))


def test_what_the_folder_says(built, expected):
    label = verify_dataset(built).info.label
    assert expected == (label, BODY, 7, ("skateboard", "tennis racket"))


@pytest.mark.parametrize("below", ["data", "data/skateboard", "data/skateboard/*.parquet"])
@pytest.mark.parametrize("moved", [False, True])
def test_parts_of_the_folder(built, expected, tmp_path, below, moved):
    [path] = built.glob(below)
    if moved:  # away from chorus_bench.json
        copy = shutil.copytree if path.is_dir() else shutil.copy
        path = copy(path, tmp_path / path.name)
    assert facts_of(load_split(path)) == expected


def _saved(dataset, place):
    dataset.save_to_disk(str(place))
    return datasets.load_from_disk(str(place))


def _parquet(dataset, place):
    dataset.to_parquet(str(place))
    return place


WAYS = {
    "load_dataset": lambda data, place: data,
    "filtered to all": lambda data, place: data.filter(lambda row: True),
    "shuffled": lambda data, place: data.shuffle(seed=1),
    "mapped": lambda data, place: data.map(lambda row: {"mine": row["height"]}),
    "without pictures": lambda data, place: data.remove_columns(["image", "human_box"]),
    "in another format": lambda data, place: data.with_format("numpy"),
    "saved to disk": _saved,
    "saved as Parquet": _parquet,
    "from a dictionary": lambda data, place: datasets.Dataset.from_dict(data.to_dict()),
    "from rows": lambda data, place: datasets.Dataset.from_list(data.to_list()),
    "cut and joined": lambda data, place: datasets.concatenate_datasets(
        [data.select(range(5)), data.select(range(5, len(data)))]
    ),
    "streaming": lambda data, place: data.to_iterable_dataset(),
    "streaming, formatted": lambda data, place: data.to_iterable_dataset().with_format("numpy"),
    "a stream of unknown columns": lambda data, place: datasets.IterableDataset.from_generator(
        data.to_list().__iter__
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_datasets(loaded, expected, tmp_path, way):
    # What is known to be unreadable in pandas and pictures that were decoded do not matter here.
    data = loaded.cast_column("image", datasets.Image(decode=False))
    assert facts_of(load_split(WAYS[way](data, tmp_path / "saved"))) == expected


def test_load_dataset_streaming(built, expected):
    stream = datasets.load_dataset(str(built), split="test", streaming=True)
    assert facts_of(load_split(stream)) == expected


def test_a_part_has_a_label_of_its_own(loaded, expected):
    part = load_split(loaded.filter(lambda row: row["image_id"] < 5))
    assert facts_of(part)[1:] == expected[1:]
    assert part.name == "squares"
    assert part.label != expected[0]
    assert part.fingerprint == load_split(loaded.select(range(5))).fingerprint


def test_without_the_column_nothing_is_known(loaded, expected):
    bare = load_split(loaded.select_columns(list(TEST_COLUMNS)))
    assert (bare.body, bare.min_samples, bare.population) == (None, None, None)
    assert bare.fingerprint == expected[0].split("@")[1]


def test_files_of_earlier_versions_have_the_facts_of_their_folder(tmp_path):
    """Where files carry nothing, chorus_bench.json above them counts, if it lists them."""
    export(squares(metadata={"body": BODY, "min_samples": 3}), tmp_path / "old")
    for file in (tmp_path / "old").rglob("*.parquet"):
        table = pq.read_table(file).drop_columns([FACTS]).replace_schema_metadata(None)
        pq.write_table(table, file)
    [file] = (tmp_path / "old/data/skateboard").glob("*.parquet")
    for path in (tmp_path / "old", tmp_path / "old/data", file.parent, file):
        split = load_split(path)
        assert (split.name, split.body, split.min_samples) == ("squares", BODY, 3)
    assert verify_dataset(tmp_path / "old").rows == 38
    stranger = shutil.copy(file, file.with_name("test-mine.parquet"))
    assert load_split(stranger).body is None


def test_a_file_says_where_it_comes_from(built):
    [file] = built.rglob("*.parquet")
    content = json.loads(pq.read_schema(file).metadata[METADATA_KEY])
    assert content["name"] == "squares"
    assert content["provenance"]["made_with"].startswith("chorus-bench ")
    assert content["provenance"]["sources"] == [["a file", "file.json", "ab" * 32]]
    assert content["provenance"]["details"] == {"solver": "lm"}
    assert content["provenance"]["license"] == "cc0-1.0"


def _rewrite(folder, change):
    file = folder / "chorus_bench.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, **change}))


@pytest.mark.parametrize(
    "change",
    [
        {"body": "SMPL_NEUTRAL@ffffffffffff"},
        {"name": "other"},
        {"min_samples": 1},
        {"population": ["skateboard"]},
        {"split": "train"},
        {"version": "9"},
    ],
)
def test_places_that_disagree_are_refused(built, tmp_path, change):
    shutil.copytree(built, tmp_path / "changed")
    _rewrite(tmp_path / "changed", change)
    [name] = change
    with pytest.raises(InputError, match=f"says {name} ") as caught:
        load_split(tmp_path / "changed")
    assert "chorus_bench.json says" in str(caught.value)
    if name not in ("version",):
        assert any(f"says {name} " in p for p in verify_dataset(tmp_path / "changed").problems)


def test_the_name_of_a_body_may_differ(built, expected, tmp_path):
    shutil.copytree(built, tmp_path / "renamed")
    _rewrite(tmp_path / "renamed", {"body": "body@0123456789ab"})
    assert load_split(tmp_path / "renamed").label == expected[0]


def test_rows_of_two_datasets_are_refused(loaded, tmp_path):
    other = export(squares(name="others", metadata=KNOWN), tmp_path / "other").path
    rows = datasets.load_dataset(str(other), split="test", cache_dir=str(tmp_path / "cache"))
    mixed = datasets.concatenate_datasets([loaded, rows])
    for source in (mixed, mixed.to_iterable_dataset()):
        with pytest.raises(InputError, match=r"says name squares, but .* says others"):
            load_split(source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "x|split:mini4@0123456789ab"}, "name: is 'x"),
        ({"name": "x@0123456789ab"}, "name: is 'x@"),
        ({"name": "\x1b[31m"}, "name: has control characters"),
        ({"name": "a\u202eb"}, "name: has control characters"),
        ({"name": ""}, "name: has 0 characters"),
        ({"name": "n" * 81}, "name: "),
        ({"name": 7}, "name: is 7"),
        ({"body": "x|y@0"}, r"body: is 'x\|y"),
        ({"body": ["a"]}, "body: is a list"),
        ({"min_samples": 0}, "min_samples: is 0"),
        ({"min_samples": True}, "min_samples: is true"),
        ({"min_samples": "ten"}, "min_samples: is the text 'ten'"),
        ({"population": "tie"}, "population: is the text 'tie'"),
        ({"population": [1]}, r"population\[0\]: is 1"),
        ({"version": 1}, "version: is 1"),
    ],
)
def test_odd_facts_are_refused_where_they_are_read(rows, tmp_path, change, message):
    bare = datasets.Dataset.from_list([{key: row[key] for key in TEST_COLUMNS} for row in rows])
    (tmp_path / "split").mkdir()
    bare.to_parquet(str(tmp_path / "split" / "test-0.parquet"))
    (tmp_path / "split" / "chorus_bench.json").write_text(json.dumps(change))
    marked = [{**row, FACTS: json.dumps(change)} for row in bare.to_list()]
    for source in (tmp_path / "split", datasets.Dataset.from_list(marked)):
        with pytest.raises(InputError, match=message):
            load_split(source)


@pytest.mark.parametrize("text", ["no JSON", "[]", "3", ""])
def test_facts_that_are_none(rows, text):
    with pytest.raises(InputError, match=r"is not JSON|facts that are"):
        split_from_rows([{**row, FACTS: text} for row in rows], "made")


def test_names_of_folders_are_made_plain(rows, tmp_path):
    bare = datasets.Dataset.from_list([{key: row[key] for key in TEST_COLUMNS} for row in rows])
    (tmp_path / "a|b@c").mkdir()
    bare.to_parquet(str(tmp_path / "a|b@c" / "test-0.parquet"))
    assert load_split(tmp_path / "a|b@c").name == "a-b-c"
    assert len(plain_name("x" * 300)) == 80


def test_a_name_in_python_is_checked_too(rows):
    with pytest.raises(InputError, match="printable characters"):
        split_from_rows(rows, "x|y")


def test_rows_in_python_carry_their_facts(rows):
    marked = [{**row, FACTS: Facts(body=BODY, min_samples=4).to_text()} for row in rows]
    split = split_from_rows(marked, "mine")
    assert (split.name, split.body, split.min_samples) == ("mine", BODY, 4)
    assert split_from_rows(marked, "mine", min_samples=2).min_samples == 2
    with pytest.raises(InputError, match="says body"):
        split_from_rows(marked, "mine", body="other@ffffffffffff")


def test_facts_are_no_part_of_a_fingerprint():
    row = {"sample_id": "a", "category": "tie", "people": []}
    assert row_digest(row) == row_digest({**row, FACTS: "{}"})


def test_training_rows_carry_them_too(tmp_path):
    place = export(training(metadata={"body": BODY}), tmp_path / "out").path
    [file] = place.rglob("*.parquet")
    data = DatasetRows.open(file)
    rows = list(data.rows("bench"))
    for source in (place, place / "data", file, shutil.copy(file, tmp_path / "x.parquet"), rows):
        opened = DatasetRows.open(source)
        assert (opened.name, opened.body, opened.split) == ("train-squares", BODY, "train")
    stream = datasets.load_dataset(str(place), split="train", streaming=True)
    stream = stream.cast_column("image", datasets.Image(decode=False))
    assert DatasetRows.open(stream).body == BODY


def test_training_rows_are_no_test_split(tmp_path):
    place = export(training(), tmp_path / "out").path
    data = datasets.load_dataset(str(place), split="train", cache_dir=str(tmp_path / "cache"))
    for source in (place, data):
        with pytest.raises(InputError, match="these are training rows"):
            load_split(source)


def test_a_saved_dataset_is_explained(loaded, tmp_path):
    loaded.save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(InputError, match=r"load_from_disk"):
        load_split(tmp_path / "saved")


def test_agreement_takes_what_is_known():
    found = [("a", Facts(name="x")), ("b", Facts(min_samples=3)), ("c", Facts(name="x"))]
    assert agreed(found) == Facts(name="x", min_samples=3)
    assert agreed([]) == Facts()


def test_the_shipped_example_carries_its_facts(tmp_path):
    split = load_split("example")
    assert split.label == "example@39f85e7c3758"
    from chorus_bench.datasets.named import dataset_folder

    [file] = dataset_folder("example").glob("*.parquet")
    alone = load_split(shutil.copy(file, tmp_path / "alone.parquet"))
    assert facts_of(alone) == facts_of(split)
    table = pa.table(pq.read_table(file))
    assert facts_of(load_split(datasets.Dataset(table))) == facts_of(split)


@pytest.mark.parametrize("kind", ["rows", "table", "dictionary of splits", "stream of splits"])
def test_other_forms_are_refused_in_words(loaded, kind):
    source = {
        "rows": loaded.to_list(),
        "table": loaded.with_format("arrow")[:],
        "dictionary of splits": datasets.DatasetDict({"test": loaded}),
        "stream of splits": datasets.IterableDatasetDict({"test": loaded.to_iterable_dataset()}),
    }[kind]
    with pytest.raises(InputError, match=r"a split of type .*\n.*\n.*split_from_rows"):
        load_split(source)
