"""Images from any text-to-image model that diffusers can load, from the hub or a folder.

The noise of an image comes from its own seed and is drawn on the processor, whatever the device.
On a processor, the same description, batch size and seed give the same bytes; another batch size
or number of threads changes the rounding, so that a few bytes differ by one.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import math
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np

from chorus_bench.engines.threads import torch_threads
from chorus_bench.errors import InputError, MissingDependencyError, unknown_name
from chorus_bench.synthesis.batching import device_memory
from chorus_bench.synthesis.interfaces import Context, ImageRequest, UInt8
from chorus_bench.synthesis.model_files import check_device, loading, model_version

#: A pipeline of diffusers, of the class that the model needs.
Pipeline: TypeAlias = Any

_WHERE = "generator 'diffusers'"
_PURPOSE = "the image generator"
_INDEX = "model_index.json"
_DTYPES = ("auto", "float32", "float16", "bfloat16")
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
                    where=_WHERE,
                    expected=f"an integer of at least {lowest}",
                )
        guidance = 0 if self.guidance is None else self.guidance
        if not isinstance(guidance, int | float) or not math.isfinite(guidance):
            raise InputError(f"`guidance` is {guidance!r}", where=_WHERE, expected="a number")

    def call(self, pipeline: Pipeline) -> dict[str, object]:
        """Return the pipeline arguments that are common to all images.

        Raises:
            InputError: an option that the pipeline does not have.
        """
        _check_names(pipeline.__call__, self.arguments, type(pipeline).__name__, "argument", _TAKEN)
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
                    where=f"{_WHERE}, {type(pipeline).__name__}",
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
        local_files_only: do not contact the hub.

    Raises:
        InputError: a wrong option, no such device, or a model that cannot be loaded.
        MissingDependencyError: diffusers or one of its requirements is not installed.
    """
    options = _Options(steps, guidance, height, width, negative_prompt, dict(arguments or {}))
    _import_libraries()
    check_device(context.device, where=_WHERE)
    number_type = _number_type(dtype, context.device)
    _check_scheduler(scheduler, scheduler_options)
    _check_offload(offload, context.device)
    with loading(model, purpose=_PURPOSE, files=(_INDEX,)), _quiet():
        pipeline = _load(model, number_type, revision, variant, local_files_only)
        if scheduler is not None or scheduler_options:
            _change_scheduler(pipeline, scheduler, dict(scheduler_options or {}))
        if offload:
            pipeline.enable_model_cpu_offload(device=context.device)
        else:
            pipeline.to(context.device)
    pipeline.set_progress_bar_config(disable=True)
    _check_size(pipeline, options)
    name = model_version(model, revision, file=_INDEX)
    name += f" {variant}" if variant else ""
    settings = _describe(pipeline, options, dict(scheduler_options or {}), number_type, context)
    return DiffusionGenerator(pipeline, options, context, f"{name}, {settings}")


class DiffusionGenerator:
    """Makes images with a pipeline of diffusers; see `make_diffusion`."""

    def __init__(
        self,
        pipeline: Pipeline,
        options: _Options,
        context: Context,
        description: str,
    ) -> None:
        self.pipeline = pipeline
        self._options = options
        self._threads = context.threads if _kind(context.device) == "cpu" else None
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
        with device_memory(), torch_threads(self._threads), np.errstate(invalid="ignore"):
            output = self._run(requests)
        pixels = np.asarray(output.images, np.float32)
        expected = (len(requests), self._options.height, self._options.width, 3)
        if pixels.shape != expected:
            raise InputError(
                f"the model makes images of shape {pixels.shape[1:]}",
                where=_WHERE,
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
                where=_WHERE,
                fix="the model's page says which scheduler, steps, guidance and size it accepts",
            ) from error


def _to_bytes(pixels: np.ndarray[Any, Any], refused: bool) -> UInt8:
    """Return an image (H, W, 3) of numbers 0 to 1 as bytes; black if it cannot be shown."""
    if refused or not np.isfinite(pixels).all():
        return np.zeros(pixels.shape, np.uint8)
    return np.rint(pixels.clip(0, 1) * 255).astype(np.uint8)


