"""Filters: the order, every rule, the switches, the statistics."""

import numpy as np
import pytest

from chorus_bench.datasets.masks import decode_mask, encode_mask
from chorus_bench.errors import InputError
from chorus_bench.synthesis import FilterSettings, FilterStatistics, filter_row, filter_rows
from chorus_bench.synthesis.filters import (
    KEYPOINTS,
    MANY_OBJECTS,
    MANY_PEOPLE,
    NO_CONTACT,
    NO_OBJECT,
    NO_PERSON,
    OTHER_CONTACT,
    REASONS,
    kept_person,
)
from chorus_bench.synthesis.keypoint_filters import KEYPOINT_NAMES

TORSO = ("left_shoulder", "right_hip")


def keypoints(*visible, confidence=0.9):
    return [[1.0, 2.0, confidence if name in visible else 0.1] for name in KEYPOINT_NAMES]


def person(box=(0, 0, 100, 200), visible=TORSO, **changes):
    return {
        "box": list(box),
        "score": 0.9,
        "mask": {"size": [1, 1], "counts": "person"},
        "keypoints": keypoints(*visible),
        "pose": [0.0] * 72,
        "betas": [0.0] * 10,
        **changes,
    }


def thing(box=(50, 150, 150, 250), category="skateboard"):
    mask = {"size": [1, 1], "counts": category}
    return {"category": category, "box": list(box), "score": 0.9, "mask": mask}


def image(people=None, objects=None, category="skateboard", **changes):
    people = [person()] if people is None else people
    objects = [thing()] if objects is None else objects
    return {"category": category, "people": people, "objects": objects, **changes}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (image(), None),
        (image(people=[]), NO_PERSON),
        (image(people=[person(), person()]), MANY_PEOPLE),
        (image(objects=[]), NO_OBJECT),
        (image(objects=[thing(category="surfboard")]), NO_OBJECT),
        (image(objects=[thing(), thing()]), MANY_OBJECTS),
        (image(objects=[thing(), thing(category="surfboard")]), None),
        (image(objects=[thing((300, 300, 400, 400))]), NO_CONTACT),
        (image(people=[person(visible=())]), KEYPOINTS),
        (image(people=[person(keypoints=None)]), KEYPOINTS),
        ({"category": "skateboard"}, NO_PERSON),
        (image(objects=[thing((50, 150, 50, 150))]), NO_CONTACT),  # without area
    ],
)
def test_reasons(row, reason):
    verdict = filter_row(row)
    assert verdict.reason == reason
    assert verdict.kept == (reason is None)


def test_the_first_filter_that_fails_is_the_reason():
    row = image(people=[person(visible=()), person()], objects=[])
    expected = [MANY_PEOPLE, NO_OBJECT, NO_CONTACT, KEYPOINTS, None]
    found = [filter_row(row).reason]
    row = row | {"people": [person(visible=())]}
    found.append(filter_row(row).reason)
    row = row | {"objects": [thing((300, 300, 400, 400))]}
    found.append(filter_row(row).reason)
    row = row | {"objects": [thing()]}
    found.append(filter_row(row).reason)
    row = row | {"people": [person()]}
    found.append(filter_row(row).reason)
    assert found == expected
    assert [r for r in REASONS if r in found] == expected[:4]


@pytest.mark.parametrize(("inside", "kept"), [(10.0, False), (10.001, True)])
def test_the_overlap_must_be_more_than_a_tenth_of_the_object_box(inside, kept):
    row = image(objects=[thing((100 - inside, 0, 200 - inside, 100))])
    assert filter_row(row).kept is kept
    assert filter_row(row, FilterSettings(min_overlap=0.0)).kept


@pytest.mark.parametrize(("confidence", "kept"), [(0.7, True), (0.6999, False)])
def test_keypoints_are_visible_from_the_threshold_on(confidence, kept):
    points = np.float32(keypoints(*TORSO, confidence=confidence)).tolist()
    assert filter_row(image(people=[person(keypoints=points)])).kept is kept


PICTURE = (60, 80)


def masked(box, *, of=thing):
    """Return a person or an object with the mask of its box in a picture of 60 x 80 pixels."""
    mask = np.zeros(PICTURE, dtype=np.uint8)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = 1
    return of(box) | {"mask": encode_mask(mask)}


def pixels(row):
    return int(decode_mask(row["object_mask"]).sum())


def test_several_people_leave_the_first_who_passes():
    """The others are not used; her mask tells which one it was."""
    unseen, near, far = (
        masked((0, 0, 10, 60), of=person) | {"keypoints": keypoints("nose")},
        masked((20, 0, 40, 60), of=person),
        masked((50, 0, 60, 60), of=person),
    )
    row = image([unseen, near, far], [masked((25, 10, 35, 20))])
    assert filter_row(row).reason == MANY_PEOPLE
    (kept,) = filter_rows([row], FilterSettings(one_person=False))
    assert kept["verdict"] == "kept"
    assert kept["human_mask"] == near["mask"]
    assert kept_person(kept) is near
    alone = image([unseen, far], row["objects"])
    # the reason of the person who came farthest is given
    assert filter_row(alone, FilterSettings(one_person=False)).reason == NO_CONTACT
    assert filter_row(image(people=[]), FilterSettings(one_person=False)).reason == NO_PERSON


