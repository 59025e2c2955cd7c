"""The board and the page's files: groups, ranks, numbers, hostile texts, atomicity."""

from __future__ import annotations

import base64
import csv
import html.parser
import json
import shutil
import zlib
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.errors import InputError
from chorus_bench.evaluation.comparison import compare
from chorus_bench.evaluation.results import by_category, load_result, mean_curves, scores_of
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.schemas import loaded, parse
from chorus_bench.leaderboard.board import board_json, make_board, training_share
from chorus_bench.leaderboard.board_schema import BoardFile
from chorus_bench.leaderboard.checking import LeaderboardError, check_leaderboard
from chorus_bench.leaderboard.fields import fields_bytes
from chorus_bench.leaderboard.overlays import overlays_bytes
from chorus_bench.leaderboard.site import board_csv, build_site
from chorus_bench.metrics.pap import SCORE_NAMES, available_mean
from chorus_bench.metrics.ranking import rank_methods
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.leaderboard_tables import chosen_boards, loses_recall, render_boards
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import ChosenSample
from tests.leaderboard import world

HOSTILE = "</script><script>alert('x')</script> & \u2028 \"quoted\" <img src=x onerror=alert(1)>"


def site_of(board):
    checked = check_leaderboard(board)
    checked.raise_problems()
    return board_json(make_board(checked.entries, checked.published), world.DATE)


def script(file, start):
    """Return the value that a data file assigns."""
    text = file.read_text()
    place = text.index(start) + len(start)
    return json.JSONDecoder().raw_decode(text[place:])[0]


def numbers(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


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
    for name, numbers in method["categories"].items():
        assert numbers["closed"] == [stored["categories"][name][score] for score in SCORE_NAMES]
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


def test_the_page_has_what_the_scripts_read(board, good, tmp_path):
    spec = GridSpec(8, 2.0, (0.0, 0.5, 0.0))
    values = np.arange(512, dtype=np.uint16).reshape(spec.shape) // 2
    fields = fields_bytes(SmallFields(spec, {"bench": values.astype(np.uint8)}))
    (good / "fields.npz.xz").write_bytes(fields)
    page = tmp_path / "page"
    build_site(board, page, date=world.DATE)
    shown = script(page / "data" / "board.js", "CHORUS_BENCH.board=")
    assert shown["built"] == world.DATE
    ids = script(page / "data" / "samples-b0.js", '["b0"]=')
    data = script(page / "data" / "good.js", '["good"]=')
    stored = load_result(good)
    table = stored.samples.to_pydict()
    assert ids["ids"] == table["sample_id"]
    names = [c["name"] for c in shown["boards"][0]["categories"]]
    assert [names[i] for i in ids["categories"]] == table["category"]
    assert ids["counted"] == [int(a > 0) for a in table["target_area"]]
    assert ids["counted_hoa"] == [int(a > 0) for a in table["target_area_hoa"]]
    for name in SCORE_NAMES:
        np.testing.assert_allclose(
            numbers(data["scores"][name], "<u2") / 65535, table[name], atol=1e-5
        )
    expected = mean_curves(stored.samples)["bench"]
    recall, precision = expected.recall, expected.precision
    curve = data["curves"]["bench"]
    assert list(data["curves"]) == list(data["curves_hoa"]) == ["", *names]
    hoa = mean_curves(stored.samples, without_human=True)["bench"].recall
    read = numbers(data["curves_hoa"]["bench"]["recall"], "<u2") / 65535
    np.testing.assert_allclose(read, hoa, atol=1e-5)
    mean = np.mean([c.recall for c in mean_curves(stored.samples).values()], axis=0)
    read = numbers(data["curves"][""]["recall"], "<u2") / 65535
    np.testing.assert_allclose(read, mean, atol=1e-5)
    np.testing.assert_allclose(numbers(curve["recall"], "<u2") / 65535, recall, atol=1e-5)
    known = curve["undefined_from"] or len(recall)
    read = numbers(curve["precision"], "<u2") / 65535
    np.testing.assert_allclose(read[:known], precision[:known], atol=1e-5)
    assert np.isnan(precision[known:]).all()
    fields = script(page / "data" / "good-fields.js", '["good"]=')
    assert fields["grid"] == {"resolution": 8, "side_length": 2.0, "center": [0.0, 0.5, 0.0]}
    levels = np.frombuffer(zlib.decompress(base64.b64decode(fields["fields"]["bench"])), np.uint8)
    assert (levels == values.ravel()).all()
    assert (page / "data" / "body.js").stat().st_size > 10_000
    assert (page / "assets" / "board.js").is_file()
    assert {f.name for f in (page / "methods").iterdir()} == {"fair.html", "good.html", "poor.html"}
    poor = script(page / "data" / "poor.js", '["poor"]=')["curves"]["bench"]
    assert poor["undefined_from"] == 0
    rows = list(csv.DictReader((page / "board.csv").read_text().splitlines()))
    assert [row["method"] for row in rows] == ["Good", "Fair", "Poor"]
    assert float(rows[0]["mPAP"]) == stored.scores["mPAP"]
    download = json.loads((page / "board.json").read_text())
    assert download["boards"][0]["methods"][0]["scores"]["mPAP"] == stored.scores["mPAP"]


def files(folder):
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_the_same_entries_give_the_same_bytes(board, tmp_path):
    build_site(board, tmp_path / "a", date=world.DATE)
    build_site(board, tmp_path / "b", date=world.DATE)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    build_site(board, tmp_path / "a", date="2026-02-01")
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert first.keys() == second.keys()
    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"index.html", "changes.html", "board.json", "data/board.js"} | {
        name for name in first if name.startswith("methods/")
    }


