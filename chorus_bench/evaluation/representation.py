"""What a result was made of: the track's kind of field, and what it was converted from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.metrics.protocol import signature_parts

Item = TypeVar("Item")


def representation(signature: str, submission: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the texts that say what a method submitted.

    Args:
        signature: of the result.
        submission: its description of the submission.

    Returns:
        ``canonical``, ``posed`` or ``conditioned``, and what the submission says of its conversion
        from another kind (points, meshes, ...), if it was converted.
    """
    track = signature_parts(signature).get("track", "canonical")
    said = submission.get("conversion") or ()
    texts = [said] if isinstance(said, str) else list(said)
    return (track, *map(str, texts))


def is_of(texts: Iterable[str], wanted: str) -> bool:
    """Whether a representation is the wanted one: its track, or what it was converted from.

    Of each text about a conversion only what comes before a colon counts, such as ``converted from
    points``: the explanation after it may name other kinds.
    """
    track, *conversion = (text.casefold() for text in texts)
    word = wanted.casefold().strip()
    return word == track or any(word in text.partition(":")[0] for text in conversion)


def chosen(items: Mapping[Item, tuple[str, ...]], wanted: str | None) -> list[Item]:
    """Return the items of a representation; all of them if None is wanted.

    Args:
        items: item -> its representation.
        wanted: see `is_of`.

    Raises:
        InputError: there are none; the message names those that are there.
    """
    found = [item for item, texts in items.items() if wanted is None or is_of(texts, wanted)]
    if wanted is not None and not found:
        known = sorted({texts[0] for texts in items.values()})
        raise InputError(
            f"nothing is of the representation '{wanted}'",
            expected=f"a track ({', '.join(known)}), or what a submission was converted from",
            fix=did_you_mean(wanted, known),
        )
    return found
