"""A synthesised dataset as a `datasets` builder, straight from the work folder of its stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chorus_bench.datasets.packaged.base import RecipeBuilder, datasets
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.registry import get_builder


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
    """Rows of finished stages: ``Synthesized(work="out.work")``.

    Args:
        *args: those of `datasets`.
        work: the work folder of `chorus-bench synthesize`.
        **options: those of `datasets`, for example ``cache_dir``.

    Raises:
        InputError: a stage of the folder is not finished.
    """

    BUILDER_CONFIG_CLASS = SynthesizedConfig
    BUILDER_CONFIGS = [SynthesizedConfig(name="default")]  # noqa: RUF012
    DEFAULT_CONFIG_NAME = "default"

    def __init__(self, *args: Any, work: str, **options: Any) -> None:  # noqa: ANN401
        recipe = get_builder("synthesized").load()(work)
        self._recipe, self.SCHEMA, self.CARD = recipe, recipe.schema, recipe.card
        found = {"stages": recipe.inputs["stages"], "version": datasets.Version(recipe.version)}
        super().__init__(*args, work=work, **{**options, **found})

    def recipe(self) -> Recipe:
        """Return the recipe of this builder's folder."""
        return self._recipe
