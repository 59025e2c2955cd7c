"""Jobs in this process, or in several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.synchronize import Event
from typing import Any

from chorus_bench.engines.jobs import Job, Result, Setup, end_inner_run
from chorus_bench.engines.memory import keep_freed_memory
from chorus_bench.errors import ChorusBenchError, InputError

#: How often a job may kill its worker before the run gives up.
TRIES = 3
#: How long a worker may take to end when it is told to, in seconds.
_PATIENCE = 5.0

#: In place of a job: the start of a worker.
_START = "its start"
#: In a worker process: the function that does jobs.
_do: Callable[..., Result]


def run_locally(setup: Setup[Job], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    """Do jobs here (one worker) or in processes; see `chorus_bench.engines.run_jobs`."""
    if workers == 1:
        yield from map(setup(), jobs)
    else:
        end_inner_run(workers)
        yield from _Processes(setup, min(workers, len(jobs))).run(jobs)


class _Processes:
    """One pool of one process for each worker, so that a death breaks only one pool."""

    def __init__(self, setup: Setup[Job], workers: int) -> None:
        self._setup = setup
        self._context = multiprocessing.get_context("spawn")
        self._workers = workers
        self._begun = self._context.Event()
        self._idle: list[ProcessPoolExecutor] = []
        self._fresh: set[ProcessPoolExecutor] = set()
        self._busy: dict[Future[Result], tuple[ProcessPoolExecutor, object]] = {}
        self._deaths: Counter[int] = Counter()

    def _start(self) -> None:
        """Start a worker, which gets its setup with the first job.

        Nothing large goes to a process that may end before it reads: Python would wait for ever.
        """
        pool = ProcessPoolExecutor(1, self._context, initializer=_begin, initargs=(self._begun,))
        self._fresh.add(pool)
        with _interrupts_blocked():  # a pool starts its process when it gets something to do
            self._busy[pool.submit(_started)] = (pool, _START)

    def run(self, jobs: Sequence[object]) -> Iterator[Result]:
        waiting = deque(jobs)
        try:
            for _ in range(self._workers):
                self._start()
            while waiting or any(job is not _START for _, job in self._busy.values()):
                while waiting and self._idle:
                    self._give(self._idle.pop(), waiting)
                done, _ = wait(self._busy, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from self._collect(future, waiting)
        finally:
            self._stop()

    def _give(self, pool: ProcessPoolExecutor, waiting: deque[object]) -> None:
        """Give an idle worker the next job, unless it has died meanwhile."""
        job = waiting.popleft()
        try:
            if pool in self._fresh:
                future = pool.submit(_work_first, self._setup, job)
                self._fresh.remove(pool)
            else:
                future = pool.submit(_work, job)
        except BrokenProcessPool as error:
            self._replace(pool, job, waiting, error)
        else:
            self._busy[future] = (pool, job)

    def _collect(self, future: Future[Result], waiting: deque[object]) -> Iterator[Result]:
        """Yield a finished job's result; a job whose worker died goes back into the queue."""
        pool, job = self._busy.pop(future)
        try:
            result = future.result()
        except BrokenProcessPool as error:
            self._replace(pool, job, waiting, error)
            return
        self._idle.append(pool)
        if job is not _START:
            yield result

    def _replace(
        self,
        pool: ProcessPoolExecutor,
        job: object,
        waiting: deque[object],
        error: BrokenProcessPool,
    ) -> None:
        """Start another worker for one that died, and put its job back into the queue."""
        pool.shutdown(wait=False)
        self._fresh.discard(pool)
        if not self._begun.is_set():
            raise _no_worker_begins() from error
        self._start()
        self._deaths[id(job)] += 1
        if self._deaths[id(job)] >= TRIES:
            raise ChorusBenchError(
                f"a worker process died {TRIES} times while it did {job}\n"
                "  What to do: this is usually a lack of memory; use fewer workers or smaller "
                "batches, and run the same command again: it continues from what is finished"
            ) from error
        if job is not _START:
            waiting.append(job)

    def _stop(self) -> None:
        """End all workers; one in the middle of a job is stopped, and its file is not written.

        They are gone when this returns, so that nobody writes any more.
        """
        pools = (*self._idle, *(pool for pool, _ in self._busy.values()))
        processes = [process for pool in pools for process in (pool._processes or {}).values()]
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(_PATIENCE)
            if process.exitcode is None:
                process.kill()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C, which all processes of a terminal get, from those that are started meanwhile.

    This process ends them. An interrupt that comes meanwhile reaches it afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _no_worker_begins() -> InputError:
    return InputError(
        "the worker processes end before they start work: each imports the script that "
        "started this run (its module __main__) and so runs its top-level code",
        expected='a script that calls this under `if __name__ == "__main__":`, or a module; '
        "a script from standard input cannot be imported",
        fix="put the call under that line, save the script as a file, or use workers=1",
    )


def _begin(begun: Event) -> None:
    """Make a worker process keep its memory, and end when its parent does."""
    begun.set()
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _started() -> Result:
    return {}


def _work_first(setup: Setup[Any], job: object) -> Result:
    """Set a worker up and do its first job; what the setup raises is raised in the parent."""
    global _do
    _do = setup()
    return _do(job)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _work(job: object) -> Result:
    return _do(job)
