"""The 15 keypoint filters, one's own, and unions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.errors import InputError
from chorus_bench.synthesis.filters import KEYPOINTS, FilterSettings, filter_row
from chorus_bench.synthesis.keypoint_filters import (
    KEYPOINT_FILTERS,
    KEYPOINT_NAMES,
    KeypointFilter,
    passes_any,
    read_choice,
)
from chorus_bench.synthesis.settings import read_settings
from tests.synthesis.test_filters import image, person

SIDES = ("left_", "right_")


def pair(name):
    return frozenset(side + name for side in SIDES)


def each(*names):
    return {frozenset({side + name}) for name in names for side in SIDES}


F = {frozenset({"nose"})} | each("eye", "ear")
L = each("knee", "ankle", "hip")
SHOULDERS, HIPS, WRISTS, KNEES, ANKLES = map(pair, ("shoulder", "hip", "wrist", "knee", "ankle"))
EARS_AND_NOSE = pair("ear") | {"nose"}

#: number -> (name, wanted, unwanted), written out from the original's settings.
TABLE = {
    1: ("face", F, L),
    2: ("face-strict", F, L | each("wrist", "elbow")),
    3: ("torso", {SHOULDERS, HIPS}, set()),
    4: ("full-body-arms", {SHOULDERS, HIPS, pair("elbow")}, set()),
    5: ("full-body-legs", {SHOULDERS, HIPS, KNEES | ANKLES}, set()),
    6: ("hands", {WRISTS}, L | F),
    7: ("hands-without-shoulders", {WRISTS}, L | F | each("shoulder")),
    8: ("hands-without-arms", {WRISTS}, L | F | each("shoulder", "elbow")),
    9: (
        "left-hand",
        {frozenset({"left_wrist"})},
        L | F | each("shoulder") | {frozenset({"right_wrist"}), frozenset({"right_elbow"})},
    ),
    10: (
        "right-hand",
        {frozenset({"right_wrist"})},
        L | F | each("shoulder") | {frozenset({"left_wrist"}), frozenset({"left_elbow"})},
    ),
    11: ("full-body", {SHOULDERS, HIPS, KNEES, ANKLES}, set()),
    12: ("head", {pair("eye"), EARS_AND_NOSE}, L),
    13: ("head-strict", {pair("eye"), EARS_AND_NOSE}, L | each("wrist", "elbow")),
    14: (
        "upper-body",
        {frozenset({"nose"}), pair("eye"), pair("ear"), SHOULDERS},
        set(),
    ),
    15: ("none", set(), set()),
}


def test_there_are_fifteen_in_the_order_of_their_numbers():
    assert list(KEYPOINT_FILTERS) == [name for name, _, _ in TABLE.values()]
    assert FilterSettings().keypoints == "torso", "the default"


@pytest.mark.parametrize("number", TABLE)
def test_the_groups_of_each_filter(number):
    name, wanted, unwanted = TABLE[number]
    assert read_choice(number) == read_choice(str(number)) == name
    found = KEYPOINT_FILTERS[name]
    assert {frozenset(group) for group in found.wanted} == wanted
    assert {frozenset(group) for group in found.unwanted} == unwanted
    assert (len(found.wanted), len(found.unwanted)) == (len(wanted), len(unwanted))


@pytest.mark.parametrize("number", TABLE)
@given(visible=st.sets(st.sampled_from(KEYPOINT_NAMES)))
def test_any_unwanted_group_that_is_fully_visible_rejects(number, visible):
    name, wanted, unwanted = TABLE[number]
    passes = all(group & visible for group in wanted) and not any(g <= visible for g in unwanted)
    assert passes_any(name, frozenset(visible)) is passes
    verdict = filter_row(image(people=[person(visible=visible)]), FilterSettings(keypoints=number))
    assert verdict.reason == (None if passes else KEYPOINTS)


def test_an_unwanted_group_of_two_needs_both():
    rule = KeypointFilter((("nose",),), (("left_hip", "right_hip"),))
    assert rule.passes(frozenset({"nose", "left_hip"}))
    assert not rule.passes(frozenset({"nose", "left_hip", "right_hip"}))


@pytest.mark.parametrize("union", ["7,8", " 7 , hands-without-arms", [7, "8"], ["7,8", 7]])
def test_unions_keep_what_passes_one_of_them(union):
    choice = read_choice(union)
    assert choice == ("hands-without-shoulders", "hands-without-arms")
    elbows = frozenset({"left_wrist", "left_elbow", "right_elbow"})
    assert not passes_any("hands-without-arms", elbows)
    assert passes_any(choice, elbows)
    assert not passes_any(choice, elbows | {"nose"})


def test_filters_of_ones_own():
    own = {"wanted": [["left_wrist", "right_wrist"], "nose"], "unwanted": [["left_hip"]]}
    settings = FilterSettings(keypoints=[own, "torso"])
    rule = KeypointFilter((("left_wrist", "right_wrist"), ("nose",)), (("left_hip",),))
    assert settings.keypoints == (rule, "torso")
    assert FilterSettings(keypoints=rule) == FilterSettings(keypoints=own)
    verdicts = [
        filter_row(image(people=[person(visible=visible)]), settings).kept
        for visible in (
            ("nose", "right_wrist"),
            ("nose", "left_hip"),
            ("left_hip", "left_shoulder"),
        )
    ]
    assert verdicts == [True, False, True]


@pytest.mark.parametrize(
    ("choice", "stored"),
    [
        ("3", "torso"),
        ("[7, 8]", ["hands-without-shoulders", "hands-without-arms"]),
        ("'7,8'", ["hands-without-shoulders", "hands-without-arms"]),
        ("{wanted: [nose]}", {"wanted": [["nose"]], "unwanted": []}),
    ],
)
def test_in_configurations(choice, stored, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text(f"filters: {{keypoints: {choice}, overlapping_objects: [2, 1]}}\n")
    settings = read_settings(file=file)
    assert settings.as_dict()["filters"]["keypoints"] == stored
    assert settings.as_dict()["filters"]["overlapping_objects"] == [1, 2]
    file.write_text(settings.to_yaml())
    assert read_settings(file=file) == settings


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("tors", "unknown keypoint filter 'tors'(?s:.*)Did you mean 'torso'"),
        (0, "no keypoint filter has the number 0(?s:.*)1 to 15"),
        ("16", "no keypoint filter has the number 16"),
        ("-1", "no keypoint filter has the number -1"),
        ("9" * 5000, "no keypoint filter has the number"),
        (True, "(keypoints is|keypoint filter) True(?s:.*)a (text|name)"),
        ([], r"keypoint filter \[\]"),
        ("", "unknown keypoint filter ''"),
        (None, "(keypoints is|keypoint filter) None"),
        ({"wanted": [["left_wing"]]}, "unknown keypoint 'left_wing'"),
        ({"wanted": [[]]}, r"a group is \[\]"),
        ({"wanted": "nose"}, "'wanted' is 'nose'"),
        ({"wants": []}, "unknown part of a keypoint filter 'wants'(?s:.*)Did you mean 'wanted'"),
    ],
)
def test_what_is_no_filter_is_refused(choice, message):
    with pytest.raises(InputError, match=message):
        FilterSettings(keypoints=choice)
    with pytest.raises(InputError, match=message):
        read_settings(changes={"filters.keypoints": choice})
