"""The generator of diffusers' pipelines: saved, loaded and run, tiny and with random weights."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from chorus_bench.errors import InputError
from chorus_bench.synthesis.interfaces import Address, Context, ImageRequest
from chorus_bench.synthesis.registry import make_component
from tests.synthesis.diffusion import CONTEXT, make, requests, same
from tests.synthesis.tiny_models import tiny_flux, tiny_pipeline, tiny_z_image


def break_weights(file, part):
    """Make the tensors not finite that have this in their names."""
    tensors = load_file(file)
    for name, tensor in tensors.items():
        if part in name:
            tensors[name] = torch.full_like(tensor, torch.nan)
    save_file(tensors, file, metadata={"format": "pt"})


def test_images_follow_from_the_seed(stable_diffusion):
    first = make(stable_diffusion).generate(requests(1, 2, 2**63 - 1))
    second = make(stable_diffusion).generate(requests(1, 2, 2**63 - 1))
    assert [(image.shape, image.dtype) for image in first] == [((32, 48, 3), np.uint8)] * 3
    assert all(same(first, second))
    assert all(image.std() > 5 for image in first)
    generator = make(stable_diffusion)
    assert not any(same(first, generator.generate(requests(4, 5, 6))))
    assert generator.generate([]) == []


def test_the_text_and_the_negative_prompt_count(stable_diffusion):
    one, two = requests(1), [ImageRequest(Address("thing", "", "", 0), "something else", 1)]
    plain = make(stable_diffusion)
    assert not any(same(plain.generate(one), plain.generate(two)))
    without = make(stable_diffusion, negative_prompt="blurred")
    assert not any(same(plain.generate(one), without.generate(one)))
    assert "without 'blurred'" in without.description


def test_the_number_of_threads_is_the_context_s(stable_diffusion):
    context = Context(seed=0, body=None, threads=2)
    seen = []
    generator = make(stable_diffusion, context)
    generator.pipeline.unet.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        generator.generate(requests(1))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {2}
    assert "float32 on cpu, threads 2" in generator.description


def test_it_is_found_by_name(stable_diffusion):
    options = {"model": str(stable_diffusion), "steps": 1, "height": 32, "width": 32}
    generator = make_component("generator", "diffusers", CONTEXT, options)
    assert generator.generate(requests(1))[0].shape == (32, 32, 3)


def test_the_description_has_what_decides_the_pixels(stable_diffusion):
    generator = make(
        stable_diffusion,
        scheduler="DDIMScheduler",
        scheduler_options={"clip_sample": False},
        guidance=None,
    )
    assert generator.description.startswith("folder model (xxh3 ")
    for part in (
        "StableDiffusionPipeline, DDIMScheduler(clip_sample=False), steps 3",
        "guidance of the pipeline, height 32, width 48, float32 on cpu, threads 1, diffusers ",
        f"torch {torch.__version__}",
    ):
        assert part in generator.description
    assert "\n" not in generator.description


@pytest.mark.parametrize(
    ("scheduler", "options", "evaluations"),
    [
        ("PNDMScheduler", {}, 4),  # PLMS: the second step is evaluated twice
        ("PNDMScheduler", {"skip_prk_steps": False}, 13),  # Runge-Kutta steps first
        ("DDIMScheduler", {}, 3),
        (None, {}, 4),  # the model's own, PNDM
    ],
)
def test_schedulers(stable_diffusion, scheduler, options, evaluations):
    steps = 3 if not options else 4
    generator = make(stable_diffusion, scheduler=scheduler, scheduler_options=options, steps=steps)
    calls = []
    generator.pipeline.unet.register_forward_hook(lambda *_: calls.append(1))
    generator.generate(requests(1))
    assert len(calls) == evaluations
    assert type(generator.pipeline.scheduler).__name__ == scheduler or scheduler is None
    assert generator.pipeline.scheduler.config.beta_schedule == "scaled_linear"


def test_the_scheduler_changes_the_image(stable_diffusion):
    kinds = [None, "PNDMScheduler", "DDIMScheduler"]
    own, plms, ddim = (
        make(stable_diffusion, scheduler=kind).generate(requests(1)) for kind in kinds
    )
    assert all(same(own, plms))
    assert not any(same(plms, ddim))


def test_a_pipeline_of_another_class(tmp_path):
    folder = tiny_flux(tmp_path / "flux")
    first = make(folder, guidance=3.5).generate(requests(1, 2))
    other = make(folder, guidance=3.5)
    assert all(same(first, other.generate(requests(1, 2))))
    assert not np.array_equal(*first)
    assert "FluxPipeline, FlowMatchEulerDiscreteScheduler, steps 3" in other.description
    short = make(folder, guidance=3.5, arguments={"max_sequence_length": 8})
    assert short.generate(requests(1))[0].shape == (32, 48, 3)
    assert "max_sequence_length=8" in short.description
    with pytest.raises(InputError, match="multiple of 16"):
        make(folder, height=40)
    with pytest.raises(InputError, match="FluxPipeline cannot make images with these options"):
        make(folder, scheduler="PNDMScheduler").generate(requests(1))


def test_a_distilled_pipeline_without_guidance(tmp_path):
    """As Z-Image-Turbo is used: 8 evaluations, and none without the text."""
    folder = tiny_z_image(tmp_path / "z-image")
    generator = make(folder, steps=8, guidance=0.0)
    batches = []
    generator.pipeline.transformer.register_forward_hook(lambda _, args, __: batches.append(args))
    first = generator.generate(requests(1, 2))
    assert len(batches) == 8
    assert [len(latents) for latents, *_ in batches] == [2] * 8
    assert all(same(first, make(folder, steps=8, guidance=0.0).generate(requests(1, 2))))
    assert all(image.std() > 5 for image in first)
    assert "ZImagePipeline, FlowMatchEulerDiscreteScheduler" in generator.description


def test_half_precision(stable_diffusion):
    generator = make(stable_diffusion, dtype="bfloat16")
    (image,) = generator.generate(requests(1))
    assert image.std() > 5
    assert "bfloat16 on cpu" in generator.description


@pytest.mark.parametrize("checked", [False, True])
def test_an_image_that_is_not_finite_comes_back_black(tmp_path, checked):
    folder = tiny_pipeline(tmp_path / "model", checked=checked)
    break_weights(folder / "unet" / "diffusion_pytorch_model.safetensors", "conv_out.bias")
    (image,) = make(folder).generate(requests(1))
    assert image.shape == (32, 48, 3)
    assert not image.any()


def test_an_unsafe_image_comes_back_black(tmp_path):
    folder = tiny_pipeline(tmp_path / "checked", checked=True)
    generator = make(folder)
    before = generator.generate(requests(1, 2))
    assert all(image.any() for image in before)
    with torch.no_grad():
        generator.pipeline.safety_checker.concept_embeds_weights.fill_(-2)
    after = generator.generate(requests(1, 2))
    assert not any(image.any() for image in after)


def test_nothing_is_written_to_the_terminal(stable_diffusion, capfd):
    make(stable_diffusion).generate(requests(1))
    assert capfd.readouterr() == ("", "")
