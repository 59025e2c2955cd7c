"""What is on this machine, and what is missing for which command: `chorus-bench doctor`.

Nothing heavy is imported: versions come from the metadata of the installed packages. Only torch is
asked for its devices, where it is installed.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from chorus_bench._version import __version__
from chorus_bench.datasets.registry import find_builders
from chorus_bench.engines.threads import cpu_count
from chorus_bench.errors import InputError, install_command
from chorus_bench.io.cache import cache_folder, cache_size
from chorus_bench.io.variables import VARIABLES
from chorus_bench.plugins import find_baselines
from chorus_bench.synthesis.registry import GROUPS, find_components

_PACKAGE = "chorus-bench"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")

#: What each extra is for: the commands and functions that need it.
EXTRAS: Mapping[str, str] = {
    "datasets": "load_dataset, datasets push, annotate a dataset, prompts by a language model",
    "torch": "--device cuda, convert .pt files, occupancy images in training loops",
    "torchmetrics": "chorus_bench.metrics.torch_metric",
    "smplx": "bodies given as smplx models",
    "mesh": "reconstruct, convert meshes",
    "plots": "figures: demo, report, datasets info --plots",
    "synthesis": "synthesize and annotators with real models",
    "ray": "--engine ray",
    "ultralytics": "annotators by Ultralytics (AGPL-3.0)",
}
_SECRET = "CHORUS_BENCH_CHAT_KEY"


@dataclass(frozen=True)
class ExtraState:
    """Whether an extra is installed.

    Attributes:
        name: of the extra.
        needed_for: commands and functions.
        installed: distribution -> version.
        missing: distributions that are not there.
    """

    name: str
    needed_for: str
    installed: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def fix(self) -> str:
        """The command that installs what is missing; empty for none."""
        return install_command(self.name) if self.missing else ""


@dataclass(frozen=True)
class Checkup:
    """What `chorus-bench doctor` found.

    Attributes:
        versions: of Python, chorus-bench and what it always needs.
        machine: system, processor, number of processors, devices.
        cache: folder, size and room.
        variables: those of `VARIABLES` that are set; a key is not shown.
        extras: one for each extra.
        problems: what would stop a command, each with what to do.
    """

    versions: Mapping[str, str]
    machine: Mapping[str, str]
    cache: Mapping[str, str]
    variables: Mapping[str, str]
    extras: tuple[ExtraState, ...]
    problems: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return asdict(self)


def examine() -> Checkup:
    """Look at this machine.

    Returns:
        What was found. Nothing is written.
    """
    base, extras = _versions(_required("")), tuple(_extra(name) for name in EXTRAS)
    cache, cache_problems = _cache()
    torch = next(state for state in extras if state.name == "torch")
    missing = [f"{name} is not installed: pip install chorus-bench" for name in base[1]]
    return Checkup(
        {"python": platform.python_version(), _PACKAGE: __version__, **base[0]},
        {**_machine(), "devices": "none without torch" if torch.missing else _devices()},
        cache,
        {name: _shown(name) for name in VARIABLES if os.environ.get(name)},
        extras,
        (*missing, *cache_problems, *_broken_plugins()),
    )


def _required(extra: str) -> list[str]:
    """Return the distributions of an extra, or with an empty name those always needed."""
    found = []
    for line in requires(_PACKAGE) or ():
        name = _NAME.match(line)
        marked = _EXTRA.search(line)
        if name and (marked.group(1) if marked else "") == extra and name.group() != _PACKAGE:
            found.append(name.group())
    return found


def _versions(names: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the versions of the installed ones, and the others."""
    installed, missing = {}, []
    for name in names:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    return installed, tuple(missing)


def _extra(name: str) -> ExtraState:
    return ExtraState(name, EXTRAS[name], *_versions(_required(name)))


def _machine() -> dict[str, str]:
    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "processors": f"{cpu_count()} usable of {os.cpu_count()}",
    }


def _devices() -> str:
    try:
        import torch
    except Exception as error:  # a broken installation may raise anything
        return f"torch cannot be imported: {error}"
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ", ".join(names) or "none (torch finds no CUDA device)"


def _shown(variable: str) -> str:
    return "set" if variable == _SECRET else os.environ[variable]


def _cache() -> tuple[dict[str, str], list[str]]:
    """Return the state of the cache, and what is wrong with it."""
    try:
        folder = cache_folder()
    except InputError as error:
        return {"folder": "none"}, [str(error)]
    files, size = cache_size(folder)
    there = next(_existing(folder))
    problems = [] if os.access(there, os.W_OK) else [_not_writable(folder)]
    free = shutil.disk_usage(there).free
    return {
        "folder": str(folder),
        "files": str(files),
        "size": f"{size / 1e6:.1f} MB",
        "room": f"{free / 1e9:.1f} GB",
    }, problems


def _existing(folder: Path) -> Iterator[Path]:
    """Yield the folder and its parents that are there, the nearest first."""
    return (path for path in (folder, *folder.parents) if path.is_dir())


def _not_writable(folder: Path) -> str:
    return f"{folder} cannot be written: set CHORUS_BENCH_CACHE to a folder that you may write to"


def _broken_plugins() -> list[str]:
    """Return the plug-ins of all kinds that cannot be used."""
    broken = [*find_baselines().broken, *find_builders().broken]
    for kind in GROUPS:
        broken += find_components(kind).broken
    return [f"plug-in that cannot be used: {plugin}" for plugin in broken]
