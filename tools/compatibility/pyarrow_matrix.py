"""Try every kind of dataset with many versions of pyarrow: each writes, and each reads all.

    python tools/compatibility/pyarrow_matrix.py --work /tmp/matrix 15.0.2 18.1.0 25.0.1 26.0.1

Each version gets a virtual environment with this project and the newest `datasets` that takes
it; about 600 MB and a minute each. Environments that are there are used again, with the project
as it is now. docs/versions.md says what was tried.
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
#: Kinds of datasets, in kinds.py.
KINDS = 5
COCO = ROOT / "tests" / "data" / "real_coco"
VERSIONS = (
    "15.0.2", "16.1.0", "17.0.0", "18.1.0", "20.0.0", "22.0.0", "24.0.0", "25.0.1", "26.0.1",
)  # fmt: skip


def main() -> int:
    """Run the matrix; return 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("versions", nargs="*", default=VERSIONS, help="versions of pyarrow")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything")
    options = parser.parse_args()
    versions = list(options.versions)
    for version in versions:
        install(options.work, version)
        write(options.work, version)
    problems: dict[tuple[str, str], list[str]] = {}
    lines = []
    for reader in versions:
        problems |= read(options.work, reader, versions)
        cells = ["no" if problems[reader, writer] else "yes" for writer in versions]
        lines.append([reader, others(options.work, reader), *cells])
    for (reader, writer), texts in problems.items():
        for text in texts:
            print(f"read with {reader}, written with {writer}: {text}")
    print(table([["read with", "and", *versions], *lines]))
    return int(any(problems.values()))


def python(work: Path, version: str) -> Path:
    """Return the interpreter of a version's environment."""
    return work / "environments" / version / "bin" / "python"


def install(work: Path, version: str) -> None:
    """Make the environment of a version if it is not there, and put the project into it."""
    place = work / "environments" / version
    again = [str(python(work, version)), "-m", "pip", "install", "-q", "--no-compile"]
    if not (place / "finished").is_file():
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        wanted = [f"{ROOT}[datasets]", f"pyarrow=={version}", "pillow"]
        subprocess.run([*again, *wanted], check=True)
        (place / "finished").touch()
    subprocess.run([*again, "--no-deps", "--force-reinstall", str(ROOT)], check=True)


def write(work: Path, version: str) -> None:
    """Write every kind with a version."""
    folder = work / "written" / version
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(python(work, version)), str(KINDS_SCRIPT), "write", str(folder), str(COCO)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"writing with pyarrow {version} failed:\n{done.stderr}")


def read(work: Path, reader: str, writers: list[str]) -> dict[tuple[str, str], list[str]]:
    """Read with one version what all have written; return the problems with each."""
    place = work / "reading" / reader
    shutil.rmtree(place, ignore_errors=True)
    folders = [shutil.copytree(work / "written" / writer, place / writer) for writer in writers]
    command = [str(python(work, reader)), str(KINDS_SCRIPT), "read", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shutil.rmtree(place)
    problems: dict[tuple[str, str], list[str]] = {(reader, writer): [] for writer in writers}
    seen = 0
    for line in done.stdout.splitlines():
        found = json.loads(line)
        writer, kind, counts = found.pop("folder"), found.pop("kind"), set(found.values())
        seen += 1
        if len(counts) != 1 or not all(isinstance(count, int) for count in counts):
            problems[reader, writer].append(f"{kind}: {found}")
    if done.returncode or seen != KINDS * len(writers):
        problems[reader, writers[-1]].append(f"stopped: {done.stderr.strip()[-300:]}")
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
