"""Annotations of arguments, as checks of values and in words; `chorus_bench.boundary` uses them."""

from __future__ import annotations

import collections.abc as abc
import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from chorus_bench.errors import InputError
from chorus_bench.option_types import fits

#: Returns the value that the function gets; raises `WrongValueError`.
Check = Callable[[Any], Any]


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
#: Containers whose elements are checked; those of others may be made on demand, and once only.
_AT_HAND = (list, tuple, set, frozenset, dict)


class WrongValueError(Exception):
    """A value does not fit; the place is that of an element in the argument, else empty."""

    def __init__(self, value: object, place: str = "") -> None:
        super().__init__(place)
        self.value, self.place = value, place


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
    members = members_of(hint)
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
        return _SCALARS[hint]
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


def members_of(hint: object) -> tuple[object, ...]:
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


def example_of(hint: object) -> str | None:
    """Return how one gets a value of ours for an annotation; None if it names no such class."""
    known = [_MAKERS[name] for name in _class_names(hint) if name in _MAKERS]
    return f"for example {known[0]}" if known else None


def _class_names(hint: object) -> list[str]:
    """Return the names of the classes in an annotation, those of elements last."""
    found: list[str] = []
    for member in members_of(hint):
        found += [getattr(member, "__name__", "")]
    for member in members_of(hint):
        if get_args(member) and not _is_array(member) and get_origin(member) is not Literal:
            found += [name for part in get_args(member) for name in _class_names(part)]
    return found


def check_of(hint: object, inside: bool = False) -> Check | None:
    """Return the check of an annotation; None if any value fits.

    Args:
        hint: the annotation.
        inside: it is of the elements of a container, whose arrays the function checks itself.
    """
    if hint in (Any, object) or isinstance(hint, TypeVar):
        return None
    members = members_of(hint)
    if len(members) > 1:
        return _any_of([check_of(member, inside) for member in members])
    if _is_array(hint):
        return None if inside else _array
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _in_range(check_of(arguments[0], inside), arguments[1:])
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


def _such(condition: Callable[[Any], bool]) -> Check:
    def check(value: object) -> object:
        if not condition(value):
            raise WrongValueError(value)
        return value

    return check


def _any_of(checks: list[Check | None]) -> Check | None:
    known = [check for check in checks if check is not None]
    if len(known) < len(checks):
        return None

    def check(value: object) -> object:
        deepest: Exception | None = None
        for one in known:
            try:
                return one(value)
            except (WrongValueError, InputError) as error:
                further = isinstance(error, InputError) or error.place
                if deepest is None or further:  # without this frame, which holds the value
                    deepest = error.with_traceback(None)
        raise deepest or WrongValueError(value)

    return check


def _in_range(base: Check | None, notes: tuple[object, ...]) -> Check | None:
    lows = [note.low for note in notes if isinstance(note, AtLeast)]
    if not lows or base is None:
        return base

    def check(value: object) -> object:
        number = base(value)
        if not number >= lows[0]:
            raise WrongValueError(value)
        return number

    return check


def _scalar(hint: object) -> Check:
    def check(value: object) -> object:
        if hint in (int, float, bool) and getattr(value, "shape", None) == ():
            value = value.item()  # type: ignore[attr-defined] # of an array or tensor
        if hint is Path and isinstance(value, os.PathLike):
            return value
        if not fits(value, hint):
            raise WrongValueError(value)
        return value

    return check


def _one_of(choices: tuple[object, ...]) -> Check:
    return _such(lambda value: any(type(value) is type(c) and value == c for c in choices))


def _container(kind: type, arguments: tuple[object, ...]) -> Check:
    """Return the check of a container and, where they are at hand, of its elements."""
    if issubclass(kind, Mapping):
        inner = check_of(arguments[1], inside=True) if len(arguments) == 2 else None
        return _mapping(kind, inner)
    fixed = kind is tuple and arguments and arguments[-1] is not Ellipsis
    parts = [check_of(part, inside=True) for part in arguments if part is not Ellipsis]
    numeric = bool(arguments) and arguments[0] in (int, float)
    named = bool(arguments) and arguments[0] is str

    def check(value: Any) -> Any:  # noqa: ANN401 - any container
        if numeric and len(getattr(value, "shape", ())) == 1:
            value = list(_array(value).tolist())
        if kind is tuple and isinstance(value, list):
            value = tuple(value)
        if not isinstance(value, kind) or isinstance(value, _NO_ELEMENTS):
            raise WrongValueError(value)
        if any(parts) and (hasattr(value, "shape") or (isinstance(value, Mapping) and not named)):
            raise WrongValueError(value)  # its elements are numbers, or names
        elements = tuple(value) if isinstance(value, _AT_HAND) else ()
        if fixed and len(elements) != len(arguments):
            raise WrongValueError(value)
        _check_elements(elements, parts)
        return value

    return check


def _check_elements(values: abc.Sequence[object], parts: list[Check | None]) -> None:
    """Check each element; those of a tuple of fixed length each by its own type."""
    own = parts if len(parts) > 1 else parts * len(values)
    for index, element, check in zip(count(), values, own, strict=False):
        if check is not None:
            _check_element(element, check, f"[{index}]")


def _mapping(kind: type, inner: Check | None) -> Check:
    def check(value: Any) -> object:  # noqa: ANN401 - any mapping
        if not isinstance(value, kind):
            raise WrongValueError(value)
        if inner is not None and isinstance(value, dict):
            for key, element in value.items():
                _check_element(element, inner, f"[{key!r}]")
        return value

    return check


def _check_element(element: object, check: Check, place: str) -> None:
    try:
        check(element)
    except WrongValueError as error:
        raise WrongValueError(error.value, place + error.place) from None
