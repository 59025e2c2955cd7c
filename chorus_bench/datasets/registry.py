"""Builders of datasets by name: what is known of one without importing it.

A package registers its own in its pyproject.toml:

    [project.entry-points."chorus_bench.dataset_builders"]
    my_package = "my_package.specs:BUILDERS"

where the entry point names a `BuilderSpec` or several of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chorus_bench.datasets.sources import Source
from chorus_bench.plugins import Plugins, PluginSpec, find_plugins

GROUP = "chorus_bench.dataset_builders"


@dataclass(frozen=True)
class BuilderSpec(PluginSpec):
    """What is known of a builder without importing it.

    Its function is called as ``function(**options)`` and returns a
    `chorus_bench.datasets.recipe.Recipe`.

    Attributes:
        license: of what it builds.
        sources: what users must bring, or may.
    """

    sources: tuple[Source, ...] = ()

    kind: ClassVar[str] = "builder"

    @property
    def needs(self) -> tuple[Source, ...]:
        """The sources without which it does not build."""
        return tuple(source for source in self.sources if not source.optional)


def find_builders() -> Plugins[BuilderSpec]:
    """Return all registered builders, see `find_plugins`."""
    return find_plugins(GROUP, BuilderSpec)


def get_builder(name: str) -> BuilderSpec:
    """Return a builder by name; an unknown one is an `InputError`, see `Plugins.get`."""
    return find_builders().get("builder", name)
