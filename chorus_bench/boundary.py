"""The boundary of the library: arguments of public functions, checked against their annotations.

A function or class with the decorator `checked` meets an argument of another type with an
`InputError` that says which argument, what was found and what was expected. Where an annotation
asks for an array, the function gets a NumPy array, whatever the library of the argument: tensors
may have gradients, be on a device, or be in bfloat16.

Annotations can say more than a type: `Annotated[int, AtLeast(1)]`, or
`Annotated[ArrayLike, Shape("S 4")]`, in which a letter stands for the same size in all arguments
of a call.
"""

from __future__ import annotations

import collections.abc as abc
import inspect
import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from itertools import count
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from chorus_bench.errors import InputError, unknown_name
from chorus_bench.option_types import annotation_of, fits

Made = TypeVar("Made", bound=Callable[..., Any])
#: Returns the value that the function gets; raises `_WrongValue`.
_Check = Callable[[Any], Any]


@dataclass(frozen=True)
class AtLeast:
    """The smallest value of a number."""

    low: float


@dataclass(frozen=True)
class Shape:
    """The shape of an array.

    Args:
        text: a number, a letter for any size (the same in all arguments of a call), or ``...`` in
            front for any further axes: ``"S 4"``, ``"... 3"``.
    """

    text: str


#: Whole numbers from 0 and from 1.
Natural = Annotated[int, AtLeast(0)]
Count = Annotated[int, AtLeast(1)]

_SCALARS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
    NoneType: "None",
}
#: Classes of ours by name, and how one gets a value.
_MAKERS = {
    "Aggregation": "aggregate(rows) or load_aggregation(file)",
    "BodyModel": "chorus_bench.load_body(...)",
    "CalibrationSettings": "calibration_settings(name)",
    "EvalSplit": "chorus_bench.load_split(...)",
    "EvaluationResult": "chorus_bench.load_result(folder)",
    "GridSpec": "chorus_bench.GridSpec(resolution=48, side_length=3.0)",
    "OccupancyGrid": "chorus_bench.OccupancyGrid(values, GridSpec(...))",
    "Protocol": 'chorus_bench.metrics.get_protocol("official")',
    "Submission": "chorus_bench.open_submission(folder)",
    "TruthScores": "chorus_bench.evaluate(..., truth=True).truth",
}


#: Iterable, but not containers of what anybody means.
_NO_ELEMENTS = (str, bytes, io.IOBase)


class _WrongValueError(Exception):
    """A value does not fit; the place is that of an element in the argument, else empty."""

    def __init__(self, value: object, place: str = "") -> None:
        super().__init__(place)
        self.value, self.place = value, place


def checked(made: Made) -> Made:
    """Return a function or class whose arguments are checked at every call.

    Args:
        made: a function, a method, or a class: then its constructor is checked.

    Raises:
        InputError: at a call; an argument is not of its annotated type.
    """
    if not inspect.isclass(made):
        return _checked_function(made, made.__qualname__)  # type: ignore[return-value]
    name = "__new__" if issubclass(made, tuple) else "__init__"
    names = vars(sys.modules[made.__module__])
    wrapped = _checked_function(getattr(made, name), made.__name__, names)
    setattr(made, name, staticmethod(wrapped) if name == "__new__" else wrapped)
    return made  # type: ignore[return-value]


