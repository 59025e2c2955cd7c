"""Near-duplicate detections in rows; the rule itself is held to the golden cases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.errors import InputError
from chorus_bench.synthesis import without_near_duplicates
from chorus_bench.synthesis.non_maximum_suppression import keep_without_near_duplicates

coordinate = st.integers(0, 12)
box = st.tuples(coordinate, coordinate, coordinate, coordinate).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
detections = st.lists(st.tuples(box, st.sampled_from([0.5, 0.8, 0.9, 0.98, 1.0])), max_size=7)


def keep(found):
    return keep_without_near_duplicates([b for b, _ in found], [s for _, s in found])


@given(detections)
def test_what_stays_has_no_near_duplicates(found):
    kept = keep(found)
    assert keep([found[i] for i in kept]) == list(range(len(kept)))
    assert all(i in kept for i, (_, score) in enumerate(found) if score >= 0.98)
    assert bool(kept) == bool(found)


def test_boxes_without_area_do_not_crash():
    boxes = [(0, 0, 10, 10), (5, 5, 5, 5), (5, 5, 5, 9), (5, 5, 5, 5)]
    assert keep_without_near_duplicates(boxes, [0.9, 0.8, 0.7, 0.6]) == [0, 1, 2, 3]


def test_rows():
    def found(category, score, box=(0, 0, 10, 10)):
        return {"category": category, "score": score, "box": list(box)}

    row = {
        "sample_id": "a",
        "people": [found("person", 0.9), found("person", 0.85, (0, 0, 10, 9))],
        "objects": [found("kite", 0.8), found("bench", 0.81), found("kite", 0.9)],
    }
    clean = without_near_duplicates(row)
    assert clean["people"] == row["people"][:1]
    assert clean["objects"] == row["objects"][1:]
    assert clean["sample_id"] == "a"
    assert len(row["objects"]) == 3
    assert without_near_duplicates(clean) == clean
    assert without_near_duplicates({"people": None}) == {"people": [], "objects": []}
    assert without_near_duplicates(row, min_overlap=1.01) == row


def test_boxes_and_scores_must_be_as_many():
    with pytest.raises(InputError, match="2 boxes and scores of shape"):
        keep_without_near_duplicates([[0, 0, 1, 1]] * 2, [0.5])
