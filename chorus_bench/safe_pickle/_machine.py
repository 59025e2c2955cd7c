"""A pickle reader of our own, which can build plain data and nothing else.

Python's own reader, restricted by its ``find_class``, still lets a file set attributes on
whatever that returns, fill the memory with one ten-byte instruction, and hang or crash in the
hash of nested tuples. Here each instruction is a few lines, and none of them imports a module,
reads or sets an attribute, or calls anything but the constructors in a fixed table.
"""

from __future__ import annotations

import pickle as op
import struct
from collections.abc import Callable

from chorus_bench.errors import InputError
from chorus_bench.safe_pickle import _decode as decode
from chorus_bench.safe_pickle._values import Budget, Named, Pending, Table, check_key, damaged

_NEWEST_PROTOCOL = 5
_LONGEST_NAME = 200
_CONVERT = "save its arrays with numpy.savez where the file was made and its libraries are at hand"

Persistent = Callable[[object], object]


class Machine:
    """Reads one pickle from ``data``.

    Args:
        data: the bytes; reading begins at ``position``.
        table: the names that the pickle may use.
        budget: what reading may cost.
        persistent: what answers persistent identifiers; None refuses them.
        position: where the pickle begins; after ``run``, where it ended.
    """

    def __init__(
        self,
        data: bytes,
        table: Table,
        budget: Budget,
        *,
        persistent: Persistent | None = None,
        position: int = 0,
    ) -> None:
        self.position = position
        self._data, self._view = data, memoryview(data)
        self._table, self._budget = table, budget
        self._persistent = persistent
        self._stack: list[object] = []
        self._below: list[list[object]] = []
        self._memo: dict[int, object] = {}

    def run(self) -> object:
        """Return the object in the pickle.

        Raises:
            InputError: the bytes are not a complete pickle, or ask for more than plain data.
        """
        stop = op.STOP[0]
        while (code := self._read(1)[0]) != stop:
            self._budget.step()
            action = _ACTIONS.get(code)
            if action is None:
                raise damaged(f"unknown instruction {code:#04x} at byte {self.position - 1}")
            try:
                action(self)
            except InputError:
                raise
            except ValueError as error:
                raise damaged(f"unreadable value before byte {self.position}") from error
        return self._pop()

    # Bytes

    def _read(self, count: int) -> memoryview:
        start, end = self.position, self.position + count
        if end > len(self._data):
            missing = end - len(self._data)
            raise damaged(f"it ends {missing} bytes too early (at byte {len(self._data)})")
        self.position = end
        return self._view[start:end]

    def _number(self, count: int) -> int:
        return int.from_bytes(self._read(count), "little")

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self.position)
        if end < 0:
            raise damaged("it ends in the middle of a line")
        line = self._data[self.position : end]
        self.position = end + 1
        return line

    # Stack and memo

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _pop(self) -> object:
        if not self._stack:
            raise damaged(f"nothing to work on before byte {self.position}")
        return self._stack.pop()

    def _top(self, kind: type[object]) -> object:
        """Return the topmost object, which must be exactly of this kind."""
        if not self._stack or type(self._stack[-1]) is not kind:
            raise damaged(f"no {kind.__name__} to work on before byte {self.position}")
        return self._stack[-1]

    def mark(self) -> None:
        """Begin a group of objects."""
        self._below.append(self._stack)
        self._stack = []

    def _group(self) -> list[object]:
        """Return the objects since the last mark."""
        if not self._below:
            raise damaged(f"the end of a group that has no beginning before byte {self.position}")
        group, self._stack = self._stack, self._below.pop()
        return group

    def drop(self) -> None:
        """Drop the topmost object, or an empty group."""
        if not self._stack and self._below:
            self._group()
        else:
            self._pop()

    def drop_group(self) -> None:
        """Drop the objects since the last mark."""
        self._group()

    def duplicate(self) -> None:
        """Push the topmost object again."""
        value = self._pop()
        self._stack += [value, value]

    def _store(self, key: int) -> None:
        value = self._pop()
        if isinstance(value, Pending):
            value.memo_keys.append(key)
        self._memo[key] = value
        self._push(value)

    def _fetch(self, key: int) -> None:
        if key not in self._memo:
            raise damaged(f"a reference to something that was never stored ({key})")
        self._push(self._memo[key])

    def store_next(self) -> None:
        """Store the topmost object under the next free number."""
        self._store(len(self._memo))

    # Containers

    def list_(self) -> None:
        """Make a list of a group."""
        self._push(self._group())

    def tuple_(self) -> None:
        """Make a tuple of a group."""
        self._push(tuple(self._group()))

    def dict_(self) -> None:
        """Make a dictionary of a group of keys and values."""
        group = self._group()
        self._push({})
        self._set_items(group)

    def frozenset_(self) -> None:
        """Make a frozen set of a group."""
        self._push(frozenset(check_key(item) for item in self._group()))

    def append(self) -> None:
        """Append one object to a list."""
        self._append_all([self._pop()])

    def append_group(self) -> None:
        """Append a group to a list."""
        self._append_all(self._group())

    def _append_all(self, group: list[object]) -> None:
        target = self._top(list)
        if isinstance(target, list):
            target.extend(group)

    def add_group(self) -> None:
        """Add a group to a set."""
        group, target = self._group(), self._top(set)
        if isinstance(target, set):
            target.update(check_key(item) for item in group)

    def set_item(self) -> None:
        """Put one key and value into a dictionary."""
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def set_group(self) -> None:
        """Put a group of keys and values into a dictionary."""
        self._set_items(self._group())

    def _set_items(self, group: list[object]) -> None:
        target = self._top(dict)
        if len(group) % 2:
            raise damaged(f"a key without a value before byte {self.position}")
        if isinstance(target, dict):
            target.update(
                (check_key(key), value) for key, value in zip(group[::2], group[1::2], strict=True)
            )

    # Names and objects

    def _find(self, module: str, name: str) -> Named:
        named = self._table.get((module, name))
        if named is None:
            raise _refused(f"{module}.{name}"[:_LONGEST_NAME])
        return named

    def name_lines(self) -> None:
        """Push a name given as two lines."""
        module, name = self._line().decode(), self._line().decode()
        self._push(self._find(module, name))

    def name_stack(self) -> None:
        """Push a name given as two strings."""
        name, module = self._pop(), self._pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise damaged("a class name that is not text")
        self._push(self._find(module, name))

    def _call(self, target: object, args: object) -> None:
        if not isinstance(target, Named) or not isinstance(args, tuple):
            raise damaged(f"a call of something that is no function before byte {self.position}")
        if target.build is None:
            raise _refused(target.name)
        self._push(target.build(self._budget, args))

    def call(self) -> None:
        """Call a name with a tuple of arguments; a class is made in the same way."""
        args, target = self._pop(), self._pop()
        self._call(target, args)

    def call_with_keywords(self) -> None:
        """Make an object of a class; keyword arguments are refused."""
        if self._pop() != {}:
            raise damaged("a class made with keyword arguments")
        self.call()

    def call_group(self) -> None:
        """Call the first object of a group with the rest of it."""
        target, *args = self._group() or [None]
        self._call(target, tuple(args))

    def call_lines(self) -> None:
        """Call a name given as two lines with a group of arguments."""
        self.name_lines()
        target = self._pop()
        self._call(target, tuple(self._group()))

    def build(self) -> None:
        """Give an object its state.

        Dictionaries ignore theirs: an EasyDict repeats its items there, an OrderedDict holds
        remarks that are no items.
        """
        state, target = self._pop(), self._pop()
        if isinstance(target, Pending):
            value = target.finish(self._budget, state)
            self._memo.update(dict.fromkeys(target.memo_keys, value))
            self._push(value)
        elif type(target) is dict and isinstance(state, dict):
            self._push(target)
        else:
            raise damaged(f"a state for {type(target).__name__} before byte {self.position}")

    def persistent(self) -> None:
        """Replace an identifier by what it stands for."""
        if self._persistent is None:
            raise InputError(
                "the pickle refers to objects outside the file",
                expected="a file written with pickle.dump",
                fix=f"if it was written with torch.save, {_CONVERT}",
            )
        self._push(self._persistent(self._pop()))

    def foreign(self) -> None:
        """Refuse the instructions that reach outside the file."""
        raise damaged(f"an instruction that reaches outside the file at byte {self.position - 1}")

    def protocol(self) -> None:
        """Check the protocol number."""
        if (version := self._number(1)) > _NEWEST_PROTOCOL:
            raise damaged(f"unknown pickle protocol {version}")

    def frame(self) -> None:
        """Check that a frame lies within the file."""
        if self._number(8) > len(self._data) - self.position:
            raise damaged(f"it ends within a frame (at byte {len(self._data)})")


