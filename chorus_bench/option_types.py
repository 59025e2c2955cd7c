"""Annotated types of options: as text, and as checks of values."""

from __future__ import annotations

import inspect
import itertools
import re
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from chorus_bench.errors import InputError, did_you_mean, unknown_name

Settings = TypeVar("Settings")

#: An argument in a docstring, and the first line of what it means.
_ARGUMENT = re.compile(r" {4}\*{0,2}(\w+): (.*)")
_FILE, _FOLDER = "a file", "a folder"
#: Options that name something on the disk which must be there.
InputFile = Annotated[str, _FILE]
InputFolder = Annotated[str, _FOLDER]

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
    if kind := place_kind(annotation):
        return kind
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return text.replace("InputFile", _FILE).replace("InputFolder", _FOLDER)


def meanings_of(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the arguments of a function mean, as the part ``Args:`` of its docstring says.

    Args:
        function: the function; without such a part nothing is known.

    Returns:
        Argument -> one line without marks of code.
    """
    lines = (inspect.getdoc(function) or "").splitlines()
    begin = lines.index("Args:") + 1 if "Args:" in lines else len(lines)
    found: dict[str, str] = {}
    name = ""
    for line in itertools.takewhile(lambda text: text.startswith("  "), lines[begin:]):
        first = _ARGUMENT.fullmatch(line)
        name, text = first.groups() if first else (name, line.strip())
        found[name] = f"{found.get(name, '')} {text}".replace("`", "").strip()
    return found


def annotation_of(
    function: Callable[..., Any],
    parameter: inspect.Parameter,
    names: Mapping[str, Any] | None = None,
) -> object:
    """Return the annotation of a parameter as a type; `Any` if it cannot be determined.

    Args:
        function: the function; names in an annotation are those of its module.
        parameter: a parameter of its signature.
        names: the names instead, for functions that Python has made.
    """
    if parameter.annotation is parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    try:
        known = getattr(function, "__globals__", {}) if names is None else dict(names)
        return get_type_hints(holder, known, include_extras=True)["it"]
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
    if origin is Annotated:
        return fits(value, get_args(hint)[0])
    if origin in (Union, types.UnionType):
        return any(fits(value, member) for member in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if isinstance(value, bool) and hint in (int, float):
        return False
    accepted = _ACCEPTED.get(hint) if isinstance(hint, Hashable) else None
    return accepted is None or isinstance(value, accepted)


def place_kind(hint: object) -> str:
    """Return "a file" or "a folder" for an option that names one; empty for all others."""
    if get_origin(hint) is Annotated:
        return next((kind for kind in get_args(hint)[1:] if kind in (_FILE, _FOLDER)), "")
    if get_origin(hint) in (Union, types.UnionType):
        return next(filter(None, map(place_kind, get_args(hint))), "")
    return ""


def check_exists(
    name: str, value: object, hint: object, where: str, fix: str | None = None
) -> None:
    """Check that what an option names on the disk is there.

    Args:
        name: name of the option.
        value: value from a user, of the right type.
        hint: the type; only `InputFile` and `InputFolder` name something.
        where: owner of the option.
        fix: where to get it.

    Raises:
        InputError: there is no such file or folder.
    """
    kind = place_kind(hint)
    if not kind or not isinstance(value, str | Path):
        return
    path = Path(value).expanduser()
    if not (path.is_file() if kind == _FILE else path.is_dir()):
        found = f"is not {kind}" if path.exists() else "does not exist"
        raise InputError(
            f"option '{name}': {value} {found}",
            where=where,
            expected=f"{kind} that exists",
            fix=fix,
        )


def changed(settings: Settings, changes: Mapping[str, Any], where: str) -> Settings:
    """Return a dataclass with some of its fields changed.

    Args:
        settings: the dataclass.
        changes: name of a field -> value from a user.
        where: what the settings are called in messages.

    Raises:
        InputError: an unknown field, a value of another type, or one that the class refuses.
    """
    kind = type(settings)
    known = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for name, value in changes.items():
        if name not in known:
            raise unknown_name("setting", str(name), known, where=where)
        check_value(name, value, hints[name], where)
    return replace(settings, **changes)  # type: ignore[type-var]
