"""The board: groups, ranks, counts, scores."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import numpy as np
import pytest

from chorus_bench.evaluation.comparison import compare
from chorus_bench.evaluation.results import by_category, load_result, scores_of
from chorus_bench.io.schemas import loaded, parse
from chorus_bench.leaderboard.board_schema import BoardFile
from chorus_bench.leaderboard.site import build_site
from chorus_bench.metrics.pap import SCORE_NAMES, available_mean
from chorus_bench.metrics.ranking import rank_methods
from chorus_bench.report.leaderboard_tables import loses_recall, render_boards
from tests.leaderboard import world
from tests.leaderboard.pages import numbers, site_of


def test_names_of_splits_and_bodies_make_no_board_of_their_own(board):
    """The board has the names that most entries have, whoever comes first by the alphabet."""
    before = site_of(board)["boards"]
    fingerprint = world.SPLIT.partition("@")[2]
    world.add(board, world.make_result("Another", skill=0.95, split=f"aaa@{fingerprint}"))
    [group] = site_of(board)["boards"]
    assert [method["slug"] for method in group["methods"]] == ["another", "good", "fair", "poor"]
    assert {key: group[key] for key in ("signature", "title")} == {
        key: before[0][key] for key in ("signature", "title")
    }


def test_scores_and_ranks_are_those_of_compare(board):
    group = site_of(board)["boards"][0]
    folders = [board / "entries" / method["slug"] for method in group["methods"]]
    assert [folder.name for folder in folders] == ["good", "fair", "poor"]
    for mean in (f"m{name}" for name in SCORE_NAMES):
        ranking = compare(folders, score=mean)
        for i, method in enumerate(group["methods"]):
            stored = load_result(folders[i])
            assert method["scores"][mean] == stored.scores[mean]
            assert method["intervals"][mean] == stored.intervals[mean]
            assert method["rank"][mean] == ranking.ranks[i]
            assert method["last_rank"][mean] == ranking.last_ranks[i]
            assert method["first_share"][mean] == ranking.first_share[i]
        low = numbers(group["differences"][mean]["low"], "<f4").reshape(3, 3)
        high = numbers(group["differences"][mean]["high"], "<f4").reshape(3, 3)
        np.testing.assert_allclose(low, ranking.low, atol=1e-6)
        np.testing.assert_allclose(high, ranking.high, atol=1e-6)
        assert (low == -high.T).all()


def test_what_sees_the_truth_is_a_bound_without_a_rank(board, tmp_path):
    """It leads nothing, and the ranks of the others are what they were without it."""
    before = site_of(board)["boards"][0]
    world.add(board, world.make_result("Oracle", skill=0.99), sees_truth=True)
    [group] = site_of(board)["boards"]
    assert [method["slug"] for method in group["methods"]] == ["good", "fair", "poor", "oracle"]
    *others, oracle = group["methods"]
    assert oracle["sees_truth"]
    assert oracle["scores"]["mPAP"] > others[0]["scores"]["mPAP"]
    assert oracle["rank"] is oracle["last_rank"] is oracle["first_share"] is None
    assert {tuple(c["rank"]) for c in oracle["categories"].values()} == {(None,) * 4}
    assert others == before["methods"]
    assert group["summary"] == before["summary"]
    assert [c["summary"] for c in group["categories"]] == [
        c["summary"] for c in before["categories"]
    ]
    shown = render_boards([group], "table")
    assert "Given what a method has to predict, so not ranked: Oracle." in shown
    assert [line.split()[:2] for line in shown.splitlines() if "Oracle  " in line] == [
        ["Oracle", f"{100 * oracle['scores']['mPAP']:.2f}"]
    ]
    build_site(board, tmp_path / "page", date=world.DATE)
    index = (tmp_path / "page/index.html").read_text()
    assert "<bdi>Oracle</bdi> is given what a method has to predict." in index
    assert "given the truth, not ranked" in (tmp_path / "page/methods/oracle.html").read_text()


def test_a_board_of_bounds_alone(board):
    for slug in ("good", "fair", "poor"):
        file = board / "entries" / slug / "entry.yaml"
        file.write_text(file.read_text() + "sees_truth: true\n")
    [group] = site_of(board)["boards"]
    assert [method["slug"] for method in group["methods"]] == ["good", "fair", "poor"]
    assert dict.fromkeys(group["summary"]) == group["summary"]


def test_the_answer_at_a_glance(board):
    group = site_of(board)["boards"][0]
    methods = {method["slug"]: method for method in group["methods"]}
    for mean in (f"m{name}" for name in SCORE_NAMES):
        found = group["summary"][mean]
        assert (found["leader"], found["next"]) == ("good", "fair")
        gap = methods["good"]["scores"][mean] - methods["fair"]["scores"][mean]
        assert found["difference"] == pytest.approx(gap)
        assert 0 < found["low"] < found["difference"] < found["high"]
        gains = [gain["difference"] for gain in found["gains"]]
        assert gains == sorted(gains, reverse=True)
        assert len(gains) == 2


def test_what_cannot_be_told_apart_has_a_range_of_ranks(board):
    world.add(board, world.make_result("Good too", skill=0.9, seed=9))
    methods = site_of(board)["boards"][0]["methods"]
    assert [m["rank"]["mPAP"] for m in methods] == [1, 1, 3, 4]
    assert [m["last_rank"]["mPAP"] for m in methods] == [2, 2, 3, 4]
    assert "1\N{EN DASH}2" in render_boards(site_of(board)["boards"], "table")


def test_within_a_category_the_ranks_are_its_own(board):
    group = site_of(board)["boards"][0]
    folders = [board / "entries" / method["slug"] for method in group["methods"]]
    tables = {
        f.name: by_category(s, scores_of(s)) for f in folders for s in [load_result(f).samples]
    }
    for category in group["categories"]:
        name = category["name"]
        only = {slug: {name: table[name]} for slug, table in tables.items()}
        values = {slug: available_mean(*table[name]) for slug, table in tables.items()}
        assert category["counted"] == category["samples"] - 1
        assert category["counted_hoa"] == category["samples"] - 2
        for i, score in enumerate(SCORE_NAMES):
            best = max(values, key=lambda slug: values[slug][score])
            assert category["summary"][score]["leader"] == best
            if name == sorted(tables["good"])[0]:  # the same draws as if it were alone
                ranking = rank_methods(only, score=f"m{score}")
                for k, method in enumerate(group["methods"]):
                    numbers = method["categories"][name]
                    assert numbers["rank"][i] == ranking.ranks[k]
                    assert numbers["last_rank"][i] == ranking.last_ranks[k]


def test_scores_without_their_last_recall_are_marked(board, good):
    stored = load_result(good).beside["closed"]
    method = site_of(board)["boards"][0]["methods"][0]
    assert method["closed"] == {mean: stored["scores"][mean] for mean in method["closed"]}
    for name, entry in method["categories"].items():
        assert entry["closed"] == [stored["categories"][name][score] for score in SCORE_NAMES]
    assert loses_recall(0.03, 0.08)
    assert not loses_recall(0.03, 0.035)
    text = render_boards(site_of(board)["boards"], "table")
    lost = method["closed"]["mPAP"] - method["scores"]["mPAP"] >= 0.01
    assert ("Good (1)" in text) == lost


def test_few_samples_behind_a_score_are_said(board):
    few = site_of(board)["boards"][0]["few"]
    assert few["limit"] == 30
    assert few["categories"] == [{"name": "bench", "counted_hoa": 28}]
    assert few["leader"] == "good"
    other = load_result(board / "entries" / "good").categories["tennis racket"]["PAP_hoa"]
    assert few["without"] == other
    text = render_boards(site_of(board)["boards"], "table")
    assert "rest on fewer than 30 samples in bench (28)" in text


def test_the_download_has_its_schema(board, tmp_path):
    (board / "published.yaml").write_text("rows:\n- {name: P, source: s, scores: {mPAP: 9.5}}\n")
    build_site(board, tmp_path / "page", date=world.DATE)
    data = (tmp_path / "page" / "board.json").read_bytes()
    assert len(loaded(BoardFile, parse(data, "board.json")).boards) == 2
    rows = list(csv.DictReader((tmp_path / "page" / "categories.csv").read_text().splitlines()))
    assert [(row["method"], row["category"]) for row in rows[:2]] == [
        ("Good", "bench"),
        ("Good", "tennis racket"),
    ]
    assert (rows[0]["counted"], rows[0]["counted_hoa"]) == ("29", "28")
    stored = load_result(board / "entries" / "good").categories["bench"]
    assert float(rows[0]["PAP_hoa"]) == stored["PAP_hoa"]
    for name in ("entry.yaml", "results.json", "samples.parquet"):
        copied = tmp_path / "page" / "entries" / "good" / name
        assert copied.read_bytes() == (board / "entries" / "good" / name).read_bytes()


def test_the_feed_tells_what_happened(board, good, tmp_path):
    sha256 = json.loads((good / "results.json").read_text())["submission"]["sha256"]
    block = f"verified:\n  date: 2026-02-01\n  by: <me>\n  sha256: '{sha256}'\n  version: 9.9"
    world.edit_text(good / "entry.yaml", "verified: null", block.replace("9.9", "'9.9'"))
    world.edit_text(good / "entry.yaml", "status: self-reported", "status: verified")
    build_site(board, tmp_path / "page", date=world.DATE)
    feed = ElementTree.parse(tmp_path / "page" / "changes.xml").getroot()
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in feed.iter(f"{atom}entry")]
    assert titles[0] == "Good: verified by <me> with chorus-bench 9.9"
    assert len(titles) == 4
    assert feed.findtext(f"{atom}updated") == "2026-02-01T00:00:00Z"
    ids = [entry.findtext(f"{atom}id") for entry in feed.iter(f"{atom}entry")]
    assert len(set(ids)) == 4
    page = (tmp_path / "page" / "changes.html").read_text()
    assert "verified by &lt;me&gt; with chorus-bench 9.9" in page


def test_a_missing_category_is_marked(board):
    methods = {m["slug"]: m for m in site_of(board)["boards"][0]["methods"]}
    assert methods["poor"]["categories"]["bench"]["missing"] is True
    assert methods["poor"]["categories"]["bench"]["PAP"] == 0
    assert methods["good"]["categories"]["bench"]["missing"] is False


def test_other_signatures_are_never_ranked_together(board):
    world.add(board, world.make_result("Best", skill=1.0, split="other@c0123456789d"))
    (board / "published.yaml").write_text(
        "rows:\n- {name: Paper, source: s, scores: {mPAP: 99.5}}\n"
        "- {name: One, source: s, categories: {tie: {PAP: 1.5}}}\n"
    )
    boards = site_of(board)["boards"]
    assert [b["id"] for b in boards] == ["b0", "b1", "b2"]
    assert [b["kind"] for b in boards] == ["computed", "computed", "published"]
    assert [len(b["methods"]) for b in boards] == [3, 1, 2]
    assert boards[0]["methods"][0]["rank"]["mPAP"] == 1
    assert boards[1]["methods"][0]["rank"]["mPAP"] == 1
    paper, one = boards[2]["methods"]
    assert paper["rank"] is paper["last_rank"] is paper["first_share"] is None
    assert paper["scores"]["mPAP"] == 0.995
    assert paper["scores"]["mPAP_hoa"] is None
    assert one["categories"]["tie"]["PAP"] == 0.015
    assert boards[2]["differences"] is None
    assert boards[2]["summary"]["mPAP"]["leader"] == "published-0"
    assert boards[2]["summary"]["mPAP_hoa"] is None
    signatures = {b["signature"] for b in boards}
    assert len(signatures) == 3
    assert not any("chorus-bench" in signature for signature in signatures)


def test_versions_of_the_software_share_a_board(board, good):
    signature = json.loads((good / "results.json").read_text())["signature"]
    head, _, _ = signature.rpartition(":")
    world.edit_json(good, "signature", value=f"{head}:99.0")
    assert [len(b["methods"]) for b in site_of(board)["boards"]] == [3]
