"""What a result was made of, and choosing results by it."""

import pytest

from chorus_bench.adapters import KINDS
from chorus_bench.errors import InputError
from chorus_bench.evaluation.representation import chosen, is_of, representation


def converted(kind: str) -> tuple[str, ...]:
    """As `chorus-bench convert` states it."""
    one = KINDS[kind]
    notes = [f"converted from {kind}: {one.assumes}", f"lost: {one.loses}", "radius 0.05 m"]
    return representation("PAP|v1", {"conversion": notes})


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_found_by_its_name_and_no_other_is(kind):
    found = [other for other in KINDS if is_of(converted(other), kind)]
    assert found == [kind], "the explanations name other kinds"


def test_tracks_and_words_of_a_text():
    posed = representation("PAP|v1|track:posed", {"conversion": "our Meshes, voxelised"})
    assert posed[0] == "posed"
    assert is_of(posed, " Posed ")
    assert is_of(posed, "meshes")
    assert not is_of(posed, "canonical")
    assert representation("PAP|v1", {}) == ("canonical",)
    assert chosen({"a": posed, "b": ("canonical",)}, None) == ["a", "b"]
    with pytest.raises(InputError, match="nothing is of the representation 'points'"):
        chosen({"a": posed}, "points")
