"""The nearest of many points, decided by exact distances.

Two searches propose points. Queries in a small box have nearly the same neighbours: for each box,
bounds leave the few hundred points that can be among the nearest to any query in it, and squared
distances in float32 propose the nearest of these. That takes less than half the time of SciPy's
k-d tree, but most of it holds Python's lock. So one thread at a time searches boxes, and those that
search meanwhile use the tree, which does without the lock.

The nearest points and their order are decided in float64, whatever has proposed them: by squared
distances in exact arithmetic, and by the points' indices if these are equal.
"""

from __future__ import annotations

import math
from itertools import pairwise
from threading import Lock

import numpy as np

from chorus_bench.array_types import Float32, Float64, Int32, Int64
from chorus_bench.geometry import exact

#: Points that are proposed beyond those asked for: distances that float32 cannot tell apart seldom
#: reach so far.
_SPARE = 4
#: What float32 rounds in a sum, relative to its largest part; its smallest number; the bits of its
#: fraction.
_ROUNDING, _SMALLEST, _FRACTION = np.float32(1e-5), 1e-37, 23
#: Queries along a side of a box, and boxes along a side of the wider boxes that leave fewer points
#: to those in them. Measured to be the fastest, for the voxels about a body.
_QUERIES, _WIDE = 4, 3
#: By how much the tree's squared distances are off, at most, and much more.
_TREE_ROUNDING = 1e-12
#: With so many threads the tree is faster than one thread that searches boxes.
_MANY = 4
#: Held by the thread that searches boxes.
_BOXES = Lock()
_ONE_BOX = np.zeros(1, dtype=np.int64)
_ROWS_AT_ONCE = 1024


def nearest_points(
    points: Float64, queries: Float64, count: int, *, spacing: float, threads: int = 1
) -> tuple[Float64, Int64]:
    """Return the nearest points to each query.

    Args:
        points: (V, 3), at least ``count``.
        queries: (n, 3).
        count: number of points, k.
        spacing: about the distance between neighbouring queries, for voxels their side. It decides
            how many are searched together; the result does not depend on it.
        threads: number of threads that search in the tree, which is then used if they are many.

    Returns:
        Distances (k, n), the nearest first, and indices of points (k, n); among equal distances,
        the lower index comes first.
    """
    axes = np.ascontiguousarray(points.T)
    if threads < _MANY and _BOXES.acquire(blocking=False):
        try:
            found = _of_boxes(axes, queries, min(count + _SPARE, len(points)), _QUERIES * spacing)
        finally:
            _BOXES.release()
    else:
        found = _of_tree(points, queries, min(count + 1, len(points)), threads)
    return _decided(axes, queries, count, *found)


