"""Descriptions of the builders in this package, without importing them."""

from __future__ import annotations

from chorus_bench.datasets.registry import BuilderSpec
from chorus_bench.datasets.sources import (
    COCO_ANNOTATIONS,
    COCO_IMAGES,
    EFT_FITS,
    SMPL_BODY,
    SPIN_REGRESSOR,
)

BUILDERS = (
    BuilderSpec(
        name="coco-eft",
        summary="extended COCO-EFT: person-object pairs of COCO 2014 val with cameras",
        function="chorus_bench.datasets.coco_eft:coco_eft_recipe",
        license="CC BY-NC 4.0",
        sources=(COCO_ANNOTATIONS, EFT_FITS, SMPL_BODY, SPIN_REGRESSOR, COCO_IMAGES),
    ),
    BuilderSpec(
        name="image-search",
        summary="a folder of crawled images as training rows (`datasets import-images`)",
        function="chorus_bench.datasets.image_folder:image_folder_recipe",
        license="of the images",
    ),
)
