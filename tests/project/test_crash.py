"""Commands killed at a few moments and run again. All moments: `tools/reliability/crash.py`."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TOOL = REPOSITORY / "tools" / "reliability" / "crash.py"


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_commands_keep_what_is_promised_wherever_they_are_killed():
    done = run("import", "evaluate", "baseline", "add", "--moments", "4", "--random", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    killed = int(last.removeprefix("all: ").partition(" ")[0])
    assert killed >= 4 * (4 + 1)
    assert last.endswith("moments killed, failures 0")


def test_a_broken_promise_is_found(tmp_path):
    """A tool that overwrites its output in place, and leaves something behind."""
    code = (
        "import sys; sys.argv = ['crash.py', 'careless']\n"
        f"sys.path.insert(0, {str(TOOL.parent)!r})\n"
        "import crash, pathlib, chorus_bench.cli\n"
        "def careless():\n"
        "    pathlib.Path('unfinished').mkdir(exist_ok=True)\n"
        "    with open('out', 'w') as file:\n"
        "        file.write('half')\n"
        "        file.flush()\n"
        "        pathlib.Path('unfinished').rmdir()\n"
        "        file.write('half')\n"
        "chorus_bench.cli._run = careless\n"
        "crash.COMMANDS['careless'] = crash.Command(())\n"
        "crash.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "partial: ['work/out']" in done.stdout
    assert done.stdout.endswith("failures 1\n")