def _decided(
    axes: Float64, queries: Float64, count: int, numbers: Int64, doubt: Float64
) -> tuple[Float64, Int64]:
    """Return the distances to the nearest of the proposed points, and these, in their order.

    Where a point that was not proposed may be nearer, all points are searched.
    """
    squares = np.empty((count, len(queries)))
    nearest = np.empty((count, len(queries)), dtype=np.int64)
    everything = numbers.shape[1] == axes.shape[1]
    for begin in range(0, len(queries), _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        found = _squared_distances(axes, queries[rows], numbers[rows])
        found, order = _sorted(found, numbers[rows])
        squares[:, rows], nearest[:, rows] = found[:, :count].T, order[:, :count].T
        settled = everything | (found[:, count - 1] < found[:, -1] - doubt[rows])
        for row in begin + np.flatnonzero(~settled):
            squares[:, row], nearest[:, row] = _nearest_of_all(axes, queries[row], count)
    return np.sqrt(squares), nearest


def _of_tree(points: Float64, queries: Float64, asked: int, threads: int) -> tuple[Int64, Float64]:
    """Return what `_proposed` returns, from a k-d tree."""
    from scipy.spatial import cKDTree

    # Measured: midpoint splits without shrunken nodes make queries a quarter faster here.
    tree = cKDTree(points, leafsize=16, compact_nodes=False, balanced_tree=False)
    distances, numbers = tree.query(queries, k=np.arange(1, asked + 1), workers=threads)
    last = np.asarray(distances)[:, -1]
    return np.asarray(numbers, dtype=np.int64), _TREE_ROUNDING * (last * last)


def _of_boxes(axes: Float64, queries: Float64, asked: int, side: float) -> tuple[Int64, Float64]:
    """Return what `_proposed` returns, for queries anywhere."""
    numbers = np.empty((len(queries), asked), dtype=np.int64)
    doubt = np.empty(len(queries))
    for wide in _boxes(queries, _WIDE * side):
        numbers[wide], doubt[wide] = _proposed(axes, queries[wide], asked, side)
    return numbers, doubt


def _boxes(queries: Float64, side: float) -> list[Int64]:
    """Return the indices of the queries in each box that has some."""
    if not len(queries):
        return []
    x, y, z = np.floor((queries - queries.min(axis=0)) / side + 1e-6).T
    box = (x * (y.max() + 1) + y) * (z.max() + 1) + z
    order = np.argsort(box, kind="stable")
    ends = np.flatnonzero(np.diff(box[order], append=np.inf)) + 1
    return [order[begin:end] for begin, end in pairwise([0, *ends.tolist()])]


def _proposed(axes: Float64, queries: Float64, asked: int, side: float) -> tuple[Int64, Float64]:
    """Return the points that are nearest to each query up to rounding, about in their order.

    Args:
        axes: (3, V) the points.
        queries: (n, 3), near each other.
        asked: the number of points that are proposed.
        side: side of the boxes whose queries are searched together.

    Returns:
        Indices (n, asked), and (n,) by how much a squared distance to another point may be smaller
        than the largest to these.
    """
    center = (queries.min(axis=0) + queries.max(axis=0)) / 2
    points, around = (axes - center[:, None]).astype(np.float32), queries - center
    near = _Reach(points, around.astype(np.float32), _ONE_BOX, asked).places(0)
    boxes = _boxes(around, side)
    starts = np.cumsum([0, *map(len, boxes)])
    around = around[np.concatenate(boxes)].astype(np.float32)
    reach = _Reach(points.take(near, axis=1), around, starts[:-1], asked)
    numbers = np.empty((len(queries), asked), dtype=np.int64)
    doubt = np.empty(len(queries))
    for box, rows in enumerate(boxes):
        places = reach.places(box)
        squares = reach.squared_distances(box, slice(*starts[box : box + 2]), places)
        first, doubt[rows] = _first(squares, asked)
        numbers[rows] = near[places].take(first)
    return numbers, doubt + reach.rounding


class _Reach:
    """Which of m points can be among the nearest to a query in each of b boxes.

    The difference between the squared distances to a point p and to another one m is linear in the
    query: from its value at the centre of a box, it changes by no more than ``size . |p - m|``.

    Args:
        axes: (3, m) the points.
        queries: (n, 3) box after box.
        starts: (b,) the first query of each box.
        asked: the number of nearest points.
    """

    def __init__(self, axes: Float32, queries: Float32, starts: Int64, asked: int) -> None:
        low, high = np.minimum.reduceat(queries, starts), np.maximum.reduceat(queries, starts)
        centers, size = (low + high) / 2, high - low
        offsets = axes - centers[:, :, None]
        reach = offsets * offsets
        squares = reach[:, 0] + reach[:, 1]
        squares += reach[:, 2]
        one = offsets[np.arange(len(starts)), :, squares.argmin(axis=1)]
        np.subtract(offsets, one[:, :, None], out=reach)
        np.abs(reach, out=reach)
        reach *= size[:, :, None]
        change = reach[:, 0]
        change += reach[:, 1]
        change += reach[:, 2]
        most = squares + change
        most.partition(asked - 1, axis=1)
        self.rounding = _ROUNDING * (squares.max() + exact.inner(size, size).max())
        limit = most[:, asked - 1, None] + self.rounding
        self._within = ~(np.subtract(squares, change, out=change) > limit)
        self._offsets, self._squares = offsets, squares
        self._factors = np.ones((len(queries), 5), dtype=np.float32)
        to_query = queries - centers.repeat(np.diff([*starts, len(queries)]), axis=0)
        np.multiply(to_query, -2, out=self._factors[:, :3])
        self._factors[:, 4] = exact.inner(to_query, to_query)

    def places(self, box: int) -> Int64:
        """Return the places (p,) of the points that can be among the nearest to one in the box."""
        return np.flatnonzero(self._within[box])

    def squared_distances(self, box: int, rows: slice, places: Int64) -> Float32:
        """Return (n, p): from the queries of the box to the points at places (p,)."""
        others = np.ones((5, len(places)), dtype=np.float32)
        self._offsets[box].take(places, axis=1, out=others[:3], mode="clip")
        self._squares[box].take(places, out=others[3], mode="clip")
        return self._factors[rows] @ others


def _first(squares: Float32, asked: int) -> tuple[Int32, Float32]:
    """Return the places (n, asked) of the smallest of squares (n, p), about in their order.

    Also (n,) by how much another one may be smaller than the largest of these. The bits that are
    not needed to tell the squares apart are made to hold their places: sorting whole numbers is
    faster than sorting places.
    """
    bits = squares.shape[1].bit_length()
    tagged = squares.view(np.int32)
    tagged &= np.int32(-1 << bits)
    tagged |= np.arange(squares.shape[1], dtype=np.int32)
    tagged.partition(asked - 1, axis=1)
    first = np.sort(tagged[:, :asked], axis=1)
    doubt = first[:, -1].view(np.float32) * math.ldexp(1, bits + 1 - _FRACTION)
    first &= np.int32((1 << bits) - 1)
    return first, np.asarray(doubt + _SMALLEST, dtype=np.float32)


def _squared_distances(axes: Float64, queries: Float64, numbers: Int64) -> Float64:
    squares = np.zeros(numbers.shape)
    for points, query in zip(axes, queries.T, strict=True):
        offset = points.take(numbers)
        offset -= query[:, None]
        offset *= offset
        squares += offset
    return squares


def _sorted(squares: Float64, numbers: Int64) -> tuple[Float64, Int64]:
    """Return both with each row sorted by squared distance and index."""
    order = squares.argsort(axis=1)
    order += np.arange(0, squares.size, squares.shape[1])[:, None]
    squares, numbers = squares.take(order), numbers.take(order)
    equal = np.flatnonzero((squares[:, 1:] == squares[:, :-1]).any(axis=1))
    if len(equal):
        order = np.lexsort((numbers[equal], squares[equal]), axis=-1)
        numbers[equal] = np.take_along_axis(numbers[equal], order, axis=1)
    return squares, numbers


def _nearest_of_all(axes: Float64, query: Float64, count: int) -> tuple[Float64, Int64]:
    """Return the squared distances to the nearest of all points, and these, for one query."""
    squares = _squared_distances(axes, query[None], np.arange(axes.shape[1])[None])[0]
    first = np.flatnonzero(squares <= np.partition(squares, count - 1)[count - 1])
    first = first[np.argsort(squares[first], kind="stable")][:count]
    return squares[first], first
