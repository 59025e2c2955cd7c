"""Which process created a file, and whether it still runs.

Unfinished files carry their owner in their name: the machine, the process and its start time. So a
later run can tell the leftovers of a killed run from files that another run is writing.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LABEL = re.compile(r"([0-9a-f]{8})-(\d{1,10})-(\d{1,20})")
_ENDED = ("Z", "X", "x")  # states of a process that has ended but is not yet reaped


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        machine: identifies the machine and, in a container, the container.
        process: its id.
        started: start time in the system's ticks; 0 if unknown.
    """

    machine: str
    process: int
    started: int

    @classmethod
    def current(cls) -> Owner:
        """Return this process."""
        process = os.getpid()
        return cls(_machine(), process, _started(process))

    @classmethod
    def parse(cls, label: str) -> Owner | None:
        """Return the owner of a label; None if it is not a label."""
        found = _LABEL.fullmatch(label)
        return None if found is None else cls(found[1], int(found[2]), int(found[3]))

    @property
    def label(self) -> str:
        """The owner as a part of a file name."""
        return f"{self.machine}-{self.process}-{self.started}"

    def is_gone(self) -> bool:
        """Whether the process has certainly ended; never certain for another machine."""
        if self.machine != _machine() or os.name == "nt":
            return False
        try:
            os.kill(self.process, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:  # it runs, as another user
            pass
        found = _state_and_start(self.process)
        if found is None:
            return False
        state, started = found
        return state in _ENDED or (self.started != 0 and started != self.started)


@cache
def _machine() -> str:
    """Return 8 hex digits for the machine's name, its id and its process namespace."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/etc/machine-id").read_text(encoding="ascii", errors="replace"))
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:8]


@cache
def _started(process: int) -> int:
    found = _state_and_start(process)
    return 0 if found is None else found[1]


def _state_and_start(process: int) -> tuple[str, int] | None:
    """Return a process's state and start time on Linux; None elsewhere."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
