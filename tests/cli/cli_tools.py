"""Running the command line in tests, as a user would."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

from chorus_bench.cli import main


def run_process(*arguments: object, **options) -> subprocess.CompletedProcess:
    """Run ``chorus-bench`` in a process of its own and return what it printed."""
    command = [sys.executable, "-c", "from chorus_bench.cli import main; main()"]
    return subprocess.run(
        [*command, *(str(argument) for argument in arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )


def run_cli(*arguments: object, cwd=None, env=None) -> subprocess.CompletedProcess:
    """Run ``chorus-bench`` in this process, which saves a process's imports; as `run_process`."""
    line = ["chorus-bench", *(str(argument) for argument in arguments)]
    out, err = _stream(), _stream()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    with (
        mock.patch.multiple(sys, argv=line, stdout=out, stderr=err),
        mock.patch.dict(os.environ, env or {}),
        contextlib.chdir(cwd or Path.cwd()),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return subprocess.CompletedProcess(line, code, _text(out), _text(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()
