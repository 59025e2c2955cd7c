"""Dataset builders by name, described without importing them.

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
    """A description of a builder that does not import it.

    Its function is called as ``function(**options)`` and returns a
    `chorus_bench.datasets.recipe.Recipe`.

    Attributes:
        license: license of the dataset.
        sources: files that users must or may bring.
    """

    sources: tuple[Source, ...] = ()

    kind: ClassVar[str] = "builder"

    @property
    def needs(self) -> tuple[Source, ...]:
        """The sources that are required."""
        return tuple(source for source in self.sources if not source.optional)


def find_builders() -> Plugins[BuilderSpec]:
    """Return all registered builders, see `find_plugins`."""
    return find_plugins(GROUP, BuilderSpec)


def get_builder(name: str) -> BuilderSpec:
    """Return a builder by name; an unknown one is an `InputError`, see `Plugins.get`."""
    return find_builders().get("builder", name)
