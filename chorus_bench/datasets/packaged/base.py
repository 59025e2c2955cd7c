"""The common base of the packaged builders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from chorus_bench.datasets.facts import Facts, schema_with_facts
from chorus_bench.datasets.features import features_of
from chorus_bench.datasets.lengths import check_lengths
from chorus_bench.datasets.recipe import CardText, Note, Recipe, Row
from chorus_bench.datasets.schema import FACTS
from chorus_bench.errors import MissingDependencyError

try:
    import datasets
except ImportError as error:
    raise MissingDependencyError(
        "datasets", extra="datasets", purpose="A packaged datasets builder"
    ) from error

import pyarrow as pa

__all__ = ["RecipeBuilder", "datasets"]


class RecipeBuilder(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """A builder whose rows come from a `Recipe`.

    Subclasses set ``SCHEMA``, ``CARD`` and `recipe`.
    """

    SCHEMA: pa.Schema
    CARD: CardText

    def recipe(self) -> Recipe:
        """Return the recipe for this builder's config."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return what the config adds to those of `datasets`, and its category or None for all."""
        config = self.config
        added = {field.name for field in fields(config)}
        added -= {field.name for field in fields(datasets.BuilderConfig)}
        categories = None if config.name == "default" else [config.name]
        return {name: getattr(config, name) for name in added} | {"categories": categories}

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description=self.CARD.summary,
            features=datasets.Features.from_dict(features_of(schema_with_facts(self.SCHEMA))),
            citation=self.CARD.citation,
            license=self.CARD.license,
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:  # noqa: ANN401
        recipe = self.recipe()
        return [datasets.SplitGenerator(name=recipe.split, gen_kwargs={"recipe": recipe})]

    def _generate_examples(self, recipe: Recipe) -> Iterator[tuple[str, Row]]:
        notes: list[Note] = []
        facts = Facts.of_recipe(recipe).to_text()
        for number, piece in enumerate(recipe.pieces):
            for index, row in enumerate(piece.make(notes)):
                check_lengths(row)
                complete = {name: row.get(name) for name in self.SCHEMA.names}
                yield f"{number}-{index}", {**complete, FACTS: facts}
