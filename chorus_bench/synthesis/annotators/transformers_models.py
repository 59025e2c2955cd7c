"""Loading and running models, for the annotators based on Hugging Face transformers.

Pictures are prepared by the Pillow image processors, whether or not torchvision is installed, so
that the same pictures give the same inputs on every machine.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from chorus_bench.engines.threads import torch_threads
from chorus_bench.errors import (
    InputError,
    MissingDependencyError,
    count_of,
    list_some,
    unknown_name,
)
from chorus_bench.synthesis.batching import device_memory, group_by_size
from chorus_bench.synthesis.interfaces import Context, Picture
from chorus_bench.synthesis.model_files import check_device, loading, model_version

if TYPE_CHECKING:
    import torch

Result = TypeVar("Result")

#: Number types of a forward pass; weights stay in float32.
DTYPES = ("float32", "float16", "bfloat16")

_CONFIGURATION = "config.json"


@dataclass(frozen=True)
class Source:
    """The origin of a model.

    Attributes:
        model: hub id or folder of the model.
        purpose: its purpose, for messages, for example ``the segmenter``.
        classes: suitable kinds of model (`model_type`), with transformers' class of each.
        revision: a branch, tag or commit of the hub.
        local_files_only: do not contact the hub.
    """

    model: str
    purpose: str
    classes: Mapping[str, str]
    revision: str | None = None
    local_files_only: bool = False

    @property
    def files(self) -> dict[str, Any]:
        """The arguments of every ``from_pretrained`` call for this model."""
        return {
            "revision": self.revision,
            "local_files_only": self.local_files_only,
            "trust_remote_code": False,
        }


class LoadedModel:
    """A model on its device, with the processor that prepares pictures for it.

    Attributes:
        kind: its `model_type`.
        device: the device that it is on.
        network: the model, of a class of transformers.
        processor: the image processor.
        tokenizer: None for a model that reads no text.
        description: the class, the model with its revision, and the number type.
    """

    def __init__(self, source: Source, context: Context, dtype: str, *, text: bool = False) -> None:
        _check_dtype(dtype, source.purpose)
        _import_libraries(source.purpose)
        check_device(context.device, where=source.purpose)
        self.device = context.device
        self._dtype = dtype
        self._threads = context.threads if _kind(context.device) == "cpu" else None
        with _loading(source):
            self.network, self.processor, self.tokenizer = _load(source, text=text)
            self.network.eval().to(context.device)
        self.kind: str = self.network.config.model_type
        version = model_version(source.model, source.revision, file=_CONFIGURATION)
        self.description = f"{type(self.network).__name__} {version} {dtype}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Context for forward passes: without gradients, in the number type, with the threads.

        Raises:
            OutOfDeviceMemoryError: the device has not enough memory.
        """
        import torch

        mixed = self._dtype != "float32"
        autocast = torch.autocast(
            _kind(self.device), dtype=getattr(torch, self._dtype) if mixed else None, enabled=mixed
        )
        with device_memory(), torch_threads(self._threads), torch.inference_mode(), autocast:
            yield

    def prepare(self, pictures: Sequence[Picture], **options: object) -> dict[str, torch.Tensor]:
        """Return the processor's tensors for pictures."""
        prepared = self.processor(
            images=[picture.pixels for picture in pictures],
            input_data_format="channels_last",
            return_tensors="pt",
            **options,
        )
        return dict(prepared)

    def forward(self, inputs: Mapping[str, torch.Tensor], **options: object) -> Any:  # noqa: ANN401 - each model's own
        """Return the model's output for tensors on any device; call it within `running`."""
        moved = {name: _to_device(values, self.device) for name, values in inputs.items()}
        return self.network(**moved, **options)


def _kind(device: str) -> str:
    """Return the type in a device's name: ``cpu``, ``cuda``, ..."""
    return device.partition(":")[0]


def _to_device(values: torch.Tensor, device: str) -> torch.Tensor:
    """Move a tensor; floats of any size become float32."""
    import torch

    return values.to(device, torch.float32) if values.is_floating_point() else values.to(device)


def describe(*parts: str) -> str:
    """Return an annotator's description: its parts and the version of transformers."""
    import transformers

    return ", ".join([*parts, f"transformers {transformers.__version__}"])


def map_by_size(
    function: Callable[[list[Picture]], list[Result]], pictures: Sequence[Picture]
) -> list[Result]:
    """Call a function on pictures of one size at a time; results are in the pictures' order.

    Pictures of several sizes in one batch would be padded, and a padded picture has different
    results from the same picture alone.
    """
    results: dict[int, Result] = {}
    for indices in group_by_size(pictures):
        found = function([pictures[i] for i in indices])
        results.update(zip(indices, found, strict=True))
    return [results[i] for i in range(len(pictures))]


def check_threshold(value: float, *, where: str, name: str = "threshold") -> None:
    """Raise an `InputError` for a score threshold outside [0, 1]."""
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(f"`{name}` is {value!r}", where=where, expected="a number from 0 to 1")


def _check_dtype(dtype: str, where: str) -> None:
    if dtype not in DTYPES:
        raise unknown_name("dtype", dtype, DTYPES, where=where)


def _load(source: Source, *, text: bool) -> tuple[Any, Any, Any]:
    """Return the network, its image processor and, if it reads text, its tokenizer."""
    transformers: Any = import_module("transformers")
    config = transformers.AutoConfig.from_pretrained(source.model, **source.files)
    network_class = getattr(transformers, _class_name(source, config.model_type))
    network, report = network_class.from_pretrained(
        source.model, dtype="float32", use_safetensors=True, output_loading_info=True,
        **source.files,
    )  # fmt: skip
    _check_complete(source, network, report["missing_keys"])
    processor = transformers.AutoImageProcessor.from_pretrained(
        source.model, backend="pil", **source.files
    )
    if not text:
        return network, processor, None
    return (
        network,
        processor,
        transformers.AutoTokenizer.from_pretrained(source.model, **source.files),
    )


def _class_name(source: Source, model_type: str) -> str:
    if model_type not in source.classes:
        raise InputError(
            f"the model '{source.model}' is of the kind '{model_type}'",
            where=source.purpose,
            expected=f"one of {', '.join(sorted(source.classes))}",
            fix="choose a model of such a kind; see `model_type` in its config.json",
        )
    return source.classes[model_type]


def _check_complete(source: Source, network: torch.nn.Module, missing: Sequence[str]) -> None:
    """Raise an `InputError` for weights that are in no file: they would be random numbers."""
    lacking = sorted(set(missing) & {name for name, _ in network.named_parameters()})
    if lacking:
        raise InputError(
            f"the model '{source.model}' lacks {count_of(len(lacking), 'weight')}: "
            f"{list_some(lacking)}",
            where=source.purpose,
            expected=f"all weights of {type(network).__name__}",
            fix="fetch the model again, or choose one that was trained for this task",
        )


@contextlib.contextmanager
def _loading(source: Source) -> Iterator[None]:
    with loading(source.model, purpose=source.purpose, files=(_CONFIGURATION,)), _quiet():
        yield


def _import_libraries(purpose: str) -> None:
    try:
        for name in ("torch", "transformers"):
            import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            error.name or "transformers", extra="synthesis", purpose=f"Loading {purpose}"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' bars and remarks while it loads; the hub's download bars remain."""
    talk: Any = import_module("transformers.utils.logging")
    level = talk.get_verbosity()
    hook = talk.set_tqdm_hook(lambda bar, args, kwargs: bar(*args, **{**kwargs, "disable": True}))
    talk.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        talk.set_verbosity(level)
        talk.set_tqdm_hook(hook)
