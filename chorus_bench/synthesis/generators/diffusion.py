"""Images from any text-to-image model that diffusers can load, from the hub or a folder.

The noise of an image comes from its own seed and is drawn on the processor, whatever the device.
On a processor, the same description, batch size and seed give the same bytes; another batch size
or number of threads changes the rounding, so that a few bytes differ by one.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chorus_bench.engines.threads import torch_threads
from chorus_bench.errors import InputError
from chorus_bench.synthesis.batching import batch_for_memory, device_memory
from chorus_bench.synthesis.generators.pipelines import (
    WHERE,
    Pipeline,
    change_scheduler,
    check_compiler,
    check_names,
    check_offload,
    check_scheduler,
    compile_network,
    device_kind,
    import_libraries,
    load_pipeline,
    number_type_of,
    quiet,
)
from chorus_bench.synthesis.interfaces import Context, ImageRequest, UInt8
from chorus_bench.synthesis.model_files import check_device, loading, model_version

_PURPOSE = "the image generator"
#: Memory of an image of 512 x 512 while Stable Diffusion 1.4 makes it in float16 with guidance,
#: measured on an H200 (docs/scale.md), and what it is measured for.
_IMAGE_BYTES, _PIXELS, _ITEM_BYTES = 0.5 * 2**30, 512 * 512, 2
#: Images at a time on devices that do not tell their memory.
_ELSEWHERE = 4
_INDEX = "model_index.json"
#: The pipelines' names of our options.
_NAMES = {
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "height": "height",
    "width": "width",
    "negative_prompt": "negative_prompt",
}
#: Names that `arguments` may not contain.
_TAKEN = {*_NAMES, *("prompt", "generator", "output_type", "return_dict", "num_images_per_prompt")}


@dataclass(frozen=True)
class _Options:
    """How images are made, as configured."""

    steps: int
    guidance: float | None
    height: int
    width: int
    negative_prompt: str | None
    arguments: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, lowest in (("steps", 1), ("height", 8), ("width", 8)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
                raise InputError(
                    f"`{name}` is {value!r}",
                    where=WHERE,
                    expected=f"an integer of at least {lowest}",
                )
        guidance = 0 if self.guidance is None else self.guidance
        if not isinstance(guidance, int | float) or not math.isfinite(guidance):
            raise InputError(f"`guidance` is {guidance!r}", where=WHERE, expected="a number")

    def call(self, pipeline: Pipeline) -> dict[str, object]:
        """Return the pipeline arguments that are common to all images.

        Raises:
            InputError: an option that the pipeline does not have.
        """
        check_names(pipeline.__call__, self.arguments, type(pipeline).__name__, "argument", _TAKEN)
        own = {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "height": self.height,
            "width": self.width,
            "negative_prompt": self.negative_prompt,
        }
        wanted = {name: value for name, value in own.items() if value is not None}
        known = inspect.signature(pipeline.__call__).parameters
        for name in wanted:
            if name not in known:
                raise InputError(
                    f"this pipeline has no `{_NAMES[name]}`",
                    where=f"{WHERE}, {type(pipeline).__name__}",
                    fix=f"set `{_NAMES[name]}` to null",
                )
        return {**wanted, **self.arguments}


def make_diffusion(
    context: Context,
    *,
    model: str,
    scheduler: str | None = None,
    scheduler_options: Mapping[str, object] | None = None,
    steps: int = 50,
    guidance: float | None = 7.5,
    height: int = 512,
    width: int = 512,
    dtype: str = "auto",
    revision: str | None = None,
    variant: str | None = None,
    negative_prompt: str | None = None,
    arguments: Mapping[str, object] | None = None,
    offload: bool = False,
    compile: bool = False,
    local_files_only: bool = False,
) -> DiffusionGenerator:
    """Load a text-to-image pipeline.

    Only safetensors weights are loaded, and no code from the model is run.

    Args:
        context: the run's context.
        model: hub id or folder of the model.
        scheduler: a scheduler class of diffusers, for example ``PNDMScheduler``; None for the
            model's own. It starts from the configuration of the model's own scheduler.
        scheduler_options: changes to that configuration.
        steps: denoising steps.
        guidance: the pipeline's ``guidance_scale``; None leaves it to the pipeline.
        height: height of the images, pixels.
        width: width of the images, pixels.
        dtype: ``float32``, ``float16``, ``bfloat16``, or ``auto``: float32 on a processor; on a
            GPU bfloat16 if supported, else float16.
        revision: a branch, tag or commit of the model on the hub.
        variant: variant of the weight files, for example ``fp16``.
        negative_prompt: what the images should not show.
        arguments: further arguments of the pipeline's call, for example ``true_cfg_scale``.
        offload: keep only the active part of the model in GPU memory.
        compile: compile the network: a minute per worker, then faster. Only on a GPU.
        local_files_only: do not contact the hub.

    Raises:
        InputError: a wrong option, no such device, or a model that cannot be loaded.
        MissingDependencyError: diffusers or one of its requirements is not installed.
    """
    options = _Options(steps, guidance, height, width, negative_prompt, dict(arguments or {}))
    import_libraries()
    check_device(context.device, where=WHERE)
    number_type = number_type_of(dtype, context.device)
    check_scheduler(scheduler, scheduler_options)
    check_offload(offload, context.device)
    compiled = compile and device_kind(context.device) != "cpu"
    check_compiler(compiled)
    with loading(model, purpose=_PURPOSE, files=(_INDEX,)), quiet():
        pipeline = load_pipeline(model, number_type, revision, variant, local_files_only)
        if scheduler is not None or scheduler_options:
            change_scheduler(pipeline, scheduler, dict(scheduler_options or {}))
        if offload:
            pipeline.enable_model_cpu_offload(device=context.device)
        else:
            pipeline.to(context.device)
    pipeline.set_progress_bar_config(disable=True)
    _check_size(pipeline, options)
    if compiled:
        compile_network(pipeline)
    name = model_version(model, revision, file=_INDEX)
    name += f" {variant}" if variant else ""
    settings = _describe(pipeline, options, dict(scheduler_options or {}), number_type, context)
    settings += ", compiled" if compiled else ""
    generator = DiffusionGenerator(pipeline, options, context, f"{name}, {settings}")
    generator.whole_batches = compiled
    return generator


class DiffusionGenerator:
    """Makes images with a pipeline of diffusers; see `make_diffusion`.

    Attributes:
        pipeline: the pipeline.
        whole_batches: fill every batch up to the size of the largest one so far; a compiled
            network would be compiled again for each new size.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        options: _Options,
        context: Context,
        description: str,
    ) -> None:
        self.pipeline = pipeline
        self.whole_batches = False
        self._largest = 0
        self._options, self._device = options, context.device
        self._threads = context.threads if device_kind(context.device) == "cpu" else None
        self._call = options.call(pipeline)
        self._description = description

    @property
    def description(self) -> str:
        """The model, its options and the libraries' versions."""
        return self._description

    def generate(self, requests: Sequence[ImageRequest]) -> list[UInt8]:
        """Make one batch of images; those that are not finite or not safe are returned black.

        Raises:
            OutOfDeviceMemoryError: the batch is too large for the device.
            InputError: the pipeline does not support the options.
        """
        if not requests:
            return []
        count, largest = len(requests), self._largest
        if self.whole_batches:
            requests = [*requests, *[requests[-1]] * (largest - count)]
        self._largest = 0  # after running out of memory, smaller ones are whole
        with device_memory(), torch_threads(self._threads), np.errstate(invalid="ignore"):
            output = self._run(requests)
        self._largest = max(largest, count)
        return self._pixels(output, requests)[:count]

    def batch_that_fits(self) -> int:
        """Return the number of images at a time for the free memory; 1 on a processor."""
        import torch

        kind = device_kind(self._device)
        if kind != "cuda":
            return 1 if kind == "cpu" else _ELSEWHERE
        free, _ = torch.cuda.mem_get_info(torch.device(self._device))
        return batch_for_memory(free, self.bytes_of_image)

    @property
    def bytes_of_image(self) -> float:
        """Memory of one image while it is made, estimated from its size and the number type."""
        pixels = self._options.height * self._options.width
        return _IMAGE_BYTES * pixels / _PIXELS * self.pipeline.dtype.itemsize / _ITEM_BYTES

    def _pixels(self, output: Any, requests: Sequence[ImageRequest]) -> list[UInt8]:  # noqa: ANN401
        pixels = np.asarray(output.images, np.float32)
        expected = (len(requests), self._options.height, self._options.width, 3)
        if pixels.shape != expected:
            raise InputError(
                f"the model makes images of shape {pixels.shape[1:]}",
                where=WHERE,
                expected=f"{expected[1:]}, as `height` and `width` say",
                fix="choose a size that the model supports",
            )
        refused = getattr(output, "nsfw_content_detected", None) or [False] * len(requests)
        return [_to_bytes(p, bool(r)) for p, r in zip(pixels, refused, strict=True)]

    def _run(self, requests: Sequence[ImageRequest]) -> Any:  # noqa: ANN401 - each pipeline's own
        import torch

        call = dict(self._call)
        if "negative_prompt" in call:
            call["negative_prompt"] = [call["negative_prompt"]] * len(requests)
        try:
            return self.pipeline(
                prompt=[request.text for request in requests],
                generator=[torch.Generator("cpu").manual_seed(r.seed) for r in requests],
                output_type="np",
                **call,
            )
        except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
            raise InputError(
                f"{type(self.pipeline).__name__} cannot make images with these options: {error}",
                where=WHERE,
                fix="the model's page says which scheduler, steps, guidance and size it accepts",
            ) from error


