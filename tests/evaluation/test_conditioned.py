"""The track `conditioned`: the field of each sample's own type of interaction."""

import numpy as np
import pytest

from chorus_bench.datasets.interaction_labels import InteractionLabel, labels_fingerprint
from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, load_result, split_from_rows
from chorus_bench.evaluation.conditioned import own_type
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.protocol import signature_parts
from chorus_bench.report.tables import render_result
from chorus_bench.submission import (
    InteractionField,
    InteractionType,
    write_posed_submission,
    write_submission,
)
from tests.evaluation.small_split import CATEGORIES, COARSE, blob_field

SIT, LIE = "a person sits on it", "a person lies on it"
TYPES = (
    InteractionType("by name"),
    InteractionType("both", SIT, "hips"),
    InteractionType("prompt", SIT),
    InteractionType("part", None, "hips"),
)
#: The fields of the category, of the type of each prompt, all different.
TOTAL, FIRST, SECOND = (blob_field(24, (0.1 * k, 0.2, 0.3), 0.25 + 0.1 * k) for k in range(3))


@pytest.mark.parametrize(
    ("label", "own"),
    [
        (InteractionLabel("by name", SIT, "hips"), "by name"),
        (InteractionLabel("other", SIT, "hips"), "both"),
        (InteractionLabel("other", SIT, "feet"), "prompt"),
        (InteractionLabel(None, "A person  sits on IT.", None), "prompt"),
        (InteractionLabel("other", LIE, "hips"), "part"),
        (InteractionLabel("other", LIE, "feet"), None),
        (InteractionLabel("other", None, None), None),
        (None, None),
    ],
)
def test_the_own_type_is_the_most_specific(label, own):
    number = own_type(TYPES, label)
    assert own == (None if number is None else TYPES[number].name)


@pytest.fixture(scope="module")
def labelled(rows):
    """Give the small split with the prompts in turn; the last category has no labels."""
    marked = [
        dict(row, prompt=(SIT, LIE)[n % 2] if row["category"] != CATEGORIES[2] else None)
        for n, row in enumerate(rows)
    ]
    return split_from_rows(marked, "made")


