"""A synthesised dataset as a `datasets` builder, straight from the work folder of its stages."""

from __future__ import annotations

from dataclasses import dataclass

from chorus_bench.datasets.packaged.base import RecipeBuilder, datasets
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.synthesis.recipe import CARD, VERSION, synthesized_recipe


@dataclass
class SynthesizedConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """The config of a work folder.

    Attributes:
        work: work folder of `chorus-bench synthesize`.
        stages: key of its stages' rows, so that a changed folder is not read from the cache.
    """

    work: str = ""
    stages: str = ""


class Synthesized(RecipeBuilder):
    """Rows of finished stages; `Synthesized.of` returns the builder of a folder."""

    VERSION = datasets.Version(VERSION)
    BUILDER_CONFIG_CLASS = SynthesizedConfig
    BUILDER_CONFIGS = [SynthesizedConfig(name="default", version=VERSION)]  # noqa: RUF012
    DEFAULT_CONFIG_NAME = "default"
    SCHEMA, CARD = TRAIN_SCHEMA, CARD

    @classmethod
    def of(cls, work: str, **arguments: object) -> Synthesized:
        """Return the builder of a work folder.

        Args:
            work: the folder.
            **arguments: further arguments of a builder, for example ``cache_dir``.

        Raises:
            InputError: one of its stages is not finished.
        """
        recipe = synthesized_recipe(work)
        return cls(work=work, stages=recipe.inputs["stages"], **arguments)

    def recipe(self) -> Recipe:
        """Return the recipe for this builder's folder."""
        return synthesized_recipe(self.config.work)
