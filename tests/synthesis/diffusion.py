"""Requests to the generator of diffusers' pipelines, and what it makes of them."""

import numpy as np

from chorus_bench.synthesis.generators.diffusion import make_diffusion
from chorus_bench.synthesis.interfaces import Address, Context, ImageRequest

CONTEXT = Context(seed=0, body=None)
TEXTS = ["a person rides a horse", "a person holds a cup", "a person kicks a ball"]


def make(model, context=CONTEXT, **options):
    """Return a generator of few steps and small images from a folder of a model."""
    options = {"steps": 3, "height": 32, "width": 48, **options}
    return make_diffusion(context, model=str(model), **options)


def requests(*seeds):
    """Return a request with a text of its own for each seed."""
    return [
        ImageRequest(Address("thing", text, "front", n), text, seed)
        for n, (seed, text) in enumerate(zip(seeds, TEXTS, strict=False))
    ]


def same(first, second):
    """Return for each pair of images whether their pixels are equal."""
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]