@pytest.fixture(scope="module")
def geometry(tmp_path_factory):
    """Give a folder for prepared geometry, so that it is prepared once."""
    return tmp_path_factory.mktemp("geometry")


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Give a submission with two types for the first category and one for the second."""
    bench, surfboard, _ = CATEGORIES
    sit, lie = (InteractionType.of(prompt) for prompt in (SIT, LIE))
    return write_submission(
        tmp_path_factory.mktemp("typed") / "s",
        method="typed",
        fields=dict.fromkeys(CATEGORIES, TOTAL),
        grid=GridSpec(24),
        interactions={
            bench: [InteractionField(sit, FIRST), InteractionField(lie, SECOND)],
            surfboard: [InteractionField(sit, FIRST)],
        },
    )


@pytest.fixture
def score(geometry):
    """Give a function that evaluates on a coarse probe grid."""

    def run(submission, split, **options):
        chosen = {"protocol": COARSE, "min_samples": 2, "cache": geometry, **options}
        return evaluate(submission, split=split, **chosen)

    return run


@pytest.fixture
def alone(tmp_path, score, labelled):
    """Give a function that returns the four numbers of every sample with one field for all."""

    def run(field):
        fields = dict.fromkeys(CATEGORIES, field)
        folder = write_submission(
            tmp_path / "one", method="m", fields=fields, grid=GridSpec(24), overwrite=True
        )
        return numbers(score(folder, labelled).samples)

    return run


def numbers(table, prefix=""):
    return np.stack([table[prefix + name].to_numpy() for name in SCORE_NAMES], axis=1)


def test_every_sample_is_scored_with_its_own_field(typed, labelled, score, alone):
    result = score(typed, labelled, track="conditioned")
    total, first, second = (alone(field) for field in (TOTAL, FIRST, SECOND))
    table = result.samples
    own = table["own_type"].to_pylist()
    assert own[:5] == [SIT, LIE, SIT, LIE, SIT]
    assert own[5:9] == ["", SIT, "", SIT]
    assert own[9:] == ["", ""]
    expected = np.where(np.array(own)[:, None] == SIT, first, total)
    expected = np.where(np.array(own)[:, None] == LIE, second, expected)
    np.testing.assert_array_equal(numbers(table), expected)
    np.testing.assert_array_equal(numbers(table, "total_"), total)
    best = np.maximum(total, first)
    best[:5] = np.maximum(best, second)[:5]
    best[9:] = total[9:]
    np.testing.assert_array_equal(numbers(table, "best_"), best)
    np.testing.assert_array_equal(numbers(table, "mean_")[:5], ((first + second) / 2)[:5])
    np.testing.assert_array_equal(numbers(table, "mean_")[5:9], first[5:9])
    np.testing.assert_array_equal(numbers(table, "mean_")[9:], total[9:])
    assert not np.array_equal(first, second)


def test_the_block_sums_the_readings_up(typed, labelled, score):
    result = score(typed, labelled, track="conditioned")
    block = result.conditioned
    assert list(block["scores"]) == ["own", "total", "best", "mean"]
    assert all(block["scores"]["own"][m] == result.scores[m] for m in block["scores"]["own"])
    plain = score(typed, labelled)
    assert all(block["scores"]["total"][m] == plain.scores[m] for m in block["scores"]["total"])
    assert plain.conditioned is None
    gain, low, high = block["gain"]["mPAP"]
    assert gain == result.scores["mPAP"] - plain.scores["mPAP"] != 0
    assert low <= gain <= high
    assert [entry["matched"] for entry in block["categories"].values()] == [5, 2, 0]
    text = render_result(result, "table")
    assert "field of the sample's own type" in text
    assert "Samples whose own type has a field: 7." in text


def test_a_split_without_labels_gives_total_and_best_only(typed, split, score):
    result = score(typed, split, track="conditioned")
    assert list(result.conditioned["scores"]) == ["total", "best"]
    assert result.conditioned["gain"] is None
    assert result.scores["mPAP"] == result.conditioned["scores"]["total"]["mPAP"]
    assert result.conditioned["scores"]["best"]["mPAP"] > result.scores["mPAP"]
    assert signature_parts(result.signature)["labels"] == "none"
    assert any("no labels of interactions" in text for text in result.warnings)
    assert "own type" not in render_result(result, "table").partition("Samples whose")[0]


def test_labels_are_in_this_signature_and_in_no_fingerprint(typed, labelled, split, score):
    assert labelled.fingerprint == split.fingerprint
    parts = signature_parts(score(typed, labelled, track="conditioned").signature)
    assert parts["track"] == "conditioned"
    assert parts["labels"].startswith("2@")
    assert "labels" not in score(typed, labelled).signature
    pairs = [(sample.sample_id, sample.label) for sample in labelled.samples]
    assert labels_fingerprint(pairs) == parts["labels"] == labels_fingerprint(pairs[::-1])
    assert (
        labels_fingerprint([*pairs[:-1], (pairs[-1][0], InteractionLabel("x"))]) != parts["labels"]
    )


def test_the_result_comes_back_and_goes_on(typed, labelled, score, tmp_path):
    result = score(typed, labelled, track="conditioned", output=tmp_path / "r", workers=2)
    again = score(typed, labelled, track="conditioned", output=tmp_path / "r", workers=1)
    loaded = load_result(tmp_path / "r")
    assert loaded.conditioned == result.conditioned == again.conditioned
    assert loaded.samples.equals(result.samples)
    with pytest.raises(InputError, match="another evaluation"):
        score(typed, labelled, output=tmp_path / "r")


def test_a_posed_field_counts_as_that_of_the_own_type(labelled, score, tmp_path):
    fields = {
        name: {s.sample_id: TOTAL for s in labelled.samples if s.category == name}
        for name in CATEGORIES
    }
    folder = write_posed_submission(
        tmp_path / "posed", method="p", fields=fields, grid=GridSpec(24), dtype="float16"
    )
    posed, result = score(folder, labelled), score(folder, labelled, track="conditioned")
    assert result.scores == posed.scores
    assert result.conditioned["scores"]["best"] == result.conditioned["scores"]["own"]
    assert any("A posed submission" in text for text in result.warnings)


def test_a_missing_category_has_no_types_and_counts_as_0(typed, labelled, score, tmp_path):
    folder = write_submission(
        tmp_path / "s", method="m", fields={CATEGORIES[0]: TOTAL}, grid=GridSpec(24)
    )
    result = score(folder, labelled, track="conditioned")
    assert result.categories[CATEGORIES[1]]["PAP"] == 0
    assert any("no fields of interaction types" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("track", "said"),
    [
        ("posed", "make a posed one of it with `chorus-bench infer"),
        ("conditoned", "Did you mean 'conditioned'"),
    ],
)
def test_a_track_that_does_not_fit_is_explained(typed, labelled, score, track, said):
    with pytest.raises(InputError) as caught:
        score(typed, labelled, track=track)
    assert said in str(caught.value)


def test_a_label_that_is_no_short_text_is_refused(rows):
    with pytest.raises(InputError, match="prompt is"):
        split_from_rows([dict(rows[0], prompt="x" * 301)], "made")
