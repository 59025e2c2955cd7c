"""Generators and annotators by name, described without importing them.

A package registers its own in the entry-point group of their kind, for example

    [project.entry-points."chorus_bench.segmenters"]
    my_package = "my_package.specs:SEGMENTERS"

where an entry point names a `ComponentSpec` or several of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from chorus_bench.errors import InputError, MissingDependencyError, unknown_name
from chorus_bench.plugins import find_plugins
from chorus_bench.synthesis.interfaces import Context

Kind = Literal["generator", "segmenter", "keypoint detector", "pose estimator"]

#: The entry-point group of each kind.
GROUPS: dict[Kind, str] = {
    "generator": "chorus_bench.image_generators",
    "segmenter": "chorus_bench.segmenters",
    "keypoint detector": "chorus_bench.keypoint_detectors",
    "pose estimator": "chorus_bench.pose_estimators",
}


@dataclass(frozen=True)
class ComponentSpec:
    """A description of a generator or annotator that does not import it.

    Attributes:
        name: its name.
        summary: one line.
        factory: ``module:function``; called as ``function(context, **options)``.
        weights: where its weights come from.
        licence: of its code and of its weights.
        extra: the extra of chorus-bench that installs its requirements; empty for none.
    """

    name: str
    summary: str
    factory: str
    weights: str = ""
    licence: str = ""
    extra: str = ""

    def load(self) -> Callable[..., Any]:
        """Import and return the factory.

        Raises:
            InputError: it cannot be imported.
            MissingDependencyError: a package of an extra is missing.
        """
        module, _, name = self.factory.partition(":")
        try:
            loaded: Callable[..., Any] = getattr(import_module(module), name)
        except MissingDependencyError:
            raise
        except (ImportError, AttributeError, ValueError) as error:
            raise InputError(
                f"'{self.factory}' cannot be imported: {error}",
                where=f"'{self.name}'",
                fix=f"pip install 'chorus-bench[{self.extra}]'" if self.extra else None,
            ) from error
        return loaded


def components(kind: Kind) -> Mapping[str, ComponentSpec]:
    """Return the registered components of a kind, by name, sorted."""
    return find_plugins(GROUPS[kind], ComponentSpec).specs


def get_component(kind: Kind, name: str) -> ComponentSpec:
    """Return a component by name; an unknown one is an `InputError` that lists the components."""
    return find_plugins(GROUPS[kind], ComponentSpec).get(kind, name)


def check_options(kind: Kind, name: str, options: Mapping[str, Any]) -> None:
    """Raise an `InputError` for an option that a component does not have.

    Raises:
        InputError: an unknown component or option.
        MissingDependencyError: a package of an extra is missing.
    """
    parameters = inspect.signature(get_component(kind, name).load()).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters][1:]
    for option in options:
        if option not in known:
            raise unknown_name("option", option, known, where=f"{kind} '{name}'")


def make_component(kind: Kind, name: str, context: Context, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of four protocols
    """Make a component.

    Raises:
        InputError: an unknown name or option, or an error of the factory.
        MissingDependencyError: a package of an extra is missing.
    """
    check_options(kind, name, options)
    return get_component(kind, name).load()(context, **options)
