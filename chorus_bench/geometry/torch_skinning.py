"""The operator of `chorus_bench.geometry.skinning` on a device of torch, with the same bits.

A product of matrices proposes the nearest vertices; the exact distances of
`chorus_bench.geometry.nearest` decide. Blend and smoothing are the processor's sums and products in
their order, one call each: IEEE 754 defines them to the bit, and nothing is fused as long as
nothing is compiled together. Square roots and quotients stay with NumPy: torch rounds them in
another way on some processors.

Needs the extra ``torch``.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from chorus_bench.array_types import Float32, Float64, Int64
from chorus_bench.geometry.smoothing import SmoothingBox

#: A proposal is complete when its farthest vertex is farther than the k-th by more than this share
#: of the squared distance and this many square metres: float32 rounds to 6e-8.
_MARGIN, _LEAST_MARGIN = 1e-6, 1e-12
#: Most distances of a proposal, 12 bytes each.
_PAIRS_AT_ONCE = 1 << 25


def nearest_vertices(
    vertices: Float64, centers: Float64, count: int, device: str
) -> tuple[Float64, Tensor]:
    """Return the nearest vertices to each center.

    Args:
        vertices: (V, 3) metres, at least ``count``.
        centers: (n, 3) metres.
        count: number of vertices, k.
        device: the torch device.

    Returns:
        Distances (k, n), ascending, and on the device indices (k, n); among equal distances, the
        lower index comes first.
    """
    points, queries = on_device(vertices, device), on_device(centers, device)
    squares, numbers = _search(points, queries, count, 2)
    return np.sqrt(squares.T.contiguous().cpu().numpy()), numbers.T.contiguous()


def on_device(array: Int64 | Float32 | Float64, device: str) -> Tensor:
    """Return an array as a tensor on a device."""
    return torch.from_numpy(array).to(device)


def _search(points: Tensor, queries: Tensor, count: int, spare: int) -> tuple[Tensor, Tensor]:
    """Ask for a few more points than wanted; if they do not settle the order, ask for more."""
    asked = min(count + spare, len(points))
    rows = max(_PAIRS_AT_ONCE // len(points), 1)
    parts = (queries[begin : begin + rows] for begin in range(0, max(len(queries), 1), rows))
    numbers = torch.cat([_proposed(points, some, asked) for some in parts]).sort(dim=1).values
    squares, order = _squared_distances(points, queries, numbers).sort(dim=1, stable=True)
    numbers = numbers.gather(1, order)
    if asked < len(points):
        limit = squares[:, -1] * (1 - _MARGIN) - _LEAST_MARGIN
        open_rows = (squares[:, count - 1] >= limit).nonzero()[:, 0]
        if len(open_rows):
            again = _search(points, queries[open_rows], count, 4 * spare)
            squares[open_rows, :count], numbers[open_rows, :count] = again
    return squares[:, :count], numbers[:, :count]


def _proposed(points: Tensor, queries: Tensor, asked: int) -> Tensor:
    """Return the points (n, asked) that are nearest up to rounding, in any order."""
    ones = torch.ones_like
    factors = torch.cat([queries, queries * queries, ones(queries)], dim=1)
    others = torch.cat([-2 * points, ones(points), points * points], dim=1)
    squares = (factors @ others.T).float()
    return squares.topk(asked, dim=1, largest=False, sorted=False).indices


def _squared_distances(points: Tensor, queries: Tensor, numbers: Tensor) -> Tensor:
    squares = torch.zeros(numbers.shape, dtype=torch.float64, device=points.device)
    for axis in range(3):
        offset = points[:, axis][numbers]
        offset -= queries[:, axis, None]
        offset *= offset
        squares += offset
    return squares


def smoothed_means(
    columns: Float32,
    neighbours: Tensor,
    shares: Tensor,
    near: Int64,
    resolution: int,
    steps: int,
    share: float,
) -> Float32:
    """Return the weighted means (C, n) of values at vertices, after the smoothing passes.

    Args:
        columns: (C, V) values at the vertices.
        neighbours: (k, n) vertices of each voxel.
        shares: (k, n) what each counts.
        near: (n,) flat indices of the voxels.
        resolution: resolution of their grid.
        steps: number of smoothing passes.
        share: share of the neighbours' mean in a pass.
    """
    with shares.device:
        values = torch.from_numpy(columns).to(shares.device)
        means = values[:, neighbours[0]] * shares[0]
        for number, weight in zip(neighbours[1:], shares[1:], strict=True):
            means += values[:, number] * weight
        box = SmoothingBox(near, resolution, share, torch, torch.as_tensor)
        smooth: Float32 = np.asarray(box.smooth(means, steps).cpu())
    return smooth
