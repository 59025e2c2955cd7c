"""Progress on standard error: a bar or lines for long work, lines for stages; none with --quiet."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path

import typer

from chorus_bench.progress import Progress, TerminalBar, silent

#: Seconds to the first line where standard error is no terminal, and at most between lines.
SECONDS_A_LINE, LONGEST_PAUSE = 30.0, 240.0

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


@contextlib.contextmanager
def silenced(quiet: bool) -> Iterator[None]:
    """Show no progress and no notes of the library while something runs; warnings are shown."""
    log = logging.getLogger("chorus_bench")
    level, token = log.level, _quiet.set(quiet or _quiet.get())
    if quiet:
        log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)
        _quiet.reset(token)


@contextlib.contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Yield a callback ``(done, total)`` that shows how far something is.

    In a terminal a bar with an estimate of the remaining time appears after two seconds. Elsewhere
    a line is written now and then, also where nothing is reported. With ``--quiet`` neither is.
    """
    if _quiet.get():
        yield silent
        return
    with (TerminalBar if sys.stderr.isatty() else _Lines)(label) as shown:
        yield shown


def say_written(files: Iterable[Path], output_format: str) -> None:
    """Announce the files that a command has written, where its output is no data: on its end.

    Beside data for programs the line goes to standard error.
    """
    text = f"wrote {', '.join(map(str, files))}"
    if output_format == "table":
        typer.echo(f"\n{text}")
    elif not _quiet.get():
        typer.echo(text, err=True)


class _Lines:
    """Writes a line now and then: what is done, how much, and how long it has taken."""

    def __init__(self, label: str) -> None:
        self._label, self._done, self._total = label, 0, 0
        self._started, self._ended = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> _Lines:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, done: int, total: int) -> None:
        """Take note of how much is done."""
        self._done, self._total = done, total

    def say(self, label: str) -> None:
        """Name what is being done from now on."""
        self._label = label

    def _write(self) -> None:
        pause = SECONDS_A_LINE
        while not self._ended.wait(pause):
            pause = min(2 * pause, LONGEST_PAUSE)
            far = f": {self._done} of {self._total}" if self._total else ""
            seconds = time.monotonic() - self._started
            with contextlib.suppress(OSError, ValueError):  # nobody reads what is written
                typer.echo(f"{self._label}{far}, {seconds:.0f} s so far", err=True)


class StageLines:
    """Writes a line to standard error when a stage begins, and its progress if it is long."""

    def __init__(self) -> None:
        self._stage, self._started, self._last = "", time.monotonic(), 0.0
        self._quiet = _quiet.get()  # here: threads that report do not inherit it

    def update(self, stage: str, done: int, total: int) -> None:
        """Report progress: the stage, the work done, and the total; 0 if nobody knows it."""
        now = time.monotonic() - self._started
        if self._quiet or (stage == self._stage and now - self._last <= SECONDS_A_LINE):
            return
        self._stage, self._last = stage, now
        amount = f"{done} of {total}" if total else f"{done} so far"
        typer.echo(f"{now:7.1f} s  {stage}: {amount}", err=True)
