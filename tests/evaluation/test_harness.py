"""Evaluating submissions: numbers, resuming, caching, refusals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation import cache, evaluate, load_result, split_from_rows
from chorus_bench.evaluation.arguments import coverage_warnings
from chorus_bench.evaluation.prepare import prepare_sample
from chorus_bench.evaluation.results import rescored, scores_of
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.metrics import (
    OFFICIAL,
    SCORE_NAMES,
    benchmark_mean,
    category_mean,
    projective_average_precision,
)
from chorus_bench.metrics.protocol import signature_differences
from chorus_bench.submission import (
    open_submission,
    write_posed_submission,
    write_submission,
)
from tests.evaluation.small_split import CATEGORIES, COARSE, blob_field


def _bytes(folder: Path) -> tuple[bytes, dict]:
    """Return what must be the same: the table's bytes and the result without its clock."""
    result = json.loads((folder / "results.json").read_text())
    del result["seconds"], result["environment"]
    return (folder / "samples.parquet").read_bytes(), result


def test_equals_the_metric_sample_by_sample(split, submission):
    result = evaluate(submission, split=split, protocol=COARSE)
    body = load_body("default")
    with open_submission(submission) as opened:
        expected = []
        for sample in split.samples:
            prepared = prepare_sample(sample, body, COARSE)
            values = opened.field(sample.category).at(prepared.points)
            score = projective_average_precision(
                prepared.occupancy_image(values), prepared.target, prepared.human
            )
            expected.append((sample.category, score))
    expected = [(c, s) for c, s in expected if c != "tennis racket"]  # two samples: not scored
    rows = [[s.pap, s.pap_strict, s.pap_hoa, s.pap_strict_hoa] for _, s in expected]
    np.testing.assert_array_equal(scores_of(result.samples), rows)
    assert np.count_nonzero(rows) > len(rows)
    means = []
    for name in ("bench", "surfboard"):
        chosen = [s for c, s in expected if c == name]
        table = [[s.pap, s.pap_strict, s.pap_hoa, s.pap_strict_hoa] for s in chosen]
        means.append(category_mean(table, [[s.target_area, s.target_area_hoa] for s in chosen]))
        assert {k: result.categories[name][k] for k in SCORE_NAMES} == means[-1]
    assert {k: result.scores[k] for k in benchmark_mean(means)} == benchmark_mean(means)
    assert result.skipped == {"tennis racket": 2}


def test_workers_order_and_sharding_change_nothing(tmp_path, rows, split, submission):
    shuffled = split_from_rows(rows[::-1], "made")
    folders = [tmp_path / name for name in ("one", "four", "shuffled", "cold")]
    evaluate(submission, split=split, protocol=COARSE, output=folders[0], workers=1)
    evaluate(submission, split=split, protocol=COARSE, output=folders[1], workers=4)
    evaluate(submission, split=shuffled, protocol=COARSE, output=folders[2])
    cache = tmp_path / "cache"
    evaluate(submission, split=split, protocol=COARSE, output=folders[3], cache=cache)
    first, *others = [_bytes(folder) for folder in folders]
    for other in others:
        assert other == first


def test_fields_in_memory_score_like_their_folder(split, submission):
    with open_submission(submission) as opened:
        fields = {name: opened.field(name) for name in CATEGORIES}
    scored, made = (evaluate(s, split=split, protocol=COARSE) for s in (submission, fields))
    assert made.scores == scored.scores
    assert made.categories == scored.categories
    assert made.submission["method"] == "fields in memory"


def test_missing_category_counts_as_zero(tmp_path, split):
    fields = {"surfboard": blob_field(), "kite": blob_field()}
    lacking = write_submission(tmp_path / "s", method="some", fields=fields)
    result = evaluate(lacking, split=split, protocol=COARSE)
    assert result.categories["bench"]["missing"]
    assert result.categories["bench"]["PAP"] == 0
    assert result.scores["mPAP"] == result.categories["surfboard"]["PAP"] / 2
    assert any("lacks 1 of 2 scored categories" in text for text in result.warnings)
    assert any("no samples of: kite" in text for text in result.warnings)


def test_restricting_categories_is_in_the_signature(split, submission):
    result = evaluate(submission, split=split, protocol=COARSE, categories=["bench"])
    assert list(result.categories) == ["bench"]
    assert "|cat:bench|" in result.signature


