"""Every acceptance rule but those of fields and overlays, with an entry that breaks it."""

from __future__ import annotations

import dataclasses
import json
import pickle
import re
import shutil
import subprocess

import numpy as np
import pytest

from chorus_bench.datasets.eval_split import load_split
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.io.leftovers import unfinished_name
from chorus_bench.leaderboard.board import make_board, title_of
from chorus_bench.leaderboard.checking import LeaderboardError, check_leaderboard
from chorus_bench.leaderboard.earlier import earlier_results
from chorus_bench.leaderboard.places import slug_of, slug_problem
from chorus_bench.leaderboard.verification import Verifier, verify_entry
from chorus_bench.metrics.protocol import OFFICIAL, signature_parts
from tests.leaderboard import world


def test_a_good_leaderboard_has_no_problems(board):
    checked = check_leaderboard(board)
    assert checked.findings == []
    assert [entry.slug for entry in checked.entries] == ["fair", "good", "poor"]
    checked.raise_problems()


def test_intervals_are_computed_again_to_the_last_bit(board, good, monkeypatch):
    """What is written today agrees exactly; the last bits of earlier versions are accepted."""
    monkeypatch.setattr("chorus_bench.leaderboard.rules.INTERVAL_TOLERANCE", 0)
    check_leaderboard(board).raise_problems()
    low, high = json.loads((good / "results.json").read_text())["intervals"]["mPAP"]
    world.edit_json(good, "intervals", "mPAP", value=[np.nextafter(low, 0), high])
    assert_found(board, r"intervals\.mPAP: is \[")
    monkeypatch.undo()
    check_leaderboard(board).raise_problems()
    world.edit_json(good, "intervals", "mPAP", value=[low - 1e-11, high])
    assert_found(board, r"intervals\.mPAP: is \[")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("date: '2026-01-31'", "date: soon", r"entry\.yaml:3: date: is 'soon'"),
        (
            "saw_coco_val: 'no'",
            "saw_coco_val: no",
            r":9: saw_coco_val: is false\n.*put quotes",
        ),
        ("status: self-reported", "staus: x", r"entry\.yaml:10: staus: unknown key 'staus'.*"),
        (
            "status: self-reported",
            "status: best",
            r"status: is 'best'\n.*'verified' or",
        ),
        ("method: Good", "method: ''", r"entry\.yaml:1: method: has 0 characters"),
        ("url: null", "url: javascript:alert(1)", r"entry\.yaml:6: submission\.url: is 'javascr"),
        ("url: null", "adress: null", r"entry\.yaml:6: submission\.adress: unknown key"),
        ("verified: null", "verified: &a null", r"entry\.yaml:11: has an anchor or alias"),
        ("method: Good", "method: [", r"entry\.yaml:3: is not valid YAML"),
        ("track: canonical", "track: posed", r"track: is 'posed', the result has 'canonical'"),
        ("method: Good", "method: Goods", r"entry\.yaml: method: is 'Goods', the result has 'Good"),
        ("status: self-reported", "status: verified", r"verified: is missing although the status"),
    ],
)
def test_the_manifest(board, good, old, new, found):
    world.edit_text(good / "entry.yaml", old, new)
    assert_found(board, rf"entries/good/.*{found}")


def assert_found(board, pattern, **options):
    text = world.problems(board, **options)
    assert re.search(pattern, text, re.DOTALL), text


def test_the_nearest_key_is_named(board, good):
    world.edit_text(good / "entry.yaml", "training_data", "traning_data")
    text = world.problems(board)
    assert "entry.yaml:8: traning_data: unknown key" in text
    assert "Did you mean 'training_data'?" in text
    assert "training_data: is missing" in text, "all problems are listed, not the first"


def test_the_digest(board, good):
    text = (good / "entry.yaml").read_text()
    digest = next(line for line in text.splitlines() if "sha256" in line)
    world.edit_text(good / "entry.yaml", digest, f"  sha256: '{'a' * 64}'")
    assert_found(board, r"submission\.sha256: is 'aaa.*', the result has '000")


