"""The command line: parses, calls, prints; no computation.

Exit codes: 0 fine, 1 the tool failed, 2 the input or the arguments are wrong, 130 interrupted,
143 or 129 ended by the system (SIGTERM, SIGHUP).
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator

from chorus_bench.cli.endings import Ended, end_on_signals
from chorus_bench.cli.streams import prepare_streams, write_error
from chorus_bench.errors import ChorusBenchError

_FAILED, _INTERRUPTED = 1, 130
_GO_ON = "run the same command again to continue"
#: With this variable set, errors of the system are shown with where they came from.
TRACEBACK_VARIABLE = "CHORUS_BENCH_TRACEBACK"


def main() -> None:
    """Run the command line and exit with its code."""
    prepare_streams()
    end_on_signals()
    with _notes_shown():
        code = _code(_run) or _code(sys.stdout.flush)
    sys.exit(code)


@contextlib.contextmanager
def _notes_shown() -> Iterator[None]:
    """Print what the library logs. Other libraries print their own notes, if anybody does.

    A handler for all of them would print a second time what the hub's libraries have printed.
    """
    log, handler = logging.getLogger("chorus_bench"), logging.StreamHandler()
    level = log.level
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def _run() -> None:
    from chorus_bench.cli.app import app

    app(standalone_mode=True)


def _code(work: Callable[[], int | None]) -> int:
    """Do something; say what went wrong, and return the exit code."""
    try:
        return work() or 0
    except ChorusBenchError as error:
        write_error(f"error: {error}")
        return error.exit_code
    except Ended as end:
        write_error(f"ended by {end.name}; {_GO_ON}")
        return end.exit_code
    except (KeyboardInterrupt, SystemExit) as end:
        return _left(end)
    except (OSError, MemoryError) as error:
        return _system_failed(error)


def _left(end: KeyboardInterrupt | SystemExit) -> int:
    """Return the exit code of a command that was left early."""
    code = end.code if isinstance(end, SystemExit) else _INTERRUPTED
    if code == _INTERRUPTED:  # Typer makes an exit of an interruption where it catches it
        write_error(f"interrupted; {_GO_ON}")
    if code is None or isinstance(code, int):
        return code or 0
    write_error(str(code))
    return _FAILED


def _system_failed(error: OSError | MemoryError) -> int:
    """Say what the system could not do, where no code nearer to it has; return the exit code."""
    if os.environ.get(TRACEBACK_VARIABLE):
        raise error
    if isinstance(error, BrokenPipeError):  # who reads what is printed has seen enough
        return _FAILED
    if isinstance(error, MemoryError):
        write_error(
            f"error: out of memory {error}\n  What to do: use fewer workers, smaller batches or "
            f"fewer categories, or a machine with more memory; {_GO_ON}"
        )
        return _FAILED
    from chorus_bench.io.files import describe_failure

    message, code = describe_failure(error)
    write_error(f"error: {message}\n  ({TRACEBACK_VARIABLE}=1 shows where this came from)")
    return code
