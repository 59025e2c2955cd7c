"""Images that have moved from the stages into the dataset, so that the disk has them once.

The dataset's Parquet files are made in the work folder, and the dataset's folder links to them.
Once such a file is written, the shards of the stage `images` in it lose their pictures and keep
everything else; their records say where the pictures are, and whoever reads them gets them from
there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from chorus_bench.datasets.parquet import open_parquet, unreadable
from chorus_bench.datasets.schema import IMAGE
from chorus_bench.errors import InputError

COLUMN = "image"


@dataclass(frozen=True)
class Moved:
    """Where the images of a shard are.

    Attributes:
        file: a Parquet file of the dataset, relative to the work folder.
        groups: the first of its row groups with rows of the shard, and the number of them.
        images: SHA-256 over the images, hex digits.
        size: size of the shard's own file without the images, bytes.
        sha256: SHA-256 of that file, hex digits.
    """

    file: str
    groups: tuple[int, int]
    images: str
    size: int
    sha256: str


def images_digest(table: pa.Table) -> str:
    """Return a SHA-256 over the images of some rows, with their lengths, hex digits."""
    sha = hashlib.sha256()
    for content in _contents(table[COLUMN]):
        sha.update(f"{len(content)}:".encode())
        sha.update(content)
    return sha.hexdigest()


def others_digest(table: pa.Table) -> str:
    """Return a SHA-256 over the columns of some rows that are not images, hex digits."""
    names = [name for name in table.column_names if name != COLUMN]
    text = json.dumps(table.select(names).to_pydict(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Rest(NamedTuple):
    """What stays of a shard's rows when their images move.

    Attributes:
        table: the rows, without a picture.
        images: SHA-256 over the images, hex digits.
    """

    table: pa.Table
    images: str

    @classmethod
    def of(cls, table: pa.Table) -> Rest:
        """Take the images out of a table."""
        place = table.column_names.index(COLUMN)
        empty = table.set_column(place, table.schema.field(COLUMN), pa.nulls(len(table), IMAGE))
        return cls(empty, images_digest(table))


def with_images(work: Path, moved: Moved, table: pa.Table) -> pa.Table:
    """Return a table with the images that `Rest.of` took out.

    Args:
        work: the work folder.
        moved: where the images are.
        table: the rows of the shard.

    Raises:
        InputError: the file was changed or cannot be read.
    """
    file = work / moved.file
    first, count = moved.groups
    try:
        with open_parquet(file) as parquet:
            found = parquet.read_row_groups(range(first, first + count), columns=[COLUMN])
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from error
    if len(found) != len(table) or images_digest(found) != moved.images:
        raise InputError(
            "has other images than those that were written",
            where=file,
            expected="the files of the dataset as the run has made them",
            fix="make the images again: --redo images",
        )
    place = table.column_names.index(COLUMN)
    return table.set_column(place, table.schema.field(COLUMN), found[COLUMN])


def _contents(images: pa.ChunkedArray) -> Iterable[memoryview]:
    """Yield the bytes of each image without copying them."""
    for chunk in images.chunks:
        for content in chunk.field("bytes"):
            yield memoryview(content.as_buffer()) if content.is_valid else memoryview(b"")
