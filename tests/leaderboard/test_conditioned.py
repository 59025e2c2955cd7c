"""Entries of the track `conditioned`: a board of their own, and a rule that recomputes them."""

from __future__ import annotations

import html
import json
import shutil
from dataclasses import replace

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from chorus_bench.cli.app import app
from chorus_bench.errors import InputError
from chorus_bench.evaluation.comparison import compare
from chorus_bench.evaluation.conditioned import conditioned_summary
from chorus_bench.evaluation.samples_file import CONDITIONED_SCHEMA, READINGS
from chorus_bench.leaderboard.board import board_json, make_board
from chorus_bench.leaderboard.checking import check_leaderboard
from chorus_bench.leaderboard.site import build_site
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.report.conditioned import READING_TEXTS
from tests.leaderboard import world

LABELS = "2@0123456789ab"


def conditioned(method: str, *, labels: str = LABELS, **options):
    """Return a made-up result of the track: the total is half of the own type's numbers."""
    result = world.make_result(method, **options)
    table = result.samples
    columns = {name: table[name] for name in table.column_names}
    columns["own_type"] = ["swing" if n % 2 else "" for n in range(len(table))]
    for reading, factor in zip(READINGS, (0.5, 1.0, 0.25), strict=True):
        for name in SCORE_NAMES:
            columns[f"{reading}_{name}"] = factor * table[name].to_numpy()
    samples = pa.table(columns, schema=CONDITIONED_SCHEMA)
    signature = OFFICIAL.signature(world.SPLIT, world.BODY, track="conditioned", labels=labels)
    return replace(
        result,
        samples=samples,
        signature=signature,
        conditioned=conditioned_summary(samples, labels),
    )


@pytest.fixture(scope="module")
def _shipped(_shipped, tmp_path_factory):
    """Return the leaderboard that `board` copies, with three entries of the track."""
    folder = shutil.copytree(_shipped, tmp_path_factory.mktemp("conditioned") / "board")
    world.add(folder, conditioned("By prompt", skill=0.8))
    world.add(folder, conditioned("Good", skill=0.7, seed=3), name="good-conditioned")
    world.add(folder, conditioned("Good", labels="none", skill=0.7), name="good-unlabelled")
    return folder


@pytest.fixture
def entry(board):
    return board / "entries" / "by-prompt"


def test_they_have_a_board_of_their_own(board):
    checked = check_leaderboard(board)
    checked.raise_problems()
    boards = board_json(make_board(checked.entries), "2026-01-31")["boards"]
    tracks = {(b["track"], b["signature_parts"].get("labels")): b for b in boards}
    assert set(tracks) == {
        ("canonical", None),
        ("conditioned", LABELS),
        ("conditioned", "none"),
    }
    slugs = [m["slug"] for m in tracks["conditioned", LABELS]["methods"]]
    assert slugs == ["by-prompt", "good-conditioned"]
    assert "conditioned track" in tracks["conditioned", LABELS]["title"]


def test_a_methods_page_has_every_reading(board, tmp_path):
    build_site(board, tmp_path / "page", date=world.DATE)
    text = (tmp_path / "page" / "methods" / "by-prompt.html").read_text()
    readings = conditioned("By prompt", skill=0.8).conditioned["scores"]
    for reading, what in READING_TEXTS.items():
        row = html.unescape(text).partition(f'<th scope="row">{what}</th>')[2]
        assert row.startswith(f'<td class="number">{100 * readings[reading]["mPAP"]:.2f}</td>')
    assert "Conditioned on" not in (tmp_path / "page" / "methods" / "good.html").read_text()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("conditioned", "scores", "own", "mPAP"), 0.5),
        (("conditioned", "scores", "best", "mPAP_hoa"), 0.5),
        (("conditioned", "gain", "mPAP"), [0.1, 0.0, 0.2]),
        (("conditioned", "categories", "bench", "matched"), 3),
        (("conditioned", "categories", "bench", "mean", "PAP"), 0.5),
        (("conditioned", "labels"), "3@0123456789ab"),
        (("conditioned", "categories"), {}),
    ],
)
def test_every_reading_follows_from_the_table(board, entry, path, value):
    world.edit_json(entry, *path, value=value)
    assert "the table of samples gives" in world.problems(board)


def test_the_block_belongs_to_the_track(board, entry):
    world.edit_json(entry, "conditioned", value=None)
    assert "conditioned" in world.problems(board)
    block = conditioned("x").conditioned
    world.edit_json(board / "entries" / "good", "conditioned", value=block)
    assert "is there, but the track is not 'conditioned'" in world.problems(board)


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("best_PAP", lambda v: [0.0 for _ in v], "has impossible readings"),
        ("best_PAP", lambda v: [1.5, *v[1:]], "has impossible readings"),
        ("own_type", lambda v: ["a\nb", *v[1:]], "has 1 type with a name that cannot be shown"),
        (
            "total_PAP",
            lambda v: [v[0] / 2, v[1] / 2, v[2] / 2, *v[3:]],
            "the table of samples gives",
        ),
    ],
)
def test_the_table_is_checked(board, entry, column, change, said):
    world.edit_samples(entry, column, change)
    assert said in world.problems(board)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"labels:{LABELS}", "labels:many"),
        (f"|labels:{LABELS}", ""),
        ("track:conditioned", "track:posed"),
    ],
)
def test_the_signature_is_complete(board, entry, old, new):
    signature = conditioned("By prompt").signature
    world.edit_json(entry, "signature", value=signature.replace(old, new))
    assert "is not current" in world.problems(board)


def test_the_columns_belong_to_the_track(board, entry):
    (board / "entries" / "good" / "samples.parquet").write_bytes(
        (entry / "samples.parquet").read_bytes()
    )
    assert "has the columns of the track 'conditioned'" in world.problems(board)


def test_show_may_list_one_representation(board):
    def shown(*arguments):
        call = ["leaderboard", "show", "--leaderboard", str(board), "--format", "json"]
        done = CliRunner().invoke(app, [*call, *arguments])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return [m["slug"] for b in json.loads(done.stdout)["boards"] for m in b["methods"]]

    assert sorted(shown("--representation", "conditioned")) == [
        "by-prompt",
        "good-conditioned",
        "good-unlabelled",
    ]
    points = world.make_result("Points", skill=0.5, seed=9, conversion=["points: balls of 3 cm"])
    world.add(board, points)
    assert shown("--representation", "points") == ["points"]
    assert set(shown("--representation", "canonical")) == {"good", "fair", "poor", "points"}
    with pytest.raises(InputError, match="nothing is of the representation 'posed'"):
        shown("--representation", "posed")


def test_compare_may_take_one_representation(board):
    entries = [board / "entries" / name for name in ("good", "fair", "by-prompt")]
    ranking = compare(entries, representation="canonical")
    assert ranking.methods == ("Good", "Fair")
    with pytest.raises(InputError, match="scored differently: track"):
        compare(entries)
    with pytest.raises(InputError, match="1 result to compare"):
        compare(entries, representation="conditioned")