def _to_bytes(pixels: np.ndarray[Any, Any], refused: bool) -> UInt8:
    """Return an image (H, W, 3) of numbers 0 to 1 as bytes; black if it cannot be shown."""
    if refused or not np.isfinite(pixels).all():
        return np.zeros(pixels.shape, np.uint8)
    return np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)


def _check_size(pipeline: Pipeline, options: _Options) -> None:
    """Raise an `InputError` for a size that the pipeline refuses or changes silently."""
    processor = getattr(pipeline, "image_processor", None)
    factor = getattr(pipeline, "vae_scale_factor", 8) * getattr(pipeline, "patch_size", 1)
    packed = processor.config.get("vae_scale_factor", 8) if processor is not None else 8
    step = math.lcm(8, int(factor), int(packed))
    for name in ("height", "width"):
        if (value := getattr(options, name)) % step:
            low = max(value // step, 1) * step
            raise InputError(
                f"`{name}` is {value}",
                where=f"{WHERE}, {type(pipeline).__name__}",
                expected=f"a multiple of {step}",
                fix=f"{low} or {low + step}, for example",
            )


def _describe(
    pipeline: Pipeline,
    options: _Options,
    scheduler_options: Mapping[str, object],
    number_type: object,
    context: Context,
) -> str:
    """Return a generator's description without the model's name."""
    import diffusers
    import torch
    import transformers

    kind = device_kind(context.device)
    changed = ", ".join(f"{k}={v!r}" for k, v in sorted(scheduler_options.items()))
    device = f"cpu, threads {context.threads}" if kind == "cpu" else kind
    parts = [
        type(pipeline).__name__,
        type(pipeline.scheduler).__name__ + (f"({changed})" if changed else ""),
        f"steps {options.steps}",
        f"guidance {'of the pipeline' if options.guidance is None else options.guidance}",
        f"height {options.height}",
        f"width {options.width}",
        *(f"{name}={value!r}" for name, value in sorted(options.arguments.items())),
        *([f"without {options.negative_prompt!r}"] if options.negative_prompt else []),
        f"{str(number_type).removeprefix('torch.')} on {device}",
        f"diffusers {diffusers.__version__}",
        f"transformers {transformers.__version__}",
        f"torch {torch.__version__}",
    ]
    return ", ".join(parts)