def _import_libraries() -> None:
    """Import diffusers and transformers without their remarks about optional packages."""
    try:
        with _quiet():
            import diffusers
            import torch  # noqa: F401
            import transformers  # noqa: F401

            _ = diffusers.AutoPipelineForText2Image
    except ImportError as error:
        raise MissingDependencyError(
            (error.name or "diffusers").partition(".")[0],
            extra="synthesis",
            purpose="Making images with diffusers",
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the libraries' progress bars and remarks while they load."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    before = [(module, module.get_verbosity()) for module in (of_diffusers, of_transformers)]
    bars = [m for m, _ in before if m.is_progress_bar_enabled()]
    for module, _ in before:
        module.set_verbosity(logging.ERROR)
        module.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # diffusers 0.42.1 passes it to huggingface_hub itself.
            warnings.filterwarnings("ignore", message="The `local_dir_use_symlinks` argument")
            yield
    finally:
        for module, level in before:
            module.set_verbosity(level)
        for module in bars:
            module.enable_progress_bar()


def _kind(device: str) -> str:
    """Return the type in a device's name: ``cpu``, ``cuda``, ..."""
    return device.partition(":")[0]


def _number_type(dtype: str, device: str) -> Any:  # noqa: ANN401 - torch.dtype
    import torch

    if dtype not in _DTYPES:
        raise unknown_name("dtype", dtype, _DTYPES, where=_WHERE)
    if dtype != "auto":
        return getattr(torch, dtype)
    if _kind(device) == "cpu":
        return torch.float32
    half = _kind(device) != "cuda" or not torch.cuda.is_bf16_supported()
    return torch.float16 if half else torch.bfloat16


def _schedulers() -> list[str]:
    """Return the names of diffusers' scheduler classes."""
    import diffusers

    return [n for n in dir(diffusers) if n.endswith("Scheduler") and not n.startswith("Flax")]


def _check_scheduler(name: str | None, options: Mapping[str, object] | None) -> None:
    import diffusers

    if name is None:
        return
    if name not in _schedulers():
        raise unknown_name("scheduler", name, _schedulers(), where=_WHERE)
    _check_names(getattr(diffusers, name), options or {}, name)


def _check_names(
    function: Callable[..., object],
    given: Iterable[str],
    owner: str,
    kind: str = "option",
    taken: Container[str] = (),
) -> None:
    """Raise an `InputError` for a name that a function does not accept, or that is reserved."""
    where = f"{_WHERE}, {owner}"
    names = [name for name in inspect.signature(function).parameters if name != "kwargs"]
    for name in given:
        if name in taken:
            raise InputError(
                f"the {kind} '{name}' is set by this generator itself",
                where=where,
                fix="use the generator's own options",
            )
        if name not in names:
            raise unknown_name(kind, name, [n for n in names if n not in taken], where=where)


def _change_scheduler(pipeline: Pipeline, name: str | None, options: dict[str, object]) -> None:
    import diffusers

    kind = type(pipeline.scheduler) if name is None else getattr(diffusers, name)
    _check_names(kind, options, kind.__name__)
    pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **options)


def _has_accelerate() -> bool:
    return find_spec("accelerate") is not None


def _check_offload(offload: bool, device: str) -> None:
    if not offload:
        return
    if _kind(device) == "cpu":
        raise InputError(
            "`offload` is for GPUs, and the device is a processor",
            where=_WHERE,
            fix="leave `offload` out, or choose a GPU as the device",
        )
    if not _has_accelerate():
        raise InputError(
            "`offload` needs the package 'accelerate', which is not installed",
            where=_WHERE,
            fix="pip install accelerate",
        )


def _load(
    model: str, number_type: object, revision: str | None, variant: str | None, offline: bool
) -> Pipeline:
    from diffusers import AutoPipelineForText2Image

    auto: Pipeline = AutoPipelineForText2Image
    return auto.from_pretrained(
        model,
        dtype=number_type,
        revision=revision,
        variant=variant,
        local_files_only=offline,
        use_safetensors=True,
        low_cpu_mem_usage=_has_accelerate(),
    )


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
                where=f"{_WHERE}, {type(pipeline).__name__}",
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

    kind = _kind(context.device)
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