def _checked_function(
    function: Callable[..., Any], title: str, names: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Return a function that checks its arguments; ``names`` are those of its annotations."""

    @cache
    def plan() -> tuple[inspect.Signature, dict[str, _Argument]]:
        signature = inspect.signature(function)
        found = {p.name: _argument(function, p, names) for p in signature.parameters.values()}
        return signature, {name: one for name, one in found.items() if one is not None}

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the function
        signature, arguments = plan()
        bound = signature.bind(*args, **kwargs)
        sizes: dict[str, int] = {}
        for name, argument in arguments.items():
            if name in bound.arguments:
                value = argument.value(bound.arguments[name], title)
                bound.arguments[name] = value
                if argument.shape:
                    argument.check_shape(value, sizes, title)
        return function(*bound.args, **bound.kwargs)

    return call


@dataclass(frozen=True)
class _Argument:
    """A parameter with what its annotation says."""

    name: str
    check: _Check
    expected: str
    fix: str | None
    choices: tuple[str, ...]
    shape: str

    def value(self, given: object, function: str) -> Any:  # noqa: ANN401 - of the argument's type
        """Return the value that the function gets."""
        try:
            return self.check(given)
        except _WrongValueError as error:
            name = f"{self.name}{error.place}"
            if self.choices and isinstance(error.value, str):
                raise unknown_name(
                    self.name, error.value, self.choices, where=f"{function}()"
                ) from None
            raise InputError(
                f"{name} is {shown(error.value)}",
                where=f"{function}()",
                expected=self.expected,
                fix=self.fix,
            ) from None
        except InputError as error:  # of an array
            raise InputError(
                f"{self.name}: {error.found.strip()}",
                where=f"{function}()",
                expected=error.expected or self.expected,
                fix=error.fix,
            ) from error

    def check_shape(self, value: Any, sizes: dict[str, int], function: str) -> None:  # noqa: ANN401
        """Compare an array's shape; the sizes of letters are those of the arguments before it."""
        if not hasattr(value, "shape"):
            return
        axes = self.shape.rpartition("...")[2].split()
        given = value.shape[value.ndim - len(axes) :] if "..." in self.shape else value.shape
        wanted = [int(axis) if axis.isdigit() else sizes.get(axis) for axis in axes]
        if len(given) != len(axes) or any(
            size is not None and size != own for size, own in zip(wanted, given, strict=True)
        ):
            known = {axis: size for axis, size in sizes.items() if axis in axes}
            also = "".join(f", {axis} = {size} as before it" for axis, size in known.items())
            raise InputError(
                f"{self.name} has shape {value.shape}",
                where=f"{function}()",
                expected=f"shape ({', '.join(self.shape.split())}){also}",
            )
        sizes.update((a, n) for a, n in zip(axes, given, strict=True) if not a.isdigit())


def _argument(
    function: Callable[..., Any], parameter: inspect.Parameter, names: Mapping[str, Any] | None
) -> _Argument | None:
    """Return what is checked of a parameter; None if nothing is."""
    if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
        return None
    hint = annotation_of(function, parameter, names)
    check = _check_of(hint)
    if check is None:
        return None
    fixes = [f"for example {_MAKERS[kind]}" for kind in _class_names(hint) if kind in _MAKERS]
    choices = tuple(str(c) for h in _members(hint) if get_origin(h) is Literal for c in get_args(h))
    notes = [note for member in _members(hint) for note in get_args(member)[1:]]
    shapes = [note.text for note in notes if isinstance(note, Shape)]
    shape = shapes[0] if shapes else ""
    return _Argument(
        parameter.name, check, words(hint), fixes[0] if fixes else None, choices, shape
    )


def shown(value: object) -> str:
    """Return a value in a few words, for a message: ``48 (int)``, ``an array of shape (2, 3)``."""
    if value is None:
        return "None"
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if shape is not None and len(tuple(shape)):
        return f"of type {kind}, shape {tuple(shape)}"
    if isinstance(value, abc.Sized) and not isinstance(value, str | bytes):
        return f"of type {kind} with {len(value)} elements"
    text = repr(value)
    return f"of type {kind}" if len(text) > 60 or text.startswith("<") else f"{text} ({kind})"


def words(hint: object) -> str:
    """Return an annotation in words, for a message."""
    members = _members(hint)
    if len(members) > 1:
        texts = list(dict.fromkeys(words(member) for member in members))
        return " or ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        notes = [f"{note.low:g} or more" for note in arguments[1:] if isinstance(note, AtLeast)]
        notes += [f"of shape ({note.text})" for note in arguments[1:] if isinstance(note, Shape)]
        return ", ".join([words(arguments[0]), *notes])
    if _is_array(hint):
        return "an array of numbers"
    if hint in _SCALARS:
        return _SCALARS[hint]  # type: ignore[index]
    if origin is Literal:
        return " or ".join(repr(choice) for choice in arguments)
    return _class_words(origin or hint, arguments)


def _class_words(kind: object, arguments: tuple[object, ...]) -> str:
    if kind is abc.Callable:
        return "a function"
    inner = [words(argument) for argument in arguments if argument not in (Ellipsis, Any)]
    name = getattr(kind, "__name__", "value")
    text = f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
    if isinstance(kind, type) and issubclass(kind, Mapping):
        return "a mapping" + (f" from {inner[0]} to {inner[1]}" if len(inner) == 2 else "")
    if isinstance(kind, type) and issubclass(kind, abc.Iterable) and inner:
        return f"several values, each {inner[0]}"
    return text


def _members(hint: object) -> tuple[object, ...]:
    """Return the members of a union; an array counts as one; another type is its own member."""
    if get_origin(hint) not in (Union, UnionType) or _is_array(hint):
        return (hint,)
    members, arrays = get_args(hint), get_args(_array_like())
    if not arrays or not set(arrays) <= set(members):
        return members
    return (*(member for member in members if member not in arrays), _array_like())


def _array_like() -> object:
    """Return NumPy's `ArrayLike`; None before NumPy is imported, as long as nobody can name it."""
    return getattr(sys.modules.get("numpy.typing"), "ArrayLike", None)


def _is_array(hint: object) -> bool:
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    known = [kind for kind in (_array_like(), array) if kind is not None]
    return hint in known or get_origin(hint) in known


def _class_names(hint: object) -> list[str]:
    """Return the names of the classes in an annotation, those of elements last."""
    found: list[str] = []
    for member in _members(hint):
        found += [getattr(member, "__name__", "")]
    for member in _members(hint):
        if get_args(member) and not _is_array(member) and get_origin(member) is not Literal:
            found += [name for part in get_args(member) for name in _class_names(part)]
    return found


def _check_of(hint: object, inside: bool = False) -> _Check | None:
    """Return the check of an annotation; None if any value fits.

    Args:
        hint: the annotation.
        inside: it is of the elements of a container, whose arrays the function checks itself.
    """
    if hint in (Any, object, inspect.Parameter.empty) or isinstance(hint, TypeVar):
        return None
    members = _members(hint)
    if len(members) > 1:
        return _any_of([_check_of(member, inside) for member in members])
    if _is_array(hint):
        return None if inside else _array
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _in_range(_check_of(arguments[0], inside), arguments[1:])
    if hint in _SCALARS:
        return _scalar(hint)
    if origin is Literal:
        return _one_of(arguments)
    if origin is abc.Callable or hint is abc.Callable:
        return _such(callable)
    kind = origin or hint
    if kind is type:
        return _such(lambda value: isinstance(value, type))
    if isinstance(kind, type) and issubclass(kind, abc.Iterable) and kind is not str:
        return _container(kind, arguments)
    return _such(lambda value: isinstance(value, kind)) if isinstance(kind, type) else None


def _array(value: object) -> Any:  # noqa: ANN401 - a NumPy array
    from chorus_bench.arrays import real_array

    return real_array(value)


def _such(condition: Callable[[Any], bool]) -> _Check:
    def check(value: object) -> object:
        if not condition(value):
            raise _WrongValueError(value)
        return value

    return check


def _any_of(checks: list[_Check | None]) -> _Check | None:
    known = [check for check in checks if check is not None]
    if len(known) < len(checks):
        return None

    def check(value: object) -> object:
        deepest: Exception | None = None
        for one in known:
            try:
                return one(value)
            except (_WrongValueError, InputError) as error:
                further = isinstance(error, InputError) or error.place
                deepest = error if deepest is None or further else deepest
        raise deepest or _WrongValueError(value)

    return check


def _in_range(base: _Check | None, notes: tuple[object, ...]) -> _Check | None:
    lows = [note.low for note in notes if isinstance(note, AtLeast)]
    if not lows or base is None:
        return base

    def check(value: object) -> object:
        number = base(value)
        if not number >= lows[0]:
            raise _WrongValueError(value)
        return number

    return check


def _scalar(hint: object) -> _Check:
    def check(value: object) -> object:
        if hint in (int, float, bool) and getattr(value, "shape", None) == ():
            value = value.item()  # type: ignore[attr-defined] # of an array or tensor
        if hint is Path and isinstance(value, os.PathLike):
            return value
        if not fits(value, hint):
            raise _WrongValueError(value)
        return value

    return check


def _one_of(choices: tuple[object, ...]) -> _Check:
    return _such(lambda value: any(type(value) is type(c) and value == c for c in choices))


def _container(kind: type, arguments: tuple[object, ...]) -> _Check:
    """Return the check of a container and, where they are at hand, of its elements."""
    if issubclass(kind, Mapping):
        inner = _check_of(arguments[1], inside=True) if len(arguments) == 2 else None
        return _mapping(kind, inner)
    fixed = kind is tuple and arguments and arguments[-1] is not Ellipsis
    parts = [_check_of(part, inside=True) for part in arguments if part is not Ellipsis]
    numeric = bool(arguments) and arguments[0] in (int, float)
    named = bool(arguments) and arguments[0] is str

    def check(value: Any) -> object:  # noqa: ANN401 - any container
        if numeric and hasattr(value, "shape"):
            value = list(_array(value).tolist())
        if kind is tuple and isinstance(value, list):
            value = tuple(value)
        if not isinstance(value, kind) or isinstance(value, _NO_ELEMENTS):
            raise _WrongValueError(value)
        if any(parts) and (hasattr(value, "shape") or (isinstance(value, Mapping) and not named)):
            raise _WrongValueError(value)  # its elements are numbers, or names
        if fixed and len(value) != len(arguments):
            raise _WrongValueError(value)
        if isinstance(value, list | tuple | set | frozenset | dict):
            _check_elements(tuple(value), parts)
        return value

    return check


def _check_elements(values: abc.Sequence[object], parts: list[_Check | None]) -> None:
    """Check each element; those of a tuple of fixed length each by its own type."""
    own = parts if len(parts) > 1 else parts * len(values)
    for index, element, check in zip(count(), values, own, strict=False):
        if check is not None:
            _check_element(element, check, f"[{index}]")


def _mapping(kind: type, inner: _Check | None) -> _Check:
    def check(value: Any) -> object:  # noqa: ANN401 - any mapping
        if not isinstance(value, kind):
            raise _WrongValueError(value)
        if inner is not None and isinstance(value, dict):
            for key, element in value.items():
                _check_element(element, inner, f"[{key!r}]")
        return value

    return check


def _check_element(element: object, check: _Check, place: str) -> None:
    try:
        check(element)
    except _WrongValueError as error:
        raise _WrongValueError(error.value, place + error.place) from None
