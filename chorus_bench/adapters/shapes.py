"""Fields from points, balls, boxes, signed distances and contact, in one frame.

All inputs are in the frame of the field: the canonical body frame, or the posed one of a sample.
Apart from weights, the fields are 0 or 1; `blurred` turns a stated uncertainty of the position into
probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.ndimage import gaussian_filter

from chorus_bench.annotations import Shape
from chorus_bench.array_types import Float32, Float64
from chorus_bench.arrays import real_array
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError
from chorus_bench.geometry import exact
from chorus_bench.geometry.axes import BODY_AXES, Axes
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.rotations import axis_angle_to_matrix

_DEFAULT_GRID = GridSpec()
#: Metres from a vertex in contact within which the object is assumed.
CONTACT_RADIUS = 0.05
_PAIRS_AT_ONCE = 1 << 22


def smallest_radius(grid: GridSpec) -> float:
    """Return half the diagonal of a voxel, metres: a ball of this radius misses no voxel."""
    return float(np.sqrt(3) / 2 * grid.voxel_size)


@checked
def points_field(
    points: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    grid: GridSpec = _DEFAULT_GRID,
    radius: float | None = None,
) -> OccupancyGrid:
    """Return the field of weighted points: each is a ball, and the heaviest ball counts.

    The kernel is 1 up to ``radius`` and 0 beyond. Where balls overlap, the largest weight counts,
    so that the field does not depend on how densely an object is sampled.

    Args:
        points: (n, 3) metres, in the field's frame.
        weights: (n,) probability that the object is at each point; 1 by default.
        grid: the field's grid.
        radius: of the balls, metres; by default half the diagonal of a voxel, the smallest with
            which no point falls between voxels.

    Raises:
        InputError: no points, other shapes, values that are not finite or no probabilities, or a
            radius below that.
    """
    p = checked_points(points, "points")
    w = _weights(weights, len(p))
    smallest = smallest_radius(grid)
    r = smallest if radius is None else float(radius)
    if not (np.isfinite(r) and r >= smallest * (1 - 1e-9)):
        raise InputError(
            f"radius {r:g} m",
            expected=f"at least {smallest:.4g} m, half the diagonal of a voxel: points between "
            "voxel centres would vanish",
            fix="give a larger --radius, or a finer grid with --resolution",
        )
    return OccupancyGrid(_balls(p, w, grid, r), grid)


def _balls(points: Float64, weights: Float32, grid: GridSpec, radius: float) -> Float32:
    """Return the largest weight within a radius of each voxel centre, (N, N, N)."""
    reach = int(np.ceil(radius / grid.voxel_size))
    steps = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    field = np.zeros(grid.voxels, dtype=np.float32)
    margin = (reach + 1) * grid.voxel_size
    near = ((points >= grid.low - margin) & (points <= grid.low + grid.side_length + margin)).all(1)
    places = (points[near] - grid.low) / grid.voxel_size - 0.5  # in voxel centres
    chosen, many = weights[near], max(1, _PAIRS_AT_ONCE // (3 * len(offsets)))
    for begin in range(0, len(places), many):
        place = places[begin : begin + many, None]
        voxel = np.rint(place).astype(np.int64) + offsets
        far = ((voxel - place) ** 2).sum(axis=-1) > (radius / grid.voxel_size) ** 2 * (1 + 1e-9)
        outside = ((voxel < 0) | (voxel >= grid.resolution)).any(axis=-1)
        point, offset = np.nonzero(~far & ~outside)
        flat = np.ravel_multi_index(tuple(voxel[point, offset].T), grid.shape)
        np.maximum.at(field, flat, chosen[begin + point])
    return field.reshape(grid.shape)


@checked
@dataclass(frozen=True)
class Ball:
    """A ball, in the field's frame.

    Args:
        center: (3,) metres.
        radius: metres.
        probability: of the object being there, 0 to 1.
    """

    center: tuple[float, float, float]
    radius: float
    probability: float = 1.0

    @checked
    def distances(self, points: Annotated[Float64, Shape("... N 3")]) -> Float64:
        """Return the signed distances (n,) of points (n, 3), metres; negative inside."""
        return np.asarray(exact.norm(points - np.asarray(self.center)) - self.radius)


@checked
@dataclass(frozen=True)
class Box:
    """A box, in the field's frame.

    Args:
        center: (3,) metres.
        size: (3,) edges along its own axes, metres.
        rotation: (3,) axis-angle of its axes, radians.
        probability: of the object being there, 0 to 1.
    """

    center: tuple[float, float, float]
    size: tuple[float, float, float]
    rotation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    probability: float = 1.0

    @checked
    def distances(self, points: Annotated[Float64, Shape("... N 3")]) -> Float64:
        """Return values (n,) at points (n, 3), metres, that are negative inside."""
        turn = axis_angle_to_matrix(np.asarray(self.rotation, dtype=np.float64))
        own = exact.product(points - np.asarray(self.center), turn)
        return np.asarray((np.abs(own) - np.asarray(self.size) / 2).max(axis=-1))


@checked
def shapes_field(
    shapes: Ball | Box | list[Ball | Box],
    *,
    grid: GridSpec = _DEFAULT_GRID,
    axes: Axes = BODY_AXES,
) -> OccupancyGrid:
    """Return the field of balls and boxes: at each voxel the largest probability of one around it.

    Args:
        shapes: one or several.
        grid: the field's grid.
        axes: of the shapes' numbers, if they are not those of the body frame.

    Raises:
        InputError: none, sizes that are not positive, or values that are not finite.
    """
    several = shapes if isinstance(shapes, list) else [shapes]
    if not several:
        raise InputError("no shape", expected="a ball or a box")
    values = np.zeros(grid.voxels, dtype=np.float32)
    places = np.ascontiguousarray(grid.centers()[:, list(axes.along)] * axes.signs)
    for shape in several:
        _check_shape(shape)
        inside = shape.distances(places) <= 0
        np.maximum(values, np.float32(shape.probability), out=values, where=inside)
    return OccupancyGrid(values.reshape(grid.shape), grid)


def _check_shape(shape: Ball | Box) -> None:
    sizes = [shape.radius] if isinstance(shape, Ball) else [*shape.size, *shape.rotation]
    numbers = [*shape.center, *sizes, shape.probability]
    lengths = sizes[:3]
    right = np.isfinite(numbers).all() and min(lengths) > 0 and 0 <= shape.probability <= 1
    if len(shape.center) != 3 or not right:
        raise InputError(
            f"{shape}",
            expected="finite numbers, a centre of three, positive sizes in metres and a "
            "probability from 0 to 1",
        )


@checked
def distance_field(distances: ArrayLike, *, grid: GridSpec = _DEFAULT_GRID) -> OccupancyGrid:
    """Return the field of signed distances at the voxel centres: 1 where they are 0 or less.

    Args:
        distances: (N, N, N) signed distances to the object's surface, negative inside.
        grid: the grid of the distances and of the field.

    Raises:
        InputError: another shape, values that are not finite, or no sign.
    """
    values = real_array(distances, "the signed distances")
    if values.shape != grid.shape:
        raise InputError(f"distances of shape {values.shape}", expected=f"shape {grid.shape}")
    if not np.isfinite(values).all():
        raise InputError("the signed distances are not all finite")
    if values.min() >= 0 and values.size and not (values == 0).any():
        raise InputError(
            f"every distance is positive (from {values.min():.4g})",
            expected="signed distances, negative inside the object",
            fix="unsigned distances do not tell inside from outside: convert the mesh instead, "
            "or subtract the object's thickness",
        )
    return OccupancyGrid((values <= 0).astype(np.float32), grid)


@checked
def contact_field(
    contact: ArrayLike,
    body: BodyModel,
    *,
    grid: GridSpec = _DEFAULT_GRID,
    radius: float | None = None,
) -> OccupancyGrid:
    """Return the field of contact on the body: the canonical vertices in contact, dilated.

    A voxel within ``radius`` of vertices has the largest contact probability among them. What an
    object is beyond the touching surface, contact cannot know: the field is a shell around the
    skin, inside and outside of it, and parts of the object that touch nothing are missing.

    Args:
        contact: (V,) labels or probabilities for one person, or (S, V) for several, averaged.
        body: the body whose vertices they are.
        grid: the field's canonical grid.
        radius: of the dilation, metres, at least half the diagonal of a voxel; by default 5 cm,
            or that half diagonal if it is more.

    Raises:
        InputError: another number of vertices, no probabilities, or a smaller radius.
    """
    mean = checked_contact(contact, body).mean(axis=0)
    touched = np.flatnonzero(mean)
    if not len(touched):
        return OccupancyGrid(np.zeros(grid.shape, np.float32), grid)
    around = max(CONTACT_RADIUS, smallest_radius(grid)) if radius is None else radius
    points = body.canonical_vertices[touched]
    return points_field(points, mean[touched], grid=grid, radius=around)


def checked_contact(contact: ArrayLike, body: BodyModel, *, name: str = "contact") -> Float64:
    """Return contact of one person or several, (S, V).

    Args:
        contact: (V,) or (S, V) in [0, 1].
        body: the body whose vertices they are.
        name: in errors.

    Raises:
        InputError: another number of vertices, or no probabilities.
    """
    values = real_array(contact, name).astype(np.float64)
    if values.ndim not in (1, 2) or values.shape[-1] != body.vertices or not values.size:
        raise InputError(
            f"{name} of shape {values.shape}",
            expected=f"({body.vertices},) or (samples, {body.vertices}): the vertices of the body "
            f"'{body.name}'",
            fix="give the body of the labels with --body: 6,890 vertices are SMPL's; labels on "
            "SMPL-X (10,475) must be mapped to SMPL first",
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"{name} has values outside [0, 1] or NaN", expected="probabilities")
    return np.atleast_2d(values)


@checked
def blurred(field: OccupancyGrid, sigma: float) -> OccupancyGrid:
    """Return a field whose object is displaced at random: a Gaussian of ``sigma`` metres per axis.

    Args:
        field: the field; outside the cube it counts as 0.
        sigma: standard deviation along each axis, metres; 0 leaves the field as it is.

    Raises:
        InputError: a negative or infinite sigma.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise InputError(f"sigma {sigma}", expected="0 or a positive number of metres")
    if not sigma:
        return field
    spread = gaussian_filter(field.values, sigma / field.spec.voxel_size, mode="constant")
    return OccupancyGrid(np.clip(spread, 0, 1), field.spec)


def checked_points(points: ArrayLike, name: str) -> Float64:
    """Return points (n, 3) as float64.

    Raises:
        InputError: none, another shape, or values that are not finite.
    """
    p = real_array(points, name).astype(np.float64)
    if p.ndim != 2 or p.shape[1:] != (3,) or not len(p):
        raise InputError(f"{name} of shape {p.shape}", expected="(n, 3), at least one point")
    wrong = int((~np.isfinite(p)).sum())
    if wrong:
        raise InputError(f"{wrong} of {p.size} coordinates of {name} are NaN or infinite")
    return p


def _weights(weights: ArrayLike | None, count: int) -> Float32:
    if weights is None:
        return np.ones(count, dtype=np.float32)
    w = real_array(weights, "weights").astype(np.float32)
    if w.shape != (count,):
        raise InputError(f"weights of shape {w.shape}", expected=f"({count},), one for each point")
    if not ((w >= 0) & (w <= 1)).all():
        raise InputError(
            f"weights from {w.min():.4g} to {w.max():.4g}",
            expected="probabilities from 0 to 1",
            fix="divide by the largest one",
        )
    return w
