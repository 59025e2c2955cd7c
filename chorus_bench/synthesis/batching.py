"""Batches that are halved when a device runs out of memory."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from chorus_bench.errors import ChorusBenchError
from chorus_bench.synthesis.interfaces import OutOfDeviceMemoryError, Picture

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


#: More images at a time than this are hardly faster on an H200 (docs/scale.md).
MOST_AT_ONCE = 32
#: The rest is for what the estimate does not know.
_SHARE_OF_MEMORY = 0.8


class Batches:
    """Calls a function on batches, and continues with half the size after running out of memory.

    Args:
        size: initial number of items in a batch.
        what: the kind of items, for messages, for example ``images``.
    """

    def __init__(self, size: int, what: str) -> None:
        self.size = size
        self._what = what

    def map(
        self, function: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
    ) -> Iterator[Result]:
        """Yield the function's results for the items, batch by batch, in order.

        Raises:
            ChorusBenchError: not even a single item fits.
        """
        return self.stream(lambda batches: map(function, batches), items)

    def stream(
        self,
        function: Callable[[Iterator[Sequence[Item]]], Iterator[Sequence[Result]]],
        items: Sequence[Item],
    ) -> Iterator[Result]:
        """Yield a function's results for the items, in order; it sees the batches to come.

        Args:
            function: takes the batches, may draw some ahead, and yields each one's results in
                order. It is called again, with smaller batches of what is left, after running out
                of memory.
            items: the items.

        Raises:
            ChorusBenchError: not even a single item fits.
        """
        begin = 0
        while begin < len(items):
            size = self.size
            places = range(begin, len(items), size)
            batches = (items[place : place + size] for place in places)
            try:
                for results in function(batches):
                    yield from results
                    begin += len(results)
            except OutOfDeviceMemoryError as error:
                self._halve(error)

    def _halve(self, error: OutOfDeviceMemoryError) -> None:
        if self.size == 1:
            raise ChorusBenchError(
                f"the device has not enough memory for one of the {self._what}: {error}\n"
                "  What to do: choose a smaller model, size or number type, or another device"
            ) from error
        log.warning(
            "out of device memory with %d %s at a time; continuing with %d",
            self.size, self._what, self.size // 2,
        )  # fmt: skip
        self.size //= 2


def batch_for_memory(free: int, one: float, most: int = MOST_AT_ONCE) -> int:
    """Return the largest power of two of items that fits into most of a device's memory.

    Args:
        free: free memory with the model loaded, bytes.
        one: memory of one item while it is made, bytes.
        most: the largest number of items.
    """
    fitting = min(int(_SHARE_OF_MEMORY * free / one), most)
    return 1 << max(fitting, 1).bit_length() - 1


def group_by_size(pictures: Sequence[Picture]) -> list[list[int]]:
    """Return the numbers of the pictures of each size, in the order of the first of each."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, picture in enumerate(pictures):
        groups.setdefault(picture.size, []).append(number)
    return list(groups.values())


@contextlib.contextmanager
def device_memory() -> Iterator[None]:
    """Turn torch's out-of-memory error into an `OutOfDeviceMemoryError`, and free cached memory."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        message = str(error).partition("\n")[0]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise OutOfDeviceMemoryError(message) from error
