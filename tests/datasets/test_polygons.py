"""Polygons to masks: pycocotools' own result, to the pixel."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from chorus_bench.datasets.coco_eft import polygons
from chorus_bench.datasets.coco_eft.polygons import fill_polygons

REAL = Path(__file__).parents[1] / "data" / "real_coco" / "instances.json"


def by_pycocotools(shapes, height, width):
    return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(shapes, height, width))) > 0


def made_up(kind, height, width, rng):
    """Some corners: on whole pixels, on decimals, outside the image, in a ring, repeated."""
    corners = rng.uniform(-0.4, 1.4, (rng.integers(3, 20), 2)) * [width, height]
    if kind == "whole":
        corners = np.floor(corners)
    elif kind == "decimals":
        corners = np.round(np.clip(corners, 0, [width, height]), 2)
    elif kind == "repeated":
        corners = np.repeat(np.round(corners, 1), rng.integers(1, 3, len(corners)), axis=0)
    return corners.ravel().tolist()


@pytest.mark.parametrize("kind", ["whole", "decimals", "anywhere", "repeated"])
@pytest.mark.parametrize("at_once", [50, polygons._STEPS_AT_ONCE])
def test_pixels_are_those_of_pycocotools(kind, at_once, monkeypatch):
    monkeypatch.setattr(polygons, "_STEPS_AT_ONCE", at_once)
    rng = np.random.default_rng(len(kind))
    other = 0
    for _ in range(300):
        height, width = (int(n) for n in rng.integers(1, 150, 2))
        shapes = [made_up(kind, height, width, rng) for _ in range(rng.integers(1, 4))]
        differ = fill_polygons(shapes, height, width) != by_pycocotools(shapes, height, width)
        other += np.count_nonzero(differ)
    # Where a compiler fuses pycocotools' operations, a pixel may fall to the other side.
    assert other <= (0 if platform.machine() in ("x86_64", "AMD64") else 5)


def test_real_annotations_are_filled_as_by_pycocotools():
    content = json.loads(REAL.read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in content["images"]}
    shapes = [
        (annotation["segmentation"], sizes[annotation["image_id"]])
        for annotation in content["annotations"]
        if isinstance(annotation["segmentation"], list)
    ]
    assert len(shapes) > 40
    for some, size in shapes:
        np.testing.assert_array_equal(fill_polygons(some, *size), by_pycocotools(some, *size))
