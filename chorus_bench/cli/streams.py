"""Standard output and error that work with old encodings, closed streams and full disks."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import Any, TextIO

_ESCAPES = "chorus_bench_escapes"


def prepare_streams() -> None:
    r"""Make standard output and error usable in any environment.

    Characters missing from their encoding are printed as ``\uXXXX``, which is valid JSON. A closed
    stream is replaced by the null device, so that no file opened later takes its number. Errors of
    standard output name it.
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
        os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one


class _StandardOutput(io.FileIO):
    """Standard output that is named in its errors and discards everything after the first."""

    def write(self, data: Any) -> Any:  # noqa: ANN401 - whatever has bytes
        """Write bytes and return their number."""
        try:
            return super().write(data)
        except OSError as error:
            if len(data):  # libraries write zero bytes to probe a stream
                _let_go(self.fileno())
            error.filename = "standard output"
            raise


def _named(stream: TextIO) -> TextIO:
    """Return the stream with errors that name it; unchanged if it is not a file."""
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
    """Replace characters that cannot be encoded by escapes of their UTF-16 units."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)), error.end


def write_error(text: str) -> None:
    """Write a line to standard error; give up silently if that is impossible."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        _let_go(2)


def _let_go(number: int) -> None:
    """Redirect to the null device, so that Python does not try to flush again at exit."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)
