"""Draws: how many, from which, and that neither order nor sharding matters."""

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_baselines.chorus import draw_ratio, draw_without_keypoints, select_rows
from chorus_bench.errors import InputError
from chorus_bench.synthesis import filter_rows
from chorus_bench.synthesis.filters import FilterSettings
from tests.synthesis.test_filters import image, person


def rows_of(counts):
    return [
        {"sample_id": f"{prompt}/{i}", "category": "kite", "prompt": prompt}
        for prompt, count in counts.items()
        for i in range(count)
    ]


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 120), min_size=1),
    st.sampled_from([0.01, 0.1, 0.25, 0.07, 1.0]),
    st.integers(0, 3),
)
def test_of_every_prompt_the_ratio_rounded_up(counts, ratio, seed):
    rows = rows_of(counts)
    drawn = draw_ratio(rows, ratio, seed=seed)
    exact = Fraction(str(ratio))
    for prompt, count in counts.items():
        ids = {i for i in drawn if i.startswith(f"{prompt}/")}
        assert len(ids) == math.ceil(exact * count)
        assert ids <= {row["sample_id"] for row in rows}
    random.Random(seed).shuffle(rows)
    assert draw_ratio(rows, ratio, seed=seed) == drawn


def test_seven_of_seven_hundred():
    # 0.01 * 700 is 7.000000000000001 in floating point.
    assert len(draw_ratio(rows_of({"a": 700}), 0.01)) == 7


def test_seeds_and_nesting():
    rows = rows_of({"a": 200})
    tenth = draw_ratio(rows, 0.1)
    assert draw_ratio(rows, 0.1, seed=1) != tenth
    assert draw_ratio(rows, 0.01) <= tenth
    assert [row["sample_id"] for row in select_rows(rows, tenth)] == [
        row["sample_id"] for row in rows if row["sample_id"] in tenth
    ]


def test_draws_are_even():
    rows = rows_of({"a": 20})
    times = dict.fromkeys((row["sample_id"] for row in rows), 0)
    for seed in range(400):
        for sample_id in draw_ratio(rows, 0.25, seed=seed):
            times[sample_id] += 1
    assert all(60 < count < 140 for count in times.values())


def test_categories_are_drawn_apart():
    rows = [
        {"sample_id": f"{category}{i}", "category": category, "prompt": "p"}
        for category in ("kite", "bench")
        for i in range(5)
    ]
    assert sorted(i[:-1] for i in draw_ratio(rows, 0.2)) == ["bench", "kite"]


@pytest.mark.parametrize("ratio", [0, -0.1, 1.01, float("nan")])
def test_ratios_out_of_range(ratio):
    with pytest.raises(InputError, match="data ratio"):
        draw_ratio(rows_of({"a": 3}), ratio)


def test_ids_are_needed_once_each():
    with pytest.raises(InputError, match="row 1: two rows have the sample_id 'x'"):
        draw_ratio([{"sample_id": "x"}] * 2, 0.5)
    with pytest.raises(InputError, match="row 0: a row without a sample_id"):
        draw_ratio([{"prompt": "p"}], 0.5)


def test_without_keypoint_filtering():
    rows = [image(sample_id=f"kept {i}") for i in range(30)]
    rows += [image(sample_id=f"hidden {i}", people=[person(visible=())]) for i in range(60)]
    rows += [image(sample_id=f"empty {i}", people=[]) for i in range(60)]
    drawn = draw_without_keypoints(rows)
    kinds = [sample_id.split()[0] for sample_id in drawn]
    assert len(drawn) == 30
    assert 3 <= kinds.count("kept") <= 20
    assert kinds.count("empty") == 0
    assert draw_without_keypoints(rows[::-1]) == drawn
    kept = filter_rows(select_rows(rows, drawn), FilterSettings(keypoints="none"))
    assert {row["verdict"] for row in kept} == {"kept"}
