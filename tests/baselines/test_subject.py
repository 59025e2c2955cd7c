"""Whom a row shows and with what: stage 10's choice of pose and category."""

from __future__ import annotations

import numpy as np
import pytest

from chorus_baselines.chorus.subject import subject_of
from chorus_bench.errors import InputError
from chorus_bench.simulation import simulate_test_row, simulate_train_row


def _person(score, box, value):
    return {"score": score, "box": box, "pose": [value] * 72}


def _thing(category, box):
    return {"category": category, "box": box, "score": 0.9}


ROW = {
    "sample_id": "a",
    "category": "tie",
    "pose": None,
    "people": [_person(0.5, [0, 0, 9, 9], 0.1), _person(0.9, [20, 0, 40, 40], 0.2)],
    "objects": [
        _thing("kite", [0, 0, 10, 10]),
        _thing("bench", [30, 30, 60, 60]),
        _thing("surfboard", [25, 5, 38, 38]),
    ],
}


def test_the_surest_person_and_the_object_nearest_to_it():
    subject = subject_of(ROW)
    assert subject.category == "surfboard"
    np.testing.assert_array_equal(subject.pose, [0.0] * 3 + [0.2] * 69)


def test_a_row_with_a_pose_says_itself():
    row = simulate_test_row("tie", 0, with_image=False)
    assert subject_of(row).category == "tie"
    np.testing.assert_array_equal(subject_of(row).pose[3:], row["pose"][3:])


def test_an_annotated_image_of_the_simulated_world():
    rows = (
        simulate_train_row("surfboard", "a person rides a surfboard", "plain", i, with_image=False)
        for i in range(40)
    )
    row = next(r for r in rows if r["true_failure"] is None and r["objects"] and r["people"])
    assert subject_of(row).category == "surfboard"


@pytest.mark.parametrize("objects", [[], [_thing("bench", [70, 70, 80, 80])]])
def test_without_an_object_the_row_says_the_category(objects):
    assert subject_of(ROW | {"objects": objects}).category == "tie"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": []}, "row 'a': no person with a pose"),
        ({"people": [{"score": 1, "box": [0, 0, 1, 1], "pose": None}]}, "no person with a pose"),
        ({"objects": [], "category": None}, "none of 0 detected objects"),
        (
            {"objects": [_thing("tie", [70, 70, 80, 80])], "category": None},
            "none of 1 detected objects",
        ),
    ],
)
def test_nothing_to_reconstruct(change, message):
    with pytest.raises(InputError, match=message):
        subject_of(ROW | change)