def test_verified_must_be_of_the_same_submission(board, good):
    block = f"verified:\n  date: 2026-02-01\n  by: me\n  sha256: '{'a' * 64}'\n  url: null"
    world.edit_text(good / "entry.yaml", "verified: null", block)
    assert_found(board, "verified: is present although the status is self-reported")
    world.edit_text(good / "entry.yaml", "status: self-reported", "status: verified")
    assert_found(board, r"verified: is of another submission \(sha256 differs\)")


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("schema",), 2, r":2: schema: result of schema version 2\n.*version 1"),
        (("seconds",), "long", "seconds: is the text 'long'"),
        (("extra",), 1, "unknown key 'extra'"),
        (("scores", "mPAP"), 1.5, r"scores\.mPAP: is 1\.5\n.*fraction"),
        (("scores", "mPAP"), None, r"scores\.mPAP: is null\n.*fraction"),
        (("scores", "mPAP"), 0.99, r":10: scores\.mPAP: is 0\.99, the table"),
        (("scores", "samples"), 71, r"scores\.samples: is 71, the table of samples gives 70"),
        (("intervals", "mPAP"), [0.1, 0.2], r"intervals\.mPAP: is \[0\.1, 0\.2\], the table"),
        (
            ("intervals", "mPAP_hoa"),
            [0.1],
            r"intervals\.mPAP_hoa: is a list: \[0\.1\]\n.*\[low, high\]",
        ),
        (("categories", "bench", "PAP_hoa"), 0.5, r"categories\.bench\.PAP_hoa: is 0\.5, the"),
        (("categories", "bench", "counted"), 30, r"bench\.counted: is 30, .* gives 29"),
        (("categories", "bench", "missing"), True, r"bench\.missing: is true, but"),
        (("categories", "tie"), {}, r"categories\.tie\.counted: is missing"),
        (("beside", "closed", "scores", "mPAP"), 0.9, r"beside\.closed\.scores\.mPAP: is not"),
        (("beside", "open"), {}, r"beside\.open\.scores: is missing"),
        (("submission", "sha256"), "xyz", r"submission\.sha256: is 'xyz'\n.*a SHA-256"),
        (("signature",), "", r"signature: has 0 characters"),
        (("signature",), "PAP", "signature: not a signature"),
        (("signature",), "mAP|v1|split:a@0123456789ab", "unknown metric 'mAP'"),
        (("signature",), "PAP|v1|split:made-up", "has no split with a fingerprint"),
    ],
)
def test_the_result(board, good, path, value, found):
    world.edit_json(good, *path, value=value)
    assert_found(board, rf"entries/good/results\.json.*{found}")


def test_scores_are_exact_to_the_last_bit(board, good):
    score = json.loads((good / "results.json").read_text())["scores"]["mPAP"]
    world.edit_json(good, "scores", "mPAP", value=float(np.nextafter(score, 1)))
    assert_found(board, r"scores\.mPAP: is .* the table of samples gives")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("|v1|", "|v0|"),
        ("grid:48x3.0", "grid:16x3.0"),
        ("thr:0.01:0.99:0.01", "thr:0.5"),
        ("|px:32", ""),
        ("|warp:", "|twist:"),
        ("|chorus-bench:", "|min:7.5|chorus-bench:"),
        ("|chorus-bench:", "|track:side|chorus-bench:"),
    ],
)
def test_signatures_that_no_protocol_gives(board, good, old, new):
    signature = json.loads((good / "results.json").read_text())["signature"]
    world.edit_json(good, "signature", value=signature.replace(old, new))
    assert_found(board, r"results\.json:3: signature: is not current")


def test_a_result_of_another_version_is_one_problem(board, good):
    world.edit_json(good, "schema", value=7)
    assert len(check_leaderboard(board).findings) == 1


def test_damaged_files(board, good):
    (good / "results.json").write_text('{\n "schema": 1,\n oops')
    (good / "samples.parquet").write_bytes(b"PAR1 no PAR1")
    (good / "entry.yaml").unlink()
    (good / "fields.npz").write_bytes(b"no zip")
    (good / "notes.txt").write_text("hello")
    text = world.problems(board)
    assert "entries/good/results.json:3: is not JSON" in text
    assert "entries/good/samples.parquet: cannot be read as Parquet" in text
    assert "entries/good/entry.yaml: is missing" in text
    assert "entries/good/fields.npz: is not a readable .zip file" in text
    assert "entries/good/notes.txt: does not belong here" in text


def test_not_a_number_in_json(board, good):
    world.edit_json(good, "seconds", value=float("nan"))
    assert "seconds: is NaN" in world.problems(board)


