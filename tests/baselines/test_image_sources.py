"""Table 1 of the paper from two folders of pictures: image search against synthesis."""

from __future__ import annotations

import csv
import json
import re

import pytest
from typer.testing import CliRunner

from chorus_baselines import image_sources, reproduce
from chorus_baselines.chorus.sampling import draw_number
from chorus_baselines.image_sources import reproduce_table1
from chorus_baselines.reproduce import Table, Workplace, reproduce_table2
from chorus_bench.cli.app import app
from chorus_bench.datasets.export import export
from chorus_bench.datasets.image_folder import image_folder_recipe
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.errors import InputError
from chorus_bench.geometry.body_files import load_body
from chorus_bench.simulation import PROMPTS
from chorus_bench.synthesis.annotating import annotate
from chorus_bench.synthesis.picture_source import SourceOptions
from chorus_bench.synthesis.settings import read_settings
from chorus_bench.synthesis.sources import open_source
from tests.synthesis.pictures import CATEGORY, annotator_changes, write_crawled, write_truth
from tests.synthesis.world import make_small

SOURCES = ("image search", "synthetic")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Give 12 crawled and 12 synthesised pictures, annotated."""
    place = tmp_path_factory.mktemp("sources")
    settings = read_settings(changes=annotator_changes(write_truth(place / "truth")))
    source = open_source(write_crawled(place / "crawled"), SourceOptions((CATEGORY,)))
    annotate(source, settings, place / "searched")
    return {"crawled": place / "crawled", "searched": place / "searched"} | {
        "synthesized": make_small(place)
    }


@pytest.fixture
def place(tmp_path):
    return Workplace(tmp_path / "tables", load_body("default"))


def test_from_two_folders_of_pictures_to_the_table(folders, tmp_path):
    """Images, kept and rejected of the whole sets are those that `annotate` counted."""
    arguments = [
        *("reproduce", "table1", "--category", CATEGORY, "--samples", 2),
        *("--image-search", folders["searched"], "--synthesized", folders["synthesized"]),
        *("--output", tmp_path / "t"),
    ]
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (done.output, done.exception)
    assert "Sources of images, your images, category surfboard" in done.output
    for name, folder in (("image search", "searched"), ("synthetic", "synthesized")):
        rows = DatasetRows.open(folders[folder]).rows(CATEGORY, ["verdict"])
        kept = sum(row["verdict"] == "kept" for row in rows)
        line = rf"(?m)^{name}, 12 +12 +{kept} +{100 * (1 - kept / 12):.2f} +\d+\.\d\d  {name}, 10k"
        assert re.search(line, done.output), done.output
        scores = rf"(?m)^{name}, \d+( +\d+\.\d\d){{4}} .*{name}, 1k"
        assert re.search(scores, done.output), done.output
    assert not list((tmp_path / "t").glob("simulated-train*"))
    saved = {file.suffix: file for file in (tmp_path / "t").glob("table.*")}
    assert f"wrote {', '.join(str(saved[s]) for s in ('.txt', '.tex', '.csv', '.json'))}" in (
        done.output
    )
    assert saved[".txt"].read_text().strip() in done.output
    latex = saved[".tex"].read_text()
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == 3
    assert latex.startswith(r"\begin{tabular}")
    content = json.loads(saved[".json"].read_text())
    first = content["rows"][0]
    assert first["paper"]["scores"]["mPAP"] == 53.64
    assert len(content["ranking"]) == 4
    lines = list(csv.DictReader(saved[".csv"].read_text().splitlines()))
    assert [line["name"] for line in lines] == [row["name"] for row in content["rows"]]
    assert float(lines[0]["mPAP"]) == pytest.approx(100 * first["scores"]["mPAP"])


@pytest.fixture
def unscored(monkeypatch):
    """Make a table the list of its sources, numbers of images and rows of the paper."""
    monkeypatch.setattr(image_sources, "_source_row", lambda *row: (row[1], row[2].total, row[4]))
    monkeypatch.setattr(Table, "of", lambda title, rows: rows)


@pytest.mark.usefixtures("unscored")
def test_only_the_source_that_is_not_given_is_simulated(folders, place):
    """With the prompt alone there are as many images as under all views."""
    split = place.simulated("test", [CATEGORY], per_category=2)
    rows = reproduce_table1(
        place, synthesized=folders["synthesized"], split=split, category=CATEGORY,
        images_per_prompt_view=1,
    )  # fmt: skip
    assert [row[0] for row in rows] == ["prompt alone"] * 2 + ["synthetic"] * 2
    kinds = {path.name.rpartition("-")[0]: path for path in place.folder.iterdir()}
    assert set(kinds) == {"simulated-test", "prompt-alone"}
    made = DatasetRows.open(kinds["prompt-alone"])
    assert made.total == len(VIEWS) * len(PROMPTS[CATEGORY])


@pytest.mark.usefixtures("unscored")
def test_large_sets_are_drawn(folders, place):
    """Both sources have the number that is asked for; the small sets are a tenth."""
    sets = {"image_search": folders["searched"], "synthesized": folders["synthesized"]}
    split = place.simulated("test", [CATEGORY], per_category=2)
    rows = reproduce_table1(place, **sets, split=split, category=CATEGORY, images=10)
    names = [f"{source}, {size}" for source in SOURCES for size in ("1k", "10k")]
    assert [row[2] for row in rows] == names
    assert [row[1] for row in rows] == [2, 10, 2, 10]


def test_ablations_of_two_folders(folders, place, monkeypatch):
    monkeypatch.setattr(reproduce, "ABLATIONS", ("chorus-10pct", "chorus"))
    split = place.simulated("test", [CATEGORY], per_category=2)
    table = reproduce_table2(
        place, synthesized=folders["synthesized"], image_search=folders["searched"], split=split
    )
    assert [row.name for row in table.rows] == [
        f"{source}, {name}" for source in SOURCES[::-1] for name in ("chorus-10pct", "chorus")
    ]


def test_wrong_sets_are_refused_before_anything_is_made(folders, place, tmp_path):
    with pytest.raises(InputError, match="unknown category 'tie'"):
        reproduce_table1(place, image_search=folders["searched"], category="tie")
    with pytest.raises(InputError, match="12 images of 'synthetic' where 13 are asked for"):
        reproduce_table1(place, synthesized=folders["synthesized"], category=CATEGORY, images=13)
    export(image_folder_recipe(folders["crawled"], CATEGORY), tmp_path / "raw")
    with pytest.raises(InputError, match="have not been annotated"):
        reproduce_table1(place, image_search=tmp_path / "raw", category=CATEGORY)
    assert not place.folder.exists()


def test_a_number_is_drawn_evenly_over_prompts():
    counts = {"a": 60, "b": 30, "c": 10}
    rows = [
        {"sample_id": f"{prompt}{n}", "category": "tie", "prompt": prompt}
        for prompt, count in counts.items()
        for n in range(count)
    ]
    drawn = draw_number(rows, 10)
    assert sorted(name[0] for name in drawn) == list("aaaaaabbbc")
    assert draw_number(reversed(rows), 10) == drawn
    assert draw_number(rows, 10, seed=1) != drawn
    assert draw_number(rows, 20) > drawn
    assert len(draw_number(rows, 1000)) == 100
