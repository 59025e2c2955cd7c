"""Pictures of any origin become the rows that the synthesis would have made of them."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import datasets
import huggingface_hub
import pytest
import yaml
from huggingface_hub.errors import HfHubHTTPError
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.datasets.export import export
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.image_folder import image_folder_recipe
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.submission import open_submission
from chorus_bench.synthesis.annotating import annotate
from chorus_bench.synthesis.filters import filter_rows
from chorus_bench.synthesis.picture_source import SourceOptions
from chorus_bench.synthesis.pipeline import work_folder
from chorus_bench.synthesis.settings import read_settings
from chorus_bench.synthesis.sources import open_source
from tests.synthesis.pictures import (
    CATEGORY,
    KEYWORDS,
    annotator_changes,
    simulated_rows,
    write_crawled,
    write_truth,
)
from tests.synthesis.world import make_small, shard_bytes, times

ONE = SourceOptions((CATEGORY,))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with the truth and the pictures, never written to."""
    folder = tmp_path_factory.mktemp("pictures")
    write_truth(folder / "truth")
    write_crawled(folder / "crawled")
    return folder


@pytest.fixture(scope="module")
def settings(place):
    return read_settings(changes=annotator_changes(place / "truth"))


@pytest.fixture(scope="module")
def made(place, settings):
    """Give the dataset of the crawled pictures."""
    annotate(open_source(place / "crawled", ONE), settings, place / "made")
    return place / "made"


def run(*arguments):
    """Run a command in this process and return what it prints."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def rows_of(dataset, *columns):
    """Return the rows of a dataset by id, without the facts about the dataset."""
    rows = DatasetRows.open(dataset).rows(CATEGORY, columns or None)
    return {row["sample_id"]: {**row, "facts": None} for row in rows}


def found_in(rows):
    """Return what stages found in rows, by picture, whatever the rows are called."""
    names = ("people", "objects", "verdict", "reason")
    return {row["image"]["bytes"]: [row[name] for name in names] for row in rows}


def test_crawled_pictures_become_the_rows_of_the_simulation(made):
    """What is found, kept and rejected is what the simulated world's own rows say."""
    columns = ("people", "objects", "verdict", "reason", "image")
    found = found_in(rows_of(made, "sample_id", *columns).values())
    expected = {row["image"]["bytes"]: row for row in filter_rows(simulated_rows())}
    assert found.keys() == expected.keys()
    for content, (people, objects, verdict, reason) in found.items():
        row = expected[content]
        assert [len(people), len(objects)] == [len(row["people"]), len(row["objects"])]
        assert (verdict, reason) == (row["verdict"], row["reason"])
        for person, own in zip(people, row["people"], strict=True):
            assert person["pose"] == pytest.approx(own["pose"], abs=1e-6)
            assert person["mask"] == own["mask"]
    assert {"kept", "rejected"} == {verdict for _, _, verdict, _ in found.values()}


def test_rows_say_where_they_come_from(made):
    rows = rows_of(made)
    assert len(rows) == 12
    assert {row["prompt"] for row in rows.values()} == set(KEYWORDS)
    assert {(row["source"], row["view"], row["seed"]) for row in rows.values()} == {
        ("image_search", "", None)
    }
    kept = [row for row in rows.values() if row["verdict"] == "kept"]
    assert all(row["camera_rotation"] is not None for row in kept)


def test_card(made):
    info = DatasetInfo.load(made)
    text = (made / "README.md").read_text()
    assert info.name == "annotated"
    assert info.details["pictures"] == "pictures of the folder crawled"
    assert "pictures of the folder crawled" in text
    assert f"chorus-bench annotate SOURCE --category {CATEGORY} --config FILE" in text
    assert "rejection rate" in text
    assert info.details["statistics"]["rows"] == info.rows
    assert "azimuth_histogram" not in text, "statistics are tables"
    header, configuration = (yaml.safe_load(part) for part in card_parts(text))
    assert "image-to-3d" in header["task_categories"]
    assert "annotations" in configuration
    assert not {"prompts", "images"} & set(configuration), "annotate uses none of them"
    assert "the program generates" not in text


def card_parts(text):
    """Return the header and the configuration of a card."""
    return text.split("---\n")[1], text.split("```yaml\n")[1].split("```")[0]


