"""The ceiling of the metric, and ground truth in 3D: fields made from the answer.

PAP compares with the object's mask, so its ceiling is the target mask of each image, extruded along
the rays of the camera: no field scores more. The ground truth in 3D (column ``object_occupancy`` of
a test split) scores less: its voxels are seen through a grid of 6 cm and an image of 32 pixels, so
their silhouette differs from the target in some pixels.

PAP counts only recall that is lost between two thresholds, so the values of both are spread from
0.01 to 0.98: the object vanishes step by step from its rim inward, and nothing remains at 0.99.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from chorus_bench.array_types import Bool, Float32
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.occupancy import decode_occupancy
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.schema import CAMERA_COLUMNS
from chorus_bench.errors import unknown_name
from chorus_bench.evaluation.ceiling import graded, graded_mask
from chorus_bench.evaluation.prepare import small_image_size, small_target
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.camera import PerspectiveCamera, pixel_indices
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.progress import Progress

SOURCES = ("mask", "truth")

_COLUMNS = (
    "sample_id", "height", "width", "object_mask", *CAMERA_COLUMNS[:3], "object_occupancy",
)  # fmt: skip


def fit_oracle(
    data: DatasetRows,
    body: BodyModel,
    grid: GridSpec,
    *,
    seed: int,
    progress: Progress,
    source: str = "mask",
) -> dict[str, Mapping[str, Float32]]:
    """Return the posed fields of a test split, computed on demand.

    Args:
        data: the rows of a test split.
        body: not used; the truth is in the posed space.
        grid: the grid of the fields.
        seed: not used.
        progress: called once.
        source: ``mask``, the extruded target (the ceiling), or ``truth``, the ground truth in 3D.

    Returns:
        Category -> sample id -> (N, N, N) probabilities.

    Raises:
        InputError: an unknown source, or no truth although it was requested.
    """
    del body, seed
    if source not in SOURCES:
        raise unknown_name("source", source, SOURCES)
    if source == "truth":
        data.check_columns(["object_occupancy"])
    progress(data.total, data.total)
    return {
        category: PosedTruth(
            {str(row["sample_id"]): row for row in data.rows(category, _COLUMNS)}, grid, source
        )
        for category in data.categories
    }


@dataclass(frozen=True)
class PosedTruth(Mapping[str, Float32]):
    """Sample id -> posed field, computed on demand.

    Args:
        rows: sample id -> test row.
        grid: the grid of the fields.
        source: see `fit_oracle`.
    """

    rows: Mapping[str, Mapping[str, Any]]
    grid: GridSpec
    source: str = "mask"

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __getitem__(self, sample_id: str) -> Float32:
        row = self.rows[sample_id]
        if self.source == "truth":
            return graded_truth(decode_occupancy(row["object_occupancy"]), self.grid)
        return extruded_mask(row, self.grid)


def graded_truth(truth: Bool, grid: GridSpec) -> Float32:
    """Return a field of an object's voxels, with higher values deeper inside.

    Args:
        truth: (n, n, n) the occupied voxels of a 3 m cube.
        grid: the grid of the field.

    Returns:
        (N, N, N) probabilities; 0 where the object is not.
    """
    known = OccupancyGrid(truth.astype(np.float32), GridSpec(len(truth)))
    occupied = known.at(grid.centers()) > 0
    depth = distance_transform_edt(np.pad(occupied.reshape(grid.shape), 1))
    depth = depth[1:-1, 1:-1, 1:-1].ravel()
    field = np.zeros(grid.voxels, dtype=np.float32)
    field[occupied] = graded(depth[occupied])
    return field.reshape(grid.shape)


def extruded_mask(row: Mapping[str, Any], grid: GridSpec) -> Float32:
    """Return a field of all voxels that project to the target mask of the small image.

    Args:
        row: a test row.
        grid: the grid of the field.

    Returns:
        (N, N, N) probabilities; all voxels of a pixel have the same value.
    """
    height, width, factor = small_image_size(int(row["height"]), int(row["width"]))
    camera = PerspectiveCamera.from_row(row)
    mask = decode_mask(row["object_mask"], size=(int(row["height"]), int(row["width"])))
    pixel = pixel_indices(camera.rescaled(factor).project(grid.centers()), height, width)
    reached = np.zeros(height * width + 1, dtype=bool)
    reached[pixel] = True
    image = graded_mask(small_target(mask, height, width), reached[:-1].reshape(height, width))
    return np.append(image, np.float32(0))[pixel].reshape(grid.shape)