def _refused(name: str) -> InputError:
    if name.startswith("chumpy"):
        return InputError(
            f"the pickle holds a '{name}', a value that chumpy would have to compute",
            expected="chumpy.ch.Ch or chumpy.reordering.Select, whose numbers are in the file",
            fix=f"replace it by numpy.array(value) and save again, or {_CONVERT}",
        )
    return InputError(
        f"the pickle asks for '{name}', which is not on the list of what is safe to read",
        expected="dictionaries, lists, strings, numbers, NumPy arrays, SciPy csc and csr matrices, "
        "chumpy arrays, EasyDicts and CPU torch tensors",
        fix=f"if you trust the file, {_CONVERT}",
    )


# Instructions: byte -> action

_Action = Callable[[Machine], None]


def _constant(value: object) -> _Action:
    return lambda machine: machine._push(value)


def _fresh(kind: type[object]) -> _Action:
    return lambda machine: machine._push(kind())


def _packed(code: str) -> _Action:
    layout = struct.Struct(code)
    return lambda machine: machine._push(layout.unpack(machine._read(layout.size))[0])


def _counted(width: int, decoder: Callable[[memoryview], object]) -> _Action:
    return lambda machine: machine._push(decoder(machine._read(machine._number(width))))


def _lined(decoder: Callable[[bytes], object]) -> _Action:
    return lambda machine: machine._push(decoder(machine._line()))


