"""Fuzz the readers: ``python -m tests.fuzz --minutes 60 [--reader NAME]``.

Prints the number of inputs of each reader, the peak memory and the slowest read. A failure is
printed with its traceback, and the exit code is then 1. An input that takes more memory or more of
the processor's time than `LARGEST` and `LONGEST` is a failure too.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
import traceback
from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.readers import READERS
from tests.fuzz.test_readers import try_one

BATCH = 50
#: The memory of the whole process, MiB; and the processor's seconds for one input.
LARGEST, LONGEST = 1024.0, 60.0


def main() -> int:
    """Run until the time is up; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--reader", choices=[reader.name for reader in READERS])
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    readers = [r for r in READERS if chosen.reader in (None, r.name)]
    end, rng = time.monotonic() + 60 * chosen.minutes, random.Random(chosen.seed)
    tried: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    failures = 0
    while time.monotonic() < end:
        for reader in readers:
            failures += _batch(reader, rng.randrange(2**32), tried, slowest)
            if time.monotonic() > end:
                break
    for reader in readers:
        name = reader.name
        print(f"{name:20} {tried[name]:8} inputs, slowest {slowest.get(name, 0):6.2f} s")
    print(f"{sum(tried.values())} inputs, {failures} failures, largest memory {_peak():.0f} MiB")
    return int(failures > 0)


def _batch(reader, number: int, tried: Counter[str], slowest: dict[str, float]) -> int:
    @seed(number)
    @settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # making a failure smaller would take longer than was asked for
        print_blob=True,
    )
    @given(data=st.data())
    def run(data):
        started, before = time.process_time(), _peak()
        tried[reader.name] += 1
        try_one(reader, data.draw)
        seconds = time.process_time() - started
        slowest[reader.name] = max(slowest.get(reader.name, 0.0), seconds)
        assert seconds < LONGEST, f"one input took {seconds:.0f} s"
        assert _peak() < max(LARGEST, before + 1), f"one input took memory up to {_peak():.0f} MiB"

    try:
        run()
    except Exception:
        print(f"--- {reader.name}, seed {number}")
        traceback.print_exc()
        return 1
    return 0


def _peak() -> float:
    """The most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    raise SystemExit(main())
