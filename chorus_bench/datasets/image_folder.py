"""Crawled images: a folder of image files as rows of the training schema.

The layout is that of image crawlers: files directly in the folder, or one folder a keyword,
whose name then is the row's prompt.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chorus_bench.datasets.recipe import CardText, Note, Piece, Recipe, Row
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.errors import InputError
from chorus_bench.io.findings import has_controls, printable
from chorus_bench.io.pictures import PictureError, decode_picture
from chorus_bench.io.untrusted_files import visible_files

NAME, VERSION = "image-search", "1.0.0"
SOURCE = "image_search"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
#: A larger file is no crawled image.
MAX_IMAGE_BYTES = 2**28
_FILES_A_PIECE = 200

CARD = CardText(
    title="Crawled images",
    summary=(
        "Images that an image search found, as rows of the training schema of chorus-bench: the "
        "starting point of the comparison with synthesised images (CHORUS, table 2)."
    ),
    construction=(
        "Every readable image file of a folder is a row; the folder's name is the prompt. Files "
        "with the same bytes are kept once. Annotations, filters and cameras are later stages."
    ),
    licence="unknown",
    licence_note=(
        "Crawled images belong to their owners. Do not publish them without their permission."
    ),
    citation="",
    tags=("human-object-interaction",),
)


@dataclass(frozen=True)
class ImageFile:
    """An image file, found but not yet decoded.

    Attributes:
        path: where it is.
        prompt: the keyword it was found with.
        index: its number among the files of this prompt.
        sha256: of its bytes, hex digits.
    """

    path: Path
    prompt: str
    index: int
    sha256: str


def image_folder_recipe(
    folder: str | Path, category: str, *, prompt: str | None = None, command: str = ""
) -> Recipe:
    """Return the recipe that turns a folder of images into training rows.

    Args:
        folder: with image files, or with folders of image files.
        category: of the object that was searched for.
        prompt: of all images; by default the name of the folder that a file is in, or the
            category for files directly in ``folder``.
        command: the command line, for the card.

    Raises:
        InputError: no such folder, or no image files in it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", where=root, expected="a folder of image files")
    for text in (category, prompt or ""):
        if has_controls(text):
            raise InputError(
                f"'{printable(text)}' is no usable text", expected="printable characters, UTF-8"
            )
    files, notes = _find(root, category, prompt)
    chunks = [files[i : i + _FILES_A_PIECE] for i in range(0, len(files), _FILES_A_PIECE)]
    digest = hashlib.sha256("".join(f"{f.prompt}\0{f.sha256}\n" for f in files).encode())
    return Recipe(
        name=NAME,
        version=VERSION,
        split="train",
        schema=TRAIN_SCHEMA,
        pieces=[
            Piece(f"{chunk[0].sha256[:16]}", partial(_rows, category, root, chunk), len(chunk))
            for chunk in chunks
        ],
        inputs={"category": category, "files": digest.hexdigest()},
        metadata={"source": SOURCE},
        card=CARD,
        notes=tuple(notes),
        command=command,
    )


def _find(root: Path, category: str, prompt: str | None) -> tuple[list[ImageFile], list[Note]]:
    paths = visible_files(root)
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise InputError(
            f"no image files among {len(paths)} files",
            where=root,
            expected=f"files ending in {', '.join(sorted(IMAGE_SUFFIXES))}",
        )
    others = [path for path in paths if path.suffix.lower() not in IMAGE_SUFFIXES]
    notes = [Note(_shown(p, root), "not an image file", "left out") for p in others]
    first: dict[str, Path] = {}
    counts: dict[str, int] = {}
    files: list[ImageFile] = []
    for path in images:
        digest = _digest(path, root, notes)
        if digest is None:
            continue
        if digest in first:
            same = f"has the same bytes as {_shown(first[digest], root)}"
            notes.append(Note(_shown(path, root), "a duplicate", same))
            continue
        first[digest] = path
        keyword = prompt or (category if path.parent == root else _text(path.parent.name))
        files.append(ImageFile(path, keyword, counts.get(keyword, 0), digest))
        counts[keyword] = counts.get(keyword, 0) + 1
    return files, notes


def _digest(path: Path, root: Path, notes: list[Note]) -> str | None:
    """Return the SHA-256 of a file; None, with a note, for one that is not to be read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            notes.append(Note(_shown(path, root), "not a file", "is a pipe, a device or the like"))
            return None
        if status.st_size > MAX_IMAGE_BYTES:
            message = f"has {status.st_size} bytes, more than {MAX_IMAGE_BYTES}"
            notes.append(Note(_shown(path, root), "too large a file", message))
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        notes.append(Note(_shown(path, root), "cannot be read", error.strerror or str(error)))
        return None


def _shown(path: Path, root: Path) -> str:
    """Return a file's name below the folder, as it can be shown."""
    return printable(path.relative_to(root).as_posix())


def _text(name: str) -> str:
    """Return a file's name as text; what is not UTF-8 in it is replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _rows(
    category: str, root: Path, files: Sequence[ImageFile], notes: list[Note]
) -> Iterator[Row]:
    for file in files:
        try:
            content = file.path.read_bytes()
            pixels = decode_picture(content)
        except PictureError as error:
            notes.append(Note(_shown(file.path, root), error.reason, str(error)))
            continue
        except OSError as error:
            message = error.strerror or str(error)
            notes.append(Note(_shown(file.path, root), "cannot be read", message))
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
            "image": {"bytes": content, "path": _text(file.path.name)},
        }
