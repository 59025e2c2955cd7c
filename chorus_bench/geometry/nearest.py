"""The nearest of many points, decided by exact distances.

A k-d tree proposes candidates, because it is fast; its own distances are computed in C and may
differ between processors in the last bit. The nearest points and their order are decided here: by
squared distances in exact arithmetic, and by the points' indices if these are equal.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from chorus_bench.array_types import Float64, Int64

#: A proposal is complete when its farthest point is farther than the k-th by more than this share
#: of the squared distance. The tree's own distances and bounds are off by less than 1e-14.
_MARGIN = 1e-12

_ROWS_AT_ONCE = 2048


def nearest_points(
    points: Float64, queries: Float64, count: int, *, threads: int = 1
) -> tuple[Float64, Int64]:
    """Return the nearest points to each query.

    Args:
        points: (V, 3), at least ``count``.
        queries: (n, 3).
        count: number of points, k.
        threads: number of threads that query the tree.

    Returns:
        Distances (n, k), ascending, and indices of points (n, k); among equal distances, the lower
        index comes first.
    """
    # Measured: midpoint splits without shrunken nodes make queries a quarter faster here.
    tree = cKDTree(points, leafsize=16, compact_nodes=False, balanced_tree=False)
    squares, numbers = _search(tree, points, queries, count, 1, threads)
    return np.sqrt(squares), numbers


def _search(
    tree: cKDTree, points: Float64, queries: Float64, count: int, spare: int, threads: int
) -> tuple[Float64, Int64]:
    """Query a few more points than wanted; if they do not settle the order, query more."""
    asked = min(count + spare, len(points))
    _, found = tree.query(queries, k=np.arange(1, asked + 1), workers=threads)
    numbers = np.asarray(found, dtype=np.int64)
    squares = np.empty(numbers.shape)
    for begin in range(0, len(queries), _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        squares[rows] = _squared_distances(points, queries[rows], numbers[rows])
        _sort_rows(squares[rows], numbers[rows])
    if asked < len(points):
        open_rows = np.flatnonzero(squares[:, count - 1] >= squares[:, -1] * (1 - _MARGIN))
        if len(open_rows):
            again = _search(tree, points, queries[open_rows], count, 4 * spare, threads)
            squares[open_rows, :count], numbers[open_rows, :count] = again
    return squares[:, :count], numbers[:, :count]


def _squared_distances(points: Float64, queries: Float64, numbers: Int64) -> Float64:
    squares = np.zeros(numbers.shape)
    for axis in range(3):
        offset = np.ascontiguousarray(points[:, axis]).take(numbers)
        offset -= queries[:, axis, None]
        offset *= offset
        squares += offset
    return squares


def _sort_rows(squares: Float64, numbers: Int64) -> None:
    """Sort each row by squared distance and index. Nearly all rows are already in order."""
    before, after = squares[:, :-1], squares[:, 1:]
    in_order = (before < after) | ((before == after) & (numbers[:, :-1] < numbers[:, 1:]))
    rows = np.flatnonzero(~in_order.all(axis=1))
    order = np.lexsort((numbers[rows], squares[rows]), axis=-1)
    squares[rows] = np.take_along_axis(squares[rows], order, axis=1)
    numbers[rows] = np.take_along_axis(numbers[rows], order, axis=1)
