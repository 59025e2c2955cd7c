"""Scripts that start workers without a main guard, or come from standard input."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

JOBS = """
from chorus_bench.engines import EngineSettings, run_jobs
from tests.engines.jobs import Squares
from pathlib import Path
print("script", flush=True)
run = lambda: print(sorted(r["square"] for r in run_jobs(Squares(Path(".")), range(3), TWO)))
TWO = EngineSettings(workers=2)
"""
BUILD = """
from chorus_bench.datasets.export import export
from tests.datasets.recipes import squares
run = lambda: print(export(squares(), "out", workers=2).info.rows)
"""


def run(folder, script, *, by_input=False):
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-" if by_input else "script.py"]
    return subprocess.run(
        command,
        cwd=folder,
        input=script if by_input else None,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("script", [JOBS, BUILD])
def test_a_script_without_a_main_guard_is_told_what_to_do(tmp_path, script):
    done = run(tmp_path, f"{script}\nrun()\n")
    assert done.returncode == 1
    [last] = [line for line in done.stderr.splitlines() if "InputError" in line]
    assert "the worker processes end before they start work" in last
    for word in ('`if __name__ == "__main__":`', "workers=1"):
        assert word in done.stderr
    assert done.stderr.count("Traceback") == 2  # the error and its cause, none of a worker
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("size", [0, 2**22])
def test_standard_input_is_told_what_to_do(tmp_path, size):
    """A large setup too: Python waits for ever for a process that ends before it reads it."""
    setup = f'setup = Squares(Path(".")); vars(setup)["more"] = bytes({size})'
    script = JOBS.replace('Squares(Path("."))', "setup").replace("TWO =", f"{setup}\nTWO =")
    done = run(tmp_path, f"{script}\nrun()\n", by_input=True)
    assert done.returncode == 1
    assert "a script from standard input cannot be imported" in done.stderr


def test_a_script_with_a_main_guard(tmp_path):
    done = run(tmp_path, f"{JOBS}\nif __name__ == '__main__':\n    run()\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[0, 1, 4]"
