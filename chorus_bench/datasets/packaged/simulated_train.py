"""The simulated training images as a `datasets` builder."""

from __future__ import annotations

from dataclasses import dataclass

from chorus_bench.datasets.packaged.base import RecipeBuilder, datasets
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.registry import get_builder

_make_recipe = get_builder("simulated").load()
_EVERYTHING = _make_recipe(split="train")


@dataclass
class SimulatedTrainConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """One config per category, and ``default`` with all categories.

    Attributes:
        images_per_prompt_view: number of images for each prompt and view of a category.
        seed: random seed of the whole set.
        body: the people's body, see `load_body`.
        size: height and width in pixels.
        images: whether to include shaded pictures.
    """

    images_per_prompt_view: int = 1
    seed: int = 0
    body: str = "default"
    size: int = 256
    images: bool = True


class SimulatedTrain(RecipeBuilder):
    """Images as from a generator and annotators, e.g. ``SimulatedTrain(config_name="tie")``."""

    VERSION = datasets.Version(_EVERYTHING.version)
    BUILDER_CONFIG_CLASS = SimulatedTrainConfig
    BUILDER_CONFIGS = [  # noqa: RUF012 - the interface of `datasets`
        SimulatedTrainConfig(name=name, version=_EVERYTHING.version)
        for name in ("default", *_EVERYTHING.inputs["categories"])
    ]
    DEFAULT_CONFIG_NAME = "default"
    SCHEMA, CARD = _EVERYTHING.schema, _EVERYTHING.card

    def recipe(self) -> Recipe:
        """Return the recipe for this builder's config."""
        return _make_recipe(split="train", **self.options())
