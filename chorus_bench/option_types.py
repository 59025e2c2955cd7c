"""Annotated types of options: as text, and as checks of values."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Hashable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from chorus_bench.errors import InputError, did_you_mean

#: Types of which values must be instances; other annotations are not checked.
_ACCEPTED: dict[object, tuple[type, ...]] = {
    bool: (bool,),
    int: (Integral,),
    float: (Real,),
    str: (str,),
    Path: (str, Path),
    None: (types.NoneType,),
    types.NoneType: (types.NoneType,),
}


def type_text(annotation: object) -> str:
    """Return an annotation as text; empty if there is none."""
    if annotation is inspect.Parameter.empty:
        return ""
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def annotation_of(function: Callable[..., Any], parameter: inspect.Parameter) -> object:
    """Return the annotation of a parameter as a type; `Any` if it cannot be determined.

    Args:
        function: the function; names in an annotation are those of its module.
        parameter: a parameter of its signature.
    """
    if parameter.annotation is parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    try:
        return get_type_hints(holder, getattr(function, "__globals__", {}))["it"]
    except (NameError, TypeError, AttributeError, SyntaxError):
        return Any  # a name imported only for type checkers


def check_value(name: str, value: object, hint: object, where: str) -> None:
    """Check that the value of an option has its type, as far as that can be determined.

    Args:
        name: name of the option.
        value: value from a user.
        hint: the type.
        where: owner of the option.

    Raises:
        InputError: it has another type.
    """
    if fits(value, hint):
        return
    literals = [h for h in (hint, *get_args(hint)) if get_origin(h) is Literal]
    known = [str(choice) for literal in literals for choice in get_args(literal)]
    raise InputError(
        f"option '{name}' is {value!r}",
        where=where,
        expected=type_text(hint),
        fix=did_you_mean(str(value), known) if known else None,
    )


def fits(value: object, hint: object) -> bool:
    """Whether a value has a type, as far as that can be determined.

    Numbers, booleans, text, paths, None, literals and unions of these are distinguished; any value
    is accepted for other types.

    Args:
        value: value from a user.
        hint: a type.
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, member) for member in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if isinstance(value, bool) and hint in (int, float):
        return False
    accepted = _ACCEPTED.get(hint) if isinstance(hint, Hashable) else None
    return accepted is None or isinstance(value, accepted)
