"""A polite end: what the system asks to end cleans up first, as an interruption does."""

from __future__ import annotations

import signal
from types import FrameType

_NAMES = ("SIGTERM", "SIGHUP")


class Ended(BaseException):
    """The system asked this process to end: a time limit, a closed terminal, a shutdown.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        self.name = signal.Signals(number).name
        self.exit_code = 128 + number
        super().__init__(self.name)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP raise `Ended`, unless whoever started this process ignores them."""
    for name in _NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _raise_ended)


def _raise_ended(number: int, frame: FrameType | None) -> None:
    del frame
    for name in _NAMES:  # batch systems ask more than once; cleaning up must not be cut short
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Ended(number)
