"""The page's files: their numbers, hostile texts, earlier versions, atomicity."""

from __future__ import annotations

import base64
import csv
import html.parser
import json
import shutil
import zlib

import cv2
import numpy as np
import pytest

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import load_result, mean_curves
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.leaderboard.board import training_share
from chorus_bench.leaderboard.checking import LeaderboardError
from chorus_bench.leaderboard.fields import fields_bytes
from chorus_bench.leaderboard.overlays import overlays_bytes
from chorus_bench.leaderboard.site import board_csv, build_site
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.leaderboard_tables import chosen_boards, render_boards
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import ChosenSample
from tests.leaderboard import world
from tests.leaderboard.pages import numbers, script, site_of

HOSTILE = "</script><script>alert('x')</script> & \u2028 \"quoted\" <img src=x onerror=alert(1)>"


def test_the_page_has_what_the_scripts_read(board, good, tmp_path):
    spec = GridSpec(8, 2.0, (0.0, 0.5, 0.0))
    values = np.arange(512, dtype=np.uint16).reshape(spec.shape) // 16
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
