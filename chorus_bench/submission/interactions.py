"""Interaction types: fields of a category's kinds of interaction, beside the category's own.

A type is a prompt, a body part, or both, with a name. Its field is
``interactions/<category>/<name>``, and ``submission.yaml`` lists it under ``interactions``.

Source: docs/submissions.md; docs/method.md M18; the paper, section 3.4.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from numpy.typing import ArrayLike
from pydantic import Field

from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.io.findings import Findings, nearest, printable
from chorus_bench.io.schemas import Count, Fraction, Line, Schema
from chorus_bench.names import MAX_CATEGORY_LENGTH, wrong_name

#: The folder of the fields of interaction types.
INTERACTIONS_FOLDER = "interactions"
MAX_TYPES = 500
MAX_PROMPT_LENGTH, MAX_PART_LENGTH = 300, 200


class InteractionEntry(Schema):
    """One item under ``interactions: <category>`` in `submission.yaml`.

    Attributes:
        name: the name of its file, without the ending.
        prompt: the prompt whose views it was learned from, or null for all.
        part: the body part that these views touch, or null for any.
        share: its views as a fraction of those of the category.
        views: number of its views.
    """

    name: Line = Field(max_length=MAX_CATEGORY_LENGTH)
    prompt: Line | None = Field(None, max_length=MAX_PROMPT_LENGTH)
    part: Line | None = Field(None, max_length=MAX_PART_LENGTH)
    share: Fraction | None = None
    views: Count | None = None


@checked
@dataclass(frozen=True)
class InteractionType:
    """A kind of interaction of a category.

    Args:
        name: its name, unique in the category.
        prompt: the prompt of its views; None for all prompts.
        part: the body part that they touch; None for any.
        share: its views as a fraction of those of the category, if known.
        views: number of its views, if known.
    """

    name: str
    prompt: str | None = None
    part: str | None = None
    share: float | None = None
    views: int | None = None

    @classmethod
    @checked
    def of(
        cls,
        prompt: str | None = None,
        part: str | None = None,
        *,
        share: float | None = None,
        views: int | None = None,
    ) -> InteractionType:
        """Return the type of a prompt, a body part, or both, with a name made of them."""
        return cls(type_name(prompt, part), prompt, part, share, views)

    def as_entry(self) -> dict[str, object]:
        """Return the item for `submission.yaml`, without what is not known."""
        texts = {"name": self.name, "prompt": self.prompt, "part": self.part}
        numbers = {
            "share": None if self.share is None else float(self.share),
            "views": None if self.views is None else int(self.views),
        }
        return {key: value for key, value in {**texts, **numbers}.items() if value is not None}


@checked
@displayed
@dataclass(frozen=True, eq=False)
class InteractionField:
    """The field of an interaction type.

    Args:
        kind: the type.
        values: (N, N, N) occupancy probabilities in [0, 1] on the submission's grid.
    """

    kind: InteractionType
    values: ArrayLike | OccupancyGrid = field(repr=False)


#: Category -> its types.
Types = Mapping[str, Sequence[InteractionType]]


def type_name(prompt: str | None, part: str | None) -> str:
    """Return a name for a prompt, a body part, or both, that can be the name of a file.

    A text that is too long, or has characters that file names may not have, ends in a digest of
    itself.
    """
    text = ", ".join(text for text in (prompt, part) if text) or "all"
    plain = " ".join(re.sub(r"[^\w ,.'()+-]", "-", text).split()).strip(" .")
    plain = unicodedata.normalize("NFC", plain)
    if plain == text and wrong_name(plain, MAX_CATEGORY_LENGTH) is None:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
    short = re.sub(r"[^A-Za-z0-9 ,]", "-", plain)[: MAX_CATEGORY_LENGTH - 9].strip()
    return f"{short}-{digest}".lstrip("- ,")


def types_of(entries: Mapping[str, Sequence[InteractionEntry]]) -> dict[str, list[InteractionType]]:
    """Return the types that a manifest lists."""
    return {
        category: [InteractionType(**entry.model_dump()) for entry in listed]
        for category, listed in entries.items()
    }


def check_types(types: Types, where: str, errors: Findings) -> None:
    """Add an error for every name or type that is there twice, or cannot be a file's name.

    Args:
        types: category -> its types.
        where: the manifest's key.
        errors: collects the problems.
    """
    for category, listed in types.items():
        place = f"{where}.{printable(category, 60)}"
        for kind in listed:
            wrong = wrong_name(kind.name, MAX_CATEGORY_LENGTH)
            if wrong is not None:
                found = f"the name '{printable(kind.name, 60)}' {wrong}"
                errors.add(place, found, expected="a name that a file can have", fix="rename it")
        names = [kind.name.casefold() for kind in listed]
        meanings = [(k.prompt, k.part) for k in listed if (k.prompt, k.part) != (None, None)]
        _check_once(names, "the name", place, errors)
        _check_once([" with ".join(filter(None, m)) for m in meanings], "the type", place, errors)
        if len(listed) > MAX_TYPES:
            errors.add(place, f"has {len(listed)} types", expected=f"at most {MAX_TYPES}")


def _check_once(texts: Sequence[str], what: str, where: str, errors: Findings) -> None:
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        errors.add(
            where,
            f"has {what} '{printable(text, 80)}' twice (case does not count)",
            expected="every type once",
            fix="remove or rename one of them",
        )


def check_files(
    types: Types,
    files: Iterable[tuple[str, str]],
    categories: Iterable[str],
    errors: Findings,
    warnings: Findings,
) -> list[tuple[str, str]]:
    """Compare the listed types with the files, and return those of both.

    Args:
        types: category -> its listed types.
        files: (category, name) of each file in the folder of interaction types.
        categories: the categories with a field of their own.
        errors: collects types without a file, and categories without a field.
        warnings: collects files that are not listed, which are not read.

    Returns:
        The (category, name) of the fields that are read, in the order of the list.
    """
    there, own = set(files), set(categories)
    listed = [(category, kind.name) for category, kinds in types.items() for kind in kinds]
    for category, name in listed:
        if (category, name) not in there:
            others = sorted(other for owner, other in there if owner == category)
            _add_missing(category, name, others, errors)
    for category in sorted({category for category, _ in listed} - own):
        errors.add(
            f"submission.yaml: interactions.{printable(category, 60)}",
            "has types, but the category has no field of its own",
            expected=f"grids/{category}.safetensors: the track 'canonical' scores it",
            fix="add the field over all types",
        )
    stray = sorted(there - set(listed))
    if stray:
        shown = ", ".join(f"{printable(c, 40)}/{printable(n, 40)}" for c, n in stray[:5])
        warnings.add(
            f"{INTERACTIONS_FOLDER}/",
            f"has {len(stray)} field{'s' * (len(stray) != 1)} that will not be read: {shown}",
            fix="list them under 'interactions' in submission.yaml, or remove them",
        )
    return [key for key in listed if key in there]


def _add_missing(category: str, name: str, others: Sequence[str], errors: Findings) -> None:
    near = nearest(name, others[:100])
    errors.add(
        f"submission.yaml: interactions.{printable(category, 60)}",
        f"the type '{printable(name, 60)}' has no file",
        expected=printable(f"{INTERACTIONS_FOLDER}/{category}/{name}.safetensors", 200)
        + " (or .npz, .npy)",
        fix=f"rename '{printable(near, 60)}'" if near else "add the file, or do not list it",
    )
