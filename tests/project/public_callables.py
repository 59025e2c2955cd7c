"""The public callables: functions, classes, and methods of instances."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tests.project.public_arguments import PACKAGES, instance


@dataclass(frozen=True)
class Public:
    """A public callable: a function, a class, or a method of an instance.

    Attributes:
        name: its full name.
        made: returns it; methods need an instance.
        parameters: its own parameters.
    """

    name: str
    made: Callable[[], Callable[..., Any]]
    parameters: Mapping[str, inspect.Parameter]


def public_callables() -> list[Public]:
    """Return every public callable with a parameter, each once."""
    found: dict[int, Public] = {}
    for package in PACKAGES:
        module = import_module(package)
        for name in getattr(module, "__all__", None) or _own_names(module):
            value = getattr(module, name)
            if inspect.isfunction(value) or _is_checked_class(value):
                for one in (
                    _public(name, lambda value=value: value, value),
                    *_methods(name, value),
                ):
                    found.setdefault((id(value), one.name), one)
    return [one for one in found.values() if one.parameters]


def _own_names(module: Any) -> list[str]:
    names = [name for name in vars(module) if not name.startswith("_")]
    return [n for n in names if getattr(getattr(module, n), "__module__", "") == module.__name__]


def _is_checked_class(value: object) -> bool:
    return inspect.isclass(value) and not issubclass(value, BaseException)


def _public(name: str, made: Callable[[], Any], value: Any, skip: int = 0) -> Public:
    parameters = list(inspect.signature(value).parameters.values())[skip:]
    fixed = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return Public(name, made, {p.name: p for p in parameters if p.kind not in fixed})


def _methods(owner: str, kind: Any) -> Iterator[Public]:
    if not inspect.isclass(kind):
        return
    for name, value in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(value, classmethod):
            bound = getattr(kind, name)
            yield _public(f"{owner}.{name}", lambda bound=bound: bound, bound)
        elif inspect.isfunction(value):
            yield _public(
                f"{owner}.{name}", lambda name=name: getattr(instance(owner), name), value, skip=1
            )
