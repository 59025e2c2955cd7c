"""The metric against the slow oracle, number for number."""

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chorus_bench.errors import InputError
from chorus_bench.geometry.camera import pixel_indices
from chorus_bench.metrics import pap
from tests.parity import oracle

NUMBERS = ("pap", "pap_strict", "pap_hoa", "pap_strict_hoa")

TIES = [np.float32(tau) for tau in oracle.THRESHOLDS]
NEAR_TIES = [np.nextafter(tie, np.float32(side)) for tie in TIES for side in (0, 1)]
probabilities = st.one_of(
    st.sampled_from([float(p) for p in TIES + NEAR_TIES]), st.floats(0, 1, width=32)
)
coordinates = st.one_of(
    st.floats(-2, 10),
    st.sampled_from([-1.0, -0.999, -1e-9, -0.0, 7.999999, 8.0, math.nan, math.inf, -math.inf]),
)
ascending = st.one_of(
    st.just(oracle.THRESHOLDS),
    st.lists(st.sampled_from(oracle.THRESHOLDS), min_size=1, max_size=9, unique=True).map(sorted),
)


@st.composite
def images(draw, thresholds=ascending):
    """Voxels on a small image, with target, human and thresholds."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    count = draw(st.integers(0, 60))
    return {
        "values": np.array(
            draw(st.lists(probabilities, min_size=count, max_size=count)), dtype=np.float32
        ),
        "uv": draw(hnp.arrays(np.float64, (count, 2), elements=coordinates)),
        "target": draw(hnp.arrays(bool, (height, width))),
        "human": draw(hnp.arrays(bool, (height, width))),
        "thresholds": draw(thresholds),
    }


def occupancy_image(image):
    shape = image["target"].shape
    occupancy = np.full(image["target"].size + 1, -np.inf, dtype=np.float32)
    np.maximum.at(occupancy, pixel_indices(image["uv"], *shape), image["values"])
    return occupancy[:-1].reshape(shape)


def oracle_masks(image):
    shape = image["target"].shape
    return oracle.predicted_masks(image["values"], image["uv"], *shape, image["thresholds"])


def histogram(image):
    levels = pap.occupancy_levels(occupancy_image(image), image["thresholds"])
    bins = len(image["thresholds"]) + 1
    classes = pap.pixel_classes(image["target"], image["human"])
    table = np.zeros((4, bins), dtype=np.int64)
    np.add.at(table, (classes.ravel(), levels.ravel()), 1)
    return table


def fast_score(image, **options):
    masks = image["target"], image["human"]
    return pap.projective_average_precision(
        occupancy_image(image), *masks, image["thresholds"], **options
    )


def assert_equals_oracle(found, expected):
    numbers = dict(zip(pap.SCORE_NAMES, NUMBERS, strict=True))
    for name, value in expected.items():
        assert getattr(found, numbers.get(name, name)) == value, name


# ---- one pass against one rendering per threshold


@given(images())
def test_masks_of_every_threshold_are_those_of_the_oracle(image):
    levels = pap.occupancy_levels(occupancy_image(image), image["thresholds"])
    for i, mask in enumerate(oracle_masks(image)):
        np.testing.assert_array_equal(levels > i, mask)


@given(images(), st.booleans())
def test_scores_are_those_of_the_oracle(image, closed):
    expected = oracle.score(oracle_masks(image), image["target"], image["human"], closed=closed)
    assert_equals_oracle(fast_score(image, closed=closed), expected)


@given(images(), st.booleans())
def test_counts_are_those_of_the_oracle(image, without_human):
    counts = pap.pixel_counts(histogram(image), without_human=without_human)
    seen = ~image["human"] | (not without_human)
    target = image["target"] & seen
    assert counts.target == oracle.area(target)
    for i, mask in enumerate(oracle_masks(image)):
        assert counts.predicted[i] == oracle.area(mask & seen)
        assert counts.hit[i] == oracle.area(mask & target)
        assert counts.precision[i] == oracle.precision(mask & seen, target)
        assert counts.recall[i] == oracle.recall(mask & seen, target)


def test_whole_images_are_those_of_the_oracle():
    rng = np.random.default_rng(5)
    for height, width in ((480, 640), (640, 427), (64, 64), (20, 31)):
        mask = rng.random((height, width)) < np.linspace(0, 1, width)
        small = oracle.small_size(height, width)
        image = {
            "values": rng.choice(TIES + NEAR_TIES, size=3000),
            "uv": rng.uniform(-3, 1.2 * max(small), size=(3000, 2)),
            "target": oracle.small_target(mask),
            "human": oracle.paint(rng.uniform(0, 30, size=(200, 2)), *small),
            "thresholds": oracle.THRESHOLDS,
        }
        human_uv = np.argwhere(image["human"])[:, ::-1]
        expected = oracle.score_image(image["values"], image["uv"], human_uv, mask)
        found = fast_score(image)
        assert 0 < found.pap_strict < 1
        assert_equals_oracle(found, expected)


# ---- thresholds and ties


def test_thresholds_are_the_nearest_doubles_of_their_decimals():
    assert list(pap.THRESHOLDS) == oracle.THRESHOLDS


@pytest.mark.parametrize("i", range(99))
def test_ties_are_decided_in_single_precision(i):
    tie = np.float32(pap.THRESHOLDS[i])
    below = np.nextafter(tie, np.float32(0))
    assert pap.occupancy_levels(tie) == i + 1
    assert pap.occupancy_levels(pap.THRESHOLDS[i]) == i + 1
    assert pap.occupancy_levels(below) == i
    # A double that rounds to the tie is the tie, on whichever side of it it lies.
    assert pap.occupancy_levels(np.float64(tie) - (np.float64(tie) - below) / 4) == i + 1


def test_levels_of_the_extremes():
    assert pap.occupancy_levels([-np.inf, 0, 0.99, 1, np.inf]).tolist() == [0, 0, 99, 99, 99]


# ---- batches


@given(st.lists(images(st.just(oracle.THRESHOLDS)), min_size=1, max_size=5), st.booleans())
def test_a_sample_has_the_same_bits_alone_and_in_a_batch(batch, closed):
    scores, areas = pap.score_table(np.stack([histogram(i) for i in batch]), closed=closed)
    assert scores.shape == (len(batch), 4)
    assert areas.shape == (len(batch), 2)
    for image, row, area in zip(batch, scores, areas, strict=True):
        alone = fast_score(image, closed=closed)
        assert row.tobytes() == np.array([getattr(alone, n) for n in NUMBERS]).tobytes()
        assert area.tolist() == [alone.target_area, alone.target_area_hoa]
        assert pap.scores_from_histogram(histogram(image), closed=closed) == alone


@given(images(), st.booleans())
def test_average_precision_of_counts_is_the_score(image, closed):
    counts = pap.pixel_counts(histogram(image))
    plain, strict = pap.average_precision(counts, closed=closed)
    score = fast_score(image, closed=closed)
    assert (float(plain), float(strict)) == (score.pap, score.pap_strict)


# ---- what follows from the definition


@given(images())
def test_bounds(image):
    score, closed = fast_score(image), fast_score(image, closed=True)
    for name in NUMBERS:
        assert 0 <= getattr(score, name) <= getattr(closed, name) <= 1 + 1e-12
    assert score.pap_strict <= score.pap
    assert score.pap_strict_hoa <= score.pap_hoa
    assert score.target_area_hoa <= score.target_area <= image["target"].size


@given(images())
def test_recall_and_predicted_area_never_rise(image):
    counts = pap.pixel_counts(histogram(image))
    assert (np.diff(counts.recall) <= 0).all()
    assert (np.diff(counts.predicted) <= 0).all()


@given(images())
def test_without_target_everything_is_zero(image):
    score = fast_score({**image, "target": np.zeros_like(image["target"])}, closed=True)
    assert set(score.as_dict().values()) == {0}


@given(images())
def test_without_human_the_hoa_numbers_are_the_plain_ones(image):
    score = fast_score({**image, "human": np.zeros_like(image["human"])})
    assert score.pap_hoa == score.pap
    assert score.pap_strict_hoa == score.pap_strict
    assert score.target_area_hoa == score.target_area


@given(images())
def test_any_value_but_zero_is_on(image):
    other = {name: image[name] * np.uint8(255) for name in ("target", "human")}
    assert fast_score({**image, **other}) == fast_score(image)


def constant_field(image, value):
    """The image with all of its voxels at one value, and its precision and recall."""
    image = {**image, "values": np.full_like(image["values"], value)}
    predicted = oracle.paint(image["uv"], *image["target"].shape)
    seen, target = ~image["human"], image["target"]
    return image, [
        (oracle.precision(predicted, target), oracle.recall(predicted, target)),
        (
            oracle.precision(predicted & seen, target & seen),
            oracle.recall(predicted & seen, target & seen),
        ),
    ]


@given(images())
def test_a_binary_field_scores_nothing_and_precision_times_recall_when_closed(image):
    # Nothing changes between thresholds, so no step has a width; all of recall is left over.
    image, pairs = constant_field(image, 1)
    official, closed = fast_score(image), fast_score(image, closed=True)
    assert [getattr(official, name) for name in NUMBERS] == [0, 0, 0, 0]
    (p, r), (p_hoa, r_hoa) = pairs
    assert (closed.pap, closed.pap_strict) == (r * p, r * p)
    assert (closed.pap_hoa, closed.pap_strict_hoa) == (r_hoa * p_hoa, r_hoa * p_hoa)


@given(images(st.just(oracle.THRESHOLDS)), st.sampled_from([*TIES[:98], *NEAR_TIES[1:-1]]))
def test_a_field_of_one_middle_value_scores_plain_but_not_strict(image, value):
    # All of recall is lost in one step, at which nothing is predicted any more.
    image, [(p, r), (p_hoa, r_hoa)] = constant_field(image, value)
    for closed in (False, True):
        score = fast_score(image, closed=closed)
        assert (score.pap, score.pap_hoa) == (r * p, r_hoa * p_hoa)
        assert (score.pap_strict, score.pap_strict_hoa) == (0, 0)


def test_a_hand_computed_image():
    # Thresholds .2 .4 .6 .8; predicted 4, 3, 1, 0 pixels; on target 2, 2, 1, 0 of 2.
    occupancy = np.float32([[0.7, 0.5], [0.4, 0.2]])
    target = [[1, 1], [0, 0]]
    human = [[0, 1], [0, 0]]
    score = pap.projective_average_precision(occupancy, target, human, (0.2, 0.4, 0.6, 0.8))
    # Steps: width 0; then 1/2 at best precision 2/3; then 1/2 at best precision 1.
    assert score.pap == pytest.approx(1 / 3 + 1 / 2, abs=1e-15)
    assert score.pap_strict == pytest.approx(1 / 3, abs=1e-15)
    # Without the human: predicted 3, 2, 1, 0; on target 1, 1, 1, 0 of 1.
    assert score.pap_hoa == 1
    assert score.pap_strict_hoa == 0
    assert (score.target_area, score.target_area_hoa) == (2, 1)


# ---- means

four_numbers = st.lists(st.floats(0, 1), min_size=4, max_size=4)
pixels = st.integers(0, 2)
rows = st.lists(st.tuples(four_numbers, pixels, pixels), max_size=30)


@given(rows, st.randoms(use_true_random=False))
def test_category_mean_is_the_oracle_s_in_any_order(rows, random):
    def mean(some):
        scores = np.array([scores for scores, _, _ in some]).reshape(-1, 4)
        return pap.category_mean(scores, np.array([(a, min(a, b)) for _, a, b in some]))

    expected = oracle.category_mean(
        [
            {**dict(zip(pap.SCORE_NAMES, scores, strict=True)),
             "target_area": a, "target_area_hoa": min(a, b)}
            for scores, a, b in rows
        ]
    )  # fmt: skip
    found = mean(rows)
    assert found == pytest.approx(expected, rel=1e-14, abs=1e-15)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert mean(shuffled) == found


@given(st.lists(four_numbers, max_size=20))
def test_benchmark_mean_is_the_oracle_s(values):
    categories = [dict(zip(pap.SCORE_NAMES, row, strict=True)) for row in values]
    expected = oracle.benchmark_mean(categories)
    found = pap.benchmark_mean(iter(categories))
    assert found == pytest.approx(expected, rel=1e-14, abs=1e-15)
    assert list(found) == ["mPAP", "mPAP_strict", "mPAP_hoa", "mPAP_strict_hoa"]


def test_images_without_target_are_left_out():
    scores = [[0.9] * 4, [0.5] * 4, [0.1] * 4]
    areas = [[0, 0], [7, 0], [7, 3]]
    assert pap.counted(areas).tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 1]]
    assert pap.category_mean(scores, areas) == {
        "PAP": 0.3, "PAP_strict": 0.3, "PAP_hoa": 0.1, "PAP_strict_hoa": 0.1
    }  # fmt: skip
    assert set(pap.category_mean([], []).values()) == {0.0}


# ---- errors


@pytest.mark.parametrize("name", ["target", "human"])
def test_masks_of_another_shape_are_refused(name):
    masks = {"target": np.ones((2, 3)), "human": np.ones((2, 3)), name: np.ones((3, 2))}
    with pytest.raises(InputError) as caught:
        pap.projective_average_precision(np.zeros((2, 3)), **masks)
    assert f"the {name} mask has shape (3, 2)" in str(caught.value)
    assert "the occupancy image's shape (2, 3)" in str(caught.value)


def test_occupancies_that_are_nan_are_refused():
    occupancy = np.array([[0.5, np.nan], [np.nan, -np.inf]])
    with pytest.raises(InputError, match="NaN in 2 places"):
        pap.projective_average_precision(occupancy, np.ones((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize(
    "thresholds",
    [(0.5, 0.5), (0.5, 0.4), (), [[0.1, 0.2]], (0.5, 0.5 + 1e-12), (0.1, math.nan), (math.nan,)],
    ids=["equal", "falling", "none", "two axes", "equal as float32", "NaN", "only NaN"],
)
def test_thresholds_that_do_not_ascend_are_refused(thresholds):
    with pytest.raises(InputError, match="thresholds"):
        pap.projective_average_precision(
            np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), thresholds
        )


def test_the_documentation_s_examples_hold():
    results = doctest.testmod(pap)
    assert results.attempted > 0
    assert results.failed == 0
