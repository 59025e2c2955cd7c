"""Contact of the body's vertices with an object, from a field, and how good it is.

A vertex is in contact if the object is within 5 cm of it. From a field, its contact probability is
the largest one among the voxels that come within that distance. The probability that *any* of them
is occupied is at least that.

Conventions where something is empty (papers differ): if neither the prediction nor the truth has a
vertex in contact, precision, recall, F1 and similarity are 1 and the errors 0. If one of them has
none, precision, recall, F1 and similarity are 0, and there is no geodesic error.

Source: docs/evaluation.md, Scores in 3D.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.array_types import Bool, Float32, Float64
from chorus_bench.arrays import real_array
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid

#: Metres within which an object touches a vertex.
CONTACT_DISTANCE = 0.05


@dataclass(frozen=True)
class ContactScores:
    """Contact at a threshold, compared with the truth.

    Attributes:
        precision: share of the predicted vertices that are in contact.
        recall: share of the vertices in contact that are predicted.
        f1: their harmonic mean.
        geodesic: mean distance along the skin from each predicted vertex to the nearest one in
            contact, metres; 0 if there are neither, NaN if there are only the ones or the others,
            or if the skin does not connect them.
    """

    precision: float
    recall: float
    f1: float
    geodesic: float


def contact_probabilities(
    field: OccupancyGrid, vertices: ArrayLike, distance: float = CONTACT_DISTANCE
) -> Float32:
    """Return the contact probability of each vertex (V,).

    Args:
        field: a field in the space of the vertices.
        vertices: (V, 3) metres.
        distance: metres from a vertex within which a voxel must come.
    """
    spec = field.spec
    place = (np.asarray(vertices, dtype=np.float64) - spec.low) / spec.voxel_size
    own, reach = np.floor(place).astype(np.int64), int(np.ceil(distance / spec.voxel_size))
    found = np.zeros(len(place), dtype=np.float32)
    for step in np.ndindex((2 * reach + 1,) * 3):
        voxel = own + np.asarray(step) - reach
        gap = np.maximum(np.maximum(voxel - place, place - voxel - 1), 0) * spec.voxel_size
        near = (gap**2).sum(axis=1) <= distance**2
        near &= ((voxel >= 0) & (voxel < spec.resolution)).all(axis=1)
        found[near] = np.maximum(found[near], field.values[tuple(voxel[near].T)])
    return found


class Geodesics:
    """Distances along the edges of a body's rest mesh.

    Args:
        body: the body.
    """

    def __init__(self, body: BodyModel) -> None:
        from scipy.sparse import coo_array, csr_array  # slow to import, for 3D scores only

        edges = np.concatenate([body.faces[:, [k, (k + 1) % 3]] for k in range(3)])
        edges = np.unique(np.sort(edges, axis=1), axis=0)
        template = body.template.astype(np.float64)
        lengths = np.linalg.norm(template[edges[:, 0]] - template[edges[:, 1]], axis=1)
        size = (body.vertices, body.vertices)
        self._graph = csr_array(coo_array((lengths, (edges[:, 0], edges[:, 1])), shape=size))

    def to_nearest(self, goals: Bool) -> Float64:
        """Return the distance of each vertex to the nearest of some, along the edges.

        Args:
            goals: (V,) which vertices these are.

        Returns:
            (V,) metres; infinite where none is connected, and everywhere if there are none.
        """
        if not goals.any():
            return np.full(goals.shape, np.inf)
        from scipy.sparse.csgraph import dijkstra

        return np.asarray(
            dijkstra(self._graph, directed=False, indices=np.flatnonzero(goals), min_only=True)
        )


def contact_scores(
    predicted: ArrayLike, truth: ArrayLike, to_truth: Float64 | None = None
) -> ContactScores:
    """Compare predicted contact with the truth.

    Args:
        predicted: (V,) booleans.
        truth: (V,) booleans.
        to_truth: (V,) metres to the nearest vertex in contact, see `Geodesics.to_nearest`; without
            it there is no geodesic error.

    Raises:
        InputError: shapes that differ, or no vertex.
    """
    p, t = (np.asarray(values, dtype=bool) for values in (predicted, truth))
    _check_shapes(p, t)
    if not p.any() or not t.any():
        same = float(p.any() == t.any())
        return ContactScores(same, same, same, 0.0 if same else float("nan"))
    hits = int((p & t).sum())
    precision, recall = hits / int(p.sum()), hits / int(t.sum())
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    error = float("nan")
    if to_truth is not None and np.isfinite(to_truth[p]).all():
        error = float(to_truth[p].mean())
    return ContactScores(precision, recall, f1, error)


def contact_similarity(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Return the similarity of two contact maps: the sum of the minima, each map summing to 1.

    Args:
        predicted: (V,) contact, 0 or more.
        truth: (V,) contact, 0 or more.

    Raises:
        InputError: shapes that differ, no vertex, or values that are negative, NaN or infinite.
    """
    p, t = _maps(predicted, truth)
    if not p.any() or not t.any():
        return float(p.any() == t.any())
    return float(np.minimum(p / p.sum(), t / t.sum()).sum())


def contact_mae(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Return the mean absolute difference of two contact maps, each divided by its largest value.

    Args:
        predicted: (V,) contact, 0 or more; an empty map stays as it is.
        truth: (V,) contact, 0 or more.

    Raises:
        InputError: see `contact_similarity`.
    """
    p, t = (m / m.max() if m.any() else m for m in _maps(predicted, truth))
    return float(np.abs(p - t).mean())


def _maps(predicted: ArrayLike, truth: ArrayLike) -> tuple[Float64, Float64]:
    p, t = (
        real_array(values, name).astype(np.float64)
        for values, name in ((predicted, "predicted contact"), (truth, "true contact"))
    )
    _check_shapes(p, t)
    for values in (p, t):
        if not ((values >= 0) & np.isfinite(values)).all():
            raise InputError("contact is negative, NaN or infinite", expected="0 or more")
    return p, t


def _check_shapes(predicted: Float64 | Bool, truth: Float64 | Bool) -> None:
    if predicted.shape != truth.shape or predicted.ndim != 1 or not predicted.size:
        shapes = f"{predicted.shape} and {truth.shape}"
        raise InputError(f"contact maps of shapes {shapes}", expected="(V,) both")
