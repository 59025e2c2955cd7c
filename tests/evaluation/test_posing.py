"""A canonical submission, posed for every sample of a split, has the same scores."""

import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate, split_from_rows
from chorus_bench.evaluation.posing import pose_submission
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.submission import (
    InteractionField,
    InteractionType,
    check_submission,
    open_submission,
    write_submission,
)
from tests.evaluation.small_split import blob_field

GRID = GridSpec(20, 2.6, (0.0, -0.1, 0.1))
BENCH, OTHER = "bench", "surfboard"
#: On a grid of its own, so that posed and canonical grids differ.
FIELD, SITTING = (blob_field(20, (0.0, 0.2, 0.2 + 0.3 * k)) for k in (0, 1))


@pytest.fixture(scope="module")
def few(rows):
    """Give a split of three samples, two of them with a label."""
    chosen = [dict(row, prompt="a person sits") for row in rows[:2]]
    return split_from_rows([*chosen, next(row for row in rows if row["category"] == OTHER)], "few")


@pytest.fixture(scope="module")
def canonical(tmp_path_factory):
    """Give a submission with a type for the first category."""
    sitting = [InteractionField(InteractionType.of("a person sits"), SITTING)]
    return write_submission(
        tmp_path_factory.mktemp("canonical") / "s",
        method="m",
        fields={BENCH: FIELD, OTHER: FIELD, "tie": FIELD},
        grid=GRID,
        interactions={BENCH: sitting},
        description="d",
    )


@pytest.fixture(scope="module")
def posed(canonical, few, tmp_path_factory):
    """Give the posed submission, and the numbers of samples that were reported."""
    seen = []
    folder = tmp_path_factory.mktemp("posed") / "s"
    pose_submission(canonical, few, folder, workers=2, progress=lambda *p: seen.append(p))
    return folder, seen


@pytest.fixture(scope="module")
def scored(few, tmp_path_factory):
    """Give a function that evaluates on the split."""
    cache = tmp_path_factory.mktemp("geometry")
    return lambda submission, **options: evaluate(
        submission, split=few, min_samples=1, cache=cache, **options
    )


def test_it_has_every_sample_of_the_shared_categories(posed, few):
    folder, seen = posed
    with open_submission(folder) as opened:
        assert (opened.method, opened.track) == ("m", "posed")
        assert opened.metadata == {"description": "d"}
        assert opened.categories == (BENCH, OTHER)
        ids = [name for category in opened.categories for name in opened.posed_samples(category)]
    assert ids == [sample.sample_id for sample in few.samples]
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)


def test_the_scores_are_those_of_the_canonical_submission(canonical, posed, scored):
    before, after = scored(canonical), scored(posed[0])
    assert "track:posed" in after.signature
    assert after.samples.equals(before.samples)
    assert after.scores == before.scores
    assert before.scores["mPAP"] > 0


def test_a_sample_may_get_the_field_of_its_own_type(canonical, few, scored, tmp_path):
    folder = pose_submission(canonical, few, tmp_path / "s", own_types=True)
    own = scored(canonical, track="conditioned").samples
    columns = scored(folder).samples.column_names
    assert scored(folder).samples.equals(own.select(columns))
    assert not np.array_equal(own["PAP"], own["total_PAP"])


def test_the_folder_is_not_overwritten_by_accident(canonical, few, tmp_path, bars):
    pose_submission(canonical, few, tmp_path / "s", categories=[OTHER], dtype="uint8")
    assert bars == {"Posing fields": [(0, 1), (1, 1)]}
    assert check_submission(tmp_path / "s").grids == 1
    with pytest.raises(InputError, match="exists"):
        pose_submission(canonical, few, tmp_path / "s")


def test_what_cannot_be_posed_is_explained(posed, canonical, few, tmp_path):
    with pytest.raises(InputError, match="a submission of the posed track"):
        pose_submission(posed[0], few, tmp_path / "x")
    with pytest.raises(InputError, match="no category in common"):
        pose_submission(canonical, few, tmp_path / "x", categories="umbrella")
