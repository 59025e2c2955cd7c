"""The simulated test split as a `datasets` builder."""

from __future__ import annotations

from dataclasses import dataclass

from chorus_bench.datasets.packaged.base import RecipeBuilder, datasets
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.registry import get_builder

_make_recipe = get_builder("simulated").load()
_EVERYTHING = _make_recipe(split="test")


@dataclass
class SimulatedTestConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """One config per category, and ``default`` with all categories.

    Attributes:
        per_category: number of samples of each category.
        seed: random seed of the whole split.
        body: the people's body, see `load_body`.
        images: whether to include shaded pictures.
    """

    per_category: int = 30
    seed: int = 0
    body: str = "default"
    images: bool = True


class SimulatedTest(RecipeBuilder):
    """Clean test samples with true cameras, for example ``SimulatedTest(config_name="tie")``."""

    VERSION = datasets.Version(_EVERYTHING.version)
    BUILDER_CONFIG_CLASS = SimulatedTestConfig
    BUILDER_CONFIGS = [  # noqa: RUF012 - the interface of `datasets`
        SimulatedTestConfig(name=name, version=_EVERYTHING.version)
        for name in ("default", *_EVERYTHING.inputs["categories"])
    ]
    DEFAULT_CONFIG_NAME = "default"
    SCHEMA, CARD = _EVERYTHING.schema, _EVERYTHING.card

    def recipe(self) -> Recipe:
        """Return the recipe for this builder's config."""
        return _make_recipe(split="test", **self.options())
