"""Jobs on a Ray cluster, through Ray Data: one actor per worker, one set of models per actor.

All nodes must see the same files under the same paths.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chorus_bench.engines.jobs import EngineSettings, Job, Result, Setup
from chorus_bench.errors import ChorusBenchError, InputError, import_extra

_PATIENCE = 10.0
_NUMBER, _RESULT, _ERROR, _INPUT = "number", "result", "error", "input"


class _Actor:
    """Does jobs in an actor. Errors of a job are returned as text."""

    def __init__(self, setup: Setup[Job], jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._failed: ChorusBenchError | None = None
        try:
            self._do = setup()
        except ChorusBenchError as error:
            self._failed = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Do the job of this number."""
        try:
            if self._failed is not None:
                raise self._failed
            result = self._do(self._jobs[row[_NUMBER]])
        except ChorusBenchError as error:
            wrong_input = isinstance(error, InputError) or error.exit_code == InputError.exit_code
            return {_RESULT: "", _ERROR: str(error), _INPUT: wrong_input}
        return {_RESULT: json.dumps(result), _ERROR: "", _INPUT: False}


def run_on_ray(
    setup: Setup[Job], jobs: Sequence[Job], settings: EngineSettings
) -> Iterator[Result]:
    """Do jobs on Ray; see `chorus_bench.engines.run_jobs`.

    A lost actor or node is replaced, and its job is repeated (Ray Data's default).
    """
    with _connected(settings):
        import ray

        numbers = ray.data.from_items(
            [{_NUMBER: n} for n in range(len(jobs))], override_num_blocks=len(jobs)
        )
        results = numbers.map(
            _Actor,  # type: ignore[arg-type] # a class of functions; Ray's types know functions only
            fn_constructor_args=(setup, list(jobs)),
            # No job waits behind another while an actor is idle.
            compute=ray.data.ActorPoolStrategy(
                size=min(settings.workers, len(jobs)), max_tasks_in_flight_per_actor=1
            ),
            num_cpus=1,
            num_gpus=settings.gpus or None,
        )
        yield from _read(results.iter_rows())


def _read(rows: Iterable[dict[str, Any]]) -> Iterator[Result]:
    """Yield results up to the first failure.

    Ray releases the actors of a pipeline once nothing refers to its iterator any more, so the
    iterator is deleted before anything is raised.
    """
    iterator, failed = iter(rows), None
    del rows
    for row in iterator:
        if row[_ERROR]:
            failed = row
            break
        yield json.loads(row[_RESULT])
    del iterator
    if failed is not None:
        raise InputError(failed[_ERROR]) if failed[_INPUT] else ChorusBenchError(failed[_ERROR])


@contextlib.contextmanager
def _connected(settings: EngineSettings) -> Iterator[None]:
    """Connect to a cluster, or start one for the duration of the block; an open one is reused."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    import_extra("ray.data", extra="ray", purpose="The engine 'ray'")
    import ray
    import ray.data

    ours = not ray.is_initialized()
    if ours:
        _connect(ray, settings)
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        _wait_for_executors()
        if ours:
            ray.shutdown()


def _wait_for_executors() -> None:
    """Wait until Ray Data's threads have ended: one that outlives a shutdown reconnects."""
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("StreamingExecutor"):
            thread.join(_PATIENCE)


def _connect(ray: Any, settings: EngineSettings) -> None:  # noqa: ANN401 - the module
    _check_answers(settings.address)
    quiet: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
    try:
        if settings.address is None:
            ray.init(
                address="local",
                num_cpus=settings.workers,
                num_gpus=None if settings.gpus else 0,
                include_dashboard=False,
                **quiet,
            )
        else:
            ray.init(address=settings.address, **quiet)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _no_cluster(settings.address, str(error).partition("\n")[0]) from error


def _check_answers(address: str | None) -> None:
    """Raise an `InputError` if nobody answers; Ray itself would try for minutes, then exit."""
    host, _, port = (address or "").rpartition("//")[2].rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str | None, reason: str) -> InputError:
    return InputError(
        f"no Ray cluster answers: {reason}",
        where=address or "this machine",
        expected="the address of a running cluster: 'auto', or host:port",
        fix="start one with `ray start --head`, or leave --address out",
    )
