"""The state of a pickle reader: its position in the bytes, its stack and its memo."""

from __future__ import annotations

from typing import TypeVar

from chorus_bench.io.safe_pickle._values import Pending, damaged

_Kind = TypeVar("_Kind")


class State:
    """The bytes of a pickle with the objects read from them so far.

    Args:
        data: the bytes.
        position: where reading begins; moves on as bytes are read.
    """

    def __init__(self, data: bytes, position: int) -> None:
        self.position = position
        self._data, self._view = data, memoryview(data)
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: dict[int, object] = {}

    def read(self, count: int) -> memoryview:
        """Return the next bytes; raise an `InputError` if the data end before."""
        start, end = self.position, self.position + count
        if end > len(self._data):
            missing = end - len(self._data)
            raise damaged(f"it ends {missing} bytes too early (at byte {len(self._data)})")
        self.position = end
        return self._view[start:end]

    def number(self, count: int) -> int:
        """Return the next bytes as a non-negative number."""
        return int.from_bytes(self.read(count), "little")

    def line(self) -> bytes:
        """Return the bytes up to the next line end."""
        end = self._data.find(b"\n", self.position)
        if end < 0:
            raise damaged("it ends in the middle of a line")
        line = self._data[self.position : end]
        self.position = end + 1
        return line

    def push(self, value: object) -> None:
        """Push an object onto the stack."""
        self._stack.append(value)

    def pop(self) -> object:
        """Pop the topmost object from the stack."""
        if not self._stack:
            raise damaged(f"nothing to work on before byte {self.position}")
        return self._stack.pop()

    def top(self, kind: type[_Kind]) -> _Kind:
        """Return the topmost object, which must be of exactly this type."""
        value = self._stack[-1] if self._stack else None
        if not isinstance(value, kind) or type(value) is not kind:
            raise damaged(f"no {kind.__name__} to work on before byte {self.position}")
        return value

    def mark(self) -> None:
        """Begin a group of objects."""
        self._below.append(self._stack)
        self._stack = []

    def group(self) -> list[object]:
        """Return the objects since the last mark."""
        if not self._below:
            raise damaged(f"the end of a group that has no beginning before byte {self.position}")
        group, self._stack = self._stack, self._below.pop()
        return group

    def drop(self) -> None:
        """Drop the topmost object, or an empty group."""
        if not self._stack and self._below:
            self.group()
        else:
            self.pop()

    def drop_group(self) -> None:
        """Drop the objects since the last mark."""
        self.group()

    def duplicate(self) -> None:
        """Push the topmost object again."""
        value = self.pop()
        self._stack += [value, value]

    def store(self, key: int) -> None:
        """Store the topmost object under a number."""
        value = self.pop()
        if isinstance(value, Pending):
            value.memo_keys.append(key)
        self._memo[key] = value
        self.push(value)

    def finish(self, pending: Pending, value: object) -> None:
        """Push a finished object and let it take the place of the pending one in the memo."""
        for key in pending.memo_keys:
            if self._memo[key] is pending:
                self._memo[key] = value
        self.push(value)

    def fetch(self, key: int) -> None:
        """Push the object stored under a number."""
        if key not in self._memo:
            raise damaged(f"a reference to something that was never stored ({key})")
        self.push(self._memo[key])

    def store_next(self) -> None:
        """Store the topmost object under the next free number."""
        self.store(len(self._memo))
