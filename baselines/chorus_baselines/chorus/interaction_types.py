"""The fields of interaction types: one for each prompt, each body part, and each pair of them.

Source: docs/method.md M18; the paper, section 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from chorus_baselines.chorus.aggregation import Aggregation
from chorus_baselines.chorus.view_weights import AZIMUTH_12
from chorus_bench.submission import InteractionField, InteractionType


def interaction_fields(
    aggregation: Aggregation, *, weights: str = AZIMUTH_12
) -> list[InteractionField]:
    """Return the fields of all types that an aggregation distinguishes and that have a field.

    With prompts and body parts there is a field for each prompt, for each part, and for each pair.
    A type without a view, or without a voxel on any mask, has none.

    Args:
        aggregation: of one category, made with ``by_prompt``, ``parts``, or both.
        weights: of the views, see `Aggregation.field`.

    Raises:
        InputError: unknown weights.
    """
    return [
        InteractionField(kind, aggregation.field(kind.part, kind.prompt, weights=weights))
        for kind in interaction_types(aggregation)
        if aggregation.has_field(kind.part, kind.prompt)
    ]


def interaction_types(aggregation: Aggregation) -> list[InteractionType]:
    """Return the types that an aggregation distinguishes, also those without a view."""
    total = max(1, aggregation.views)
    found = []
    for prompt, part in _pairs(aggregation):
        views = aggregation.views_of(part, prompt)
        found.append(InteractionType.of(prompt, part, share=views / total, views=views))
    return found


def _pairs(aggregation: Aggregation) -> Iterator[tuple[str | None, str | None]]:
    """Yield (prompt, part): the prompts, the parts, and the pairs."""
    yield from ((prompt, None) for prompt in aggregation.prompts)
    yield from ((None, part) for part in aggregation.parts)
    for prompt in aggregation.prompts:
        yield from ((prompt, part) for part in aggregation.parts)
