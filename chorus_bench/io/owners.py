"""Which process made something, and whether it is still there.

What a run writes before it is finished carries its owner in its name: the machine, the process
and when that was started. A later run can so tell what a killed one has left from what another
one is working on.
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
_ENDED = ("Z", "X", "x")  # states of a process that is no more, but not yet collected


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        machine: stands for the machine and, in a container, for the container.
        process: its id.
        started: when it was started, in the system's ticks; 0 where that is not known.
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
        """Return the owner that a label stands for; None where it is none."""
        found = _LABEL.fullmatch(label)
        return None if found is None else cls(found[1], int(found[2]), int(found[3]))

    @property
    def label(self) -> str:
        """The owner as a part of a file name."""
        return f"{self.machine}-{self.process}-{self.started}"

    def is_gone(self) -> bool:
        """Whether the process has certainly ended. Of another machine's nothing is certain."""
        if self.machine != _machine() or os.name == "nt":
            return False
        try:
            os.kill(self.process, 0)
        except (ProcessLookupError, OverflowError):
            return True
        except OSError:  # it is there, and somebody else's
            pass
        found = _state_and_start(self.process)
        if found is None:
            return False
        state, started = found
        return state in _ENDED or (self.started != 0 and started != self.started)


@cache
def _machine() -> str:
    """Return 8 hex digits for the machine's name, its id and the space of its process ids."""
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
    """Return a process's state and start as Linux tells them; None elsewhere."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
