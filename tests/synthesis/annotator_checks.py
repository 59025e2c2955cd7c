"""Small annotators on transformers, loaded as the tests of segmentation and keypoints need them."""

import shutil

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from chorus_bench.synthesis.annotators.open_vocabulary import make_open_vocabulary
from chorus_bench.synthesis.annotators.segmentation import make_segmentation
from chorus_bench.synthesis.interfaces import (
    Context,
    Detection,
)

ASKED = ("person", "tennis racket")
SIZES = ((120, 160), (160, 160), (120, 160), (150, 90))
WHITE = slice(40, 90), slice(60, 140)  # rows, columns of the bright rectangle


def context(**changes):
    return Context(seed=0, body=None, threads=1, **changes)


def segmenter(folders, kind, threshold=0.0, **options):
    if kind in ("mask2former", "maskformer"):
        return make_segmentation(
            context(), model=str(getattr(folders, kind)), threshold=threshold, **options
        )
    return make_open_vocabulary(
        context(),
        detector=str(getattr(folders, kind)),
        masks=str(folders.sam),
        threshold=threshold,
        **options,
    )


KINDS = ("mask2former", "maskformer", "grounding_dino", "owl")


def person(box):
    return Detection("person", np.array(box, np.float32), 0.9, np.zeros((1, 1), bool))


def same(first, second):
    """Say whether two lists of detections are equal to the last bit."""
    return len(first) == len(second) and all(
        a.category == b.category
        and a.score == b.score
        and np.array_equal(a.box, b.box)
        and np.array_equal(a.mask, b.mask)
        for a, b in zip(first, second, strict=True)
    )


def changed(folder, target, change):
    """Copy a model and change its weights."""
    shutil.copytree(folder, target)
    weights = load_file(target / "model.safetensors")
    save_file(change(weights), target / "model.safetensors", {"format": "pt"})
    return target


def not_numbers(weights):
    return {
        name: torch.full_like(w, torch.nan) if w.is_floating_point() else w
        for name, w in weights.items()
    }
