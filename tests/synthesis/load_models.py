"""Run in a process that knows a stand-in hub: load the models of a line; write what came of it."""

import json
import sys
import time

from chorus_bench.errors import ChorusBenchError
from chorus_bench.synthesis.generators.diffusion import make_diffusion
from chorus_bench.synthesis.interfaces import Context
from chorus_bench.synthesis.model_files import loading


def with_diffusers(model, **options):
    context = Context(seed=0, body=None)
    return make_diffusion(context, model=model, steps=1, height=32, width=32, **options).description


def with_transformers(model, **options):
    from transformers import AutoModel

    with loading(model, purpose="the segmenter"):
        return type(AutoModel.from_pretrained(model, use_safetensors=True, **options)).__name__


def outcome(library, model, options):
    try:
        return "made", {"diffusers": with_diffusers, "transformers": with_transformers}[library](
            model, **options
        )
    except ChorusBenchError as error:
        return type(error).__name__, str(error)


if __name__ == "__main__":
    time.sleep = lambda seconds: None  # the hub's client waits long before it tries again
    for line in sys.stdin:
        sys.stdout.write(f"{json.dumps([outcome(*case) for case in json.loads(line)])}\n")
        sys.stdout.flush()
