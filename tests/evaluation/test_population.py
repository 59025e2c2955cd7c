"""Which categories are scored, which have no score, and what the signature says of it."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_bench.datasets.eval_split import split_from_rows
from chorus_bench.datasets.masks import encode_mask
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.arguments import respelt_categories, unknown_categories
from chorus_bench.evaluation.comparison import compare
from chorus_bench.evaluation.diagnosis import diagnose
from chorus_bench.evaluation.orientation import chance_of_signs
from chorus_bench.evaluation.repairs import SearchSettings
from chorus_bench.evaluation.results import summarize
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.protocol import (
    OFFICIAL,
    population_label,
    signature_differences,
    signature_parts,
)
from chorus_bench.report.diagnosis import render_diagnosis
from chorus_bench.report.page import diagnosis_table
from chorus_bench.submission import write_submission
from tests.cli.cli_tools import run_cli
from tests.evaluation.small_split import COARSE, blob_field

#: For tests that are not about what the oracles find.
QUICK = SearchSettings(reach=0.1, steps=(0.1,), octaves=0.5, octave_steps=(0.5,))

A, B = "0123456789ab", "ba9876543210"


def with_population(split, *names):
    return type(split)(
        **{name: getattr(split, name) for name in ("name", "samples", "min_samples", "body")},
        population=names or None,
    )


def test_the_declared_benchmark_is_scored_by_default(split, submission):
    every = sorted(split.counts)
    some = with_population(split, *every[:1])
    result = evaluate(submission, split=some, min_samples=1)
    assert list(result.categories) == every[:1]
    assert signature_parts(result.signature)["pop"] == population_label(every[:1])
    whole = evaluate(submission, split=some, min_samples=1, population="all")
    assert list(whole.categories) == every
    assert "pop" not in signature_parts(whole.signature)
    plain = evaluate(submission, split=split, min_samples=1)
    assert signature_differences(whole.signature, plain.signature) == []
    with pytest.raises(InputError, match="pop: 1@"):
        compare([result, whole])


def test_a_benchmark_of_all_categories_needs_no_word(split, submission):
    result = evaluate(submission, split=with_population(split, *split.counts), min_samples=1)
    assert "pop" not in signature_parts(result.signature)


def test_a_declared_category_with_too_few_samples_is_said(split, submission):
    declared = with_population(split, *split.counts, "zebra")
    result = evaluate(submission, split=declared, min_samples=1)
    assert result.skipped == {"zebra": 0}


def test_an_unknown_population(split, submission):
    with pytest.raises(InputError, match="unknown population 'al'"):
        evaluate(submission, split=split, min_samples=1, population="al")


def test_one_category_may_be_given_as_text(split, submission):
    name = next(iter(split.counts))
    result = evaluate(submission, split=split, min_samples=1, categories=name)
    assert list(result.categories) == [name]
    for wrong in ([], [1]):
        with pytest.raises(InputError, match="categories"):
            evaluate(submission, split=split, min_samples=1, categories=wrong)


def test_a_category_without_a_target_pixel_is_left_out(rows, submission):
    """It is no 0: that would lower the mean as if the method had failed on it."""
    names = sorted({row["category"] for row in rows})
    nothing = {
        (r["height"], r["width"]): encode_mask(np.zeros((r["height"], r["width"]))) for r in rows
    }
    blind = [
        {**row, "object_mask": nothing[row["height"], row["width"]]}
        if row["category"] == names[0]
        else row
        for row in rows
    ]
    blind_split = split_from_rows(blind, "blind")
    result = evaluate(submission, split=blind_split, min_samples=1, protocol=COARSE)
    assert list(result.unavailable) == names[:1]
    assert list(result.categories) == names[1:]
    seen = [row for row in rows if row["category"] != names[0]]
    alone = evaluate(
        submission, split=split_from_rows(seen, "seen"), min_samples=1, protocol=COARSE
    )
    assert result.scores == alone.scores
    assert any("has a target pixel" in text for text in result.warnings)
    found = diagnose(submission, split=blind_split, min_samples=1, protocol=COARSE, search=QUICK)
    assert list(found.categories) == names[1:]
    assert (found.mean.pap, found.mean.pap_hoa) == (
        result.scores["mPAP"],
        result.scores["mPAP_hoa"],
    )
    assert set(found.warnings) == set(result.warnings)
    nothing_left = split_from_rows([r for r in blind if r["category"] == names[0]], "nothing")
    for function in (evaluate, diagnose):
        with pytest.raises(InputError, match="has a target pixel"):
            function(submission, split=nothing_left, min_samples=1, protocol=COARSE)


def test_hidden_targets_have_no_hoa_score():
    """Means over a category in which the person hides every target: not 0, not in the mean."""
    scores = np.array([[0.5, 0.4, 0.0, 0.0], [0.7, 0.6, 0.0, 0.0]])
    hidden = (scores, np.array([[9, 0], [8, 0]]))
    seen = (np.full((3, 4), 0.2), np.full((3, 2), 5))
    found = summarize({"hidden": hidden, "seen": seen})
    assert found["categories"]["hidden"]["PAP_hoa"] is None
    assert found["categories"]["hidden"]["intervals"]["PAP_hoa"] is None
    assert found["scores"]["mPAP"] == pytest.approx((0.6 + 0.2) / 2)
    assert found["scores"]["mPAP_hoa"] == pytest.approx(0.2)
    low, high = found["intervals"]["mPAP_hoa"]
    assert low == pytest.approx(0.2)
    assert high == pytest.approx(0.2)


def behind_the_torso(row):
    """A mask of a few pixels in the middle of the picture, where the body is."""
    mask = np.zeros((row["height"], row["width"]), np.uint8)
    y, x = row["height"] // 2, row["width"] // 2
    mask[y - 4 : y + 4, x - 4 : x + 4] = 1
    return encode_mask(mask)


def test_a_diagnosis_without_hoa_scores(rows, submission):
    """The person hides every target of a category: its PAP_hoa is none, not 0, as in the scores."""
    names = sorted({row["category"] for row in rows})
    hidden = [
        {**row, "object_mask": behind_the_torso(row)} if row["category"] == names[0] else row
        for row in rows
    ]
    options = {"split": split_from_rows(hidden, "hidden"), "min_samples": 1, "protocol": COARSE}
    result = evaluate(submission, **options)
    found = diagnose(submission, search=QUICK, **options)
    assert found.categories[names[0]].pap_hoa is None
    assert found.categories[names[0]].occlusion is None
    assert found.as_dict()["categories"][names[0]]["PAP_hoa"] is None
    assert found.mean.pap == result.scores["mPAP"]
    assert found.mean.pap_hoa == result.scores["mPAP_hoa"]
    assert set(found.warnings) == set(result.warnings)
    [line] = [text for text in render_diagnosis(found).splitlines() if text.startswith(names[0])][
        :1
    ]
    assert line.split().count("n/a") == 2
    rows_of_page = diagnosis_table(found.as_dict())["rows"]
    cells = next(row for row in rows_of_page if row["name"] == names[0])["cells"]
    assert ("\N{EN DASH}", "") in cells


def test_categories_of_one_sample_have_no_spread(rows, submission):
    """Resampling them gives an interval without width, which is no certainty."""
    first = {row["category"]: row for row in reversed(rows)}
    single = split_from_rows(list(first.values()), "single")
    result = evaluate(submission, split=single, min_samples=1, protocol=COARSE)
    assert any(
        text.startswith(f"One sample only in {', '.join(sorted(first))}")
        for text in result.warnings
    )
    with pytest.raises(InputError, match=f"one sample in each of {len(first)} categories"):
        compare([result, result])
    more = [*first.values(), next(row for row in rows if row not in first.values())]
    mixed = evaluate(submission, split=split_from_rows(more, "m"), min_samples=1, protocol=COARSE)
    assert compare([mixed, mixed]).ranks.tolist() == [1, 1]


def test_one_sample_is_not_compared(rows, submission):
    one = split_from_rows(rows[:1], "one")
    results = [evaluate(submission, split=one, min_samples=1) for _ in range(2)]
    entry = next(iter(results[0].categories.values()))
    assert entry["intervals"]["PAP"] is None
    with pytest.raises(InputError, match="1 sample in each result"):
        compare(results)


def test_a_misspelt_category_is_told():
    assert unknown_categories(["tennis_racket"], ["tennis racket", "tie"]) == [
        "The split has no samples of: tennis_racket (did you mean 'tennis racket'?). Not scored."
    ]
    assert unknown_categories(["tie"], ["tie"]) == []


def test_other_spellings_of_known_categories_are_told_without_a_split(tmp_path):
    """Before anybody scores on the real split, where another spelling counts as missing."""
    names = ["tennis_racket", "SportsBall", "cell-phone", "tie", "bow_(weapon)", "baseball"]
    assert respelt_categories(names) == [
        "'tennis_racket' would count as another category than 'tennis racket'",
        "'SportsBall' would count as another category than 'sports ball'",
        "'cell-phone' would count as another category than 'cell phone'",
    ]
    folder = write_submission(
        tmp_path / "s", method="x", fields={"tennis_racket": blob_field(16)}, grid=GridSpec(16)
    )
    done = run_cli("validate", folder)
    assert done.returncode == 0
    assert "'tennis_racket' would count as another category than 'tennis racket'" in done.stdout
    assert "1 warning" in done.stdout


def test_signatures_go_by_fingerprints():
    first = OFFICIAL.signature(f"simulated@{A}", f"SMPL_NEUTRAL@{B}")
    renamed = OFFICIAL.signature(f"mine@{A}", f"body@{B}")
    other = OFFICIAL.signature(f"simulated@{B}", f"SMPL_NEUTRAL@{B}")
    assert signature_differences(first, renamed) == []
    assert signature_differences(first, other) == [f"split: simulated@{A} against simulated@{B}"]


@pytest.mark.parametrize(
    "forged",
    [
        f"PAP|v1|split:x|split:mini4@{A}|body:b@{B}",
        f"PAP|v1|split:x@{A}|nothing|body:b@{B}",
        "PAP|v1|split:x\x1b[31m@1",
        "PAP",
    ],
)
def test_forged_signatures_are_refused(forged):
    with pytest.raises(InputError, match="signature"):
        signature_parts(forged)


def test_chance_is_ruled_out_only_by_many_samples():
    assert chance_of_signs(4, 0) == 1.0
    assert chance_of_signs(16, 0) == pytest.approx(47 / 2**16)
    assert chance_of_signs(15, 1) == pytest.approx(47 * 17 / 2**16)
