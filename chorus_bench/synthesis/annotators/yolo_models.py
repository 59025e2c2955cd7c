"""Loading Ultralytics models without the package's side effects.

By default, the package checks for a network at import, sends usage statistics, downloads whatever
is missing (weights, fonts, packages) and keeps settings in the user's home. Here it starts offline,
installs nothing, and keeps its settings in a temporary folder, unless the user has set
``YOLO_OFFLINE``, ``YOLO_AUTOINSTALL`` or ``YOLO_CONFIG_DIR``.

Ultralytics is under the AGPL-3.0 and is imported only if one of its annotators is chosen.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.engines.threads import torch_threads
from chorus_bench.errors import ChorusBenchError, InputError, MissingDependencyError
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.synthesis.annotators.local_files import check_file

#: Files that ultralytics reads with a pickle reader.
PICKLED = (".pt", ".pth")
#: Files of ``model.export``, which are read without one.
EXPORTED = (".torchscript", ".onnx")

_RELEASES = "https://github.com/ultralytics/assets/releases"


def load_yolo(
    model: str,
    task: str,
    device: str,
    *,
    open_vocabulary: bool = False,
    trust_pickle: bool = False,
    allow_downloads: bool = False,
) -> Any:  # noqa: ANN401 - an ultralytics model
    """Load a model.

    Args:
        model: the file; with ``allow_downloads`` also a name that Ultralytics fetches.
        task: ``segment`` or ``pose``.
        device: the device to run on.
        open_vocabulary: load it as a YOLOE.
        trust_pickle: read .pt files, which are pickles.
        allow_downloads: let Ultralytics use the network.

    Returns:
        An ``ultralytics.YOLO`` or ``ultralytics.YOLOE``.

    Raises:
        InputError: no such file, a pickle that is not trusted, or not a model for the task.
        MissingDependencyError: ultralytics is missing.
    """
    _check_model(model, trust_pickle=trust_pickle, allow_downloads=allow_downloads)
    ultralytics = import_ultralytics(allow_downloads=allow_downloads)
    pickled = Path(model).suffix in PICKLED
    kind = ultralytics.YOLOE if open_vocabulary and pickled else ultralytics.YOLO
    try:
        loaded = kind(model, task=None if pickled else task)
        found = loaded.task if pickled else _task_of_exported(loaded, device)
    except (ChorusBenchError, ImportError):
        raise
    except Exception as error:
        raise _not_loaded(model, error) from error
    if found != task:
        raise InputError(
            f"is a model for the task '{found}'" if found else "does not state its task",
            where=model,
            expected=f"one for the task '{task}'",
            fix=f"choose or export one of yolo*-{'seg' if task == 'segment' else task}",
        )
    return loaded


def _task_of_exported(yolo: Any, device: str) -> str | None:  # noqa: ANN401 - an ultralytics model
    """Return the metadata of an exported model, which is read at its first picture."""
    black = np.zeros((32, 32, 3), dtype=np.uint8)
    try:
        with torch_threads():  # ultralytics sets it anew with every device
            yolo.predict(black, device=device, verbose=False, save=False)
    except Exception:
        # Parts that another task needs are missing, but the metadata have been read.
        if _written_task(yolo) in (None, yolo.task):
            raise
    return _written_task(yolo)


def _written_task(yolo: Any) -> str | None:  # noqa: ANN401 - an ultralytics model
    task: str | None = getattr(getattr(yolo.predictor, "model", None), "task", None)
    return task


def import_ultralytics(*, allow_downloads: bool = False) -> Any:  # noqa: ANN401 - the module
    """Import ultralytics without its side effects; see this module's documentation.

    Raises:
        InputError: torchvision, which it needs, does not match torch.
        MissingDependencyError: the package is missing.
    """
    _set_environment(allow_downloads=allow_downloads)
    threads = os.environ.get("OMP_NUM_THREADS")
    try:
        for needed in ("torch", "torchvision"):
            importlib.import_module(needed)
        ultralytics = importlib.import_module("ultralytics")
    except ImportError as error:
        raise MissingDependencyError(
            error.name or "ultralytics", extra="ultralytics", purpose="an annotator by Ultralytics"
        ) from error
    except RuntimeError as error:
        raise InputError(
            f"torchvision cannot be imported: {error}",
            where="an annotator by Ultralytics",
            expected="a torchvision built for your torch",
            fix="install the two together (https://pytorch.org/get-started/locally)",
        ) from error
    if threads is None:  # which ultralytics sets to 1, also for other processes
        os.environ.pop("OMP_NUM_THREADS", None)
    _silence(ultralytics)
    return ultralytics


def _set_environment(*, allow_downloads: bool) -> None:
    """Set how ultralytics starts; it reads this only while it is imported."""
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    # If ultralytics can, it reads even trusted pickles with a list of permitted names.
    os.environ.setdefault("ULTRALYTICS_SAFE_LOAD", "true")
    if not allow_downloads:
        os.environ.setdefault("YOLO_OFFLINE", "true")
    if "YOLO_CONFIG_DIR" not in os.environ:
        stack = contextlib.ExitStack()
        os.environ["YOLO_CONFIG_DIR"] = str(stack.enter_context(temporary_folder()))
        atexit.register(stack.close)


def _silence(ultralytics: Any) -> None:  # noqa: ANN401 - the module
    """Send no usage statistics."""
    for module in ("ultralytics.utils.events", "ultralytics.hub.utils"):
        with contextlib.suppress(ImportError, AttributeError):
            importlib.import_module(module).events.enabled = False
    if ultralytics.settings.get("sync") and "chorus-bench-" in os.environ["YOLO_CONFIG_DIR"]:
        ultralytics.settings.update({"sync": False})


def _check_model(model: str, *, trust_pickle: bool, allow_downloads: bool) -> None:
    path = Path(model)
    if path.suffix not in (*PICKLED, *EXPORTED):
        raise InputError(
            f"'{path.suffix}' is not a kind of model file",
            where=model,
            expected=f"a file that ends in {', '.join((*EXPORTED, *PICKLED))}",
            fix="export the model with `model.export(format='torchscript')`",
        )
    if path.suffix in PICKLED and not trust_pickle:
        raise InputError(
            "is a pickle, which can execute any code when it is read",
            where=model,
            expected=f"an exported model ({', '.join(EXPORTED)}), or your consent",
            fix="set `trust_pickle=True` if you know who made the file; or load it once where "
            "nothing can be lost and write `YOLO(file).export(format='torchscript')`",
        )
    if not allow_downloads:
        check_file(
            path,
            expected="a model file of Ultralytics; nothing is downloaded",
            fix=f"fetch one from {_RELEASES}, or set `allow_downloads=True`",
        )


def _not_loaded(model: str, error: Exception) -> InputError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return InputError(
        f"cannot be loaded: {lines[0] if lines else type(error).__name__}",
        where=model,
        expected="a complete model file that your version of ultralytics can read",
        fix="fetch or export it again. Files that name classes other than Ultralytics' own are "
        "refused unless the environment says ULTRALYTICS_SAFE_LOAD=false",
    )
