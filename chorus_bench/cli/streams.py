"""Standard output and error of any kind: in an old encoding, closed, or on a full disk."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import Any, TextIO

_ESCAPES = "chorus_bench_escapes"


def prepare_streams() -> None:
    r"""Make standard output and error usable, whatever they are.

    Characters that their encoding lacks are printed as ``\uXXXX``, which JSON reads as well; what
    is closed leads nowhere, and no file that is opened later takes its place; a failure of
    standard output says that it is one.
    """
    for number in range(3):
        _open_if_closed(number)
    codecs.register_error(_ESCAPES, _escape)
    sys.stdout = _nowhere() if sys.stdout is None else _named(sys.stdout)
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPES)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - for the whole run


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


class _StandardOutput(io.FileIO):
    """Standard output that names itself in its failures, and after the first takes anything."""

    def write(self, data: Any) -> Any:  # noqa: ANN401 - whatever has bytes
        """Write bytes; return how many."""
        try:
            return super().write(data)
        except OSError as error:
            if len(data):  # libraries write nothing to find out what a stream is
                _let_go(self.fileno())
            error.filename = "standard output"
            raise


def _named(stream: TextIO) -> TextIO:
    """Return a stream like this one whose failures name it; one that is no file as it is."""
    buffer = getattr(stream, "buffer", None)
    if not isinstance(getattr(buffer, "raw", buffer), io.FileIO):
        return stream
    raw = _StandardOutput(stream.fileno(), "w", closefd=False)
    unbuffered = isinstance(buffer, io.FileIO)
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        stream.encoding,
        line_buffering=stream.isatty(),
        write_through=unbuffered,
    )


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Replace what cannot be encoded by escapes of UTF-16 units."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)), error.end


def write_error(text: str) -> None:
    """Write a line to standard error; where that cannot be, there is nobody to tell."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        _let_go(2)


def _let_go(number: int) -> None:
    """Send what nobody can take to nowhere, so that Python does not try once more at its end."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
