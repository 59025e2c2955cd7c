"""A reference point in 2D: where objects are in pictures, relative to the pelvis.

The object masks are averaged in person-centred image coordinates (in metres by the weak-perspective
camera, x to the right of the picture, y up) and extruded along depth as if every picture were taken
from the front. Neither poses nor views are used.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32, Float64
from chorus_bench.calibration import weak_perspective_to_image
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import KEPT, AnyRow
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.camera import pixel_indices
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.progress import Progress
from chorus_bench.synthesis.filters import (
    FilterSettings,
    FilterStatistics,
    filter_rows,
)

_COLUMNS = ("category", "height", "width", "people", "objects")
_PLACE = ("weak_camera", "crop_center", "crop_scale")


def fit_mean_mask_extrusion(
    data: DatasetRows, body: BodyModel, grid: GridSpec, *, seed: int, progress: Progress
) -> dict[str, Float32]:
    """Return the mean object mask of each category, extruded along z.

    Args:
        data: training rows; the filters of CHORUS are applied first.
        body: the body, for the pelvis.
        grid: the grid of the fields.
        seed: not used.
        progress: called after each category.

    Returns:
        Category -> (N, N, N) probabilities.

    Raises:
        InputError: a category without a usable image, with the reasons.
    """
    del seed
    fields: dict[str, Float32] = {}
    done = 0
    for category in data.categories:
        fields[category] = _mean_mask(data, category, body, grid)
        done += data.counts[category]
        progress(done, data.total)
    return fields


def _mean_mask(data: DatasetRows, category: str, body: BodyModel, grid: GridSpec) -> Float32:
    statistics = FilterStatistics()
    rows = filter_rows(data.rows(category, _COLUMNS), FilterSettings(), statistics)
    hits, seen = np.zeros((2, grid.resolution**2), dtype=np.int64)
    for mask, pixels in _views(rows, body, grid):
        table = np.append(mask.ravel(), np.uint8(0))
        hits += table[pixels]
        seen += pixels < mask.size
    statistics.check_kept([category])
    if not hits.any():
        raise InputError(
            "no object mask lies within the cube around the person",
            where=f"category '{category}'",
            fix="check that weak-perspective cameras and masks belong together",
        )
    mean = (hits / np.maximum(seen, 1)).astype(np.float32)
    plane = mean.reshape(grid.resolution, grid.resolution)
    return np.repeat(plane[:, :, None], grid.resolution, axis=2)


def _views(
    rows: Iterator[AnyRow], body: BodyModel, grid: GridSpec
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield each kept row's object mask (H, W) and the pixel of every (x, y) of the grid."""
    pelvis = body.rest_joints()[0]
    center = (np.arange(grid.resolution) + 0.5) * grid.voxel_size
    x, y = (grid.low[axis] + center - pelvis[axis] for axis in (0, 1))
    for row in rows:
        person = row["people"][0] if row["verdict"] == KEPT else {}
        if row["verdict"] != KEPT or any(person.get(name) is None for name in _PLACE):
            continue
        size = (int(row["height"]), int(row["width"]))
        try:
            mask = decode_mask(row["object_mask"], size=size)
            (u, v), scale = _pelvis_and_scale(person, pelvis, size)
        except InputError:  # a damaged mask, or a crop outside the image
            continue
        columns, lines = np.broadcast_arrays((u + scale * x)[:, None], (v - scale * y)[None])
        yield mask, pixel_indices(np.stack([columns, lines], axis=-1).reshape(-1, 2), *size)


def _pelvis_and_scale(
    person: AnyRow, pelvis: Float64, size: tuple[int, int]
) -> tuple[Float64, float]:
    """Return the pelvis (x, y) in pixels, and the number of pixels per metre."""
    points = pelvis + np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    camera = np.asarray(person["weak_camera"], dtype=np.float64)
    center = np.asarray(person["crop_center"], dtype=np.float64)
    image = weak_perspective_to_image(points, camera, center, float(person["crop_scale"]), size)
    return image[0].astype(np.float64), float(image[1, 0] - image[0, 0])
