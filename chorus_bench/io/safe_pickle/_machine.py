"""A pickle reader that can build plain data and nothing else.

Python's own reader, even restricted by ``find_class``, lets a file set attributes on whatever
that returns, fill the memory with one ten-byte instruction, and hang or crash in the hash of
nested tuples. Here each instruction is a few lines, and none of them imports a module,
reads or sets an attribute, or calls anything but the constructors in a fixed table.
"""

from __future__ import annotations

import pickle as op
import struct
from collections.abc import Callable

import chorus_bench.io.safe_pickle._decode as decode
from chorus_bench.errors import InputError
from chorus_bench.io.safe_pickle._state import State
from chorus_bench.io.safe_pickle._values import Budget, Named, Pending, Table, check_key, damaged

_NEWEST_PROTOCOL = 5
_LONGEST_NAME = 200
_CONVERT = "save its arrays with numpy.savez on a machine that has the libraries it was made with"

Persistent = Callable[[object], object]


class Machine(State):
    """Reads one pickle from ``data``.

    Args:
        data: the bytes; reading begins at ``position``.
        table: the names that the pickle may use.
        budget: limits of what reading may cost.
        persistent: resolves persistent identifiers; None refuses them.
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
        super().__init__(data, position)
        self._table, self._budget = table, budget
        self._persistent = persistent

    def run(self) -> object:
        """Return the object in the pickle.

        Raises:
            InputError: the bytes are not a complete pickle, or ask for more than plain data.
        """
        stop = op.STOP[0]
        while (code := self.read(1)[0]) != stop:
            self._budget.step()
            action = _ACTIONS.get(code)
            if action is None:
                raise damaged(f"unknown instruction {code:#04x} at byte {self.position - 1}")
            try:
                action(self)
            except InputError:
                raise
            except (ValueError, TypeError, OverflowError) as error:
                raise damaged(f"unreadable value before byte {self.position}") from error
        return self.pop()

    # Containers

    def list_(self) -> None:
        """Make a list of a group."""
        self.push(self.group())

    def tuple_(self) -> None:
        """Make a tuple of a group."""
        self.push(tuple(self.group()))

    def dict_(self) -> None:
        """Make a dictionary of a group of keys and values."""
        group = self.group()
        self.push({})
        self._set_items(group)

    def frozenset_(self) -> None:
        """Make a frozen set of a group."""
        self.push(frozenset(check_key(item) for item in self.group()))

    def append(self) -> None:
        """Append one object to a list."""
        self._append_all([self.pop()])

    def append_group(self) -> None:
        """Append a group to a list."""
        self._append_all(self.group())

    def _append_all(self, group: list[object]) -> None:
        self.top(list).extend(group)

    def add_group(self) -> None:
        """Add a group to a set."""
        group = self.group()
        self.top(set).update(check_key(item) for item in group)

    def set_item(self) -> None:
        """Put one key and value into a dictionary."""
        value, key = self.pop(), self.pop()
        self._set_items([key, value])

    def set_group(self) -> None:
        """Put a group of keys and values into a dictionary."""
        self._set_items(self.group())

    def _set_items(self, group: list[object]) -> None:
        target = self.top(dict)
        if len(group) % 2:
            raise damaged(f"a key without a value before byte {self.position}")
        for key, value in zip(group[::2], group[1::2], strict=True):
            target[check_key(key)] = value

    # Names and objects

    def _find(self, module: str, name: str) -> Named:
        named = self._table.get((module, name))
        if named is None:
            raise _refused(f"{module}.{name}")
        return named

    def name_lines(self) -> None:
        """Push a name given as two lines."""
        module, name = self.line().decode(), self.line().decode()
        self.push(self._find(module, name))

    def name_stack(self) -> None:
        """Push a name given as two strings."""
        name, module = self.pop(), self.pop()
        if not isinstance(module, str) or not isinstance(name, str):
            raise damaged("a class name that is not text")
        self.push(self._find(module, name))

    def _call(self, target: object, args: object) -> None:
        if not isinstance(target, Named) or not isinstance(args, tuple):
            raise damaged(f"a call of something that is not a function before byte {self.position}")
        if target.build is None:
            raise _refused(target.name)
        self.push(target.build(self._budget, args))

    def call(self) -> None:
        """Call a name with a tuple of arguments; a class is made in the same way."""
        args, target = self.pop(), self.pop()
        self._call(target, args)

    def call_with_keywords(self) -> None:
        """Make an object of a class; keyword arguments are refused."""
        keywords = self.pop()
        if type(keywords) is not dict or keywords:
            raise damaged("a class made with keyword arguments")
        self.call()

    def call_group(self) -> None:
        """Call the first object of a group with the rest of it."""
        target, *args = self.group() or [None]
        self._call(target, tuple(args))

    def call_lines(self) -> None:
        """Call a name given as two lines with a group of arguments."""
        self.name_lines()
        target = self.pop()
        self._call(target, tuple(self.group()))

    def build(self) -> None:
        """Give an object its state.

        Dictionaries ignore theirs: an EasyDict repeats its items there, and the state of an
        OrderedDict holds no items.
        """
        state, target = self.pop(), self.pop()
        if isinstance(target, Pending):
            self.finish(target, target.finish(self._budget, state))
        elif type(target) is dict and isinstance(state, dict):
            self.push(target)
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
        self.push(self._persistent(self.pop()))

    def foreign(self) -> None:
        """Refuse the instructions that reach outside the file."""
        raise damaged(f"an instruction that reaches outside the file at byte {self.position - 1}")

    def protocol(self) -> None:
        """Check the protocol number."""
        if (version := self.number(1)) > _NEWEST_PROTOCOL:
            raise damaged(f"unknown pickle protocol {version}")

    def frame(self) -> None:
        """Check that a frame lies within the file."""
        if self.number(8) > len(self._data) - self.position:
            raise damaged(f"it ends within a frame (at byte {len(self._data)})")


def _quoted(name: str) -> str:
    """Return a name for messages, without anything that could control a terminal."""
    return ascii(name[:_LONGEST_NAME])


def _refused(name: str) -> InputError:
    if name.startswith("chumpy"):
        return InputError(
            f"the pickle holds a {_quoted(name)}, a value that chumpy would have to compute",
            expected="chumpy.ch.Ch or chumpy.reordering.Select, whose numbers are in the file",
            fix=f"replace it by numpy.array(value) and save again, or {_CONVERT}",
        )
    return InputError(
        f"the pickle asks for {_quoted(name)}, which is not on the list of what is safe to read",
        expected="dictionaries, lists, strings, numbers, NumPy arrays, SciPy csc and csr matrices, "
        "chumpy arrays, EasyDicts and CPU torch tensors",
        fix=f"if you trust the file, {_CONVERT}",
    )


# Instructions: byte -> action

_Action = Callable[[Machine], None]


def _constant(value: object) -> _Action:
    return lambda machine: machine.push(value)


def _fresh(kind: type[object]) -> _Action:
    return lambda machine: machine.push(kind())


def _packed(code: str) -> _Action:
    layout = struct.Struct(code)
    return lambda machine: machine.push(layout.unpack(machine.read(layout.size))[0])


def _counted(width: int, decoder: Callable[[memoryview], object]) -> _Action:
    return lambda machine: machine.push(decoder(machine.read(machine.number(width))))


def _lined(decoder: Callable[[bytes], object]) -> _Action:
    return lambda machine: machine.push(decoder(machine.line()))


def _tuple_of(count: int) -> _Action:
    def action(machine: Machine) -> None:
        parts = [machine.pop() for _ in range(count)]
        machine.push(tuple(reversed(parts)))

    return action


def _stored(width: int) -> _Action:
    return lambda machine: machine.store(machine.number(width))


def _fetched(width: int) -> _Action:
    return lambda machine: machine.fetch(machine.number(width))


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
        op.PUT: lambda machine: machine.store(decode.integer_line(machine.line())),
        op.MEMOIZE: Machine.store_next,
        op.BINGET: _fetched(1),
        op.LONG_BINGET: _fetched(4),
        op.GET: lambda machine: machine.fetch(decode.integer_line(machine.line())),
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
