"""Pictures to annotate: what a source gives, as rows of the stage `images`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chorus_bench.datasets.image_folder import SOURCE
from chorus_bench.datasets.recipe import Note, Row
from chorus_bench.errors import InputError
from chorus_bench.names import category_name
from chorus_bench.synthesis.image_files import decode_picture
from chorus_bench.synthesis.work_folder import ADDRESS

#: Yields a row for every picture, or a note on one that is not usable, from a number on.
Reader = Callable[[int], Iterator[Row | Note]]


@dataclass(frozen=True, eq=False)
class PictureSource:
    """Pictures in a fixed order, of one category after another.

    Attributes:
        name: what the card calls them.
        categories: the categories in the order of the pictures.
        identity: equal identities stand for equal pictures; JSON values.
        read: see `Reader`.
        notes: what was left out before reading.
        addressed: whether the rows may have the addresses of pictures that chorus-bench drew.
    """

    name: str
    categories: tuple[str, ...]
    identity: Mapping[str, Any]
    read: Reader
    notes: tuple[Note, ...] = ()
    addressed: bool = False


@dataclass(frozen=True)
class SourceOptions:
    """What to take of a source.

    Attributes:
        categories: of a picture or a folder the one object that it shows; of a built dataset only
            these.
        prompt: prompt of all pictures of a file or a folder; by default the folder's name.
        column: the column with the pictures, for a Hugging Face dataset with several.
        split: its split.
        subset: its config.
        revision: of one on the hub a branch, tag or commit; by default its main branch.
        limit: the largest number of pictures.
    """

    categories: tuple[str, ...] = ()
    prompt: str | None = None
    column: str | None = None
    split: str = "train"
    subset: str | None = None
    revision: str | None = None
    limit: int | None = None

    @property
    def category(self) -> str:
        """The one category of pictures that do not say theirs.

        Raises:
            InputError: none or several are given.
        """
        if len(self.categories) != 1:
            raise InputError(
                f"{len(self.categories)} categories are named",
                expected="one: the object to look for in these pictures",
                fix="give one --category, for example --category surfboard",
            )
        return category_name(self.categories[0])


def stage_row(row: Mapping[str, Any]) -> Row:
    """Return a row of the stage `images`: the address, the picture, no fault.

    Args:
        row: with ``sample_id``, ``category`` and ``image``; the rest of an address if known.
    """
    kept = {name: row.get(name) for name in ADDRESS}
    kept["prompt"] = kept["prompt"] or row["category"]
    kept["view"], kept["index"] = kept["view"] or "", kept["index"] or 0
    kept["source"] = kept["source"] or SOURCE
    height, width = row.get("height"), row.get("width")
    if height is None or width is None:
        height, width = decode_picture(row["image"]["bytes"], row["sample_id"]).shape[:2]
    size = {"height": height, "width": width}
    return {**kept, **size, "image": row["image"], "attempt": 0, "fault": None}
