"""Fields of interaction types: format, writer, reader and check."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.limits import MAX_MANIFEST_BYTES
from chorus_bench.names import MAX_CATEGORY_LENGTH, wrong_name
from chorus_bench.submission import (
    InteractionField,
    InteractionType,
    SubmissionError,
    check_submission,
    open_submission,
    write_submission,
)
from chorus_bench.submission.interactions import MAX_TYPES, type_name
from tests.submission.submission_files import MANIFEST, N, fill, lines, problems, ramp, tensor

GRID = GridSpec(N)
SWING = InteractionType.of("a person swings a racket", share=0.25, views=5)
HANDS = InteractionType.of(None, "hands", share=0.5)
BOTH = InteractionType.of("a person swings a racket", "hands")
OWN = {"grids/bench.safetensors": tensor(ramp())}
LISTED = MANIFEST + "interactions: {bench: [{name: sit, prompt: a person sits}]}\n"


def write(path, interactions, **options):
    fields = options.pop("fields", {"tennis racket": ramp()})
    return write_submission(
        path, method="m", grid=GRID, fields=fields, interactions=interactions, **options
    )


def test_types_and_their_fields_come_back(tmp_path):
    given = {
        "tennis racket": [
            InteractionField(kind, ramp(seed)) for seed, kind in enumerate((SWING, HANDS, BOTH), 1)
        ]
    }
    folder = write(tmp_path / "s", given)
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert files == [
        "grids/tennis racket.safetensors",
        "interactions/tennis racket/a person swings a racket, hands.safetensors",
        "interactions/tennis racket/a person swings a racket.safetensors",
        "interactions/tennis racket/hands.safetensors",
        "submission.yaml",
    ]
    with open_submission(folder) as opened:
        assert opened.categories == ("tennis racket",)
        assert opened.interactions("tennis racket") == (SWING, HANDS, BOTH)
        for field in given["tennis racket"]:
            read = opened.interaction_field("tennis racket", field.kind.name)
            np.testing.assert_array_equal(read.values, field.values)
        again = {"tennis racket": opened.interaction_fields("tennis racket")}
        own = {"tennis racket": opened.field("tennis racket").values}
        copy = write(tmp_path / "again", again, fields=own)
    assert check_submission(copy).sha256 == check_submission(folder).sha256


def test_a_submission_without_types_is_what_it_was(tmp_path):
    folder = write(tmp_path / "s", {})
    assert "interactions" not in (folder / "submission.yaml").read_text()
    assert not (folder / "interactions").exists()
    with open_submission(folder) as opened:
        assert opened.interactions("tennis racket") == ()
        with pytest.raises(InputError, match="unknown interaction 'sit'"):
            opened.interaction_field("tennis racket", "sit")


def test_the_fields_count_in_the_digest(tmp_path):
    one = write(tmp_path / "1", {"tennis racket": [InteractionField(HANDS, ramp(1))]})
    other = write(tmp_path / "2", {"tennis racket": [InteractionField(HANDS, ramp(2))]})
    assert check_submission(one).sha256 != check_submission(other).sha256


def test_a_listed_type_needs_its_file(tmp_path):
    said = problems(fill(tmp_path, OWN, LISTED))
    assert "submission.yaml: interactions.bench: the type 'sit' has no file" in said
    assert "interactions/bench/sit.safetensors" in said
    assert "add the file, or do not list it" in said


def test_a_file_with_a_similar_name_is_named(tmp_path):
    files = {**OWN, "interactions/bench/sits.safetensors": tensor(ramp(1))}
    assert "rename 'sits'" in problems(fill(tmp_path, files, LISTED))


def test_a_file_that_is_not_listed_is_not_read(tmp_path):
    before = check_submission(fill(tmp_path / "old", OWN))
    files = {**OWN, "interactions/bench/sit.safetensors": b"anything"}
    report = check_submission(fill(tmp_path / "new", files))
    assert report.ok
    assert "1 field that will not be read: bench/sit" in lines(report)
    assert report.sha256 == before.sha256


def test_a_category_with_types_needs_its_own_field(tmp_path):
    files = {**OWN, "interactions/tie/sit.safetensors": tensor(ramp())}
    manifest = LISTED.replace("bench:", "tie:")
    said = problems(fill(tmp_path, files, manifest))
    assert "interactions.tie: has types, but the category has no field of its own" in said


def test_fields_of_types_alone_are_no_submission(tmp_path):
    files = {"interactions/bench/sit.safetensors": tensor(ramp())}
    assert "grids/: has no grid file" in problems(fill(tmp_path, files, LISTED))


def test_the_values_are_checked_like_all_others(tmp_path):
    bad = ramp(1)
    bad[0, 0, 0] = 2
    files = {**OWN, "interactions/bench/sit.safetensors": tensor(bad)}
    said = problems(fill(tmp_path, files, LISTED))
    assert "interactions/bench/sit.safetensors" in said
    assert "[0, 1]" in said


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ("[{name: sit}, {name: SIT, prompt: p}]", "has the name 'sit' twice"),
        ("[{name: a, part: p}, {name: b, part: p}]", "has the type 'p' twice"),
        ("[{name: ../x}]", "the name '../x' is a path"),
        ("[{prompt: p}]", "interactions.bench[0].name"),
        ("[{name: a, share: 2}]", "interactions.bench[0].share"),
        ("[{name: a, view: 2}]", "interactions.bench[0].view"),
        ("[sit]", "interactions.bench[0]"),
    ],
)
def test_a_wrong_list_is_explained(tmp_path, items, problem):
    manifest = f"{MANIFEST}interactions:\n  bench: {items}\n"
    assert problem in problems(fill(tmp_path, OWN, manifest))


def test_there_may_not_be_thousands(tmp_path):
    items = ", ".join(f"{{name: n{k}}}" for k in range(MAX_TYPES + 1))
    manifest = f"{MANIFEST}interactions: {{bench: [{items}]}}\n"
    assert len(manifest) < MAX_MANIFEST_BYTES
    assert f"has {MAX_TYPES + 1} types" in problems(fill(tmp_path, OWN, manifest))


def test_a_posed_submission_has_no_types(tmp_path):
    files = {"posed/bench/1.safetensors": tensor(ramp())}
    said = problems(fill(tmp_path, files, LISTED.replace("canonical", "posed")))
    assert "interactions: stands in a submission of the posed track" in said


def test_the_writer_refuses_what_the_reader_would(tmp_path):
    twice = {"tie": [InteractionField(HANDS, ramp(1)), InteractionField(HANDS, ramp(2))]}
    with pytest.raises(SubmissionError) as caught:
        write(tmp_path / "s", twice)
    assert "has the name 'hands' twice" in str(caught.value)
    assert "the category has no field of its own" in str(caught.value)
    assert not (tmp_path / "s").exists()


@given(prompt=st.text(max_size=400), part=st.text(max_size=30))
def test_any_prompt_gives_a_name_that_a_file_can_have(prompt, part):
    name = type_name(prompt, part)
    assert wrong_name(name, MAX_CATEGORY_LENGTH) is None
    assert name == type_name(prompt, part)


def test_long_prompts_with_the_same_beginning_have_different_names():
    assert type_name("x" * 200 + "a", None) != type_name("x" * 200 + "b", None)
