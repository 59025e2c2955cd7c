"""Kill commands at every moment that changes the disk, run them again, and compare.

    python tools/reliability/crash.py                      every command, at every moment
    python tools/reliability/crash.py build add --every 5  two of them, at every fifth moment
    python tools/reliability/crash.py --moments 4          every command, at 4 moments
    python tools/reliability/crash.py --minutes 5          as many moments as that, each command
    python tools/reliability/crash.py --random 50          also at 50 random times each

A moment is just before a call that opens a file for writing, renames, links, creates, removes or
flushes something. The process gets SIGKILL there, which cannot be caught. Then:

1. no output file is partial: a file with its final name has its final bytes;
2. the same command succeeds when run again (or reports that the complete output exists);
3. the output has the same bytes as that of an undisturbed run;
4. nothing is left behind beside the output, in the cache or in the temporary folder.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from commands import COMMANDS, Command

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = frozenset(
    f"os.{name}" for name in ("rename", "link", "symlink", "mkdir", "remove", "rmdir", "truncate")
)
#: The differences between two runs of the same command: times, and the machine.
_VARYING = re.compile(rb'"(seconds|environment)": (\{[^{}]*\}|[0-9.e+-]+)|simulated in [0-9.]+ s')

#: The same at the top of a JSON file; and how many pictures a run made, which is fewer for one that
#: continues.
_OF_THIS_RUN = ("seconds", "environment", "counts")


@dataclass
class Tally:
    """The outcome for a command.

    Attributes:
        name: the command.
        moments: number of moments at which it could be killed.
        killed: number of kills.
        failures: violations of the four points.
    """

    name: str
    moments: int = 0
    killed: int = 0
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Run the requested commands and print the outcome."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commands", nargs="*", help=f"of {', '.join(COMMANDS)}; all by default")
    parser.add_argument("--every", type=int, default=1, help="kill at every N-th moment")
    parser.add_argument("--moments", type=int, help="kill at N moments, spread evenly")
    parser.add_argument("--minutes", type=float, help="stop a command after so long")
    parser.add_argument("--random", type=int, default=0, help="also kill at N random times")
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    chosen = parser.parse_args()
    unknown = set(chosen.commands) - set(COMMANDS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    tallies = []
    for name in chosen.commands or COMMANDS:
        tally = try_command(name, chosen)
        tallies.append(tally)
        print(f"{name}: {tally.moments} moments, {tally.killed} killed, "
              f"failures {len(tally.failures)}", flush=True)  # fmt: skip
        print("".join(f"  {failure}\n" for failure in tally.failures), end="", flush=True)
    killed, failures = sum(t.killed for t in tallies), sum(len(t.failures) for t in tallies)
    print(f"all: {killed} moments killed, failures {failures}")
    sys.exit(1 if failures else 0)


def try_command(name: str, chosen: argparse.Namespace) -> Tally:
    """Kill one command at its moments, in random order, and at random times.

    Args:
        name: of `COMMANDS`.
        chosen: the options of the command line.
    """
    end = time.monotonic() + 60 * (chosen.minutes or 1e6)
    with tempfile.TemporaryDirectory(prefix="crash-") as place:
        trial = Trial(COMMANDS[name], Path(place))
        tally = Tally(name, trial.moments)
        random_times = random.Random(chosen.seed)
        step = max(1, trial.moments // chosen.moments) if chosen.moments else chosen.every
        numbers = list(range(0, trial.moments, step))
        random.Random(chosen.seed).shuffle(numbers)
        for number in numbers:
            if time.monotonic() > end:
                break
            _count(tally, f"moment {number}", trial.killed_at(number))
        for _ in range(chosen.random):
            seconds = random_times.uniform(0, trial.seconds)
            _count(tally, f"after {seconds:.3f} s", trial.killed_after(seconds))
    return tally


def _count(tally: Tally, when: str, outcome: str | None) -> None:
    tally.killed += 1
    if outcome is not None:
        tally.failures.append(f"{when}: {outcome}")


class Trial:
    """A command, with the outcome of an undisturbed run.

    Args:
        command: the command.
        place: an empty folder.
    """

    def __init__(self, command: Command, place: Path) -> None:
        self.arguments, self.place = command.arguments, place
        self._prepared, self._modules = place / "prepared", place / "modules"
        for name in ("work", "cache", "tmp"):
            (self._prepared / name).mkdir(parents=True)
        with _environment(self._prepared):
            command.prepare(self._prepared / "work")
        shutil.rmtree(self._prepared / "cache")
        (self._prepared / "cache").mkdir()
        code, _ = self._run(self._fresh())
        if code != 0:
            raise SystemExit(f"{' '.join(self.arguments)}: {self._log()}")
        _import(self._modules.read_text().split())
        folder = self._fresh()
        started = time.monotonic()
        code, self.moments = self._run(folder)
        self.seconds = time.monotonic() - started
        if code != 0:
            raise SystemExit(f"{' '.join(self.arguments)}: {self._log()}")
        self._wanted = _contents(folder)

    def killed_at(self, moment: int) -> str | None:
        """Kill a run at a moment and run it again; return what went wrong."""
        folder = self._fresh()
        code, _ = self._run(folder, moment=moment)
        return self._compare(folder, code)

    def killed_after(self, seconds: float) -> str | None:
        """Kill a run after a time and run it again; return what went wrong."""
        folder = self._fresh()
        code, _ = self._run(folder, seconds=seconds)
        return self._compare(folder, code)

    def _compare(self, folder: Path, code: int) -> str | None:
        if code not in (0, -signal.SIGKILL):
            return f"ended with {code} and was not killed: {self._log()}"
        parts = [n for n, digest in _contents(folder).items() if _is_final(n) and
                 self._wanted.get(n, digest) != digest]  # fmt: skip
        if parts:
            return f"partial: {parts[:3]}"
        code, _ = self._run(folder)
        if code not in (0, 2) or (code == 2 and "already exists" not in self._log()):
            return f"the second run ended with {code}: {self._log()}"
        found = _contents(folder)
        names = {name for name, _ in found.items() ^ self._wanted.items()}
        return f"left or different after the second run: {sorted(names)[:5]}" if names else None

    def _fresh(self) -> Path:
        folder = self.place / "run"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._prepared, folder)
        return folder

    def _run(
        self, folder: Path, moment: int | None = None, seconds: float | None = None
    ) -> tuple[int, int]:
        """Run the command in a child; return its exit code and number of moments."""
        counted = self.place / "moments"
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            with (self.place / "log").open("wb") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            _run_here(folder, self.arguments, moment, counted, self._modules)
        if seconds is not None:
            time.sleep(seconds)
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, int(counted.read_text()) if counted.exists() else 0

    def _log(self) -> str:
        return (self.place / "log").read_text(errors="replace").strip()[-300:]


def _run_here(
    folder: Path, arguments: tuple[str, ...], moment: int | None, counted: Path, modules: Path
) -> None:
    """Run the command in this process, which ends with it or is killed."""
    code = 1
    try:
        with _environment(folder):
            seen = [0]

            def pass_moment() -> None:
                if seen[0] == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
                seen[0] += 1

            _watch(pass_moment)
            sys.argv = ["chorus-bench", *arguments]
            from chorus_bench.cli import main as command

            try:
                command()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 0
            sys.stdout.flush()
            moments, moment = seen[0], None
            counted.write_text(str(moments))
            modules.write_text("\n".join(sys.modules))
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _import(modules: Iterable[str]) -> None:
    """Import what a run needed, once: the child processes inherit it."""
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def _watch(pass_moment: Callable[[], None]) -> None:
    """Call a function before everything that changes the disk."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _CHANGES:
            pass_moment()
        elif event == "open":
            _, mode, flags = arguments
            writes = isinstance(flags, int) and flags & _WRITES
            if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
                pass_moment()

    fsync = os.fsync

    def watched_fsync(descriptor: int) -> None:
        pass_moment()
        fsync(descriptor)

    os.fsync = watched_fsync
    sys.addaudithook(hook)