def test_problems_stop_the_build_unless_they_are_skipped(board, good, tmp_path):
    page = tmp_path / "page"
    build_site(board, page, date=world.DATE)
    before = files(page)
    world.edit_json(good, "scores", "mPAP", value=0.99)
    (board / "entries" / "fair" / "entry.yaml").write_text("method: x\n")
    with pytest.raises(LeaderboardError, match=r"--skip-invalid") as caught:
        build_site(board, page, date=world.DATE)
    assert "entries/good/results.json" in str(caught.value)
    assert "entries/fair/entry.yaml" in str(caught.value)
    assert files(page) == before
    left_out = build_site(board, page, date=world.DATE, skip_invalid=True)
    assert len(left_out) >= 2
    shown = script(page / "data" / "board.js", "CHORUS_BENCH.board=")
    assert [m["slug"] for m in shown["boards"][0]["methods"]] == ["poor"]
    assert not (page / "methods" / "good.html").exists()


def test_an_interrupted_build_leaves_the_old_page(board, tmp_path, monkeypatch):
    page = tmp_path / "page"
    build_site(board, page, date=world.DATE)
    before = files(page)

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("chorus_bench.leaderboard.site.asset_file", broken)
    with pytest.raises(KeyboardInterrupt):
        build_site(board, page, date="2026-02-01")
    assert files(page) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["board", "page"]


def test_other_folders_are_not_overwritten(board, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="is not a leaderboard page"):
        build_site(board, tmp_path / "mine", date=world.DATE)
    assert (tmp_path / "mine" / "thesis.tex").is_file()


def test_an_empty_leaderboard(tmp_path):
    (tmp_path / "board").mkdir()
    build_site(tmp_path / "board", tmp_path / "page", date=world.DATE)
    assert (tmp_path / "page" / "index.html").is_file()
    assert render_boards([], "table") == "The leaderboard has no entries."


