"""Batches of a diffusion model: their size, the memory of the device, compiled networks."""

import logging

import numpy as np
import pytest
import torch

from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.generators import pipelines
from chorus_bench.synthesis.generators.pipelines import compile_network
from tests.synthesis.diffusion import make, requests, same


def test_single_images_do_not_depend_on_their_order(stable_diffusion):
    generator = make(stable_diffusion)
    batches = Batches(1, "images")
    wanted = requests(1, 2, 3)
    forward = list(batches.map(generator.generate, wanted))
    backward = list(batches.map(generator.generate, wanted[::-1]))
    assert all(same(forward, backward[::-1]))


def fail_above(pipeline, limit):
    """Let a pipeline's UNet run out of memory for batches of more than ``limit`` images."""
    forward = pipeline.unet.forward

    def limited(sample, *args, **options):
        if sample.shape[0] > 2 * limit:  # guidance makes two of each
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore")
        return forward(sample, *args, **options)

    pipeline.unet.forward = limited


def test_batches_are_halved_when_memory_runs_out(stable_diffusion, caplog):
    wanted = requests(1, 2, 3)
    single = make(stable_diffusion)
    expected = [single.generate([request])[0] for request in wanted]
    generator = make(stable_diffusion)
    fail_above(generator.pipeline, 1)
    batches = Batches(3, "images")
    with caplog.at_level(logging.WARNING):
        images = list(batches.map(generator.generate, wanted))
    assert all(same(images, expected))
    assert batches.size == 1
    assert "out of device memory with 3 images at a time; continuing with 1" in caplog.text


def test_not_even_one_image_fits(stable_diffusion):
    generator = make(stable_diffusion)
    fail_above(generator.pipeline, 0)
    with pytest.raises(ChorusBenchError, match="not enough memory for one of the images: CUDA"):
        list(Batches(2, "images").map(generator.generate, requests(1, 2)))


class Memory:
    """A CUDA device that tells how much memory is free."""

    def __init__(self, free):
        self.free = free

    def mem_get_info(self, device):
        assert str(device) == "cuda:1"
        return self.free, 80 * 2**30


@pytest.mark.parametrize(
    ("gibibytes", "size", "batch"), [(76, 512, 32), (6, 512, 8), (0.1, 512, 1), (40, 1024, 16)]
)
def test_a_batch_by_the_free_memory(stable_diffusion, monkeypatch, gibibytes, size, batch):
    made = make(stable_diffusion, dtype="bfloat16", height=size, width=size)
    assert made.batch_that_fits() == 1
    monkeypatch.setattr(made, "_device", "cuda:1")
    monkeypatch.setattr(torch.cuda, "mem_get_info", Memory(int(gibibytes * 2**30)).mem_get_info)
    assert made.batch_that_fits() == batch


def test_a_compiled_network_makes_the_same_images(stable_diffusion):
    """The backend that only traces: the others need a compiler."""
    whole = make(stable_diffusion).generate(requests(1, 2, 3))
    made = make(stable_diffusion)
    compile_network(made.pipeline, backend="eager")
    assert all(same(made.generate(requests(1, 2, 3)), whole))


def test_batches_of_a_compiled_network_have_one_size(stable_diffusion, monkeypatch):
    made = make(stable_diffusion)
    made.whole_batches, sizes, run = True, [], made._run
    monkeypatch.setattr(made, "_run", lambda some: sizes.append(len(some)) or run(some))
    made.generate(requests(1, 2, 3))
    (last,) = made.generate(requests(1))
    assert sizes == [3, 3]
    assert np.array_equal(last, make(stable_diffusion).generate([*requests(1)] * 3)[0])


def test_smaller_batches_after_running_out_of_memory(stable_diffusion, monkeypatch):
    made = make(stable_diffusion)
    made.whole_batches, sizes, run = True, [], made._run

    def small(some):
        sizes.append(len(some))
        if len(some) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run(some)

    monkeypatch.setattr(made, "_run", small)
    assert len(list(Batches(2, "images").map(made.generate, requests(1, 2, 3)))) == 3
    assert sizes == [2, 1, 1, 1]


def test_compiling_has_no_effect_on_a_processor(stable_diffusion):
    assert "compiled" not in make(stable_diffusion, compile=True).description


def test_what_compiling_needs(monkeypatch):
    monkeypatch.setattr(pipelines, "find_spec", lambda name: None)
    pipelines.check_compiler(False)
    with pytest.raises(InputError, match="needs the package 'triton'"):
        pipelines.check_compiler(True)
    with pytest.raises(InputError, match="neither a UNet nor a transformer"):
        compile_network(object())
