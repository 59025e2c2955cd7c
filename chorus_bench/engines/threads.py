"""Threads: how many there are, and work on a stream in several of them."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from chorus_bench.errors import InputError
from chorus_bench.option_types import fits

Item = TypeVar("Item")
Result = TypeVar("Result")


def cpu_count() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_count(workers: int | None) -> int:
    """Return the number of threads that a user asks for; by default one per processor.

    Raises:
        InputError: less than one, or no whole number.
    """
    if workers is None:
        return cpu_count()
    if not fits(workers, int) or workers < 1:
        raise InputError(
            f"workers is {workers!r}", expected="1 or more, or None for one per processor"
        )
    return int(workers)


def processor_name() -> str:
    """Return the processor's architecture, and its model where the system tells it."""
    model = None
    with contextlib.suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        model = re.search(r"^model name\s*:\s*(\S.*)$", text, re.MULTILINE)
    known = model.group(1).strip() if model else platform.processor()
    return f"{platform.machine()}, {known}" if known else platform.machine()


@contextlib.contextmanager
def torch_threads(threads: int | None = None) -> Iterator[None]:
    """Let torch use so many threads of the processor in the block, and as many as before after it.

    Args:
        threads: None changes nothing; what the block itself sets is undone all the same.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    *,
    stop: Callable[[], None] = lambda: None,
) -> Generator[tuple[Item, Result], None, None]:
    """Yield every item with the function's result, in the order of the items.

    The items are drawn by the calling thread, at most ``threads + 1`` ahead.

    Args:
        function: must be safe to call from several threads.
        items: any iterable.
        threads: number of concurrent calls.
        stop: called before calls that still run are waited for, also after an interruption; it may
            end them early.
    """
    pending: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        try:
            for item in items:
                pending.append((item, pool.submit(function, item)))
                if len(pending) > threads:
                    done, future = pending.popleft()
                    yield done, future.result()
            while pending:
                done, future = pending.popleft()
                yield done, future.result()
        finally:
            stop()


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """Yield the function's results in the order of the items, made ahead in threads.

    Args:
        function: must be safe to call from several threads.
        items: drawn by the calling thread, at most ``threads + 1`` ahead.
        threads: number of concurrent calls; with 0, the calling thread makes them itself, none
            ahead.
    """
    if not threads:
        yield from map(function, items)
        return
    for _, result in in_order(function, items, threads):
        yield result
