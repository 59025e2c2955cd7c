"""Termination signals: clean up first, as after an interruption."""

from __future__ import annotations

import signal
from types import FrameType

_NAMES = ("SIGTERM", "SIGHUP")


class Ended(BaseException):
    """The system told this process to end: a time limit, a closed terminal, a shutdown.

    Args:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        self.name = signal.Signals(number).name
        self.exit_code = 128 + number
        super().__init__(self.name)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP raise `Ended`, unless the parent process had them ignored."""
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise_ended)


def _raise_ended(number: int, frame: FrameType | None) -> None:
    del frame
    for name in _NAMES:  # batch systems may send several; cleaning up must not be cut short
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Ended(number)
