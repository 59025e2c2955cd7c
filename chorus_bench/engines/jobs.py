"""Jobs, and settings of where they run."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, unknown_name

Job = TypeVar("Job")
Result = dict[str, Any]
Setup = Callable[[], Callable[[Job], Result]]

ENGINES = ("local", "ray")


@checked
@dataclass(frozen=True)
class EngineSettings:
    """Where jobs run.

    Attributes:
        name: ``local`` or ``ray``.
        workers: processes (local) or actors (Ray).
        address: a Ray cluster, ``auto`` or ``host:port``; by default a cluster of this machine
            is started for the run.
        gpus: GPUs of each Ray actor; fractions share a GPU.
        if_worth: leave what is not worth the start of processes to the threads of this one, where
            the work can be done by threads.

    Raises:
        InputError: an unknown engine, or an invalid number.
    """

    name: str = "local"
    workers: int = 1
    address: str | None = None
    gpus: float = 0.0
    if_worth: bool = False

    def __post_init__(self) -> None:
        if self.name not in ENGINES:
            raise unknown_name("engine", self.name, ENGINES)
        if self.workers < 1:
            raise InputError(f"{self.workers} workers", expected="1 or more")
        if self.gpus < 0:
            raise InputError(f"{self.gpus} GPUs per worker", expected="0 or more")
        if self.name == "local" and self.address is not None:
            raise InputError("an address is given for the local engine", fix="add --engine ray")


@checked
def end_inner_run(workers: int) -> None:
    """End a worker that imports the main script and is about to start the same run again.

    A script without a main guard does that. Python would print a long explanation for each
    worker; the process that started them says what to do. For runs that take a lock before
    they call `run_jobs`.

    Args:
        workers: how many processes the run would start.

    Raises:
        SystemExit: in such a worker.
    """
    if workers > 1 and getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)
