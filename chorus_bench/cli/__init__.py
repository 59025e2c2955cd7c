"""The command line: parses, calls, prints; no computation.

Exit codes: 0 fine, 1 the tool failed, 2 the input or the arguments are wrong, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys

from chorus_bench.errors import ChorusBenchError

_INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit with its code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    from chorus_bench.cli.app import app

    try:
        app(standalone_mode=True)
    except ChorusBenchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as end:
        # Typer turns an interruption into an exit if it catches it.
        if isinstance(end, SystemExit) and end.code != _INTERRUPTED:
            raise
        sys.stderr.write("interrupted; run the same command again to continue\n")
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
