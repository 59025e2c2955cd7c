"""Protocols and the signatures that they print."""

import dataclasses

import pytest

from chorus_bench._version import __version__
from chorus_bench.errors import InputError
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.geometry.skinning import SkinningSettings
from chorus_bench.metrics.protocol import (
    CLOSED,
    OFFICIAL,
    Protocol,
    get_protocol,
    signature_differences,
    signature_parts,
)

SPLIT, BODY = "toy@0123456789ab", "default@ba9876543210"
SIGNATURE = (
    "PAP|v1|split:toy@0123456789ab|grid:48x3.0|thr:0.01:0.99:0.01|px:32|"
    f"body:default@ba9876543210|warp:k30,d0.8,y0.5,s30|chorus-bench:{__version__}"
)


def test_the_official_signature():
    assert OFFICIAL.signature(SPLIT, BODY) == SIGNATURE


def test_the_closed_signature_has_another_name():
    assert CLOSED.signature(SPLIT, BODY) == SIGNATURE.replace("PAP|", "PAP-closed|")


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({"image_side": 64}, "px:32", "px:64"),
        ({"thresholds": (0.1, 0.2, 0.3)}, "thr:0.01:0.99:0.01", "thr:0.1:0.3:0.1"),
        ({"grid": GridSpec(64, 2.5)}, "grid:48x3.0", "grid:64x2.5"),
        ({"grid": GridSpec(center=(0, 1, 0))}, "grid:48x3.0", "grid:48x3.0@0.0,1.0,0.0"),
        ({"skinning": SkinningSettings(neighbours=8)}, "k30,d0.8", "k8,d0.8"),
        ({"skinning": SkinningSettings(smoothing_steps=0)}, "y0.5,s30", "y0.5,s0"),
        ({"skinning": SkinningSettings(identity_distance=1.0)}, "s30", "s30,i1.0"),
        ({"skinning": SkinningSettings(smoothing_share=0.2)}, "s30", "s30,share0.2"),
        ({"min_samples": 5}, "s30|", "s30|min:5|"),
    ],
)
def test_everything_that_moves_a_number_stands_in_the_signature(changes, old, new):
    changed = dataclasses.replace(OFFICIAL, **changes).signature(SPLIT, BODY)
    assert changed == SIGNATURE.replace(old, new)
    assert signature_differences(SIGNATURE, changed)


def test_track_and_categories_stand_in_the_signature_when_they_are_special():
    changed = OFFICIAL.signature(SPLIT, BODY, track="posed", categories=["skis", "bench"])
    assert changed == SIGNATURE.replace("s30|", "s30|track:posed|cat:bench,skis|")


def test_parts_of_a_signature():
    assert signature_parts(SIGNATURE) == {
        "metric": "PAP",
        "version": "v1",
        "split": SPLIT,
        "grid": "48x3.0",
        "thr": "0.01:0.99:0.01",
        "px": "32",
        "body": BODY,
        "warp": "k30,d0.8,y0.5,s30",
        "chorus-bench": __version__,
    }


def test_something_else_is_not_a_signature():
    with pytest.raises(InputError, match="not a signature: 'PAP'"):
        signature_parts("PAP")


def test_equal_signatures_do_not_differ():
    assert signature_differences(SIGNATURE, SIGNATURE) == []


def test_the_software_version_may_differ():
    assert signature_differences(SIGNATURE, SIGNATURE.replace(__version__, "99.0")) == []


def test_differences_are_sentences_in_the_order_of_the_parts():
    other = CLOSED.signature("toy@ffffffffffff", BODY, track="posed")
    assert signature_differences(SIGNATURE, other) == [
        "metric: PAP against PAP-closed",
        "split: toy@0123456789ab against toy@ffffffffffff",
        "track: not given against posed",
    ]
    assert signature_differences(other, SIGNATURE)[2] == "track: posed against not given"


def test_protocols_by_name():
    assert get_protocol("official") is OFFICIAL
    assert get_protocol("closed") is CLOSED
    assert dataclasses.replace(OFFICIAL, name="PAP-closed", closed=True) == CLOSED
    assert Protocol() == OFFICIAL


def test_an_unknown_protocol_is_an_error_that_helps():
    with pytest.raises(InputError) as caught:
        get_protocol("oficial")
    assert "unknown protocol 'oficial'" in str(caught.value)
    assert "Did you mean 'official'? Available: closed, official" in str(caught.value)