def test_the_same_rows_from_an_imported_set(place, settings, made, tmp_path):
    """`import-images` is no dead end: its rows become the same annotated rows."""
    export(image_folder_recipe(place / "crawled", CATEGORY), tmp_path / "imported")
    source = open_source(tmp_path / "imported", SourceOptions())
    annotate(source, settings, tmp_path / "d")
    assert rows_of(tmp_path / "d") == rows_of(made)
    assert shard_bytes(work_folder(tmp_path / "d"), ["cameras"]) == shard_bytes(
        work_folder(made), ["cameras"]
    )


def test_pictures_of_a_synthesis_are_annotated_again(tmp_path):
    """Its rows keep their addresses and seeds, so that no truth has to be named."""
    synthesized = make_small(tmp_path)
    source = open_source(synthesized, SourceOptions())
    settings = read_settings("tiny")
    annotate(source, settings, tmp_path / "again")
    assert rows_of(tmp_path / "again") == rows_of(synthesized)


def streams(folder):
    """Write the pictures as three kinds of Hugging Face datasets; yield name and folder."""
    pictures = [row["image"] for row in simulated_rows()]
    features = datasets.Features({"photo": datasets.Image(), "text": datasets.Value("string")})
    data = datasets.Dataset.from_dict(
        {"photo": pictures, "text": [""] * len(pictures)}, features=features
    )
    data.to_parquet(folder / "parquet" / "train.parquet")
    data.save_to_disk(folder / "saved")
    datasets.DatasetDict({"train": data}).save_to_disk(folder / "splits")
    return ["parquet", "saved", "splits"]


def test_any_image_column_of_a_hugging_face_dataset(made, settings, tmp_path):
    (tmp_path / "parquet").mkdir()
    expected = {row["image"]["bytes"] for row in simulated_rows()}
    for name in streams(tmp_path):
        read = list(open_source(tmp_path / name, ONE).read(0))
        assert {row["image"]["bytes"] for row in read} == expected, name
    source = open_source(tmp_path / "parquet", ONE)
    assert source.name == "column 'photo' of parquet, split train"
    annotate(source, settings, tmp_path / "d")
    wanted = rows_of(made, "sample_id", "people", "verdict")
    assert rows_of(tmp_path / "d", "sample_id", "people", "verdict") == wanted


def test_a_stream_is_taken_up_in_the_middle(tmp_path):
    (tmp_path / "parquet").mkdir()
    streams(tmp_path)
    source = open_source(tmp_path / "parquet", SourceOptions((CATEGORY,), limit=7))
    whole = [row["sample_id"] for row in source.read(0)]
    assert len(whole) == 7
    assert [row["sample_id"] for row in source.read(5)] == whole[5:]


def test_columns_that_are_not_there(tmp_path):
    picture = simulated_rows()[0]["image"]
    features = datasets.Features({"a": datasets.Image(), "b": datasets.Image()})
    data = datasets.Dataset.from_dict({"a": [picture], "b": [picture]}, features=features)
    data.save_to_disk(tmp_path / "two")
    with pytest.raises(InputError, match="2 columns of images among a, b"):
        open_source(tmp_path / "two", ONE)
    assert (
        "column 'b'" in open_source(tmp_path / "two", SourceOptions((CATEGORY,), column="b")).name
    )
    with pytest.raises(InputError, match="unknown image column 'c'"):
        open_source(tmp_path / "two", SourceOptions((CATEGORY,), column="c"))


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def answering(monkeypatch, answer):
    """Let the hub answer a question about a dataset; return what was asked."""
    asked = []

    def dataset_info(_, name, revision=None):
        asked.append((name, revision))
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(sha=answer)

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", dataset_info)
    return asked


def test_an_id_of_the_hub_is_streamed(monkeypatch):
    """Id, commit, subset and split go to the library, and nothing is copied first."""
    rows = [{"image": row["image"]} for row in simulated_rows()[:3]] + [{"image": None}]
    features = datasets.Features({"image": datasets.Image()})
    asked = []

    def load(*arguments, **options):
        asked.append((arguments, options))
        return datasets.IterableDataset.from_generator(lambda: iter(rows), features=features)

    monkeypatch.setattr(datasets, "load_dataset", load)
    questions = answering(monkeypatch, COMMIT)
    options = SourceOptions((CATEGORY,), split="test", subset="small", revision="v1")
    source = open_source("owner/name", options)
    assert questions == [("owner/name", "v1")]
    wanted = {"split": "test", "streaming": True, "revision": COMMIT}
    assert asked == [(("owner/name", "small"), wanted)]
    assert source.name == f"column 'image' of owner/name@{COMMIT}, split test"
    assert source.identity["revision"] == COMMIT
    *pictures, nothing = source.read(0)
    assert [row["image"]["bytes"] for row in pictures] == [
        row["image"]["bytes"] for row in rows[:3]
    ]
    assert {row["generator"] for row in pictures} == {"owner/name"}
    assert str(nothing) == "owner/name, row 3: the row has no picture"