class _environment:  # noqa: N801 - used as a function
    """Move the cache, temporary files and the current folder below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        self._before = Path.cwd(), os.environ.get("TMPDIR")
        os.chdir(self._folder / "work")
        os.environ["CHORUS_BENCH_CACHE"] = str(self._folder / "cache")
        os.environ["TMPDIR"] = tempfile.tempdir = str(self._folder / "tmp")

    def __exit__(self, *_: object) -> None:
        folder, temporary = self._before
        os.chdir(folder)
        tempfile.tempdir = None
        os.environ.pop("TMPDIR")
        if temporary is not None:
            os.environ["TMPDIR"] = temporary


def _contents(folder: Path) -> dict[str, str]:
    """Return a digest of everything below a folder, except times and the machine."""
    return dict(_digests(folder))


def _digests(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir():
            yield f"{name}/", ""
            continue
        content = path.read_bytes()
        if path.suffix == ".json":
            content = _plain_json(content)
        yield name, hashlib.sha256(_VARYING.sub(b"", content)).hexdigest()


def _plain_json(content: bytes) -> bytes:
    """Return JSON without what differs between runs; other data unchanged."""
    try:
        value = json.loads(content)
    except ValueError:
        return content
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if k not in _OF_THIS_RUN}
    return json.dumps(value, sort_keys=True).encode()


def _is_final(name: str) -> bool:
    """Whether this is the name of finished output, not of a working file.

    What is in a folder of stages changes when a later stage takes its pictures over.
    """
    working = (".unfinished", ".work")
    return not any(p.startswith(".") or p.endswith(working) for p in name.split("/"))


if __name__ == "__main__":
    main()
