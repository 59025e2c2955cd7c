"""Options of the generator of diffusers' pipelines: those it refuses, and what it says."""

import sys

import pytest

from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.synthesis.interfaces import Context
from tests.synthesis.diffusion import make


@pytest.mark.parametrize(("height", "width"), [(36, 48), (32, 1001)])
def test_sizes_that_the_pipeline_cannot_make(stable_diffusion, height, width):
    with pytest.raises(InputError, match=r"StableDiffusionPipeline: `\w+` is") as error:
        make(stable_diffusion, height=height, width=width)
    assert error.value.expected == "a multiple of 8"
    assert error.value.fix in {"32 or 40, for example", "1000 or 1008, for example"}


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"steps": 2.5},
        {"steps": True},
        {"height": -8},
        {"width": 0},
        {"guidance": float("nan")},
        {"guidance": "high"},
    ],
)
def test_numbers_that_make_no_sense(stable_diffusion, options):
    (name,) = options
    with pytest.raises(InputError, match=f"generator 'diffusers': `{name}` is"):
        make(stable_diffusion, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheduler": "PNDMSchedular"}, "unknown scheduler 'PNDMSchedular'.*\n.*PNDMScheduler"),
        ({"scheduler": "AutoencoderKL"}, "unknown scheduler 'AutoencoderKL'"),
        (
            {"scheduler": "PNDMScheduler", "scheduler_options": {"skip": 1}},
            "PNDMScheduler: unknown option 'skip'",
        ),
        ({"scheduler_options": {"skip_prk": 1}}, "unknown option 'skip_prk'.*\n.*skip_prk_steps"),
        ({"dtype": "float8"}, "unknown dtype 'float8'.*\n.*Available: auto, bfloat16"),
        ({"arguments": {"true_cfg_scale": 4}}, "unknown argument 'true_cfg_scale'"),
        ({"arguments": {"output_type": "pil"}}, "'output_type' is set by this generator"),
        ({"arguments": {"height": 64}}, "argument 'height' is set by this generator"),
        ({"arguments": {"guidance_scale": 1}}, "'guidance_scale' is set by this"),
        ({"variant": "fp16"}, "variant=fp16"),
        ({"offload": True}, "`offload` is for GPUs"),
    ],
)
def test_wrong_options(stable_diffusion, options, message):
    with pytest.raises(InputError, match=message):
        make(stable_diffusion, **options)


def test_an_option_that_the_pipeline_lacks(stable_diffusion, monkeypatch):
    from diffusers import StableDiffusionPipeline

    def call(self, prompt, height, width, num_inference_steps, generator, output_type):
        raise AssertionError("not called")

    monkeypatch.setattr(StableDiffusionPipeline, "__call__", call)
    assert "guidance of the pipeline" in make(stable_diffusion, guidance=None).description
    with pytest.raises(InputError, match=r"this pipeline has no `guidance`.*\n.*to null"):
        make(stable_diffusion)
    with pytest.raises(InputError, match="this pipeline has no `negative_prompt`"):
        make(stable_diffusion, guidance=None, negative_prompt="blurred")


@pytest.mark.parametrize("device", ["cuda:99", "nonsense"])
def test_a_device_that_is_not_there(stable_diffusion, device):
    with pytest.raises(InputError, match=f"generator 'diffusers'.*'{device}'"):
        make(stable_diffusion, Context(seed=0, body=None, device=device))


@pytest.mark.parametrize("package", ["diffusers", "transformers", "torch"])
def test_a_package_that_is_not_installed(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"'{package}'.*\n.*chorus-bench\[synthesis"):
        make("some/model")
