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

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, Literal, TypeVar, get_args, get_origin

from chorus_bench.annotations import (
    Check,
    Shape,
    WrongValueError,
    check_of,
    example_of,
    members_of,
    shown,
    words,
)
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.option_types import annotation_of

Made = TypeVar("Made", bound=Callable[..., Any])


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
    return made


def _checked_function(
    function: Callable[..., Any], title: str, names: Mapping[str, Any] | None = None
) -> Callable[..., Any]:
    """Return a function that checks its arguments; ``names`` are those of its annotations."""

    @cache
    def plan() -> tuple[inspect.Signature, list[tuple[int, _Argument]]]:
        signature = inspect.signature(function)
        found = [_argument(function, p, names) for p in signature.parameters.values()]
        places = _places(signature)
        return signature, [(places.get(one.name, _NOWHERE), one) for one in found if one]

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - those of the function
        signature, arguments = plan()
        given, sizes = list(args), dict[str, int]()
        try:
            for place, argument in arguments:
                if place < len(given):
                    given[place] = argument.checked(given[place], sizes, title)
                elif argument.name in kwargs:
                    kwargs[argument.name] = argument.checked(kwargs[argument.name], sizes, title)
        except InputError:
            if not _fits(signature, args, kwargs):  # Python says that best
                return function(*args, **kwargs)
            raise
        return function(*given, **kwargs)

    return call


#: The place of an argument that is given by name only.
_NOWHERE = sys.maxsize


def _places(signature: inspect.Signature) -> dict[str, int]:
    """Return where each argument is that can be given without its name."""
    by_name = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    listed = [p.name for p in signature.parameters.values() if p.kind not in by_name]
    return {name: place for place, name in enumerate(listed)}


def _fits(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Return whether a function has these arguments, and needs no others."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


@dataclass(frozen=True)
class _Argument:
    """A parameter with what its annotation says."""

    name: str
    check: Check
    expected: str
    fix: str | None
    choices: tuple[str, ...]
    shape: str

    def checked(self, given: object, sizes: dict[str, int], function: str) -> Any:  # noqa: ANN401
        """Return the value that the function gets, of the right type and shape."""
        value = self.value(given, function)
        if self.shape and hasattr(value, "shape"):
            value = self.shaped(value, sizes, function)
        return value

    def value(self, given: object, function: str) -> Any:  # noqa: ANN401 - of the argument's type
        """Return the value that the function gets."""
        try:
            return self.check(given)
        except WrongValueError as error:
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

    def shaped(self, value: Any, sizes: dict[str, int], function: str) -> Any:  # noqa: ANN401
        """Return an array of the right shape; letters have the sizes of the arguments before it.

        An empty list is no rows: it becomes an array of shape (0, ...).
        """
        axes = self.shape.rpartition("...")[2].split()
        row = axes[not axes[0].isdigit() :]
        rows = len(row) < len(axes) or "..." in self.shape
        if value.shape == (0,) and rows and row and all(axis.isdigit() for axis in row):
            value = value.reshape(0, *map(int, row))
        given = value.shape[value.ndim - len(axes) :] if "..." in self.shape else value.shape
        known = {axis: size for axis, size in sizes.items() if axis in axes}
        wanted = [
            int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
            for axis, size in zip(axes, given, strict=False)
        ]
        if len(given) != len(axes) or list(given) != wanted:
            also = "".join(f", {axis} = {size} as before it" for axis, size in known.items())
            raise InputError(
                f"{self.name} has shape {value.shape}",
                where=f"{function}()",
                expected=f"shape ({', '.join(self.shape.split())}){also}",
            )
        return value


def _argument(
    function: Callable[..., Any], parameter: inspect.Parameter, names: Mapping[str, Any] | None
) -> _Argument | None:
    """Return what is checked of a parameter; None if nothing is."""
    if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
        return None
    hint = annotation_of(function, parameter, names)
    check = check_of(hint)
    if check is None:
        return None
    choices = tuple(
        str(c) for h in members_of(hint) if get_origin(h) is Literal for c in get_args(h)
    )
    notes = [note for member in members_of(hint) for note in get_args(member)[1:]]
    shapes = [note.text for note in notes if isinstance(note, Shape)]
    shape = shapes[0] if shapes else ""
    return _Argument(parameter.name, check, words(hint), example_of(hint), choices, shape)
