"""Try every kind of dataset with many versions of pyarrow: each writes, and each reads all.

    python tools/compatibility/pyarrow_matrix.py --work /tmp/matrix 15.0.2 18.1.0 25.0.1 26.0.1

Each version gets a virtual environment with this project and the newest `datasets` that takes
it; about 600 MB and a minute each. Environments and datasets that are there are used again.
The table that it prints stands in docs/reproducibility.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
KINDS_SCRIPT = ROOT / "tools" / "compatibility" / "kinds.py"
COCO = ROOT / "tests" / "data" / "real_coco"
VERSIONS = (
    "15.0.2", "16.1.0", "17.0.0", "18.1.0", "20.0.0", "22.0.0", "24.0.0", "25.0.1", "26.0.1",
)  # fmt: skip


def main() -> int:
    """Run the matrix; 1 where anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="of pyarrow")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything")
    options = parser.parse_args()
    written = {version: write(options.work, version) for version in options.versions}
    lines, failed = [], 0
    for reader in options.versions:
        cells = []
        for writer in options.versions:
            problems = written[writer] or read(options.work, reader, writer)
            failed += len(problems)
            cells.append("yes" if not problems else "no")
            for problem in problems:
                print(f"pyarrow {reader} reads what {writer} wrote: {problem}", flush=True)
        lines.append([reader, others(options.work, reader), *cells])
    print(table([["read with", "and", *options.versions], *lines]))
    return 1 if failed else 0


def python(work: Path, version: str) -> Path:
    """Return the interpreter of a version's environment, made if it is not there."""
    place = work / "environments" / version
    interpreter = place / "bin" / "python"
    if not (place / "finished").is_file():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        wanted = [f"{ROOT}[datasets]", f"pyarrow=={version}", "pillow"]
        command = [str(interpreter), "-m", "pip", "install", "-q", "--no-compile", *wanted]
        subprocess.run(command, check=True)
        (place / "finished").touch()
    return interpreter


def write(work: Path, version: str) -> list[str]:
    """Write every kind with a version; return what went wrong."""
    folder = work / "written" / version
    if (folder / "finished").is_file():
        return []
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(python(work, version)), str(KINDS_SCRIPT), "write", str(folder), str(COCO)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return [f"writing failed: {done.stderr.strip().splitlines()[-1]}"]
    (folder / "finished").touch()
    return []


def read(work: Path, reader: str, writer: str) -> list[str]:
    """Read with one version what another wrote; return what went wrong."""
    folder = work / "reading" / f"{reader}-{writer}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(work / "written" / writer, folder)
    command = [str(python(work, reader)), str(KINDS_SCRIPT), "read", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shutil.rmtree(folder)
    if done.returncode:
        return [f"reading failed: {done.stderr.strip().splitlines()[-1]}"]
    problems = []
    for line in done.stdout.splitlines():
        found = json.loads(line)
        kind, counts = found.pop("kind"), set(found.values())
        if len(counts) != 1 or not all(isinstance(count, int) for count in counts):
            problems.append(f"{kind}: {found}")
    return problems


def others(work: Path, version: str) -> str:
    """Return the versions of NumPy and `datasets` in an environment."""
    code = (
        "import datasets, numpy\n"
        "print(f'NumPy {numpy.__version__}, datasets {datasets.__version__}')"
    )
    done = subprocess.run(
        [str(python(work, version)), "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def table(rows: list[list[str]]) -> str:
    """Return rows as a Markdown table."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


if __name__ == "__main__":
    raise SystemExit(main())
