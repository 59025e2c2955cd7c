"""Functions that test and training rows share."""

from __future__ import annotations

from chorus_bench.errors import InputError
from chorus_bench.seeds import Stream

#: Raised when the simulated world changes, so that rows of two worlds are never mixed.
WORLD = "simulated-1"

_LEAST_SIDE = 32


def row_stream(kind: str, seed: int, *address: object) -> Stream:
    """Return the random stream of a row."""
    return Stream(WORLD, kind, seed, *address)


def check_request(index: int, size: tuple[int, int]) -> None:
    """Raise an `InputError` for a negative index or a picture that is too small."""
    if index < 0:
        raise InputError(f"index {index} of a simulated row", expected="0 or more")
    if min(size) < _LEAST_SIDE:
        raise InputError(
            f"a simulated image of {size[0]} x {size[1]} pixels (height x width)",
            expected=f"at least {_LEAST_SIDE} pixels on each side",
        )
