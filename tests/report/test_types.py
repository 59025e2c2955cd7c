"""Interaction types in reports, views and figures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from chorus_bench.errors import InputError
from chorus_bench.evaluation import evaluate
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.report import draw_types, submission_fields, view_fields, write_report
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import sample_overlays
from chorus_bench.report.type_figures import _title
from chorus_bench.submission import (
    InteractionField,
    InteractionType,
    open_submission,
    write_submission,
)
from tests.evaluation.small_split import blob_field

RIDE, CARRY = "a person rides a skateboard", "a person carries a skateboard"
KINDS = {
    InteractionType.of(RIDE, share=0.6): (0.0, -0.9, 0.0),
    InteractionType.of(CARRY, share=0.4): (0.4, 0.2, 0.0),
    InteractionType.of(None, "feet", share=0.5): (0.0, -1.0, 0.1),
    InteractionType.of(RIDE, "feet", share=0.3): (0.0, -1.0, 0.2),
}


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Give a submission with types of one category of the example split."""
    fields = {"skateboard": blob_field(16), "backpack": blob_field(16)}
    types = [InteractionField(kind, blob_field(16, center)) for kind, center in KINDS.items()]
    return write_submission(
        tmp_path_factory.mktemp("typed") / "s",
        method="typed",
        fields=fields,
        grid=GridSpec(16),
        interactions={"skateboard": types},
    )


@pytest.fixture(scope="module")
def result(typed, tmp_path_factory):
    """Give a conditioned result."""
    place = tmp_path_factory.mktemp("result") / "r"
    evaluate(typed, output=place, track="conditioned", categories=["skateboard"])
    return place


def test_fields_are_named_by_category_and_type(typed):
    with open_submission(typed) as opened:
        names = list(submission_fields(opened))
        assert names == ["backpack", "skateboard", *(f"skateboard: {k.name}" for k in KINDS)]
        assert list(submission_fields(opened, interactions=False)) == ["backpack", "skateboard"]
        few = list(submission_fields(opened, most=2))
        assert few == ["backpack", "skateboard", f"skateboard: {RIDE}", "skateboard: feet"]
        assert f"skateboard: {CARRY}" in view_fields(submission_fields(opened)).page


def test_the_report_lets_one_choose_a_type_and_shows_every_reading(typed, result, tmp_path):
    report = write_report(result, tmp_path / "report", submission=typed)
    page = report.page.read_text()
    assert f"skateboard: {RIDE}" in page
    assert "Conditioned on the interaction" in page
    assert "best over the types and the category (upper bound)" in page
    assert not any("types of interaction" in text for text in report.left_out)


def test_a_conditioned_result_has_no_diagnosis_of_other_scores(typed, result, tmp_path):
    """A diagnosis starts from the canonical scores, which are not those of the page."""
    report = write_report(result, tmp_path / "report", submission=typed, diagnose=True)
    assert report.left_out == ("where the score is lost: a diagnosis knows no track 'conditioned'",)
    assert "Where the score is lost" not in report.page.read_text()


def test_the_overlays_show_the_own_types_fields(typed, result):
    from chorus_bench.evaluation import load_result

    loaded, body = load_result(result), load_body("default")
    plain = evaluate(typed, categories=["skateboard"])
    with open_submission(typed) as opened:
        own = sample_overlays(loaded, opened, "example", body, each=15)
        whole = sample_overlays(plain, opened, "example", body, each=15)
    by_id = {one.sample_id: overlay for one, overlay in whole.items()}
    assert all(isinstance(overlay, Overlay) for overlay in own.values())
    changed = [
        not np.array_equal(overlay.heat, by_id[one.sample_id].heat) for one, overlay in own.items()
    ]
    assert any(changed)


def test_figures_by_prompt_by_part_and_by_both(typed, tmp_path, bars):
    with open_submission(typed) as opened:
        files = draw_types(opened, load_body("default"), tmp_path)
        seen = bars.pop("Drawing fields")
        with pytest.raises(InputError, match="no fields of interaction types"):
            draw_types(
                opened, load_body("default"), tmp_path, categories=["backpack"], progress=False
            )
    assert [file.name for file in files] == [
        "skateboard-prompts.png",
        "skateboard-parts.png",
        "skateboard-prompts-parts.png",
    ]
    assert seen[-1] == (2, 2)
    assert not bars
    for file in files:
        picture = cv2.imread(str(file))
        assert picture.std() > 5


def test_titles_say_what_a_type_means_and_how_many_views_it_has():
    prompt = "A person carries a surfboard under the arm."
    title = _title(InteractionType.of(prompt, share=0.5, views=60))
    assert title.replace("\n", " ") == f"{prompt} (50 %, 60 views)"
    assert max(map(len, title.splitlines())) <= 36
    assert _title(InteractionType.of(None, "feet", share=0.041, views=1)) == "feet (4 %, 1 view)"
    assert _title(InteractionType("swing")) == "swing"
