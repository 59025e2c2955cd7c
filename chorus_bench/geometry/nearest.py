"""The nearest of many points, decided by exact distances.

Queries that lie together share their candidates. They are sorted into cubes, and these into larger
cubes; the candidates of a cube are found among those of the larger one. A point is none if at all
eight corners of a box about the queries it is farther than so many others: the difference of two
squared distances is linear, so it is farther from everything in between.

Candidates are found in single precision, with room for its errors, because that is fast. The
nearest points and their order are decided by squared distances in exact arithmetic, and by the
points' indices if these are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Float64, Int64
from chorus_bench.geometry import exact

#: How many more points are proposed than wanted: their errors decide only between equals.
_SPARE = 4
#: Values of `_nearness` are off by less than this share of the largest squared distances from the
#: origin: 11 roundings to single precision.
_ERROR = 16 * 2.0**-24
#: Sides of the smallest cubes in spacings of the queries; each further level doubles them.
_SIDE, _LEVELS = 4, 3
#: Corners of the box from -1 to 1, and its middle.
_CORNERS = np.stack(np.meshgrid(*[(-1.0, 1.0)] * 3, indexing="ij"), axis=-1).reshape(8, 3)
_PLACES = np.concatenate([_CORNERS, np.zeros((1, 3))])
# Products so small that BLAS does not divide them among threads.
_TERMS_AT_ONCE = 65536
_BOXES_AT_ONCE, _ROWS_AT_ONCE = 64, 256


def nearest_points(
    points: Float64, queries: Float64, count: int, *, threads: int = 1
) -> tuple[Float64, Int64]:
    """Return the nearest points to each query.

    Args:
        points: (V, 3), at least ``count``.
        queries: (n, 3).
        count: number of points, k.
        threads: number of threads that search.

    Returns:
        Distances (n, k), ascending, and indices of points (n, k); among equal distances, the lower
        index comes first.
    """
    distances, numbers = np.empty((len(queries), count)), np.empty((len(queries), count), np.int64)
    if not len(queries):
        return distances, numbers
    cubes = _cubes(queries)
    order = np.argsort(cubes, kind="stable")
    search = _Search(points.T.copy(), queries[order], cubes[order], count)
    with ThreadPoolExecutor(threads) as pool:
        parts = list(search.parts(_Part(0, len(queries), np.arange(len(points)), 0)))
        for part, found in zip(
            parts, (pool.map if threads > 1 else map)(search, parts), strict=True
        ):
            rows = order[part.begin : part.end]
            distances[rows], numbers[rows] = found
    return distances, numbers


def _cubes(queries: Float64) -> Int64:
    """Return a number for each query's smallest cube: divided by 8, that of the next larger one."""
    low = queries.min(axis=0)
    extent = queries.max(axis=0) - low
    extent = np.maximum(extent, max(extent.max() * 1e-3, 1e-9))
    spacing = exact.power(extent[0] * extent[1] * extent[2] / len(queries), 1 / 3)
    smallest = np.floor((queries - low) / (spacing * _SIDE)).astype(np.int64)
    large = smallest >> (_LEVELS - 1)
    size = large.max(axis=0) + 1
    number: Int64 = (large[:, 0] * size[1] + large[:, 1]) * size[2] + large[:, 2]
    for level in range(_LEVELS - 2, -1, -1):
        x, y, z = ((smallest >> level) & 1).T
        number = number * 8 + x * 4 + y * 2 + z
    return number


@dataclass(frozen=True)
class _Part:
    """Some queries that lie together, with the points that may be among their nearest."""

    begin: int
    end: int
    candidates: Int64
    level: int