def test_min_samples(split, submission):
    protocol = replace(COARSE, min_samples=30)
    with pytest.raises(InputError, match="no category has the 30 samples") as caught:
        evaluate(submission, split=split, protocol=protocol)
    assert "--min-samples 5" in str(caught.value)
    result = evaluate(submission, split=split, protocol=protocol, min_samples=2)
    assert set(result.categories) == set(CATEGORIES)
    assert "|min:2|" in result.signature


def test_closed_beside_official(tmp_path, split):
    solid = {name: (blob_field() > 0.5).astype(np.float32) for name in CATEGORIES}
    binary = write_submission(tmp_path / "binary", method="binary", fields=solid)
    result = evaluate(binary, split=split, protocol=COARSE)
    beside = result.beside["closed"]
    assert result.scores["mPAP"] == 0
    assert beside["scores"]["mPAP"] > 0
    assert beside["signature"].startswith("PAP-closed|v1|")
    closed = evaluate(binary, split=split, protocol=replace(COARSE, name="PAP-closed", closed=True))
    assert closed.scores["mPAP"] == beside["scores"]["mPAP"]
    assert closed.signature == beside["signature"]
    assert closed.beside["official"]["scores"]["mPAP"] == 0


def test_scores_follow_from_the_stored_counts(split, submission):
    result = evaluate(submission, split=split, protocol=COARSE)
    np.testing.assert_array_equal(rescored(result.samples, closed=False), scores_of(result.samples))


def test_finer_grid_reads_the_voxel_that_contains_the_point(tmp_path, split, submission):
    """A field whose voxels are cut in two on each axis is the same field."""
    fine = {
        name: blob_field(center=(0.1 * i, 0.2, 0.3)).repeat(2, 0).repeat(2, 1).repeat(2, 2)
        for i, name in enumerate(CATEGORIES)
    }
    finer = write_submission(tmp_path / "fine", method="f", fields=fine, grid=GridSpec(96))
    coarse, fine = (evaluate(s, split=split, protocol=COARSE) for s in (submission, finer))
    np.testing.assert_array_equal(scores_of(fine.samples), scores_of(coarse.samples))


def test_posed_track(tmp_path, split):
    """A posed field that holds what the canonical one reads there scores the same."""
    body, field = load_body("default"), OccupancyGrid(blob_field())
    posed: dict[str, dict[str, np.ndarray]] = {}
    for sample in split.select(["surfboard"]):
        prepared = prepare_sample(sample, body, COARSE)
        values = np.zeros(COARSE.grid.voxels, np.float32)
        values[prepared.voxels] = field.at(prepared.points)
        posed.setdefault(sample.category, {})[sample.sample_id] = values.reshape(COARSE.grid.shape)
    there = write_posed_submission(tmp_path / "p", method="p", fields=posed, grid=COARSE.grid)
    plain = write_submission(tmp_path / "c", method="c", fields={"surfboard": blob_field()})
    results = [
        evaluate(s, split=split, protocol=COARSE, categories=["surfboard"]) for s in (there, plain)
    ]
    np.testing.assert_array_equal(scores_of(results[0].samples), scores_of(results[1].samples))
    assert "|track:posed|" in results[0].signature


def test_posed_track_with_missing_samples(tmp_path, split):
    zeros = np.zeros(COARSE.grid.shape, np.float32)
    ids = [sample.sample_id for sample in split.select(["surfboard"])]
    fields = {"surfboard": dict.fromkeys([*ids[1:], "somebody"], zeros)}
    lacking = write_posed_submission(tmp_path / "p", method="p", fields=fields, grid=COARSE.grid)
    with pytest.raises(InputError, match="1 of 4 samples are missing: made-surfboard-000") as error:
        evaluate(lacking, split=split, protocol=COARSE)
    assert "1 are not in the split: somebody" in str(error.value)


