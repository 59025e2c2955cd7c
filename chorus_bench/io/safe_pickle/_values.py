"""Parts of the pickle reader: names, unfinished objects, limits and checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from chorus_bench.errors import InputError

MOST_STEPS = 5_000_000
"""Pickle instructions in one file. SMPL's files take a few hundred."""

MOST_NESTED = 100
"""Levels of lists, tuples, sets and dictionaries inside each other."""

SPARE_BYTES = 64 * 2**20
"""What may be built on top of four times the size of the file."""

_MOST_ELEMENTS = 2**48
_MOST_DIMENSIONS = 32
_MOST_IN_KEY = 16
_PLAIN = (str, bytes, int, float, bool, type(None), np.generic)
_LEAVES = (*_PLAIN, bytearray, np.ndarray, np.dtype, sparse.sparray)


class Budget:
    """Limits on the cost of reading one file, so that a small file cannot fill the memory.

    Args:
        file_size: length of the file in bytes.
    """

    def __init__(self, file_size: int) -> None:
        self.file_size = file_size
        self._bytes_left = 4 * file_size + SPARE_BYTES
        self._steps_left = MOST_STEPS

    def step(self) -> None:
        """Count one pickle instruction."""
        self._steps_left -= 1
        if self._steps_left < 0:
            raise InputError(
                f"the pickle takes more than {MOST_STEPS} instructions",
                expected="arrays, not millions of single Python objects",
                fix="save large lists of numbers as NumPy arrays",
            )

    def take(self, count: int) -> None:
        """Count the bytes of something that is about to be built."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise InputError(
                f"the pickle unfolds to far more than the {self.file_size} bytes of the file",
                expected="a file about as large as the arrays in it",
                fix="save copies of the arrays, not broadcast or repeated views of them",
            )


Build = Callable[[Budget, tuple[object, ...]], object]
Finish = Callable[[Budget, object], object]


@dataclass(frozen=True, slots=True)
class Named:
    """A class or function that a pickle names; nothing is ever imported for it.

    Args:
        name: module and name, as in the pickle.
        build: makes the replacement when the pickle calls it; None if it may not be called.
        dtype: the NumPy type of a torch storage or dtype.
    """

    name: str
    build: Build | None = None
    dtype: str | None = None


Table = Mapping[tuple[str, str], Named]


@dataclass(slots=True, eq=False)
class Pending:
    """An object that a pickle has created but not yet given its state.

    Args:
        name: what it will be, for messages.
        finish: makes the value from the state.
        memo_keys: where the pickle stored it, so that the value can take its place.
    """

    name: str
    finish: Finish
    memo_keys: list[int] = field(default_factory=list)


def damaged(what: str) -> InputError:
    """Return the error for bytes that are not a well-formed pickle."""
    return InputError(
        f"not a pickle, or a damaged one: {what}",
        expected="a complete pickle file",
        fix="check that this is the right file, and download or copy it again",
    )


def arguments(name: str, args: tuple[object, ...], *counts: int) -> tuple[object, ...]:
    """Return ``args`` if ``counts`` allows their number, else raise an `InputError`."""
    if len(args) not in counts:
        raise damaged(f"{name} with {len(args)} arguments")
    return args


def as_int(value: object, what: str) -> int:
    """Return a non-negative Python or NumPy integer as an int, else raise an `InputError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise damaged(f"{what} is not a whole number from 0")
    return int(value)


def as_shape(value: object, what: str) -> tuple[int, ...]:
    """Return the shape of an array as a tuple of at most 32 ints, else raise an `InputError`."""
    if not isinstance(value, tuple) or len(value) > _MOST_DIMENSIONS:
        raise damaged(f"{what} is not a tuple of at most {_MOST_DIMENSIONS} numbers")
    shape = tuple(as_int(item, what) for item in value)
    if math.prod(max(size, 1) for size in shape) > _MOST_ELEMENTS:
        raise damaged(f"{what} is larger than any array")
    return shape


def check_key(value: object) -> Hashable:
    """Return ``value`` if it may be a dictionary key or a member of a set.

    Only plain values and short tuples of them: the hash of nested tuples takes time and stack
    that grow without bound.
    """
    parts: Iterable[object] = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) and len(value) > _MOST_IN_KEY:
        raise damaged(f"a dictionary key with {len(value)} parts")
    for part in parts:
        if not isinstance(part, _PLAIN):
            raise damaged(f"a dictionary key made of {type(part).__name__}")
        if isinstance(part, int) and part.bit_length() > 64:
            raise damaged("a dictionary key beyond 64 bits")
    return value


def check_tree(value: object) -> None:
    """Check that ``value`` holds only finished plain data, and is finite when written out.

    Raises:
        InputError: an object without state, a name that was never called, nesting beyond
            ``MOST_NESTED`` levels, a cycle, or so many repeated parts that a walk would not end.
    """
    _, height = _measure(value, 0, {})
    if height > MOST_NESTED:
        raise _too_deep()


def _measure(value: object, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the number of nodes of the tree below ``value`` and its height."""
    if isinstance(value, _LEAVES):
        return 1, 0
    if id(value) in known:
        return known[id(value)]
    if depth > MOST_NESTED:
        raise _too_deep()
    parts = [_measure(part, depth + 1, known) for part in _children(value)]
    nodes = 1 + sum(count for count, _ in parts)
    if nodes > MOST_STEPS:
        raise InputError(
            f"the pickle repeats its parts to more than {MOST_STEPS} items",
            fix="save each part once",
        )
    known[id(value)] = nodes, 1 + max((height for _, height in parts), default=0)
    return known[id(value)]


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return (part for item in value.items() for part in item)
    if isinstance(value, list | tuple | set | frozenset):
        return value
    if isinstance(value, Pending | Named):
        raise damaged(f"{value.name} without contents")
    raise damaged(f"{type(value).__name__} outside an array")


def _too_deep() -> InputError:
    return InputError(
        f"the pickle is nested more than {MOST_NESTED} levels deep, or contains itself",
        expected="plain nested lists and dictionaries",
        fix="save the arrays themselves, for example with numpy.savez",
    )