@dataclass(frozen=True)
class _Search:
    """Finds the nearest points of parts of the queries.

    Args:
        points: (3, V).
        queries: (n, 3), sorted by their cubes.
        cubes: (n,) from `_cubes`.
        count: number of points.
    """

    points: Float64
    queries: Float64
    cubes: Int64
    count: int

    @property
    def asked(self) -> int:
        """The number of points that are proposed for each query."""
        return min(self.count + _SPARE, self.points.shape[1])

    def __call__(self, part: _Part) -> tuple[Float64, Int64]:
        """Return distances and numbers (m, k) of a part's queries."""
        numbers = np.empty((part.end - part.begin, self.asked), dtype=np.int64)
        others = np.empty(len(numbers))  # squared distance that all other points have at least
        for leaf in self._leaves(part):
            rows = slice(leaf.begin - part.begin, leaf.end - part.begin)
            numbers[rows], others[rows] = self._propose(leaf)
        return self._decide(self.queries[part.begin : part.end], numbers, others)

    def parts(self, whole: _Part) -> Iterator[_Part]:
        """Divide a part into those of the next smaller cubes."""
        cubes = self.cubes[whole.begin : whole.end] >> 3 * (_LEVELS - 1 - whole.level)
        starts = np.flatnonzero(np.concatenate([[True], cubes[1:] != cubes[:-1]]))
        ends = np.append(starts[1:], len(cubes)) + whole.begin
        queries = self.queries[whole.begin : whole.end]
        low, high = np.minimum.reduceat(queries, starts), np.maximum.reduceat(queries, starts)
        for first in range(0, len(starts), _BOXES_AT_ONCE):
            some = slice(first, first + _BOXES_AT_ONCE)
            near = self._may_be_near(low[some], high[some], whole.candidates)
            for begin, end, row in zip(starts[some], ends[some], near, strict=True):
                candidates = whole.candidates[np.flatnonzero(row)]
                yield _Part(int(begin) + whole.begin, int(end), candidates, whole.level + 1)

    def _leaves(self, part: _Part) -> Iterator[_Part]:
        if part.level == _LEVELS:
            for begin in range(part.begin, part.end, _ROWS_AT_ONCE):
                end = min(begin + _ROWS_AT_ONCE, part.end)
                yield _Part(begin, end, part.candidates, part.level)
        else:
            for smaller in self.parts(part):
                yield from self._leaves(smaller)

    def _may_be_near(self, low: Float64, high: Float64, candidates: Int64) -> NDArray[np.bool_]:
        """Return which candidates may be among the nearest of anything in boxes, (b, C)."""
        middle = (low + high) / 2
        places = middle[:, None] + _PLACES * ((high - low) / 2)[:, None]
        values, error = _nearness(self.points[:, candidates], places.reshape(-1, 3), middle[0])
        values = values.reshape(len(low), 9, -1)
        some, _ = _smallest(values[:, 8], self.asked)
        corners = values[:, :8]
        farthest = np.take_along_axis(corners, some[:, None], axis=2).max(axis=2)
        farthest += np.float32(2 * error)
        return ~np.logical_and.reduce(corners > farthest[:, :, None], axis=1)

    def _propose(self, leaf: _Part) -> tuple[Int64, Float64]:
        """Return the nearest points (m, asked), and what the squares of all others reach (m,)."""
        queries = self.queries[leaf.begin : leaf.end]
        origin = queries[len(queries) // 2]
        values, error = _nearness(self.points[:, leaf.candidates], queries, origin)
        kept = _columns_of_smallest(values, self.asked)
        columns, largest = _smallest(values.take(kept, axis=1), self.asked)
        offset = queries - origin
        numbers = leaf.candidates.take(kept).take(columns)
        others: Float64 = np.asarray(largest + exact.inner(offset, offset) - error, np.float64)
        return numbers, others

    def _decide(self, queries: Float64, numbers: Int64, others: Float64) -> tuple[Float64, Int64]:
        """Sort proposals by exact distance; where these do not settle it, search all points."""
        squares = _squared_distances(self.points, queries, numbers)
        squares, numbers = _first(squares, numbers, self.count)
        if self.asked < self.points.shape[1]:
            every = np.arange(self.points.shape[1])
            for row in np.flatnonzero(~(squares[:, -1] < others)):
                one = _squared_distances(self.points, queries[[row]], every[None])
                squares[row], numbers[row] = _first(one, every[None], self.count)
        return np.sqrt(squares), numbers


def _nearness(points: Float64, places: Float64, origin: Float64) -> tuple[Float32, float]:
    """Return squared distances less those of the places from the origin, (m, C), and their error.

    Args:
        points: (3, C).
        places: (m, 3).
        origin: (3,) near the places.
    """
    terms = np.empty((4, points.shape[1]), dtype=np.float32)
    terms[:3] = points - origin[:, None]
    squares = terms[:3] * terms[:3]
    np.add(squares[0], squares[1], out=terms[3])
    terms[3] += squares[2]
    terms[:3] *= np.float32(-2)
    factors = np.ones((len(places), 4), dtype=np.float32)
    factors[:, :3] = places - origin
    values = np.empty((len(factors), points.shape[1]), dtype=np.float32)
    rows = max(1, _TERMS_AT_ONCE // points.shape[1])
    for begin in range(0, len(factors), rows):
        some = slice(begin, begin + rows)
        values[some] = factors[some] @ terms
    reach = float(np.abs(factors[:, :3]).max())
    return values, _ERROR * (float(terms[3].max()) + 3 * reach * reach)


def _columns_of_smallest(values: Float32, count: int) -> Int64:
    """Return columns in which the smallest values of every row are, and few others.

    What is smallest in every eighth row bounds what is in the others.
    """
    some, _ = _smallest(values[::8], count)
    usual = np.zeros(values.shape[1], dtype=np.bool_)
    usual[some] = True
    among = values.take(np.flatnonzero(usual), axis=1)
    among.partition(count - 1, axis=1)
    return np.flatnonzero((values <= among[:, count - 1, None]).any(axis=0))


def _smallest(values: Float32, count: int) -> tuple[Int64, Float32]:
    """Return the columns of each row's smallest values, ascending, and the largest of these."""
    rows, columns = values.shape
    sorted_in_part = np.partition(values, count - 1, axis=1)
    largest = sorted_in_part[:, count - 1]
    flat = np.flatnonzero(values <= largest[:, None])
    if len(flat) == rows * count:
        found = flat.reshape(rows, count)
        found -= np.arange(0, values.size, columns)[:, None]
        return found, largest
    return np.argsort(values, axis=1, kind="stable")[:, :count], largest


def _squared_distances(points: Float64, queries: Float64, numbers: Int64) -> Float64:
    squares = np.zeros(numbers.shape)
    for axis in range(3):
        offset = points[axis].take(numbers)
        offset -= queries[:, axis, None]
        offset *= offset
        squares += offset
    return squares


def _first(squares: Float64, numbers: Int64, count: int) -> tuple[Float64, Int64]:
    """Return the first of each row by squared distance and index; indices are ascending."""
    order = np.argsort(squares, axis=1, kind="stable")[:, :count]
    order += np.arange(0, squares.size, squares.shape[1])[:, None]
    return squares.ravel().take(order), numbers.ravel().take(order)
