"""Random numbers that depend only on an address.

NumPy keeps the raw bits of a bit generator the same between versions, but not what its
`Generator` makes of them, and its C code rounds otherwise on some processors. A simulated split
has a fingerprint, so its numbers are made here from raw bits, in exact arithmetic.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np

from chorus_bench.array_types import Float64
from chorus_bench.geometry import exact

T = TypeVar("T")

_NORMAL_LIMIT = 3.0


def _digest(address: tuple[object, ...]) -> bytes:
    """Return the SHA-256 of an address, its parts with their lengths."""
    texts = [str(part) for part in address]
    return hashlib.sha256("".join(f"{len(text)}:{text};" for text in texts).encode()).digest()


def address_seed(*address: object) -> int:
    """Return the 63-bit number of an address, the same on every machine.

    Args:
        address: for example the seed, the kind of row, its category and its index.
    """
    return int.from_bytes(_digest(address)[:8], "little") >> 1


class Stream:
    """A stream of random numbers at an address.

    Args:
        address: identifies the stream; equal addresses give equal numbers.
    """

    def __init__(self, *address: object) -> None:
        self._address = address

    @cached_property
    def _bits(self) -> np.random.Philox:
        return np.random.Philox(key=int.from_bytes(_digest(self._address)[:16], "little"))

    def fork(self, name: str) -> Stream:
        """Return the stream of a part, which does not change when other parts draw more numbers."""
        return Stream(*self._address, name)

    def uniforms(self, *shape: int) -> Float64:
        """Return numbers in [0, 1) of the given shape."""
        raw = np.asarray(self._bits.random_raw(math.prod(shape)), dtype=np.uint64)
        raw >>= np.uint64(11)
        numbers = raw.astype(np.float64)
        numbers *= 2.0**-53
        return numbers.reshape(shape)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number in [low, high)."""
        return low + (high - low) * ((self._bits.random_raw() >> 11) * 2.0**-53)

    def normals(self, *shape: int) -> Float64:
        """Return standard normal numbers, clipped at three standard deviations."""
        u = self.uniforms(2, math.prod(shape))
        radius = np.sqrt(-2 * exact.log(1 - u[0]))
        numbers = radius * exact.cos(2 * np.pi * u[1])
        return np.clip(numbers, -_NORMAL_LIMIT, _NORMAL_LIMIT).reshape(shape)

    def normal(self, mean: float = 0.0, sigma: float = 1.0) -> float:
        """Return a normal number, clipped at three standard deviations."""
        radius = math.sqrt(-2 * exact.log_of(1 - self.uniform()))
        number = radius * exact.sin_cos_of(2 * math.pi * self.uniform())[1]
        return mean + sigma * min(max(number, -_NORMAL_LIMIT), _NORMAL_LIMIT)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.uniform() < probability

    def sign(self) -> float:
        """Return -1 or 1."""
        return 1.0 if self.chance(0.5) else -1.0

    def choice(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Return one of the options.

        Args:
            options: at least one.
            weights: their relative frequencies; by default equal.
        """
        shares = np.ones(len(options)) if weights is None else np.asarray(weights, dtype=float)
        edges = np.cumsum(shares)
        place = np.searchsorted(edges / edges[-1], self.uniform(), "right")
        return options[min(int(place), len(options) - 1)]