def test_the_samples_of_a_posed_submission_are_checked_without_scoring(tmp_path, split):
    """Every category with a missing or an extra sample is named, as an evaluation would."""
    zeros = np.zeros(COARSE.grid.shape, np.float32)
    ids = {name: [s.sample_id for s in split.select(name)] for name in ("bench", "surfboard")}
    fields = {
        "bench": dict.fromkeys([*ids["bench"], "a", "b"], zeros),
        "surfboard": dict.fromkeys(ids["surfboard"][1:], zeros),
    }
    folder = write_posed_submission(tmp_path / "p", method="p", fields=fields, grid=COARSE.grid)
    extra = "Posed fields of 'bench': 2 are not in the split: a, b; not scored."
    with open_submission(folder) as opened:
        found = coverage_warnings(opened, split)
    assert extra in found
    assert (
        "Posed fields of 'surfboard': 1 of 4 samples are missing: made-surfboard-000; the "
        "submission would be refused."
    ) in found
    scored = evaluate(folder, split=split, protocol=COARSE, categories="bench")
    assert extra in scored.warnings


def test_an_open_submission_stays_open(tmp_path, split, submission):
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", submission)
    with open_submission(archive) as opened:
        first = evaluate(opened, split=split, protocol=COARSE)
        again = evaluate(opened, split=split, protocol=COARSE)
    assert first.samples.equals(again.samples)
    assert evaluate(archive, split=split, protocol=COARSE).submission == first.submission


def test_result_round_trip(tmp_path, split, submission):
    result = evaluate(submission, split=split, protocol=COARSE, output=tmp_path / "r")
    loaded = load_result(tmp_path / "r")
    assert loaded.as_dict() == result.as_dict() | {"seconds": loaded.seconds}
    assert loaded.samples.equals(result.samples)


def test_output_of_another_evaluation_is_refused(tmp_path, split, submission):
    evaluate(submission, split=split, protocol=COARSE, output=tmp_path / "r")
    before = _bytes(tmp_path / "r")
    with pytest.raises(InputError, match="cat: not given against bench"):
        evaluate(
            submission, split=split, protocol=COARSE, output=tmp_path / "r", categories=["bench"]
        )
    other = write_submission(tmp_path / "o", method="blobs", fields={"bench": blob_field()})
    with pytest.raises(InputError, match="submission: "):
        evaluate(other, split=split, protocol=COARSE, output=tmp_path / "r")
    assert _bytes(tmp_path / "r") == before


