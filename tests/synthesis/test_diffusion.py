"""The generator of diffusers' pipelines: saved, loaded and run, tiny and with random weights."""

import json
import logging
import pickle
import shutil
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from chorus_bench.errors import ChorusBenchError, InputError, MissingDependencyError
from chorus_bench.synthesis.batching import Batches
from chorus_bench.synthesis.generators import pipelines
from chorus_bench.synthesis.generators.diffusion import make_diffusion
from chorus_bench.synthesis.generators.pipelines import compile_network
from chorus_bench.synthesis.interfaces import Address, Context, ImageRequest
from chorus_bench.synthesis.registry import make_component
from tests.synthesis.tiny_models import tiny_flux, tiny_pipeline, tiny_z_image

CONTEXT = Context(seed=0, body=None)
TEXTS = ["a person rides a horse", "a person holds a cup", "a person kicks a ball"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_pipeline(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def copy(model, tmp_path):
    return shutil.copytree(model, tmp_path / "model")


def make(model, context=CONTEXT, **options):
    options = {"steps": 3, "height": 32, "width": 48, **options}
    return make_diffusion(context, model=str(model), **options)


def requests(*seeds):
    return [
        ImageRequest(Address("thing", text, "front", n), text, seed)
        for n, (seed, text) in enumerate(zip(seeds, TEXTS, strict=False))
    ]


def break_weights(file, part):
    """Make the tensors not finite that have this in their names."""
    tensors = load_file(file)
    for name, tensor in tensors.items():
        if part in name:
            tensors[name] = torch.full_like(tensor, torch.nan)
    save_file(tensors, file, metadata={"format": "pt"})


def same(first, second):
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


def test_images_follow_from_the_seed(model):
    first = make(model).generate(requests(1, 2, 2**63 - 1))
    second = make(model).generate(requests(1, 2, 2**63 - 1))
    assert [(image.shape, image.dtype) for image in first] == [((32, 48, 3), np.uint8)] * 3
    assert all(same(first, second))
    assert all(image.std() > 5 for image in first)
    generator = make(model)
    assert not any(same(first, generator.generate(requests(4, 5, 6))))
    assert generator.generate([]) == []


def test_the_text_and_the_negative_prompt_count(model):
    one, two = requests(1), [ImageRequest(Address("thing", "", "", 0), "something else", 1)]
    plain = make(model)
    assert not any(same(plain.generate(one), plain.generate(two)))
    without = make(model, negative_prompt="blurred")
    assert not any(same(plain.generate(one), without.generate(one)))
    assert "without 'blurred'" in without.description


def test_single_images_do_not_depend_on_their_order(model):
    generator = make(model)
    batches = Batches(1, "images")
    wanted = requests(1, 2, 3)
    forward = list(batches.map(generator.generate, wanted))
    backward = list(batches.map(generator.generate, wanted[::-1]))
    assert all(same(forward, backward[::-1]))


def test_the_number_of_threads_is_the_context_s(model):
    context = Context(seed=0, body=None, threads=2)
    seen = []
    generator = make(model, context)
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


def test_it_is_found_by_name(model):
    options = {"model": str(model), "steps": 1, "height": 32, "width": 32}
    generator = make_component("generator", "diffusers", CONTEXT, options)
    assert generator.generate(requests(1))[0].shape == (32, 32, 3)


def test_the_description_has_what_decides_the_pixels(model):
    generator = make(
        model, scheduler="DDIMScheduler", scheduler_options={"clip_sample": False}, guidance=None
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
def test_schedulers(model, scheduler, options, evaluations):
    steps = 3 if not options else 4
    generator = make(model, scheduler=scheduler, scheduler_options=options, steps=steps)
    calls = []
    generator.pipeline.unet.register_forward_hook(lambda *_: calls.append(1))
    generator.generate(requests(1))
    assert len(calls) == evaluations
    assert type(generator.pipeline.scheduler).__name__ == scheduler or scheduler is None
    assert generator.pipeline.scheduler.config.beta_schedule == "scaled_linear"


def test_the_scheduler_changes_the_image(model):
    kinds = [None, "PNDMScheduler", "DDIMScheduler"]
    own, plms, ddim = (make(model, scheduler=kind).generate(requests(1)) for kind in kinds)
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


@pytest.mark.parametrize(("height", "width"), [(36, 48), (32, 1001)])
def test_sizes_that_the_pipeline_cannot_make(model, height, width):
    with pytest.raises(InputError, match=r"StableDiffusionPipeline: `\w+` is") as error:
        make(model, height=height, width=width)
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
def test_numbers_that_make_no_sense(model, options):
    (name,) = options
    with pytest.raises(InputError, match=f"generator 'diffusers': `{name}` is"):
        make(model, **options)


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
def test_wrong_options(model, options, message):
    with pytest.raises(InputError, match=message):
        make(model, **options)


def test_an_option_that_the_pipeline_lacks(model, monkeypatch):
    from diffusers import StableDiffusionPipeline

    def call(self, prompt, height, width, num_inference_steps, generator, output_type):
        raise AssertionError("not called")

    monkeypatch.setattr(StableDiffusionPipeline, "__call__", call)
    assert "guidance of the pipeline" in make(model, guidance=None).description
    with pytest.raises(InputError, match=r"this pipeline has no `guidance`.*\n.*to null"):
        make(model)
    with pytest.raises(InputError, match="this pipeline has no `negative_prompt`"):
        make(model, guidance=None, negative_prompt="blurred")


@pytest.mark.parametrize("device", ["cuda:99", "nonsense"])
def test_a_device_that_is_not_there(model, device):
    with pytest.raises(InputError, match=f"generator 'diffusers'.*'{device}'"):
        make(model, Context(seed=0, body=None, device=device))


def test_half_precision(model):
    generator = make(model, dtype="bfloat16")
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


def test_a_damaged_file_is_named(copy):
    file = copy / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(InputError, match="is damaged") as error:
        make(copy)
    assert error.value.where == str(file)


@pytest.mark.parametrize("damage", ["missing", "garbled", "unknown", "no weights"])
def test_a_folder_that_is_not_a_whole_model(copy, damage):
    index = copy / "model_index.json"
    if damage == "missing":
        index.unlink()
    elif damage == "garbled":
        index.write_text("{")
    elif damage == "unknown":
        index.write_text(json.dumps({"_class_name": "MyPipeline"}))
    else:
        (copy / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    expected = {
        "missing": "the folder of the model has no model_index.json",
        "garbled": "is not a valid JSON file",
        "unknown": "MyPipeline",
        "no weights": "lacks weights in the safetensors format",
    }
    with pytest.raises(InputError, match=expected[damage]) as error:
        make(copy)
    assert str(copy) in str(error.value)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


def test_pickled_weights_are_refused_and_never_run(copy, tmp_path):
    trap = tmp_path / "executed"
    for name in ("unet/diffusion_pytorch_model", "text_encoder/model"):
        (copy / f"{name}.safetensors").unlink()
        pickled = copy / f"{name.replace('/model', '/pytorch_model')}.bin"
        pickled.write_bytes(pickle.dumps(Trap(trap)))
    with pytest.raises(
        InputError, match=r"pickled ones: text_encoder/pytorch_model.bin, unet/"
    ) as error:
        make(copy)
    assert "pickled weights can run any code and are never loaded here" in str(error.value)
    assert not trap.exists()


def test_code_of_a_model_s_own_is_not_run(copy, tmp_path):
    trap = tmp_path / "executed"
    code = f"open({str(trap)!r}, 'w')\nfrom diffusers import UNet2DConditionModel as MyUNet\n"
    (copy / "unet" / "my_unet.py").write_text(code)
    (copy / "pipeline.py").write_text(code)
    index = json.loads((copy / "model_index.json").read_text())
    index["unet"] = ["my_unet", "MyUNet"]
    (copy / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="cannot be loaded"):
        make(copy)
    assert not trap.exists()


def fail_above(pipeline, limit):
    """Let a pipeline's UNet run out of memory for batches of more than ``limit`` images."""
    forward = pipeline.unet.forward

    def limited(sample, *args, **options):
        if sample.shape[0] > 2 * limit:  # guidance makes two of each
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore")
        return forward(sample, *args, **options)

    pipeline.unet.forward = limited


def test_batches_are_halved_when_memory_runs_out(model, caplog):
    wanted = requests(1, 2, 3)
    single = make(model)
    expected = [single.generate([request])[0] for request in wanted]
    generator = make(model)
    fail_above(generator.pipeline, 1)
    batches = Batches(3, "images")
    with caplog.at_level(logging.WARNING):
        images = list(batches.map(generator.generate, wanted))
    assert all(same(images, expected))
    assert batches.size == 1
    assert "out of device memory with 3 images at a time; continuing with 1" in caplog.text


def test_not_even_one_image_fits(model):
    generator = make(model)
    fail_above(generator.pipeline, 0)
    with pytest.raises(ChorusBenchError, match="not enough memory for one of the images: CUDA"):
        list(Batches(2, "images").map(generator.generate, requests(1, 2)))


@pytest.mark.parametrize("package", ["diffusers", "transformers", "torch"])
def test_a_package_that_is_not_installed(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"'{package}'.*\n.*chorus-bench\[synthesis"):
        make("some/model")


def test_nothing_is_written_to_the_terminal(model, capfd):
    make(model).generate(requests(1))
    assert capfd.readouterr() == ("", "")


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
def test_a_batch_by_the_free_memory(model, monkeypatch, gibibytes, size, batch):
    made = make(model, dtype="bfloat16", height=size, width=size)
    assert made.batch_that_fits() == 1
    monkeypatch.setattr(made, "_device", "cuda:1")
    monkeypatch.setattr(torch.cuda, "mem_get_info", Memory(int(gibibytes * 2**30)).mem_get_info)
    assert made.batch_that_fits() == batch


def test_a_compiled_network_makes_the_same_images(model):
    """The backend that only traces: the others need a compiler."""
    whole = make(model).generate(requests(1, 2, 3))
    made = make(model)
    compile_network(made.pipeline, backend="eager")
    assert all(same(made.generate(requests(1, 2, 3)), whole))


def test_batches_of_a_compiled_network_have_one_size(model, monkeypatch):
    made = make(model)
    made.whole_batches, sizes, run = True, [], made._run
    monkeypatch.setattr(made, "_run", lambda some: sizes.append(len(some)) or run(some))
    made.generate(requests(1, 2, 3))
    (last,) = made.generate(requests(1))
    assert sizes == [3, 3]
    assert np.array_equal(last, make(model).generate([*requests(1)] * 3)[0])


def test_smaller_batches_after_running_out_of_memory(model, monkeypatch):
    made = make(model)
    made.whole_batches, sizes, run = True, [], made._run

    def small(some):
        sizes.append(len(some))
        if len(some) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run(some)

    monkeypatch.setattr(made, "_run", small)
    assert len(list(Batches(2, "images").map(made.generate, requests(1, 2, 3)))) == 3
    assert sizes == [2, 1, 1, 1]


def test_compiling_has_no_effect_on_a_processor(model):
    assert "compiled" not in make(model, compile=True).description


def test_what_compiling_needs(monkeypatch):
    monkeypatch.setattr(pipelines, "find_spec", lambda name: None)
    pipelines.check_compiler(False)
    with pytest.raises(InputError, match="needs the package 'triton'"):
        pipelines.check_compiler(True)
    with pytest.raises(InputError, match="neither a UNet nor a transformer"):
        compile_network(object())