def _tuple_of(count: int) -> _Action:
    def action(machine: Machine) -> None:
        parts = [machine._pop() for _ in range(count)]
        machine._push(tuple(reversed(parts)))

    return action


def _stored(width: int) -> _Action:
    return lambda machine: machine._store(machine._number(width))


def _fetched(width: int) -> _Action:
    return lambda machine: machine._fetch(machine._number(width))


_ACTIONS: dict[int, _Action] = {
    code[0]: action
    for code, action in {
        op.NONE: _constant(None),
        op.NEWTRUE: _constant(True),
        op.NEWFALSE: _constant(False),
        op.EMPTY_TUPLE: _constant(()),
        op.EMPTY_DICT: _fresh(dict),
        op.EMPTY_LIST: _fresh(list),
        op.EMPTY_SET: _fresh(set),
        op.BININT1: _packed("<B"),
        op.BININT2: _packed("<H"),
        op.BININT: _packed("<i"),
        op.BINFLOAT: _packed(">d"),
        op.LONG1: _counted(1, decode.integer),
        op.LONG4: _counted(4, decode.integer),
        op.SHORT_BINSTRING: _counted(1, decode.latin1),
        op.BINSTRING: _counted(4, decode.latin1),
        op.SHORT_BINUNICODE: _counted(1, decode.utf8),
        op.BINUNICODE: _counted(4, decode.utf8),
        op.BINUNICODE8: _counted(8, decode.utf8),
        op.SHORT_BINBYTES: _counted(1, bytes),
        op.BINBYTES: _counted(4, bytes),
        op.BINBYTES8: _counted(8, bytes),
        op.BYTEARRAY8: _counted(8, bytearray),
        op.INT: _lined(decode.bool_or_integer_line),
        op.LONG: _lined(decode.integer_line),
        op.FLOAT: _lined(float),
        op.STRING: _lined(decode.string_line),
        op.UNICODE: _lined(decode.unicode_line),
        op.TUPLE1: _tuple_of(1),
        op.TUPLE2: _tuple_of(2),
        op.TUPLE3: _tuple_of(3),
        op.BINPUT: _stored(1),
        op.LONG_BINPUT: _stored(4),
        op.PUT: lambda machine: machine._store(decode.integer_line(machine._line())),
        op.MEMOIZE: Machine.store_next,
        op.BINGET: _fetched(1),
        op.LONG_BINGET: _fetched(4),
        op.GET: lambda machine: machine._fetch(decode.integer_line(machine._line())),
        op.MARK: Machine.mark,
        op.POP: Machine.drop,
        op.POP_MARK: Machine.drop_group,
        op.DUP: Machine.duplicate,
        op.LIST: Machine.list_,
        op.TUPLE: Machine.tuple_,
        op.DICT: Machine.dict_,
        op.FROZENSET: Machine.frozenset_,
        op.APPEND: Machine.append,
        op.APPENDS: Machine.append_group,
        op.ADDITEMS: Machine.add_group,
        op.SETITEM: Machine.set_item,
        op.SETITEMS: Machine.set_group,
        op.GLOBAL: Machine.name_lines,
        op.STACK_GLOBAL: Machine.name_stack,
        op.REDUCE: Machine.call,
        op.NEWOBJ: Machine.call,
        op.NEWOBJ_EX: Machine.call_with_keywords,
        op.OBJ: Machine.call_group,
        op.INST: Machine.call_lines,
        op.BUILD: Machine.build,
        op.BINPERSID: Machine.persistent,
        op.PERSID: Machine.foreign,
        op.EXT1: Machine.foreign,
        op.EXT2: Machine.foreign,
        op.EXT4: Machine.foreign,
        op.NEXT_BUFFER: Machine.foreign,
        op.READONLY_BUFFER: Machine.foreign,
        op.PROTO: Machine.protocol,
        op.FRAME: Machine.frame,
    }.items()
}
