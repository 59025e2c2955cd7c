"""Golden comparisons of whole test images: targets, rendered masks, end-to-end PAP."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.datasets.samples import EvalSample
from chorus_bench.engines.threads import cpu_count
from chorus_bench.evaluation.prepare import (
    PreparedSample,
    prepare_sample,
    small_image_size,
    small_target,
)
from chorus_bench.geometry.camera import PerspectiveCamera
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.metrics import pap
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.selftest.comparison import Comparison, differing, largest
from chorus_bench.selftest.data import golden, golden_body, split_images, unpack_masks

SCORE_TOLERANCE = 1e-9

Images = list[NDArray[Any]]


def compare_targets() -> list[Comparison]:
    """Compute small image sizes, and scale object masks down (60 masks of 20 sizes)."""
    theirs = golden("units")
    kinds = len(theirs["resize_kinds"])
    small = np.repeat(theirs["resize_small_sizes"], kinds, axis=0)
    masks = unpack_masks(theirs["resize_masks"], np.repeat(theirs["resize_sizes"], kinds, axis=0))
    targets = [small_target(mask, *size) for mask, size in zip(masks, small.tolist(), strict=True)]
    table = theirs["target_size"]
    sizes = [small_image_size(height, width)[:2] for height, width in table[:, :2].tolist()]
    return [
        differing("small image sizes", "sides that differ", "sides", sizes, table[:, 2:], 0),
        _pixels("small targets", targets, unpack_masks(theirs["resize_targets"], small)),
    ]


def compare_images() -> list[Comparison]:
    """Render and score test images from fields, poses, cameras and masks (9 images)."""
    theirs = golden("render")
    samples = _samples()
    prepared = [
        prepare_sample(sample, golden_body(), OFFICIAL, threads=cpu_count()) for sample in samples
    ]
    occupancies = [
        image.occupancy_image(_field(sample).at(image.points))
        for sample, image in zip(samples, prepared, strict=True)
    ]
    levels = [pap.occupancy_levels(occupancy) for occupancy in occupancies]
    humans, targets = [image.human for image in prepared], [image.target for image in prepared]
    small = theirs["small_sizes"]
    return [
        _pixels("rendered masks", levels, split_images(theirs["levels"], small)),
        _pixels("human masks", humans, unpack_masks(theirs["human"], small)),
        _pixels("targets of images", targets, unpack_masks(theirs["targets"], small)),
        *_compare_scores(prepared, occupancies),
    ]


def _samples() -> list[EvalSample]:
    file = golden("render")
    return [
        EvalSample(
            sample_id=str(name),
            category=str(file["categories"][i]),
            height=mask.shape[0],
            width=mask.shape[1],
            object_mask=encode_mask(mask),
            human_mask=encode_mask(np.zeros_like(mask)),
            pose=file["pose"][i],
            betas=np.zeros(10, dtype=np.float32),
            camera=PerspectiveCamera(
                file["rotation"][i], file["translation"][i], file["intrinsics"][i]
            ),
        )
        for i, (name, mask) in enumerate(
            zip(file["names"], unpack_masks(file["masks"], file["sizes"]), strict=True)
        )
    ]


def _field(sample: EvalSample) -> OccupancyGrid:
    return OccupancyGrid(golden("fields")[sample.category.replace(" ", "_")], OFFICIAL.grid)


def _compare_scores(
    prepared: list[PreparedSample], occupancies: list[NDArray[np.float32]]
) -> list[Comparison]:
    theirs = golden("render")
    scores = [
        pap.projective_average_precision(occupancy, image.target, image.human)
        for image, occupancy in zip(prepared, occupancies, strict=True)
    ]
    table = np.array([list(score.as_dict().values()) for score in scores])
    numbers, areas = table[:, :4], table[:, 4:]
    groups = [theirs["categories"] == name for name in theirs["mean_categories"]]
    means = [list(pap.category_mean(numbers[group], areas[group]).values()) for group in groups]
    return [
        _within("end-to-end PAP", numbers, theirs["scores"]),
        differing(
            "end-to-end target areas", "areas that differ", "areas", areas, theirs["areas"], 0
        ),
        _within("end-to-end category mean", means, theirs["means"]),
    ]


def _within(name: str, ours: ArrayLike, theirs: ArrayLike) -> Comparison:
    return largest(name, "largest difference", "", ours, theirs, SCORE_TOLERANCE)


def _pixels(name: str, ours: Images, theirs: Images) -> Comparison:
    """Count the pixels that differ, over images of several sizes."""
    return differing(name, "pixels that differ", "pixels", _flat(ours), _flat(theirs), 0)


def _flat(images: Images) -> NDArray[Any]:
    return np.concatenate([image.ravel() for image in images])
