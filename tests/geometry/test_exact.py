"""Exact arithmetic: right to the last bits, in the written order, and the same bits everywhere."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chorus_bench.geometry import exact

RNG = np.random.default_rng(7)


def in_last_places(found, expected):
    """The largest error in units in the last place."""
    expected = np.asarray(expected)
    return np.max(np.abs(np.asarray(found) - expected) / np.spacing(np.abs(expected)))


FUNCTIONS = [
    (exact.sin, math.sin, RNG.uniform(-1e5, 1e5, 4000)),
    (exact.cos, math.cos, RNG.uniform(-1e5, 1e5, 4000)),
    (exact.sin, math.sin, np.pi / 2 * np.arange(1, 200)),
    (exact.cos, math.cos, np.pi / 2 * np.arange(1, 200)),
    (exact.tan, math.tan, RNG.uniform(-1.5, 1.5, 4000)),
    (exact.arctan, math.atan, 10 ** RNG.uniform(-8, 8, 4000) * RNG.choice([-1, 1], 4000)),
    (exact.arcsin, math.asin, RNG.uniform(-1, 1, 4000)),
    (exact.arccos, math.acos, RNG.uniform(-1, 1, 4000)),
    (exact.exp, math.exp, RNG.uniform(-700, 700, 4000)),
    (exact.log, math.log, 10 ** RNG.uniform(-300, 300, 4000)),
    (exact.log, math.log, RNG.uniform(0.9, 1.1, 4000)),
]


@pytest.mark.parametrize(("ours", "theirs", "x"), FUNCTIONS)
def test_functions_are_right_to_the_last_bits(ours, theirs, x):
    # The C library's own error is below one unit.
    assert in_last_places(ours(x), [theirs(value) for value in x]) < 4


def test_powers():
    x = RNG.uniform(0, 2, 2000)
    for exponent in (0.55, 0.7, 2.2, 3.2):
        assert in_last_places(exact.power(x, exponent), x**exponent) < 30
    assert exact.power([0.0, 1.0], 2.2).tolist() == [0, 1]
    assert in_last_places(exact.whole_power(x, 9), x**9) < 10
    assert exact.whole_power(3.0, 1) == 3


def test_arc_tangent_of_two_in_every_quadrant():
    y, x = RNG.normal(size=(2, 4000))
    assert in_last_places(exact.arctan2(y, x), np.arctan2(y, x)) < 4
    for zero in (0.0, -0.0):
        for other in (1.0, -1.0):
            for pair in ((zero, other), (other, zero)):
                found, expected = float(exact.arctan2(*pair)), math.atan2(*pair)
                assert (found, math.copysign(1, found)) == (expected, math.copysign(1, expected))
        assert exact.arctan2(zero, 0.0) == exact.arctan2(0.0, zero) == 0


def test_single_numbers_and_special_values():
    assert exact.sin(0.0) == 0
    assert exact.cos(0.0) == 1
    assert exact.log(1.0) == 0
    assert exact.exp([0.0, 1000.0, -1000.0]).tolist() == [1, np.inf, 0]
    assert np.isnan(exact.sin_cos([np.nan])).all()
    assert np.shape(exact.arctan2(1.0, [[1.0, 2.0]])) == (1, 2)


def test_the_bits_are_these_on_every_machine():
    """Digests of results, found on x86 and on Arm: another one means another arithmetic."""
    angles = np.arange(-4000, 4000) / 256
    positive = np.arange(1, 4000) / 128
    found = {
        "sin_cos": exact.sin_cos(angles),
        "arctan2": exact.arctan2(angles, angles[::-1] + 0.3),
        "exp": exact.exp(angles),
        "log": exact.log(positive),
        "power": exact.power(positive, 0.7),
        "total": exact.total(exact.log(positive)),
    }
    digests = {
        name: hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:12]
        for name, value in found.items()
    }
    assert digests == DIGESTS


DIGESTS = {
    "sin_cos": "9a3b96bfd7f3",
    "arctan2": "491ea2ec4bcc",
    "exp": "6ce49cd0b5d7",
    "log": "24c93ca63ba5",
    "power": "9f3502b86e8c",
    "total": "e4101de15ae7",
}


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_a_total_is_a_sum(values):
    assert exact.total(values) == pytest.approx(math.fsum(values), abs=1e-6)
    assert exact.mean(values) == exact.total(values) / len(values)


def test_a_total_adds_halves():
    a, b, c, d, e = values = 10.0 ** np.array([0, 8, 16, -8, 4])
    assert exact.total(values) == ((a + c) + (b + d)) + e
    assert exact.total(values[:3]) == (a + b) + c
    assert exact.total(np.zeros((0, 2))).tolist() == [0, 0]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 24])
def test_a_total_does_not_depend_on_the_layout(count):
    values = RNG.normal(size=(5, count, 3)) * 10.0 ** RNG.uniform(-9, 9, (5, count, 3))
    expected = exact.total(np.ascontiguousarray(np.moveaxis(values, 1, 0)))
    for other in (values, np.asfortranarray(values), values[:, ::-1][:, ::-1]):
        np.testing.assert_array_equal(exact.total(other, axis=1), expected)
    alone = exact.total(np.ascontiguousarray(values[0]))
    np.testing.assert_array_equal(alone, expected[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shapes", [((3, 3), (3, 3)), ((200, 3), (3, 3)), ((2, 5, 4), (4, 60))])
def test_a_product_is_one_of_matrices_and_adds_in_order(dtype, shapes):
    a, b = (RNG.normal(size=shape).astype(dtype) for shape in shapes)
    found = exact.product(a, b)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, a @ b, rtol=1e-4, atol=1e-5)
    entry = dtype(0)
    for x, y in zip(a[..., 1, :].reshape(-1, a.shape[-1])[-1], b[:, 2], strict=True):
        entry = x * y if entry == 0 else entry + x * y
    assert found[..., 1, 2].ravel()[-1] == entry


def test_small_vectors():
    a, b = RNG.normal(size=(2, 10, 3))
    R = RNG.normal(size=(10, 3, 3))
    np.testing.assert_allclose(exact.inner(a, b), (a * b).sum(axis=1), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(exact.norm(a), np.linalg.norm(a, axis=1), rtol=1e-15)
    np.testing.assert_array_equal(exact.cross(a, b), np.cross(a, b))
    np.testing.assert_allclose(exact.apply(R, a), (R @ a[..., None])[..., 0], atol=1e-14)
    np.testing.assert_allclose(exact.determinant(R), np.linalg.det(R), atol=1e-14)


def test_interpolation():
    places, values = (0, 0.1, 0.5, 2), (1.0, -1, 3, 3)
    x = np.array([0, 0.05, 0.1, 0.3, 1.7, 2])
    np.testing.assert_allclose(exact.interpolate(x, places, values), np.interp(x, places, values))


def test_a_product_of_whole_numbers_has_no_order():
    a, b = RNG.integers(-(2**24), 2**24, (2, 40, 40)).astype(float)
    order = RNG.permutation(40)
    np.testing.assert_array_equal(
        exact.whole_product(a, b), exact.whole_product(a[:, order], b[order])
    )


def test_single_numbers_have_the_bits_of_arrays():
    angles = [*RNG.uniform(-1e4, 1e4, 2000), *(np.pi / 4 * np.arange(-20, 20)), 0.0, -0.0]
    both = np.array([exact.sin_cos_of(float(angle)) for angle in angles])
    assert both.tobytes() == np.stack(exact.sin_cos(angles), axis=1).tobytes()
    numbers = [*(10 ** RNG.uniform(-300, 300, 1000)), *RNG.uniform(0, 1, 1000), 1.0]
    logarithms = np.array([exact.log_of(float(number)) for number in numbers])
    assert logarithms.tobytes() == exact.log(numbers).tobytes()