def test_several_objects_leave_those_that_overlap_the_person():
    row = image(
        [masked((0, 0, 40, 60), of=person)],
        [masked((5, 5, 15, 15)), masked((10, 10, 20, 20)), masked((60, 0, 80, 60))],
    )
    assert filter_row(row).reason == MANY_OBJECTS
    assert filter_row(row, FilterSettings(one_object=False)).reason == NO_CONTACT
    three = FilterSettings(one_object=False, overlapping_objects=(3,))
    assert filter_row(row, three).reason == OTHER_CONTACT
    (kept,) = filter_rows([row], FilterSettings(one_object=False, overlapping_objects=(2, 0)))
    assert pixels(kept) == 100 + 100 - 25, "the two that overlap, united"
    (free,) = filter_rows([row], FilterSettings(one_object=False, overlapping_objects=None))
    assert pixels(free) == 175 + 20 * 60, "all of them, united"
    assert filter_row(image(objects=[]), FilterSettings(one_object=False)).reason == NO_OBJECT


def test_no_overlapping_object_may_be_allowed():
    row = image([masked((0, 0, 40, 60), of=person)], [masked((60, 0, 80, 60))])
    assert filter_row(row).reason == NO_CONTACT
    (kept,) = filter_rows([row], FilterSettings(overlapping_objects=(0,)))
    assert pixels(kept) == 0, "it is seen nowhere, and counts as a view"


def test_rows_get_their_verdict_and_what_was_found():
    statistics = FilterStatistics()
    rows = [image(sample_id="a"), image(sample_id="b", people=[]), image(category="surfboard")]
    kept, rejected, other = filter_rows(rows, statistics=statistics)
    assert kept["verdict"] == "kept"
    assert kept["reason"] is None
    assert kept["human_mask"]["counts"] == "person"
    assert kept["object_mask"]["counts"] == "skateboard"
    assert len(kept["pose"]) == 72
    assert len(kept["betas"]) == 10
    assert (rejected["verdict"], rejected["reason"]) == ("rejected", NO_PERSON)
    assert "pose" not in rejected
    assert other["reason"] == NO_OBJECT
    assert "verdict" not in rows[0]
    assert (statistics.images(), statistics.kept()) == (3, 1)
    assert statistics.rejection_rate("skateboard") == 0.5
    assert statistics.rejection_rate() == pytest.approx(2 / 3)


def test_rows_are_filtered_as_they_come():
    def rows():
        yield image()
        raise AssertionError("read too far")

    assert next(filter_rows(rows()))["verdict"] == "kept"


def test_a_category_without_a_kept_image_says_what_was_removed():
    statistics = FilterStatistics()
    rows = [image(), image(category="bench", people=[]), image(category="bench")] * 2
    list(filter_rows(rows, statistics=statistics))
    with pytest.raises(InputError) as error:
        statistics.check_kept()
    assert "category 'bench': none of 4 images is kept" in str(error.value)
    assert "(no person: 2, no target object: 2)" in str(error.value)
    with pytest.raises(InputError, match="category 'kite': none of 0 images is kept"):
        FilterStatistics().check_kept(["kite"])


def test_statistics_add_up():
    rows = [image(), image(people=[]), image(category="bench"), image()]
    whole, first, second = FilterStatistics(), FilterStatistics(), FilterStatistics()
    list(filter_rows(rows, statistics=whole))
    list(filter_rows(rows[:2], statistics=first))
    list(filter_rows(rows[2:], statistics=second))
    assert first + second == whole
    with pytest.raises(InputError, match="no images"):
        FilterStatistics().rejection_rate()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keypoints": "torsoo"}, "(?s)unknown keypoint filter 'torsoo'.*Did you mean 'torso'"),
        ({"min_overlap": 1.5}, "min_overlap is 1.5"),
        ({"keypoint_confidence": float("nan")}, "keypoint_confidence is nan"),
        ({"overlapping_objects": ()}, r"overlapping_objects is \(\)"),
        ({"overlapping_objects": (-1, 1)}, r"overlapping_objects is \(-1, 1\)"),
        ({"overlapping_objects": "many"}, "overlapping_objects is 'many'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(InputError, match=message):
        FilterSettings(**settings)


def test_wrong_keypoints():
    with pytest.raises(InputError, match=r"keypoints of shape \(2, 3\)"):
        filter_row(image(people=[person(keypoints=[[0, 0, 1]] * 2)]))
