"""A submission's fields by name: of the categories, and of their interaction types beside them."""

from __future__ import annotations

from chorus_bench.boundary import checked
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.submission import InteractionType, Submission

#: Fields of interaction types on one page; each takes about 50 kB.
MOST_TYPES = 60


@checked
def submission_fields(
    submission: Submission, *, interactions: bool = True, most: int = MOST_TYPES
) -> dict[str, OccupancyGrid]:
    """Return the fields of a canonical submission by name, for views and figures.

    Args:
        submission: an open submission of the canonical track.
        interactions: also those of interaction types, as ``category: type``, after their category.
        most: the largest number of types; those with the largest shares are taken.

    Raises:
        InputError: a posed submission.
    """
    kept = _largest(submission, most) if interactions else set()
    fields: dict[str, OccupancyGrid] = {}
    for category in submission.categories:
        fields[category] = submission.field(category)
        for kind in submission.interactions(category):
            if (category, kind.name) in kept:
                name = f"{category}: {kind.name}"
                fields[name] = submission.interaction_field(category, kind.name)
    return fields


def types_left_out(submission: Submission, most: int = MOST_TYPES) -> int:
    """Return the number of interaction types that `submission_fields` leaves out."""
    return max(0, sum(len(submission.interactions(c)) for c in submission.categories) - most)


def _largest(submission: Submission, most: int) -> set[tuple[str, str]]:
    """Return (category, name) of the types with the largest shares, single ones before pairs."""
    every = [(c, kind) for c in submission.categories for kind in submission.interactions(c)]
    every.sort(key=lambda item: _importance(item[1]))
    return {(category, kind.name) for category, kind in every[:most]}


def _importance(kind: InteractionType) -> tuple[bool, float]:
    return (kind.prompt is not None and kind.part is not None, -(kind.share or 0.0))
