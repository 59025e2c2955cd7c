"""Pictures to annotate, from a file, a folder, a built dataset, or a dataset of the hub.

Every source yields rows of the stage `images`, one after another and in the same order each time,
so that an interrupted run skips what it has.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.image_folder import (
    IMAGE_SUFFIXES,
    SOURCE,
    ImageFile,
    find_images,
    image_row,
    images_digest,
)
from chorus_bench.datasets.named import dataset_folder
from chorus_bench.datasets.recipe import Note, Row
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.samples import METADATA_FILE
from chorus_bench.errors import InputError
from chorus_bench.io.untrusted_files import visible_files
from chorus_bench.synthesis.hub_pictures import is_hub_id, open_hub_pictures
from chorus_bench.synthesis.picture_source import PictureSource, SourceOptions, stage_row
from chorus_bench.synthesis.work_folder import ADDRESS

_SOURCES = (
    "a picture, a folder of pictures, a built dataset, or a Hugging Face dataset (a folder of it, "
    "or its id)"
)


def open_source(source: str | Path, options: SourceOptions) -> PictureSource:
    """Open pictures to annotate.

    Args:
        source: one picture, a folder of them (or of folders of them, whose names are the prompts),
            a dataset that this package built, or a Hugging Face dataset: its folder or its id.
        options: what to take of it.

    Raises:
        InputError: nothing there, no pictures, or a category that is missing or not there.
        MissingDependencyError: a Hugging Face dataset without the package `datasets`.
    """
    place = dataset_folder(source)
    if (place / METADATA_FILE).is_file():
        opened = _open_dataset(place, options)
    elif place.is_file() or (place.is_dir() and _has_pictures(place)):
        opened = _open_files(place, options)
    elif place.is_dir() or is_hub_id(str(source)):
        opened = open_hub_pictures(str(source), options)
    else:
        raise InputError("no such source of pictures", where=source, expected=_SOURCES)
    return _limited(opened, options.limit)


def _has_pictures(folder: Path) -> bool:
    """Whether a folder has image files but no rows that say more about them."""
    files = visible_files(folder)
    if any(file.suffix in (".parquet", ".arrow") or file.stem == "metadata" for file in files):
        return False
    return any(file.suffix.lower() in IMAGE_SUFFIXES for file in files)


def _limited(source: PictureSource, limit: int | None) -> PictureSource:
    """Return the first pictures of a source."""
    if limit is None:
        return source

    def read(skip: int) -> Iterator[Row | Note]:
        return itertools.islice(source.read(skip), max(limit - skip, 0))

    identity = {**source.identity, "limit": limit}
    return replace(source, identity=identity, read=read)


def _open_files(place: Path, options: SourceOptions) -> PictureSource:
    category = options.category
    files, notes = find_images(place, category, options.prompt)
    root = place.parent if place.is_file() else place
    return PictureSource(
        name=f"{'the picture' if place.is_file() else 'pictures of the folder'} {place.name}",
        categories=(category,),
        identity={"pictures": images_digest(files), "category": category},
        read=partial(_read_files, category, root, files),
        notes=tuple(notes),
    )


def _read_files(
    category: str, root: Path, files: Sequence[ImageFile], skip: int
) -> Iterator[Row | Note]:
    for file in files[skip:]:
        found = image_row(category, root, file)
        yield found if isinstance(found, Note) else stage_row(found)


def _open_dataset(place: Path, options: SourceOptions) -> PictureSource:
    info = DatasetInfo.load(place)
    rows = DatasetRows.open(place).select(options.categories or None)
    rows.check_columns(["sample_id", "image"])
    return PictureSource(
        name=info.label,
        categories=rows.categories,
        identity={"dataset": info.content, "categories": list(rows.categories)},
        read=partial(_read_dataset, rows),
        addressed=_is_addressed(rows),
    )


def _is_addressed(data: DatasetRows) -> bool:
    """Whether the first row was made from its address, and not found by an image search."""
    first = next((row for name in data.categories for row in data.rows(name, ["source"])), {})
    return first.get("source") not in (None, SOURCE)


def _read_dataset(data: DatasetRows, skip: int) -> Iterator[Row | Note]:
    columns = (*ADDRESS, "height", "width", "image")
    rows = (row for category in data.categories for row in data.rows(category, columns))
    for row in itertools.islice(rows, skip, None):
        picture = row.get("image")
        if picture is None or picture.get("bytes") is None:
            yield Note(row["sample_id"], "no picture", "the row has no picture")
        else:
            yield stage_row(row)
