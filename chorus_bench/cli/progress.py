"""Progress on standard error: a bar for work longer than two seconds, lines for stages."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import typer

SHOW_AFTER_SECONDS = 2.0


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a callback ``(done, total)`` that draws a bar with an estimate of the remaining time.

    Nothing is drawn in the first two seconds, or if standard error is not a terminal.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
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


_SECONDS_A_LINE = 30.0


class StageLines:
    """Writes a line to standard error when a stage begins, and its progress if it is long."""

    def __init__(self) -> None:
        self._stage, self._started, self._last = "", time.monotonic(), 0.0

    def update(self, stage: str, done: int, total: int) -> None:
        """Report progress: the stage, the work done, and the total; 0 if nobody knows it."""
        now = time.monotonic() - self._started
        if stage != self._stage or now - self._last > _SECONDS_A_LINE:
            self._stage, self._last = stage, now
            amount = f"{done} of {total}" if total else f"{done} so far"
            typer.echo(f"{now:7.1f} s  {stage}: {amount}", err=True)
