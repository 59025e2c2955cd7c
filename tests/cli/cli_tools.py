"""Running the command line in tests, as a user would."""

from __future__ import annotations

import subprocess
import sys


def run_cli(*arguments: object, **options) -> subprocess.CompletedProcess:
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
