"""Progress on standard error: a bar for work longer than two seconds, lines for stages."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

SHOW_AFTER_SECONDS = 2.0


class ProgressBar:
    """A bar, or none where standard error is not a terminal.

    Args:
        label: what is being done.
        drawn: how it is drawn; None for no bar.
    """

    def __init__(self, label: str, drawn: Progress | None) -> None:
        self._drawn, self._started = drawn, time.monotonic()
        self._task = None if drawn is None else drawn.add_task(label, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Move the bar; it is first drawn after two seconds."""
        if self._drawn is None or self._task is None:
            return
        self._drawn.update(self._task, completed=done, total=total)
        late = time.monotonic() - self._started > SHOW_AFTER_SECONDS
        if late and not self._drawn.live.is_started:
            self._drawn.start()

    def say(self, label: str) -> None:
        """Say what is being done from now on."""
        if self._drawn is not None and self._task is not None:
            self._drawn.update(self._task, description=label)


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[ProgressBar]:
    """Yield a callback ``(done, total)`` that draws a bar with an estimate of the remaining time.

    Nothing is drawn in the first two seconds, or if standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield ProgressBar(label, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    try:
        yield ProgressBar(label, bar)
    finally:
        bar.stop()


_SECONDS_A_LINE = 30.0


class StageLines:
    """Writes a line to standard error when a stage begins, and its progress if it is long."""

    def __init__(self) -> None:
        self._stage, self._started, self._last = "", time.monotonic(), 0.0

    def update(self, stage: str, done: int, total: int) -> None:
        """Report progress: the stage, the work done, and the total."""
        now = time.monotonic() - self._started
        if stage != self._stage or now - self._last > _SECONDS_A_LINE:
            self._stage, self._last = stage, now
            typer.echo(f"{now:7.1f} s  {stage}: {done} of {total}", err=True)
