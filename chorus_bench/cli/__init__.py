"""The command line: parses, calls, prints; no computation.

Exit codes: 0 fine, 1 the tool failed, 2 the input or the arguments are wrong, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys

from chorus_bench.errors import ChorusBenchError


def main() -> None:
    """Run the command line and leave with its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    from chorus_bench.cli.app import app

    try:
        app(standalone_mode=True)
    except ChorusBenchError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        sys.exit(130)
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