class _Scripts(html.parser.HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.handlers = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_hostile_texts_are_harmless(board, tmp_path):
    right_to_left = "\u05e9\u05dc\u05d5\u05dd"
    result = world.make_result("<script>alert(1)</script>", skill=0.7, seed=4)
    world.add(
        board,
        result,
        submitted_by=right_to_left,
        training_data=HOSTILE,
        texts={
            "description": HOSTILE + "x" * 9_000,
            "paper": "javascript:alert(1)",
            "code": 'https://example.org/"><script>alert(2)</script>',
            "citation": "@misc{</textarea><script>alert(3)</script>}",
        },
        parameters={"<b>": "<i>"},
    )
    build_site(board, tmp_path / "page", date=world.DATE)
    plain, parsed = _Scripts(), _Scripts()
    plain.feed((tmp_path / "page" / "methods" / "good.html").read_text())
    parsed.feed((tmp_path / "page" / "methods" / "script-alert-1-script.html").read_text())
    assert parsed.tags.count("script") == plain.tags.count("script")
    assert not parsed.handlers
    assert "img" not in parsed.tags
    assert not any(link.lstrip().lower().startswith("javascript") for link in parsed.links)
    index = _Scripts()
    index.feed((tmp_path / "page" / "index.html").read_text())
    assert not index.handlers
    assert not any(link.lstrip().lower().startswith("javascript") for link in index.links)
    for name in ("board.js", "script-alert-1-script.js"):
        text = (tmp_path / "page" / "data" / name).read_text()
        assert "<" not in text
        assert "\u2028" not in text
    table = render_boards(site_of(board)["boards"], "markdown")
    assert "<script>" not in table
    assert "\\#" not in render_boards(site_of(board)["boards"], "table")


def test_spreadsheets_get_no_formulas(board):
    world.add(board, world.make_result("=1+2", seed=8), name="1-2")
    rows = list(csv.DictReader(board_csv(site_of(board)).splitlines()))
    assert "'=1+2" in [row["method"] for row in rows]


def test_names_that_a_table_must_escape(board):
    world.add(board, world.make_result("a|b_c%", seed=8))
    boards = site_of(board)["boards"]
    assert r"a\|b\_c%" in render_boards(boards, "markdown")
    assert r"a|b\_c\%" in render_boards(boards, "latex")


def test_boards_are_chosen_by_signature(board):
    world.add(board, world.make_result("Best", split="other@c0123456789d"))
    site = site_of(board)
    assert [b["id"] for b in chosen_boards(site, "split:other")] == ["b1"]
    assert [b["id"] for b in chosen_boards(site, "b0")] == ["b0"]
    assert len(chosen_boards(site, None)) == 2
    with pytest.raises(InputError, match="no board has the signature 'nowhere'"):
        chosen_boards(site, "nowhere")
    with pytest.raises(InputError, match="unknown score 'mAP'"):
        render_boards(site["boards"], "table", "mAP")


def test_pictures_of_earlier_versions_are_copied(board, good, tmp_path):
    (good / "pictures").mkdir()
    cv2.imwrite(str(good / "pictures" / "bench 3.png"), np.zeros((8, 8, 3), np.uint8))
    row = {"sample_id": "bench-003", "category": "bench", "kind": "best", "score": 0.5}
    text = json.dumps([row | {"file": "bench 3.png"}])
    (good / "pictures" / "pictures.json").write_text(text)
    build_site(board, tmp_path / "page", date=world.DATE)
    copied = tmp_path / "page" / "pictures" / "good" / "000.png"
    assert copied.read_bytes() == (good / "pictures" / "bench 3.png").read_bytes()
    page = (tmp_path / "page" / "methods" / "good.html").read_text()
    assert 'src="../pictures/good/000.png"' in page
    shutil.rmtree(good / "pictures")
    build_site(board, tmp_path / "page", date=world.DATE)
    assert not (tmp_path / "page" / "pictures").exists()


def test_fields_of_earlier_versions_are_shown(board, good, tmp_path):
    values = np.zeros((8, 8, 8), np.uint8)
    np.savez_compressed(good / "fields.npz", grid=np.array([8, 2.0, 0, 0.5, 0]), bench=values)
    build_site(board, tmp_path / "page", date=world.DATE)
    fields = script(tmp_path / "page" / "data" / "good-fields.js", '["good"]=')
    assert fields["grid"] == {"resolution": 8, "side_length": 2.0, "center": [0.0, 0.5, 0.0]}
    assert list(fields["fields"]) == ["bench"]


def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_the_share_of_the_training_data_is_a_number_or_nothing():
    given = (1, 0.1, 0, 1.5, "all", True, None)
    found = [training_share({"training_share": share}) for share in given]
    assert found == [1.0, 0.1, None, None, None, None, None]
    assert training_share({}) is None


def test_the_data_of_pictures_is_complete(board, good, tmp_path):
    mask = np.zeros((40, 30), np.uint8)
    mask[10:20, 5:25] = 1
    heat = np.zeros((8, 6), np.uint8)
    heat[4:] = 255
    overlay = Overlay(heat, 0.25, encode_mask(mask), encode_mask(mask[::-1]))
    sample = ChosenSample("bench-003", "bench", "best", 0.5)
    (good / "overlays.npz.xz").write_bytes(overlays_bytes({sample: overlay}))
    build_site(board, tmp_path / "page", date=world.DATE)
    masks = unpacked(script(tmp_path / "page" / "data" / "masks-b0.js", '["b0"]='))
    assert masks == {
        "bench-003": {"category": "bench", "size": [40, 30]}
        | {"person": overlay.person["counts"], "target": overlay.target["counts"]}
    }
    data = script(tmp_path / "page" / "data" / "good-pictures.js", '["good"]=')
    assert unpacked(data["index"]) == {"bench-003": {"size": [8, 6], "top": 0.25}}
    assert zlib.decompress(base64.b64decode(data["heat"])) == heat.tobytes()
    text = (tmp_path / "page" / "methods" / "good.html").read_text()
    assert 'data-sample="bench-003"' in text
    assert not (tmp_path / "page" / "pictures").exists()
