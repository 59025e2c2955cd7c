"""Boxes: areas, overlaps, the box of a mask (golden cases in tests/parity)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chorus_bench.geometry.boxes import (
    box_areas,
    box_intersections,
    intersection_over_union,
    mask_box,
    overlap_of_smaller,
)

BOXES = [(0, 0, 10, 10), (5, 0, 15, 10), (3, 3, 3, 9), (np.nan, 0, 1, 1)]

box = st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(0.01, 100)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


def test_areas_and_intersections():
    assert box_areas(BOXES[:3]).tolist() == [100, 100, 0]
    assert box_areas([(5, 5, 0, 9)]).tolist() == [0]
    assert box_intersections(BOXES[:2], BOXES[:3]).tolist() == [[100, 50, 0], [50, 100, 0]]
    assert box_intersections((2, 2, 4, 4), BOXES[:1]).tolist() == [[4]]
    assert box_intersections((0, 0, 1, 1), (2, 2, 3, 3)).tolist() == [[0]]


def test_intersection_over_union():
    overlaps = intersection_over_union(BOXES, BOXES)
    np.testing.assert_allclose(overlaps[0], [1, 1 / 3, 0, 0])
    np.testing.assert_array_equal(overlaps, overlaps.T)


@given(box, box)
def test_the_overlap_of_the_smaller_is_a_share_and_symmetric(one, other):
    overlap = overlap_of_smaller(one, other)
    assert 0 <= overlap <= 1 + 1e-9
    assert overlap == overlap_of_smaller(other, one)
    assert overlap_of_smaller(one, one) == pytest.approx(1)
    assert intersection_over_union(one, other)[0, 0] <= overlap + 1e-9


def test_no_boxes():
    assert box_areas([]).shape == (0,)
    assert box_intersections((0, 0, 1, 1), []).shape == (1, 0)
    assert intersection_over_union([], BOXES).shape == (0, 4)


@given(arrays(bool, (6, 9)))
def test_the_box_of_a_mask_is_the_smallest(mask):
    found = mask_box(mask)
    if found is None:
        assert not mask.any()
        return
    left, top, right, bottom = map(int, found)
    inside = mask[top:bottom, left:right]
    assert inside.sum() == mask.sum()
    assert all(edge.any() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
