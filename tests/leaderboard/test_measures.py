"""Measures in 3D beside PAP: on the board, in comparisons, in pictures; never in the ranks."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import load_result
from chorus_bench.leaderboard.adding import add_entry
from chorus_bench.leaderboard.board import board_json, make_board
from chorus_bench.leaderboard.checking import LeaderboardError, check_leaderboard
from chorus_bench.leaderboard.site import build_site
from chorus_bench.report.measures import disagreements, measure_figure, measured_results
from chorus_bench.report.volumetric import measure_named
from tests.leaderboard import world
from tests.leaderboard.measures import saved

#: Better by PAP, worse by Chamfer: 0.10 m against 0.05 m.
SKILLS = {"good": (0.7, 0.10), "bad": (0.3, 0.05)}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("results")
    return {
        name: saved(world.make_result(name, skill=pap, seed=n), base / name, chamfer)
        for n, (name, (pap, chamfer)) in enumerate(SKILLS.items())
    }


@pytest.fixture(scope="module")
def board(folders, tmp_path_factory):
    place = tmp_path_factory.mktemp("board")
    for folder in folders.values():
        add_entry(folder, place, submitted_by="somebody", date=world.DATE)
    result = world.make_result("plain", skill=0.5, seed=5)
    add_entry(result, place, submitted_by="somebody", date=world.DATE)
    return place


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_results_in_order_of_a_measure(folders):
    rows = measured_results(list(folders.values()), "chamfer")
    assert [row.method for row in rows] == ["bad", "good"]
    assert rows[0].value == pytest.approx(0.055)
    assert rows[0].interval == [0.025, 0.1]
    assert rows[0].score < rows[1].score
    assert disagreements(rows, measure_named("chamfer")) == [("good", "bad")]
    assert not disagreements(rows, measure_named("soft_iou"))
    by_iou = measured_results([load_result(folder) for folder in folders.values()], "soft_iou")
    assert [row.method for row in by_iou] == ["good", "bad"]


def test_compare_by_a_measure_and_draw_it(folders, tmp_path):
    done = run("compare", *folders.values(), "--measure", "chamfer", "--figure", tmp_path / "f.png")
    assert done.exit_code == 0, done.output
    assert "Chamfer, cm" in done.output
    assert "5.50 [2.50, 10.00]" in done.output
    assert "PAP orders 1 of the pairs the other way: good before bad." in done.output
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    data = run("compare", *folders.values(), "--measure", "brier", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(data.stdout)))
    assert [(row["method"], float(row["value"])) for row in rows] == [
        ("bad", pytest.approx(0.055)), ("good", pytest.approx(0.105))]  # fmt: skip
    only = run("compare", *folders.values(), "--measure", "f_10cm", "--representation", "posed")
    assert "nothing is of the representation 'posed'" in str(only.exception)


def test_the_picture_has_each_method_and_names_odd_categories(folders):
    rows = measured_results(list(folders.values()), "chamfer")
    (place,) = measure_figure(rows, "chamfer").axes
    labels = [text.get_text() for text in place.get_legend().get_texts()]
    assert labels == ["bad", "good"]
    assert place.yaxis_inverted()
    assert {text.get_text() for text in place.texts} == set(world.CATEGORIES)
    assert len(place.collections[0].get_offsets()) == len(world.CATEGORIES)
    assert not measure_figure(rows, "soft_iou").axes[0].yaxis_inverted()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--measure", "chamfr"), "chamfer"),
        (("--figure", "f.png"), "give --measure as well"),
        (("--measure", "chamfer", "--score", "mPA"), "no score 'mPA'"),
    ],
)
def test_what_is_wrong_is_said(folders, arguments, said):
    done = run("compare", *folders.values(), *arguments)
    assert done.exit_code
    assert said in f"{done.output}{done.exception}"


def test_results_without_measures(folders, tmp_path):
    plain = world.make_result("plain").save(tmp_path / "plain")
    with pytest.raises(InputError, match="evaluate --truth"):
        measured_results([plain, folders["good"]], "chamfer")
    (plain / "truth.json").write_bytes((folders["good"] / "truth.json").read_bytes())
    with pytest.raises(InputError, match="plain: a result without 3D scores"):
        measured_results([plain, folders["good"]], "chamfer")


def test_the_board_shows_measures_and_ranks_by_pap(board, tmp_path):
    checked = check_leaderboard(board)
    assert not checked.findings
    site = board_json(make_board(checked.entries), world.DATE)
    methods = {method["slug"]: method for method in site["boards"][0]["methods"]}
    assert methods["plain"]["truth"] is None
    assert methods["good"]["rank"]["mPAP"] == 1
    assert methods["bad"]["truth"]["measures"]["chamfer"] == pytest.approx(0.055)
    build_site(board, tmp_path / "page", date=world.DATE)
    index = (tmp_path / "page/index.html").read_text()
    assert "Chamfer, cm ↓" in index
    assert "5.50 [2.50, 10.00]" in index
    page = (tmp_path / "page/methods/good.html").read_text()
    first, more = page.split("More measures")
    assert "contact F1, %</dt>" in first
    assert "contact geodesic, cm (at 0.5)" in more
    assert "Against the truth in 3D" not in (tmp_path / "page/methods/plain.html").read_text()
    content = json.loads((tmp_path / "page/board.json").read_text())
    assert content["boards"][0]["methods"][0]["truth"]["measures"]["soft_iou"] > 0


def test_show_by_a_measure(board):
    done = run("leaderboard", "show", "--leaderboard", board, "--measure", "chamfer")
    assert done.exit_code == 0, done.output
    lines = [line.split()[0] for line in done.output.splitlines() if " [" in line]
    assert lines == ["bad", "good"]
    data = run(
        "leaderboard", "show", "--leaderboard", board, "--measure", "f_5cm", "--format", "json"
    )
    rows = json.loads(data.stdout)
    assert [row["method"] for row in rows] == ["good", "bad"]
    assert rows[0]["board"].startswith("made-up")


def test_several_boards_as_csv_have_one_header(folders, tmp_path):
    other = saved(world.make_result("good", split="other@ba9876543210"), tmp_path / "r", 0.2)
    for result, name in ((folders["good"], "good"), (other, "good-other")):
        add_entry(result, tmp_path, submitted_by="somebody", date=world.DATE, name=name)
    done = run("leaderboard", "show", "--leaderboard", tmp_path, "--measure", "chamfer",
               "--format", "csv")  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["method"] for row in rows] == ["good", "good"]
    assert len({row["board"] for row in rows}) == 2
    assert done.stdout.count("board,method,") == 1


def _edit(entry, change):
    file = entry / "truth.json"
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.update(sha256="0" * 64), "is not of this result: is of another submission"),
        (lambda t: t.update(signature="PAP|v1|split:x@1"), "is not of this result: split: x@1"),
        (lambda t: t["measures"].update(chamfer=0.01), "the categories give 0.105"),
        (lambda t: t["measures"].update(PAP=0.5), "has the measure 'PAP'"),
        (lambda t: t["measures"].pop("brier"), "lacks the measure 'brier'"),
        (lambda t: t["categories"]["bench"].update(samples=3), "has 3 samples of 'bench'"),
        (lambda t: t["categories"].pop("bench"), "has 0 samples of 'bench'"),
        (lambda t: t["categories"]["bench"].update(chamfer=-1), "chamfer"),
        (lambda t: t["categories"]["bench"].update(chamfer="x"), "chamfer"),
        (lambda t: t["intervals"].update(chamfer=[2, 1]), "ends before it begins"),
        (lambda t: t.pop("measures"), "measures"),
        (lambda t: t.update(more=1), "more"),
    ],
)
def test_measures_that_cannot_be_right(folders, tmp_path, change, said):
    entry = add_entry(folders["good"], tmp_path, submitted_by="somebody", date=world.DATE)
    _edit(entry, change)
    text = world.problems(tmp_path)
    assert "truth.json" in text
    assert said in text


def test_a_result_in_memory_keeps_its_measures(folders, tmp_path):
    entry = add_entry(
        load_result(folders["good"]), tmp_path, submitted_by="somebody", date=world.DATE
    )
    assert world.problems(tmp_path) == ""
    assert load_result(entry).truth.measures == load_result(folders["good"]).truth.measures
    assert (entry / "truth.json").read_text().count("\n") == 1


def test_measures_of_another_submission_make_no_entry(folders, tmp_path):
    result = world.make_result("other", seed=9).save(tmp_path / "result")
    (result / "truth.json").write_bytes((folders["good"] / "truth.json").read_bytes())
    with pytest.raises(LeaderboardError, match="is of another submission"):
        add_entry(result, tmp_path, submitted_by="somebody", date=world.DATE)
    assert not list(tmp_path.glob("entries/*"))


def test_a_measure_that_nobody_has(tmp_path):
    add_entry(world.make_result("plain"), tmp_path, submitted_by="somebody", date=world.DATE)
    done = run("leaderboard", "show", "--leaderboard", tmp_path, "--measure", "chamfer")
    assert "no entry has 'chamfer'" in str(done.exception)


def test_the_score_beside_a_measure_is_the_one_asked_for(board):
    arguments = ("leaderboard", "show", "--leaderboard", board, "--measure", "chamfer")
    for score in ("mPAP", "mPAP_strict_hoa"):
        rows = json.loads(run(*arguments, "--score", score, "--format", "json").stdout)
        stored = {
            name: json.loads((board / "entries" / name / "results.json").read_text())["scores"]
            for name in SKILLS
        }
        assert {row["method"]: row["score_value"] for row in rows} == {
            name: scores[score] for name, scores in stored.items()
        }