def test_a_hub_out_of_reach_says_so(monkeypatch):
    def load(*arguments, **options):
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr(datasets, "load_dataset", load)
    answering(monkeypatch, COMMIT)
    with pytest.raises(ChorusBenchError, match=r"owner/name is out of reach.*Hub"):
        open_source("owner/name", ONE)
    answering(monkeypatch, OSError("no route"))
    with pytest.raises(ChorusBenchError, match=r"owner/name is out of reach: no route"):
        open_source("owner/name", ONE)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_what_the_hub_refuses(monkeypatch, status):
    error = HfHubHTTPError("Revision Not Found", response=SimpleNamespace(
        status_code=status, headers={}, request=None))  # fmt: skip
    answering(monkeypatch, error)
    kind, message = (
        (ChorusBenchError, "is out of reach") if status == 500 else (InputError, "gives no access")
    )
    with pytest.raises(kind, match=rf"owner/name.*{message}.*Revision Not Found"):
        open_source("owner/name", ONE)


def test_a_saved_dataset_is_known_by_its_fingerprint(tmp_path):
    """Another one with files of the same names and sizes is another source."""
    streams(tmp_path)
    first = open_source(tmp_path / "saved", ONE).identity
    state = tmp_path / "saved" / "state.json"
    known = json.loads(state.read_text())["_fingerprint"]
    assert first["fingerprint"] == known
    state.write_text(state.read_text().replace(known, known[::-1]))
    second = open_source(tmp_path / "saved", ONE).identity
    assert first["files"] == second["files"]
    assert first != second


def test_a_folder_of_images_with_metadata(tmp_path):
    """What `load_dataset` reads as a dataset is one; its files are named by their paths."""
    lines = []
    for number, row in enumerate(simulated_rows()[:2]):
        (tmp_path / f"{number}.jpg").write_bytes(row["image"]["bytes"])
        lines.append(json.dumps({"file_name": f"{number}.jpg", "text": "words"}))
    (tmp_path / "metadata.jsonl").write_text("\n".join(lines))
    read = list(open_source(tmp_path, ONE).read(0))
    assert [row["image"]["path"] for row in read] == ["0.jpg", "1.jpg"]
    assert read[1]["image"]["bytes"] == simulated_rows()[1]["image"]["bytes"]
    with pytest.raises(InputError, match="Bad split: valid"):
        open_source(tmp_path, SourceOptions((CATEGORY,), split="valid"))


def test_an_interrupted_reading_goes_on(place, settings, made, tmp_path):
    """The shards that were read stay; the rows are those of an uninterrupted run."""
    source = open_source(place / "crawled", ONE)

    def broken(skip):
        for number, row in enumerate(source.read(skip)):
            if number == 6:
                raise KeyboardInterrupt
            yield row

    interrupted = type(source)(source.name, source.categories, source.identity, broken)
    with pytest.raises(KeyboardInterrupt):
        annotate(interrupted, settings, tmp_path / "d")
    work = work_folder(tmp_path / "d")
    first = times(work / "images")
    assert len(list((work / "images").glob("*.parquet"))) == 1
    with pytest.raises(InputError, match="not all pictures have been read"):
        annotate(source, settings, tmp_path / "d", stage="annotations")
    annotate(source, settings, tmp_path / "d", stage="images")
    shard = "surfboard-00000.parquet"
    assert times(work / "images")[shard] == first[shard]
    annotate(source, settings, tmp_path / "d")
    assert shard_bytes(work) == shard_bytes(work_folder(made))


def test_finished_work_is_not_done_again(place, settings, made):
    work = work_folder(made)
    before = {name: time for name, time in times(work).items() if "manifest" not in name}
    again = annotate(open_source(place / "crawled", ONE), settings, made)
    assert [report.rows for report in again.stages] == [0] * 4
    after = times(work)
    assert {name: after[name] for name in before} == before


