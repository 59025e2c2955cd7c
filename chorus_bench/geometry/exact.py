"""Arithmetic that gives the same bits on every processor.

Dataset rows, fingerprints, votes, fields and scores are computed only with the functions here and
with single NumPy operations. The results are reproducible for these reasons:

* IEEE 754 defines ``+ - * /`` and the square root to the bit. NumPy rounds after each of them, so
  one operation at a time gives the same bits everywhere. So do comparisons, rounding to integers
  or to float32, and products with powers of two.
* Sums and products of matrices are written out: the order of additions is fixed here, not by the
  width of a processor's registers. Libraries (BLAS, LAPACK, `numpy.einsum`, `numpy.sum`) choose an
  order for the processor, and fuse products with sums if it can.
* Sine, cosine, arc tangent, exponential and logarithm are polynomials after a reduction of the
  argument, again one operation at a time. Those of NumPy and of the C library differ between
  processors and versions in the last bit. Errors here are below 3 units in the last place (for
  `power`: 20).
* Sums of integers need none of that: below 2**53, nothing is rounded in any order.

Everything is float64 unless the inputs are float32. The coefficients are minimax polynomials
(Remez) of this project.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.array_types import Float64

Floats = NDArray[np.floating[Any]]
#: Of the inputs' precision.
Numbers = NDArray[Any]
Real = TypeVar("Real", float, Float64)

# sin r = r + r z P(z), cos r = 1 - z / 2 + z z P(z), atan r = r + r z P(z) with z = r r;
# log (1 + s) / (1 - s) = 2 s + s z P(z) with z = s s; exp r = 1 + r + r r P(r).
_SIN = (
    -0.16666666666666632, 0.008333333333322398, -0.000198412698297941, 2.755731368695821e-06,
    -2.505075730881654e-08, 1.5896747278596557e-10,
)  # fmt: skip
_COS = (
    0.0416666666666666, -0.00138888888888741, 2.4801587289467656e-05, -2.755731434795071e-07,
    2.0875722653913058e-09, -1.1359614579682627e-11,
)  # fmt: skip
_ATAN = (
    -0.333333333333332, 0.19999999999953874, -0.1428571428022629, 0.11111110784976766,
    -0.09090897801771708, 0.07692060999447896, -0.0666311291837479, 0.05847953134386346,
    -0.05039588036890776, 0.038071633367689116, -0.017914805143302685,
)  # fmt: skip
_LOG = (
    0.6666666666666735, 0.3999999999941289, 0.28571428742824573, 0.2222219852463382,
    0.18183567031076817, 0.1531397692972899, 0.14796728599855635,
)  # fmt: skip
_EXP = (
    0.5000000000000013, 0.166666666666667, 0.04166666666651432, 0.00833333333330702,
    0.0013888888947331097, 0.00019841269917792885, 2.4801489590621616e-05, 2.7557215929883516e-06,
    2.7631413791698886e-07, 2.511798005977143e-08,
)  # fmt: skip
# pi / 2 and log 2 in parts so short that integer multiples of the first ones are exact.
_HALF_PI = (1.5707963267341256, 6.07710050359346e-11, 2.912732056093356e-20)
_LOG_2 = (0.6931471803691238, 1.9082149292705877e-10)
# The difference between pi and the nearest double.
_PI_REST = 1.2246467991473532e-16
_TAN_EIGHTH = 0.41421356237309503  # tan(pi / 8)
_SQRT_HALF = 0.7071067811865476


def sin_cos(angle: ArrayLike) -> tuple[Float64, Float64]:
    """Return sine and cosine of angles (...) in radians.

    Accurate up to 1e6 radians; less so beyond, but the same everywhere.
    """
    x = np.asarray(angle, dtype=np.float64)
    quarters = np.rint(x * (2 / np.pi))
    sine, cosine = _near_a_quarter(x, quarters)
    place = quarters - 4 * np.floor(quarters * 0.25)
    first, last = place == 1, place == 3
    swapped = first | last
    turned_sine, turned_cosine = np.where(swapped, cosine, sine), np.where(swapped, sine, cosine)
    np.negative(turned_sine, out=turned_sine, where=place >= 2)
    np.negative(turned_cosine, out=turned_cosine, where=first | (place == 2))
    return turned_sine, turned_cosine


def sin_cos_of(angle: float) -> tuple[float, float]:
    """Return sine and cosine of one angle: those of `sin_cos`, in a tenth of its time."""
    quarters = round(angle * (2 / math.pi))
    sine, cosine = _near_a_quarter(angle + 0.0, float(quarters))  # no negative zero
    if quarters % 2:
        sine, cosine = cosine, sine
    return (-sine if quarters % 4 >= 2 else sine), (-cosine if quarters % 4 in (1, 2) else cosine)


def _near_a_quarter(angle: Real, quarters: Real) -> tuple[Real, Real]:
    """Return sine and cosine of angles less whole multiples of a quarter turn."""
    r = angle
    for part in _HALF_PI:
        r = r - quarters * part
    z = r * r
    sine = r + r * (z * _polynomial(z, _SIN))
    half = z * 0.5
    near = 1 - half
    return sine, near + (((1 - near) - half) + z * (z * _polynomial(z, _COS)))


def sin(angle: ArrayLike) -> Float64:
    """Return the sine of angles (...) in radians, see `sin_cos`."""
    return sin_cos(angle)[0]


def cos(angle: ArrayLike) -> Float64:
    """Return the cosine of angles (...) in radians, see `sin_cos`."""
    return sin_cos(angle)[1]


def tan(angle: ArrayLike) -> Float64:
    """Return the tangent of angles (...) in radians."""
    sine, cosine = sin_cos(angle)
    return np.asarray(sine / cosine)


def arctan2(y: ArrayLike, x: ArrayLike) -> Float64:
    """Return the angles (...) of points from +x toward +y, radians in [-pi, pi]; 0 at (0, 0)."""
    y, x = np.asarray(y, dtype=np.float64), np.asarray(x, dtype=np.float64)
    across, along = np.abs(y), np.abs(x)
    small, large = np.minimum(across, along), np.maximum(across, along)
    steep = small > large * _TAN_EIGHTH
    numerator = np.where(steep, small - large, small)
    denominator = np.where(steep, small + large, np.where(large == 0, 1.0, large))
    t = numerator / denominator
    z = t * t
    angle = t + t * (z * _polynomial(z, _ATAN))
    angle = np.where(steep, np.pi / 4 + (angle + _PI_REST / 4), angle)
    angle = np.where(across > along, np.pi / 2 - (angle - _PI_REST / 2), angle)
    angle = np.where(x < 0, np.pi - (angle - _PI_REST), angle)
    return np.asarray(np.copysign(angle, y))


def arctan(slope: ArrayLike) -> Float64:
    """Return the angles (...) of slopes, radians in [-pi / 2, pi / 2]."""
    return arctan2(slope, 1.0)


def arcsin(sine: ArrayLike) -> Float64:
    """Return the angles (...) in [-pi / 2, pi / 2] whose sine is given, -1 to 1."""
    s = np.asarray(sine, dtype=np.float64)
    return arctan2(s, np.sqrt((1 - s) * (1 + s)))


def arccos(cosine: ArrayLike) -> Float64:
    """Return the angles (...) in [0, pi] whose cosine is given, -1 to 1."""
    c = np.asarray(cosine, dtype=np.float64)
    return arctan2(np.sqrt((1 - c) * (1 + c)), c)


def exp(exponent: ArrayLike) -> Float64:
    """Return e to the power of finite numbers (...)."""
    x = np.clip(np.asarray(exponent, dtype=np.float64), -800, 800)
    doublings = np.rint(x * (1 / (_LOG_2[0] + _LOG_2[1])))
    r = (x - doublings * _LOG_2[0]) - doublings * _LOG_2[1]
    power = 1 + (r + r * r * _polynomial(r, _EXP))
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(power, doublings.astype(np.int32)))


def log(number: ArrayLike) -> Float64:
    """Return the natural logarithm of positive finite numbers (...)."""
    fraction, exponent = np.frexp(np.asarray(number, dtype=np.float64))
    low = fraction < _SQRT_HALF
    f = np.where(low, fraction + fraction, fraction) - 1
    return np.asarray(_log_of_parts(f, exponent - low.astype(np.float64)))


def log_of(number: float) -> float:
    """Return the natural logarithm of one positive number: that of `log`."""
    fraction, exponent = math.frexp(number)
    low = fraction < _SQRT_HALF
    return _log_of_parts((fraction + fraction if low else fraction) - 1, float(exponent - low))


def _log_of_parts(f: Real, doublings: Real) -> Real:
    """Return the logarithm of ``1 + f`` times a power of two."""
    s = f / (2 + f)
    z = s * s
    half = 0.5 * f * f
    rest = s * (half + z * _polynomial(z, _LOG)) + doublings * _LOG_2[1]
    return doublings * _LOG_2[0] - ((half - rest) - f)


def power(base: ArrayLike, exponent: float) -> Float64:
    """Return numbers (...) of at least 0 to the power of a positive exponent."""
    x = np.asarray(base, dtype=np.float64)
    positive = x > 0
    return np.where(positive, exp(exponent * log(np.where(positive, x, 1.0))), 0.0)


def whole_power(base: ArrayLike, exponent: int) -> Float64:
    """Return numbers (...) multiplied by themselves, ``exponent`` factors of at least one."""
    x = np.asarray(base, dtype=np.float64)
    result = x
    for _ in range(exponent - 1):
        result = result * x
    return result


def total(values: ArrayLike, axis: int = 0) -> Numbers:
    """Return the sum along an axis: halves are added to each other until one remains."""
    left = np.asarray(values)
    left = left if axis == 0 else np.moveaxis(left, axis, 0)
    count = len(left)
    if not count:
        return np.zeros(left.shape[1:], dtype=left.dtype)
    while count > 3:
        half, odd = divmod(count, 2)
        sums = left[:half] + left[half : 2 * half]
        left = np.concatenate([sums, left[-1:]]) if odd else sums
        count = half + odd
    whole: Numbers = left[0]
    for number in range(1, count):
        whole = whole + left[number]
    return whole


def mean(values: ArrayLike, axis: int = 0) -> Numbers:
    """Return the mean along an axis: `total` over the count."""
    array = np.asarray(values)
    return np.asarray(total(array, axis) / array.dtype.type(array.shape[axis]))


def inner(a: Floats, b: Floats) -> Numbers:
    """Return the inner products of vectors along the last, short axis, in order."""
    result = a[..., 0] * b[..., 0]
    for i in range(1, a.shape[-1]):
        result = result + a[..., i] * b[..., i]
    return np.asarray(result)


def norm(vectors: ArrayLike) -> Numbers:
    """Return the lengths of vectors along the last, short axis."""
    v = np.asarray(vectors)
    return np.asarray(np.sqrt(inner(v, v)))


def cross(a: ArrayLike, b: ArrayLike) -> Float64:
    """Return the cross products of vectors (..., 3)."""
    a0, a1, a2 = np.moveaxis(np.asarray(a, dtype=np.float64), -1, 0)
    b0, b1, b2 = np.moveaxis(np.asarray(b, dtype=np.float64), -1, 0)
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)


def product(a: Floats, b: Floats) -> Numbers:
    """Return the products of matrices (..., n, k) and (..., k, m), (..., n, m).

    The k terms of an entry are added in order. k is short; the longer of n and m is processed at
    once.
    """
    if a.shape[-2] > b.shape[-1]:
        return np.swapaxes(product(np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2)), -1, -2)
    result = a[..., :, 0, None] * b[..., 0, None, :]
    term = np.empty_like(result)
    for i in range(1, a.shape[-1]):
        np.multiply(a[..., :, i, None], b[..., i, None, :], out=term)
        result += term
    return result


def apply(matrix: Floats, vectors: ArrayLike) -> Numbers:
    """Return the products of matrices (..., n, k) and vectors (..., k), (..., n)."""
    return product(matrix, np.asarray(vectors)[..., None])[..., 0]


def determinant(matrices: Floats) -> Numbers:
    """Return the determinants of matrices (..., 3, 3)."""
    return inner(matrices[..., 0, :], cross(matrices[..., 1, :], matrices[..., 2, :]))


def whole_product(a: Floats, b: Floats, out: Numbers | None = None) -> Numbers:
    """Return the product of matrices of integer multiples of powers of two, in ``out`` if given.

    The caller has rounded both so that every partial sum, in units of the smallest multiple, is
    below 2**53. Then no sum is rounded, and BLAS may add in any order.
    """
    result: Numbers = np.matmul(a, b, out=out)
    return result


def interpolate(x: ArrayLike, places: ArrayLike, values: ArrayLike) -> Float64:
    """Return values (...) between those at ascending places (n,), linearly."""
    at, known = np.asarray(places, dtype=np.float64), np.asarray(values, dtype=np.float64)
    wanted = np.asarray(x, dtype=np.float64)
    left = np.clip(np.searchsorted(at, wanted, "right") - 1, 0, len(at) - 2)
    slope = (known[1:] - known[:-1]) / (at[1:] - at[:-1])
    return np.asarray(slope[left] * (wanted - at[left]) + known[left])


def _polynomial(x: Real, coefficients: tuple[float, ...]) -> Real:
    """Return ``c0 + c1 x + c2 x x + ...`` by Horner's rule."""
    value = x * coefficients[-1]
    value += coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        value *= x
        value += coefficient
    return value
