"""Generators and annotators by name, described without importing them.

A package registers its own in the entry-point group of their kind, for example

    [project.entry-points."chorus_bench.segmenters"]
    my_package = "my_package.specs:SEGMENTERS"

where an entry point names a `ComponentSpec` or several of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from chorus_bench.plugins import Plugins, PluginSpec, find_plugins

if TYPE_CHECKING:
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
class ComponentSpec(PluginSpec):
    """What is known of a generator or an annotator without importing it.

    Its function is called as ``function(context, **options)`` and makes the component.

    Attributes:
        license: of its code and of its weights.
        weights: where its weights come from.
    """

    weights: str = ""

    kind: ClassVar[str] = "component"
    positional: ClassVar[int] = 1

    def source(self, option: str) -> str | None:
        """Return where to get the weights and under which license, if this option names them."""
        if f"`{option}`" not in self.weights:
            return None
        license = f"; license: {self.license}" if self.license else ""
        return f"give {self.weights}{license}"


def find_components(kind: Kind) -> Plugins[ComponentSpec]:
    """Return the registered components of a kind, see `find_plugins`."""
    return find_plugins(GROUPS[kind], ComponentSpec)


def get_component(kind: Kind, name: str) -> ComponentSpec:
    """Return a component by name; an unknown one is an `InputError` with what there is."""
    return find_components(kind).get(kind, name)


def check_options(
    kind: Kind, name: str, options: Mapping[str, Any], *, complete: bool = False
) -> None:
    """Check the options of a component by name, see `PluginSpec.check_options`."""
    get_component(kind, name).check_options(options, kind=kind, complete=complete)


def make_component(kind: Kind, name: str, context: Context, options: Mapping[str, Any]) -> Any:  # noqa: ANN401 - one of four protocols
    """Make a component.

    Raises:
        InputError: an unknown name or option, or whatever its function finds wrong.
        MissingDependencyError: a package is missing that an extra brings.
    """
    return get_component(kind, name).configured(options, kind=kind)(context)
