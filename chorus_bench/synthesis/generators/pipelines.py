"""Pipelines of diffusers: the libraries, number types, schedulers, and loading."""

from __future__ import annotations

import contextlib
import inspect
import logging
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, TypeAlias

from chorus_bench.errors import InputError, MissingDependencyError, install_command, unknown_name

#: A pipeline of diffusers; its class depends on the model.
Pipeline: TypeAlias = Any

WHERE = "generator 'diffusers'"
_DTYPES = ("auto", "float32", "float16", "bfloat16")


def import_libraries() -> None:
    """Import diffusers and transformers without their messages about optional packages."""
    try:
        with quiet():
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
def quiet() -> Iterator[None]:
    """Silence the libraries' progress bars and messages during loading."""
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


def device_kind(device: str) -> str:
    """Return the type in a device's name: ``cpu``, ``cuda``, ..."""
    return device.partition(":")[0]


def number_type_of(dtype: str, device: str) -> Any:  # noqa: ANN401 - torch.dtype
    """Return the torch.dtype of a name; ``auto`` depends on the device.

    Raises:
        InputError: an unknown name.
    """
    import torch

    if dtype not in _DTYPES:
        raise unknown_name("dtype", dtype, _DTYPES, where=WHERE)
    if dtype != "auto":
        return getattr(torch, dtype)
    if device_kind(device) == "cpu":
        return torch.float32
    half = device_kind(device) != "cuda" or not torch.cuda.is_bf16_supported()
    return torch.float16 if half else torch.bfloat16


def _schedulers() -> list[str]:
    """Return the names of diffusers' scheduler classes."""
    import diffusers

    return [n for n in dir(diffusers) if n.endswith("Scheduler") and not n.startswith("Flax")]


def check_scheduler(name: str | None, options: Mapping[str, object] | None) -> None:
    """Raise an `InputError` for an unknown scheduler, or options that it does not have."""
    import diffusers

    if name is None:
        return
    if name not in _schedulers():
        raise unknown_name("scheduler", name, _schedulers(), where=WHERE)
    check_names(getattr(diffusers, name), options or {}, name)


def check_names(
    function: Callable[..., object],
    given: Iterable[str],
    owner: str,
    kind: str = "option",
    taken: Container[str] = (),
) -> None:
    """Raise an `InputError` for a name that a function does not accept, or that is reserved."""
    where = f"{WHERE}, {owner}"
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


def change_scheduler(pipeline: Pipeline, name: str | None, options: dict[str, object]) -> None:
    """Replace a pipeline's scheduler, or change the options of the present one.

    Args:
        pipeline: modified in place.
        name: a scheduler class of diffusers; None for the pipeline's own.
        options: changes to the configuration of the pipeline's scheduler.

    Raises:
        InputError: the scheduler has no such option.
    """
    import diffusers

    kind = type(pipeline.scheduler) if name is None else getattr(diffusers, name)
    check_names(kind, options, kind.__name__)
    pipeline.scheduler = kind.from_config(pipeline.scheduler.config, **options)


def _has_accelerate() -> bool:
    return find_spec("accelerate") is not None


def check_offload(offload: bool, device: str) -> None:
    """Raise an `InputError` if offloading is requested but impossible."""
    if not offload:
        return
    if device_kind(device) == "cpu":
        raise InputError(
            "`offload` is for GPUs, and the device is a processor",
            where=WHERE,
            fix="leave `offload` out, or choose a GPU as the device",
        )
    if not _has_accelerate():
        raise InputError(
            "`offload` needs the package 'accelerate', which is not installed",
            where=WHERE,
            fix=install_command("synthesis"),
        )


def check_compiler(wanted: bool) -> None:
    """Raise an `InputError` if compiling is requested and what it needs is missing."""
    if wanted and find_spec("triton") is None:
        raise InputError(
            "`compile` needs the package 'triton', which is not installed",
            where=WHERE,
            fix="install it as torch's page says, or set `compile` to false",
        )


def compile_network(pipeline: Pipeline, backend: str = "inductor") -> None:
    """Compile the network that takes most of a pipeline's time, for batches of one size.

    Args:
        pipeline: modified in place.
        backend: a backend of ``torch.compile``.

    Raises:
        InputError: the pipeline has no such network.
    """
    network = getattr(pipeline, "unet", None) or getattr(pipeline, "transformer", None)
    if network is None:
        raise InputError(
            "has neither a UNet nor a transformer that could be compiled",
            where=f"{WHERE}, {type(pipeline).__name__}",
            fix="set `compile` to false",
        )
    network.compile(backend=backend, dynamic=False)


def load_pipeline(
    model: str, number_type: object, revision: str | None, variant: str | None, offline: bool
) -> Pipeline:
    """Load a text-to-image pipeline from safetensors weights.

    Args:
        model: hub id or folder.
        number_type: torch.dtype of the weights.
        revision: a branch, tag or commit on the hub.
        variant: variant of the weight files.
        offline: do not contact the hub.
    """
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
