"""The extended COCO-EFT test split: person-object pairs of COCO val2014 with cameras.

The user brings the sources: COCO's instance annotations, the EFT body fits, a body. The rules are
those of the paper's code: one person and one object of a category in the image, boxes that
overlap, a perspective camera that fits.

Source: docs/protocol.md P30 to P34.
"""

from chorus_bench.datasets.coco_eft.build import VERSION, coco_eft_recipe

__all__ = ["VERSION", "coco_eft_recipe"]
