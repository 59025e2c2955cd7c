"""Freed memory that a process keeps."""

import platform
import subprocess
import sys

#: Takes 32 arrays of 1 MiB and frees them, twice; prints the second time's page faults.
TWICE = """
import resource
import numpy as np
from chorus_bench.engines.memory import keep_freed_memory

told = {keep} and keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1 << 17) for _ in range(32)]
    del arrays
print(told, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(keep):
    command = [sys.executable, "-c", TWICE.format(keep=keep)]
    told, count = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return told == "True", int(count)


def test_freed_memory_is_kept_with_glibc():
    told, kept = faults(keep=True)
    assert told == (platform.libc_ver()[0] == "glibc")
    assert not told or kept < faults(keep=False)[1] / 10
