"""Crawled images: a folder of image files as rows of the training schema.

The layout is that of image crawlers: files directly in the folder, or one folder per keyword,
whose name then becomes the prompt of its rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chorus_bench.datasets.recipe import CardText, Note, Piece, Recipe, Row
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.io.pictures import decode_upright, is_picture
from chorus_bench.names import category_name

NAME, VERSION = "image-search", "1.1.0"
SOURCE = "image_search"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
_FILES_A_PIECE = 200

CARD = CardText(
    title="Crawled images",
    summary=(
        "Images found by an image search, as rows of the training schema of chorus-bench: the "
        "starting point of the comparison with synthesised images (CHORUS, table 1)."
    ),
    construction=(
        "Every readable image file of a folder is a row; the folder's name is the prompt. Files "
        "with the same bytes are kept once. Height and width are those of the picture as its EXIF "
        "orientation turns it, which `datasets` obeys too. Annotations, filters and cameras are "
        "later stages."
    ),
    license="unknown",
    license_note=(
        "Crawled images belong to their owners. Do not publish them without their permission."
    ),
    citation="",
    tags=("human-object-interaction",),
)


@dataclass(frozen=True)
class ImageFile:
    """An image file, found but not yet decoded.

    Attributes:
        path: path of the file.
        prompt: the keyword it was found with.
        index: its number among the files of this prompt.
        sha256: SHA-256 of its bytes, hex digits.
    """

    path: Path
    prompt: str
    index: int
    sha256: str


def image_folder_recipe(folder: str | Path, category: str, *, prompt: str | None = None) -> Recipe:
    """Return the recipe that turns a folder of images into training rows.

    Args:
        folder: a folder with image files, or with folders of image files.
        category: category of the object that was searched for.
        prompt: prompt of all images; by default the name of the folder that contains the file, or
            the category for files directly in ``folder``.

    Raises:
        InputError: no such folder, or no image files in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", where=root, expected="a folder of image files")
    category = category_name(category)
    files, notes = _find(root, category, prompt)
    chunks = [files[i : i + _FILES_A_PIECE] for i in range(0, len(files), _FILES_A_PIECE)]
    digest = hashlib.sha256("".join(f"{f.prompt}\0{f.sha256}\n" for f in files).encode())
    return Recipe(
        name=NAME,
        version=VERSION,
        split="train",
        schema=TRAIN_SCHEMA,
        pieces=[
            Piece(f"{chunk[0].sha256[:16]}", partial(_rows, category, chunk), len(chunk))
            for chunk in chunks
        ],
        inputs={"category": category, "files": digest.hexdigest()},
        metadata={"source": SOURCE},
        card=CARD,
        notes=tuple(notes),
    )


def _find(root: Path, category: str, prompt: str | None) -> tuple[list[ImageFile], list[Note]]:
    paths = sorted(p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise InputError(
            f"no image files among {len(paths)} files",
            where=root,
            expected=f"files ending in {', '.join(sorted(IMAGE_SUFFIXES))}",
        )
    others = [path for path in paths if path.suffix.lower() not in IMAGE_SUFFIXES]
    notes = [Note(str(p.relative_to(root)), "not an image file", "left out") for p in others]
    first: dict[str, Path] = {}
    counts: dict[str, int] = {}
    files: list[ImageFile] = []
    for path in images:
        name = str(path.relative_to(root))
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            notes.append(Note(name, "cannot be read", str(error)))
            continue
        if digest in first:
            same = first[digest].relative_to(root)
            notes.append(Note(name, "a duplicate", f"has the same bytes as {same}"))
            continue
        first[digest] = path
        keyword = prompt or (category if path.parent == root else path.parent.name)
        files.append(ImageFile(path, keyword, counts.get(keyword, 0), digest))
        counts[keyword] = counts.get(keyword, 0) + 1
    return files, notes


def _rows(category: str, files: Sequence[ImageFile], notes: list[Note]) -> Iterator[Row]:
    for file in files:
        content = file.path.read_bytes()
        name = f"{file.path.parent.name}/{file.path.name}"
        if not is_picture(content):
            notes.append(Note(name, "another format", "it is no JPEG, PNG, WebP or BMP inside"))
            continue
        pixels = decode_upright(content)
        if pixels is None:
            notes.append(Note(name, "a broken image", f"{len(content)} bytes do not decode"))
            continue
        yield {
            "sample_id": f"{SOURCE}-{category.replace(' ', '_')}-{file.sha256[:16]}",
            "category": category,
            "prompt": file.prompt,
            "view": "",
            "index": file.index,
            "source": SOURCE,
            "generator": "image search",
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "image": {"bytes": content, "path": file.path.name},
        }
