"""Progress of long work: a bar on standard error, in terminals and notebooks.

Nothing is drawn in the first two seconds, nor beside the bar of what called it.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

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


def say(progress: Progress, label: str) -> None:
    """Tell a bar what is being done from now on; a plain function is not told.

    Args:
        progress: what `reported` gave.
        label: the new text in front of the bar.
    """
    told = getattr(progress, "say", None)
    if told is not None:
        told(label)


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
    if in_notebook():
        kind: type[TerminalBar | NotebookBar] = NotebookBar
    elif sys.stderr.isatty():
        kind = TerminalBar
    else:
        yield silent
        return
    if not _DRAWN.acquire(blocking=False):
        yield silent
        return
    try:
        with kind(label) as bar:
            yield bar
    finally:
        _DRAWN.release()


def in_notebook() -> bool:
    """Whether the output goes to the cells of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class TerminalBar:
    """A bar on standard error, first drawn after two seconds, whether or not work has reported.

    Args:
        label: the text in front of it.
    """

    def __init__(self, label: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(label, total=None)
        self._start = threading.Timer(SHOW_AFTER_SECONDS, self._bar.start)
        self._start.daemon = True

    def __enter__(self) -> Self:
        self._start.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._start.cancel()
        self._start.join()
        self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=done, total=total)

    def say(self, label: str) -> None:
        """Put another text in front."""
        self._bar.update(self._task, description=label)


class NotebookBar:
    """A line of text that replaces itself; a notebook knows no cursor.

    Args:
        label: the text in front of it.
    """

    def __init__(self, label: str) -> None:
        self._label, self._started, self._last, self._width = label, time.monotonic(), -1.0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def __call__(self, done: int, total: int) -> None:
        """Write the line again, at most five times a second."""
        passed = time.monotonic() - self._started
        if passed < SHOW_AFTER_SECONDS or passed - self._last < 0.2:
            return
        self._last, line = passed, bar_text(self._label, done, total, passed)
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def say(self, label: str) -> None:
        """Put another text in front."""
        self._label = label


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
