"""Progress of long work: a bar on standard error, in terminals and notebooks.

Nothing is drawn in the first two seconds, nor beside the bar of what called it.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

#: Called with (steps done, steps in all).
Progress = Callable[[int, int], None]
#: What functions take: a callback; None for a bar, False for nothing.
ProgressLike = Progress | bool | None

SHOW_AFTER_SECONDS = 2.0
_CELLS = 30
#: Held by the one bar that is drawn.
_DRAWN = threading.Lock()


def silent(done: int, total: int) -> None:
    """Report nothing."""


@contextlib.contextmanager
def reported(progress: ProgressLike, label: str) -> Iterator[Progress]:
    """Yield the callback to which work reports: the caller's own, or a bar.

    Args:
        progress: a function, called with (steps done, steps in all); None or True for a bar, where
            there is a terminal or a notebook to draw it; False for none.
        label: what is being done.
    """
    if callable(progress):
        yield progress
    elif progress is False:
        yield silent
    else:
        with progress_bar(label) as update:
            yield update


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Yield a callback ``(done, total)`` that draws a bar with an estimate of the remaining time.

    Without a terminal or a notebook, or while another bar is drawn, it draws nothing.

    Args:
        label: the text in front of it.
    """
    kinds = {"terminal": _terminal_bar, "notebook": _notebook_bar}
    kind = "notebook" if in_notebook() else "terminal" if sys.stderr.isatty() else ""
    if not kind or not _DRAWN.acquire(blocking=False):
        yield silent
        return
    try:
        with kinds[kind](label) as update:
            yield update
    finally:
        _DRAWN.release()


def in_notebook() -> bool:
    """Whether the output goes to the cells of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


@contextlib.contextmanager
def _terminal_bar(label: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(label, total=None)
    started = time.monotonic()

    def update(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - started > SHOW_AFTER_SECONDS:
            bar.start()

    try:
        yield update
    finally:
        bar.stop()


@contextlib.contextmanager
def _notebook_bar(label: str) -> Iterator[Progress]:
    """Draw a line of text that replaces itself; a notebook knows no cursor."""
    started, last, width = time.monotonic(), -1.0, 0

    def update(done: int, total: int) -> None:
        nonlocal last, width
        passed = time.monotonic() - started
        if passed < SHOW_AFTER_SECONDS or passed - last < 0.2:
            return
        last, line = passed, bar_text(label, done, total, passed)
        sys.stderr.write("\r" + line.ljust(width))
        sys.stderr.flush()
        width = len(line)

    try:
        yield update
    finally:
        if width:
            sys.stderr.write("\r" + " " * width + "\r")
            sys.stderr.flush()


def bar_text(label: str, done: int, total: int, seconds: float) -> str:
    """Return a bar as text: ``Scoring [###   ] 12 of 24, 0:05 left``.

    Args:
        label: what is being done.
        done: steps done.
        total: steps in all; 0 if not known.
        seconds: time since the beginning.
    """
    if not total:
        return f"{label}: {done}"
    full = min(_CELLS, _CELLS * done // total)
    left = round(seconds * (total - done) / done) if done else None
    rest = "" if left is None else f", {left // 60}:{left % 60:02d} left"
    return f"{label} [{'#' * full}{' ' * (_CELLS - full)}] {done} of {total}{rest}"