def test_output_with_foreign_files_is_refused(tmp_path, split, submission):
    (tmp_path / "photo.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match="not empty and contains no result"):
        evaluate(submission, split=split, protocol=COARSE, output=tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        evaluate(submission, split=split, protocol=COARSE, output=tmp_path / "photo.jpg")


def test_split_made_with_another_body(rows, submission):
    split = split_from_rows(rows, "made", body="smpl@000000000000")
    with pytest.raises(InputError, match="made with the body smpl@000000000000"):
        evaluate(submission, split=split, protocol=COARSE)
    with pytest.raises(InputError, match="not with default@") as caught:
        evaluate(submission, split=split, protocol=COARSE, body="default")
    assert "--allow-other-body" in str(caught.value)
    allowed = evaluate(
        submission, split=split, protocol=COARSE, body="default", allow_other_body=True
    )
    assert "|other-body:000000000000|chorus-bench:" in allowed.signature
    assert any("poses and cameras do not match" in text for text in allowed.warnings)
    right = evaluate(
        submission, split=split_from_rows(rows, "made", body=_default("any")), protocol=COARSE
    )
    assert "other-body" not in right.signature
    assert signature_differences(right.signature, allowed.signature)
    assert right.warnings == ()


def _default(name):
    """The label of the default body under another name: names are no identity."""
    return f"{name}@{load_body('default').fingerprint}"


def test_a_split_that_does_not_say_its_body(split, submission):
    result = evaluate(submission, split=split, protocol=COARSE)
    assert any("does not say which body" in text for text in result.warnings)


def _damage(cache: Path, how: str) -> None:
    for file in cache.rglob("*.bin"):
        data = file.read_bytes()
        if how == "truncate":
            file.write_bytes(data[: len(data) // 2])
        elif how == "empty":
            file.write_bytes(b"")
        elif how == "flip":
            middle = len(data) * 3 // 4
            file.write_bytes(data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :])
        elif how == "garbage":
            file.write_bytes(b"\xff" * len(data))


@pytest.mark.parametrize("how", ["truncate", "empty", "flip", "garbage"])
def test_damaged_cache_is_made_again(tmp_path, split, submission, caplog, how):
    options = {"split": split, "protocol": COARSE, "cache": tmp_path / "cache"}
    good = evaluate(submission, **options)
    _damage(tmp_path / "cache", how)
    again = evaluate(submission, **options)
    assert again.samples.equals(good.samples)
    assert "damaged cache file" in caplog.text
    caplog.clear()
    evaluate(submission, **options)
    assert not caplog.text


def test_cache_of_something_else_is_not_used(tmp_path, split, submission, caplog):
    options = {"split": split, "protocol": COARSE, "cache": tmp_path / "cache"}
    good = evaluate(submission, **options)
    files = sorted((tmp_path / "cache").rglob("*-lookup-*.bin"))
    files[0].write_bytes(files[1].read_bytes())
    assert evaluate(submission, **options).samples.equals(good.samples)
    assert "cache file with other contents" in caplog.text


#: Seconds after which something hangs; a busy machine is slow.
PATIENCE = 600
_SCRIPT = """
    import sys
    from pathlib import Path
    import chorus_bench.evaluation.cache as cache
    from chorus_bench.evaluation import evaluate, split_from_rows
    from tests.evaluation.small_split import COARSE, CATEGORIES, make_row

    cache.BATCH_SIZE = 1
    submission, output, store, pause = sys.argv[1:]
    counts = dict(zip(CATEGORIES, (5, 4, 2)))
    rows = [make_row(name, i) for name, n in counts.items() for i in range(n)]
    original = cache.prepare_sample

    def slow(*args, **kwargs):
        import time
        print("preparing", flush=True)
        sys.stdin.readline() if pause == "until told" else time.sleep(float(pause))
        return original(*args, **kwargs)

    cache.prepare_sample = slow
    evaluate(submission, split=split_from_rows(rows, "made"), protocol=COARSE, output=output,
             cache=store, workers=1)
"""


def _start(tmp_path: Path, submission: Path, output: str, pause: object) -> subprocess.Popen:
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(_SCRIPT))
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    arguments = [str(submission), str(tmp_path / output), str(tmp_path / "cache"), str(pause)]
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_interrupted_run_resumes_to_the_same_bytes(tmp_path, split, submission, monkeypatch, how):
    process = _start(tmp_path, submission, "out", "until told")
    while not list((tmp_path / "out" / "partial").glob("*.parquet")):
        assert process.stdout.readline() == "preparing\n"
        process.stdin.write("\n")
        process.stdin.flush()
    process.send_signal(how)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert not (tmp_path / "out" / "results.json").exists()
    left = list((tmp_path / "out" / "partial").glob("*.parquet"))
    assert left
    evaluate(submission, split=split, protocol=COARSE, output=tmp_path / "whole")
    prepared = []

    def counted(*arguments, **options):
        prepared.append(arguments)
        return prepare_sample(*arguments, **options)

    monkeypatch.setattr(cache, "BATCH_SIZE", 1)
    monkeypatch.setattr(cache, "prepare_sample", counted)
    options = {"output": tmp_path / "out", "cache": tmp_path / "cache", "workers": 1}
    evaluate(submission, split=split, protocol=COARSE, **options)
    assert 0 < len(prepared) <= 9 - len(left)
    assert _bytes(tmp_path / "out") == _bytes(tmp_path / "whole")
    assert not (tmp_path / "out" / "partial").exists()


def test_two_processes_prepare_at_once(tmp_path, submission):
    processes = [_start(tmp_path, submission, f"out{i}", 0.05) for i in range(2)]
    for process in processes:
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
    assert _bytes(tmp_path / "out0") == _bytes(tmp_path / "out1")


def test_progress_counts_every_sample_once(tmp_path, split, submission):
    seen: list[tuple[int, int]] = []
    options = {"split": split, "protocol": COARSE, "cache": tmp_path / "cache", "workers": 1}
    for _ in range(2):
        seen.clear()
        evaluate(submission, **options, progress=lambda done, total: seen.append((done, total)))
        assert seen[-1] == (9, 9)
        assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_official_is_the_default(split, submission):
    result = evaluate(submission, split=split, categories=["surfboard"], min_samples=4)
    assert result.signature.startswith(f"PAP|v1|split:{split.label}|grid:48x3.0|thr:0.01:0.99:0.01")
    assert OFFICIAL.grid == GridSpec()
