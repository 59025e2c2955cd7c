"""Jobs for the engines' tests: each writes one file; some kill their worker the first time."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.errors import ChorusBenchError, InputError
from chorus_bench.io.files import atomic_write_bytes


@dataclass(frozen=True)
class Squares:
    """Sets a worker up; counts how often in a file per process."""

    folder: Path

    def __call__(self):
        (self.folder / f"worker-{os.getpid()}").touch()
        return self.square

    def square(self, number):
        atomic_write_bytes(self.folder / f"{number}.txt", str(number**2).encode())
        return {"square": number**2, "process": os.getpid()}


@dataclass(frozen=True)
class Deadly(Squares):
    """Dies of SIGKILL in the middle of job 3, as many times as asked for."""

    deaths: int = 1

    def square(self, number):
        tombs = sorted(self.folder.glob("died-*"))
        if number == 3 and len(tombs) < self.deaths:
            (self.folder / f"died-{len(tombs)}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().square(number)


@dataclass(frozen=True)
class Refusing(Squares):
    """Raises at job 3."""

    wrong_input: bool = True

    def square(self, number):
        if number == 3:
            raise InputError("three", where="job") if self.wrong_input else ChorusBenchError("bad")
        return super().square(number)


@dataclass(frozen=True)
class NoModel(Squares):
    """Cannot be set up."""

    def __call__(self):
        raise InputError("no model", fix="bring one")