def test_other_pictures_are_refused(place, settings, made, tmp_path):
    """A folder to which pictures were added is another source; --redo images takes it."""
    shutil.copytree(place / "crawled", tmp_path / "crawled")
    source = open_source(tmp_path / "crawled", ONE)
    annotate(source, settings, tmp_path / "d", stage="images")
    next((tmp_path / "crawled").rglob("*.jpg")).unlink()
    fewer = open_source(tmp_path / "crawled", ONE)
    with pytest.raises(InputError, match=r"was made with other settings: source\.pictures"):
        annotate(fewer, settings, tmp_path / "d", stage="images")
    again = annotate(fewer, settings, tmp_path / "d", stage="images", redo="images")
    assert again.stages[0].rows == 11


def test_what_is_no_picture_is_noted(place, settings, tmp_path):
    folder = tmp_path / "crawled"
    shutil.copytree(place / "crawled", folder)
    first = next(folder.rglob("*.jpg"))
    (folder / "broken.jpg").write_bytes(first.read_bytes()[:100])
    (folder / "same.jpg").write_bytes(first.read_bytes())
    (folder / "notes.txt").write_text("no picture")
    done = annotate(open_source(folder, ONE), settings, tmp_path / "d")
    assert done.stages[0].counts == {
        "left out, not an image file": 1,
        "left out, a duplicate": 1,
        "left out, a broken image": 1,
    }
    info = DatasetInfo.load(tmp_path / "d")
    assert info.rows == 12
    assert info.left_out["a broken image"] == 1


def test_one_picture(settings, tmp_path):
    row = simulated_rows()[2]
    (tmp_path / "photo.jpg").write_bytes(row["image"]["bytes"])
    done = annotate(open_source(tmp_path / "photo.jpg", ONE), settings, tmp_path / "d")
    assert done.dataset.info.rows == 1
    assert done.dataset.info.details["pictures"] == "the picture photo.jpg"


@pytest.mark.parametrize(
    ("source", "categories", "message"),
    [
        ("nowhere", (CATEGORY,), "no such source of pictures"),
        ("crawled", (), "0 categories are named"),
        ("crawled", ("tie", "bench"), "2 categories are named"),
        ("truth", (CATEGORY, "tie"), "2 categories are named"),
    ],
)
def test_sources_that_are_refused(place, source, categories, message):
    with pytest.raises(InputError, match=message):
        open_source(place / source, SourceOptions(categories))


def test_pictures_without_truth_are_refused(place, tmp_path):
    """The simulated annotators do not know files, and say so before a picture is read."""
    with pytest.raises(InputError, match="knows the simulated world alone") as caught:
        annotate(open_source(place / "crawled", ONE), read_settings("tiny"), tmp_path / "d")
    assert caught.value.where == "pictures of the folder crawled"
    assert not work_folder(tmp_path / "d").exists()


def test_imported_pictures_without_truth_are_refused_as_well(place, tmp_path):
    export(image_folder_recipe(place / "crawled", CATEGORY), tmp_path / "imported")
    source = open_source(tmp_path / "imported", SourceOptions())
    with pytest.raises(InputError, match="knows the simulated world alone"):
        annotate(source, read_settings("tiny"), tmp_path / "d")


def test_other_outputs_are_left_alone(place, settings, tmp_path):
    export(image_folder_recipe(place / "crawled", CATEGORY), tmp_path / "d")
    with pytest.raises(InputError, match="already exists, but its stages do not"):
        annotate(open_source(place / "crawled", ONE), settings, tmp_path / "d")


def test_from_a_folder_to_a_field_by_commands(place, tmp_path):
    """The way of the documentation: annotate, datasets info, baseline run."""
    pairs = annotator_changes(place / "truth")
    options = [f"--set={name}={json.dumps(value)}" for name, value in pairs.items()]
    printed = run("annotate", place / "crawled", "--category", CATEGORY, "--output",
                  tmp_path / "d", "--prepare-threads", 1, *options)  # fmt: skip
    assert "12 rows in 1 category" in printed
    assert "Next: chorus-bench baseline run chorus" in printed
    assert "rejection rate" in run("datasets", "info", tmp_path / "d")
    run("baseline", "run", "chorus", "--data", tmp_path / "d", "--output", tmp_path / "s",
        "--resolution", 16)  # fmt: skip
    with open_submission(tmp_path / "s") as submission:
        assert submission.field(CATEGORY).values.max() > 0