def test_links_and_stray_files(board, good, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("password")
    (good / "results.json").unlink()
    (good / "results.json").symlink_to(secret)
    (board / "entries" / "file").write_text("x")
    (board / "entries" / "link").symlink_to(good)
    text = world.problems(board)
    assert "entries/good/results.json: is not a plain file" in text
    assert "entries/file: is not a folder" in text
    assert "entries/link: is not a folder" in text
    assert "password" not in text


@pytest.mark.parametrize(
    ("column", "change", "found"),
    [
        ("PAP", lambda v: [v[0], min(1, v[1] + 0.1), *v[2:]], r"follow from the counts, in row 1 "),
        ("sample_id", lambda v: [v[1], *v[1:]], "duplicate samples: bench-001"),
        ("hit", lambda v: [v[0], [9999] * 99, *v[2:]], r"impossible counts in row 1 \(bench-"),
        ("predicted", lambda v: [[*range(99)], *v[1:]], "impossible counts in row 0"),
        ("hit_hoa", lambda v: [[-1] * 99, *v[1:]], "impossible counts in row 0"),
        ("target_area_hoa", lambda v: [5000, *v[1:]], "impossible counts in row 0"),
        ("predicted", lambda v: [[1], *v[1:]], "contains lists of 1 to 99 numbers"),
        ("category", lambda v: ["sofa", *v[1:]], "categories that only the result or only the"),
        ("sample_id", lambda v: ["a\u202eb", *v[1:]], r"'sample_id' holds 'a\\u202eb'\n.*200 char"),
        ("sample_id", lambda v: [None, *v[1:]], "column 'sample_id' has 1 empty rows"),
    ],
)
def test_the_samples(board, good, column, change, found):
    world.edit_samples(good, column, change)
    assert_found(board, rf"entries/good/.*{found}")


def test_an_honest_table_of_another_method(board, good):
    shutil.copy(board / "entries" / "fair" / "samples.parquet", good / "samples.parquet")
    text = world.problems(board)
    assert "scores.mPAP: is" in text
    assert "categories.bench.PAP: is" in text


def test_scores_with_another_body_are_no_entry(board, good):
    signature = json.loads((good / "results.json").read_text())["signature"]
    other = signature.replace("|chorus-bench:", "|other-body:0123456789ab|chorus-bench:")
    world.edit_json(good, "signature", value=other)
    assert_found(board, r"signature: was scored with another body than the split's")


def test_other_samples_under_the_same_signature(board):
    other = {"bench": 30, "tennis racket": 41}
    world.add(board, world.make_result("Odd", seed=5, categories=other))
    assert_found(board, r"entries/odd/samples.parquet: lacks 0 samples .* 1 other \(tennis racket")


def test_duplicates(board):
    good = world.make_result("Good", skill=0.9)
    world.add(board, good, name="good-again")
    text = world.problems(board)
    assert "entries/good-again/entry.yaml:1: the same submission with the same signature" in text
    assert "the same method with the same signature as entries/good" in text


def test_duplicates_under_another_name_of_the_split(board):
    fingerprint = world.SPLIT.partition("@")[2]
    world.add(
        board, world.make_result("Good", skill=0.9, split=f"x@{fingerprint}"), name="good-again"
    )
    assert_found(board, r"entries/good-again/.* the same submission with the same signature as")


def declared(result, *, skipped=(), unavailable=()):
    """The result on the declared benchmark of a split that has other categories too."""
    population = [*result.categories, *skipped, *unavailable]
    return dataclasses.replace(
        result,
        signature=OFFICIAL.signature(world.SPLIT, world.BODY, population=population),
        skipped=dict.fromkeys(skipped, 3),
        unavailable=dict.fromkeys(unavailable, 31),
    )


def test_a_declared_benchmark(board, good):
    """Its categories are those with a score, those with few samples, and those without target."""
    result = declared(world.make_result("New"), skipped=["kite"], unavailable=["tie"])
    entry = world.add(board, result)
    assert world.problems(board) == ""
    [small] = [b for b in make_board(check_leaderboard(board).entries).groups if "|pop:" in
               b.signature]  # fmt: skip
    assert title_of(signature_parts(small.signature)).endswith("its 4 declared categories")
    world.edit_json(entry, "skipped", value={})
    assert_found(board, r"entries/new/results.json:.*signature: is not current")


@pytest.mark.parametrize("population", ["benchmark", "all"])
def test_verification_scores_the_population_of_the_entry(tmp_path, population):
    split = dataclasses.replace(load_split("example"), population=("surfboard", "tie"))
    result = evaluate("example", split=split, population=population)
    assert ("|pop:" in result.signature) == (population == "benchmark")
    entry = world.add(tmp_path / "board", result)
    marked = verify_entry(entry, "example", Verifier("me", world.DATE, split))
    assert marked.status == "verified"


def test_the_same_method_on_another_split_is_welcome(board):
    other = world.make_result("Good", skill=0.9, split="other@c0123456789d")
    world.add(board, other, name="good-other")
    assert world.problems(board) == ""


@pytest.mark.parametrize("name", ["entry.yaml", "results.json", "samples.parquet"])
def test_files_of_any_size_are_refused_unread(board, good, name):
    with (good / name).open("r+b") as file:
        file.truncate(2**40)
    assert_found(board, rf"entries/good/{re.escape(name)}: has {2**40} bytes")


def test_a_link_in_place_of_the_entries_is_refused(board):
    (board / "entries").rename(board / "elsewhere")
    (board / "entries").symlink_to("elsewhere")
    with pytest.raises(InputError, match="entries: is a link"):
        check_leaderboard(board)


def test_names(board, good):
    good.rename(good.with_name("better"))
    assert_found(board, "entries/better: its name is not named after the method: 'good' or")
    assert slug_of("CHORUS (ours), v2.1") == "chorus-ours-v2-1"
    assert slug_of("Größe") == "grosse" or slug_of("Größe") == "groe"
    assert slug_of("方法").startswith("method-")
    assert slug_of("<script>alert(1)</script>") == "script-alert-1-script"
    for method in ("board", "body", "samples b0", "x fields", "published 1", "../..", "a" * 80):
        assert slug_problem(slug_of(method), method) is None, method
    for name in ("board", "Body", "a--b", "x-fields", "../x", "", "con.txt", "a" * 101):
        assert slug_problem(name, None) is not None, name


def test_scores_change_only_with_the_submission(board, good, tmp_path):
    older = shutil.copytree(board, tmp_path / "older")
    before = earlier_results(board, str(older))
    assert world.problems(board, before=before) == ""
    shutil.rmtree(good)
    world.add(board, world.make_result("Good", skill=0.95))  # the digest is that of the name
    assert_found(board, r"scores\.mPAP: was .* although the submission is the same", before=before)
    good.rename(good.with_name("good-renamed"))
    assert_found(
        board, r"entries/good-renamed/.*although the submission is the same", before=before
    )
    shutil.rmtree(good.with_name("good-renamed"))
    world.add(board, world.make_result("Good", skill=0.95, sha256="abc"))
    assert world.problems(board, before=before) == ""


def _git(folder, *arguments):
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    command = ["git", "-C", str(folder), *identity, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_against_a_git_revision(board, good):
    root = board.parent
    _git(root, "init", "-q")
    _git(root, "add", "board")
    _git(root, "commit", "-qm", "start")
    before = earlier_results(board, "HEAD")
    assert sorted(before) == ["fair", "good", "poor"]
    assert before["good"] == json.loads((good / "results.json").read_text())
    for wrong in ("nowhere", "--output=/tmp/x"):
        with pytest.raises(InputError, match="git cannot read the earlier state"):
            earlier_results(board, wrong)


def test_published(board):
    row = "{name: a, source: b, scores: {mPAP: 10}}"
    file = board / "published.yaml"
    file.write_text(f"rows:\n  - {row}\n")
    assert world.problems(board) == ""
    file.write_text(f"rows:\n  - {row[:-1]}, source_url: 'javascript:1', training_share: 2}}\n")
    assert "rows[0].source_url: is 'javascript:1'" in world.problems(board)
    assert "rows[0].training_share: is 2" in world.problems(board)
    file.write_text(
        f"rows:\n  - {row}\n  - {{name: a}}\n  - {{name: b, source: c, score: 1, "
        "scores: {mPAP: 101, PAP: 3}}\n"
    )
    text = world.problems(board)
    assert "published.yaml:3: rows[1].source: is missing" in text
    assert "published.yaml:3: rows[1]: has neither scores nor categories" in text
    assert "published.yaml:4: rows[2].score: unknown key 'score'" in text
    assert "rows[2].scores.mPAP: is 101" in text
    assert "rows[2].scores.PAP: unknown key 'PAP'\n  What to do: Did you mean 'mPAP'?" in text
    file.write_text("- a\n")
    assert (
        "published.yaml:1: is a list: ['a']\n  Expected: a table with the keys rows"
        in world.problems(board)
    )


def test_the_error_lists_everything_and_travels(board, good):
    (good / "entry.yaml").unlink()
    (board / "entries" / "fair" / "samples.parquet").unlink()
    with pytest.raises(LeaderboardError) as caught:
        check_leaderboard(board).raise_problems("do something")
    assert "2 problems in the leaderboard" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(InputError, match="no such folder"):
        check_leaderboard(board / "nowhere")


def test_hidden_files_among_the_entries(board):
    left = board / "entries" / ".chorus-bench-00000000-1-1-abc.tmp"
    left.mkdir()
    (board / "entries" / ".hidden").write_text("x")
    (board / "entries" / ".gitkeep").write_text("")
    unfinished_name(board / "entries").mkdir()  # this process is writing it
    found = check_leaderboard(board).findings
    assert [finding.where for finding in found] == [f"entries/{left.name}", "entries/.hidden"]
    assert "cache clean" in str(found[0])
    assert len(check_leaderboard(board).entries) == 3
