"""Memory of processes that work with many arrays."""

from __future__ import annotations

import ctypes

# glibc's numbers of two settings, and the largest values that it would arrive at by itself.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
_ARRAY_BYTES, _FREE_BYTES = 1 << 25, 1 << 26


def keep_freed_memory() -> bool:
    """Let this process keep up to 64 MiB of freed memory, where the C library is glibc.

    Otherwise much of what a temporary array has freed goes back to the system, which clears it
    again for the next array: up to a fifth of the time of a simulated picture. For processes of
    our own (commands, workers); a program that imports the library decides for itself.

    Returns:
        Whether the C library has these settings.
    """
    try:
        change = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or none under this name
        return False
    kept = change(_MMAP_THRESHOLD, _ARRAY_BYTES) and change(_TRIM_THRESHOLD, _FREE_BYTES)
    return bool(kept)
