"""The demo, the tables and the posed-space commands, on worlds of a few images."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from chorus_baselines.image_sources import reproduce_table1
from chorus_baselines.reproduce import ABLATIONS, Workplace, reproduce_table2
from chorus_baselines.table_text import render_table
from chorus_bench import demo as demo_module
from chorus_bench.cli.app import app
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.demo import METHODS, run_demo
from chorus_bench.errors import InputError
from chorus_bench.evaluation import load_result
from chorus_bench.geometry.body_files import load_body
from chorus_bench.submission import open_submission


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Run a demo of two categories with one image per prompt and view."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_module, "CATEGORIES", ("backpack", "umbrella"))
        patch.setattr(demo_module, "IMAGES_PER_PROMPT_AND_VIEW", 1)
        patch.setattr(demo_module, "TEST_SAMPLES", 2)
        patch.setattr(demo_module, "IMAGE_SIZE", 64)
        stages: list[str] = []
        output = tmp_path_factory.mktemp("demo") / "out"
        found = run_demo(output, workers=1, progress=lambda stage, *_: stages.append(stage))
        yield found, stages


@pytest.fixture
def cli():
    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


def test_the_demo_leaves_what_it_says(made):
    found, stages = made
    names = ("calibration.png", "fields.png", "overlays.png", "precision_recall.png")
    assert found.pictures == names
    assert all((found.folder / "pictures" / name).stat().st_size > 5000 for name in names)
    assert found.images == 2 * 2 * 22
    for method in METHODS:
        stored = load_result(found.folder / "results" / method)
        assert stored.scores == found.results[method].scores
        with open_submission(found.folder / "submissions" / method) as submission:
            assert set(submission.categories) == {"backpack", "umbrella"}
    summary = json.loads((found.folder / "demo.json").read_text())
    assert set(summary["truth"]) == set(METHODS)
    assert summary["signature"] == found.results["chorus"].signature
    assert found.ranking.methods == METHODS
    assert stages[0] == "simulating training images"
    assert stages[-1] == "drawing"


def test_chorus_wins_the_demo(made):
    found, _ = made
    scores = {name: result.scores["mPAP"] for name, result in found.results.items()}
    assert max(scores, key=scores.__getitem__) == "chorus"


def test_the_demo_replaces_only_demos(made, tmp_path):
    found, _ = made
    with pytest.raises(InputError, match="the folder already exists"):
        run_demo(found.folder)
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(InputError, match="is not the folder of a demo"):
        run_demo(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


def test_the_demo_command_prints_the_comparison(made, monkeypatch, tmp_path, cli):
    found, _ = made
    monkeypatch.setattr(demo_module, "run_demo", lambda *args, **kwargs: found)
    done = cli("demo", "--output", tmp_path / "x")
    assert done.exit_code == 0, done.output
    for text in (
        "95 % interval",
        "mean-mask-extrusion",
        "soft IoU",
        "Signature: PAP|",
        "fields.png",
    ):
        assert text in done.stdout


def test_without_matplotlib_the_demo_says_how_to_get_pictures(made, monkeypatch, tmp_path, cli):
    found, _ = made
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert demo_module._draw(tmp_path, found.results, found.truth) == ()
    blind = demo_module.Demo(**{**vars(found), "pictures": ()})
    monkeypatch.setattr(demo_module, "run_demo", lambda *args, **kwargs: blind)
    assert "pip install 'chorus-bench[plots]'" in cli("demo", "--output", tmp_path / "x").stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return Workplace(tmp_path_factory.mktemp("tables"), load_body("default"))


def test_the_ablation_table(place):
    table = reproduce_table2(place, categories=["umbrella"], images_per_prompt_view=1, samples=2)
    assert [row.name for row in table.rows] == list(ABLATIONS)
    assert table.rows[-1].paper == (19.86, 17.18, 20.28, 16.80)
    assert table.ranking.methods == ABLATIONS
    text = render_table(table)
    for part in ("simulated world (umbrella): 44 training images", "15.12", "not\ncomparable"):
        assert part in text


def test_tables_use_what_is_there(place):
    folders = sorted(place.folder.glob("simulated-*"))
    before = [folder.stat().st_mtime_ns for folder in folders]
    reproduce_table2(place, categories=["umbrella"], images_per_prompt_view=1, samples=2)
    assert [folder.stat().st_mtime_ns for folder in folders] == before


def test_the_table_of_sources(place):
    table = reproduce_table1(place, category="umbrella", images_per_prompt_view=1, samples=2)
    names = [row.name for row in table.rows]
    assert names == ["prompt alone, 6", "prompt alone, 44", "all views, 6", "all views, 44"]
    alone, views = table.rows[1].statistics, table.rows[3].statistics
    assert alone.rows == views.rows == 44
    assert 0 < alone.rejection_rate < 1
    assert views.entropy.bits > table.rows[2].statistics.entropy.bits > 0
    text = render_table(table)
    for part in ("10.04", "14.63", "3626", "entropy, bits"):
        assert part in text


def test_a_training_set_needs_its_split(place):
    with pytest.raises(InputError, match="needs its test split"):
        reproduce_table2(place, synthesized="somewhere")


def test_a_wrong_category_is_found_before_anything_is_simulated(tmp_path, monkeypatch, place):
    def simulated(*arguments, **options):
        raise AssertionError("something was simulated")

    other = place.simulated("train", ["umbrella"], images_per_prompt_view=1)
    test = place.simulated("test", ["umbrella"], per_category=2)
    monkeypatch.setattr(Workplace, "simulated", simulated)
    with pytest.raises(InputError, match="unknown category 'motorcycle'"):
        reproduce_table1(place, image_search=other)
    with pytest.raises(InputError, match="unknown category 'tie'"):
        reproduce_table1(place, split=test, category="tie")


def test_infer_and_reconstruct(made, tmp_path, cli):
    found, _ = made
    submission = found.folder / "submissions" / "chorus"
    pose = np.zeros(72)
    np.save(tmp_path / "pose.npy", pose)
    (tmp_path / "pose.json").write_text(json.dumps(pose.tolist()))
    fields = []
    for name in ("pose.npy", "pose.json"):
        done = cli("infer", submission, "--category", "umbrella", "--pose", tmp_path / name,
                   "--output", tmp_path / "posed.npz")  # fmt: skip
        assert done.exit_code == 0, done.output
        with np.load(tmp_path / "posed.npz") as stored:
            fields.append(stored["occupancy"])
            assert float(stored["side_length"]) == 3.0
    assert fields[0].shape == (48, 48, 48)
    assert np.array_equal(*fields)
    sample = found.results["chorus"].samples["sample_id"][0].as_py()
    done = cli("reconstruct", "--fields", submission, "--category", "umbrella", "--split",
               found.folder / "test", "--sample", sample, "--level", 0.2,
               "--output", tmp_path / "scene.ply")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert (tmp_path / "scene.ply").stat().st_size > 10_000
    done = cli("infer", submission, "--category", "umbrella", "--split", found.folder / "test",
               "--output", tmp_path / "posed")  # fmt: skip
    assert done.exit_code == 0, done.output
    with open_submission(tmp_path / "posed") as posed:
        assert (posed.track, posed.categories) == ("posed", ("umbrella",))
        assert posed.posed_samples("umbrella")


def test_reconstruct_finds_the_category_of_an_annotated_image(made, tmp_path, cli):
    found, _ = made
    rows = DatasetRows.open(found.folder / "train").rows("backpack")
    row = next(row for row in rows if row["true_failure"] is None)
    done = cli("reconstruct", "--fields", found.folder / "submissions" / "chorus", "--split",
               found.folder / "train", "--sample", row["sample_id"], "--level", 0.1,
               "--output", tmp_path / "scene.glb")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "backpack" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--category", "umbrela", "--pose", "p.npy"), "Did you mean 'umbrella'"),
        (("--category", "umbrella"), "no person is chosen"),
        (("--pose", "p.npy"), "no category is named"),
        (("--split", "SPLIT", "--interaction", "hold"), "--own-types"),
        (("--category", "umbrella", "--pose", "p.npy", "--interaction", "hold"), "interaction"),
        (("--category", "umbrella", "--pose", "p.npy", "--split", "SPLIT"), "two poses"),
        (("--category", "umbrella", "--pose", "nothing.npy"), "no pose"),
        (("--category", "umbrella", "--split", "SPLIT", "--sample", "x"), "unknown sample 'x'"),
    ],
)
def test_wrong_calls_of_infer(made, tmp_path, cli, arguments, message):
    found, _ = made
    given = [str(found.folder / "test") if a == "SPLIT" else a for a in arguments]
    submission = found.folder / "submissions" / "chorus"
    done = cli("infer", submission, *given, "--output", tmp_path / "x.npz")
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)


def test_import_chorus(tmp_path, cli):
    import pickle

    hull = np.random.default_rng(0).random((12, 12, 12)).astype(np.float32)
    smpl = {"visual_hull": hull, "full_image_visual_hull": np.ones_like(hull)}
    for name in ("cell_phone.pickle", "other.pickle"):
        (tmp_path / name).write_bytes(pickle.dumps({"full_aggregations": {"SMPL": smpl}}))
    done = cli("import-chorus", tmp_path / "cell_phone.pickle", f"bench={tmp_path}/other.pickle",
               "--output", tmp_path / "s")  # fmt: skip
    assert done.exit_code == 0, done.output
    with open_submission(tmp_path / "s") as submission:
        assert set(submission.categories) == {"cell phone", "bench"}
        assert np.array_equal(submission.field("bench").values, hull)
    again = cli("import-chorus", tmp_path / "other.pickle", f"other={tmp_path}/cell_phone.pickle",
                "--output", tmp_path / "t")  # fmt: skip
    assert "two files for the category 'other'" in str(again.exception)
