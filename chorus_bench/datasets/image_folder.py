"""Crawled images: a folder of image files as rows of the training schema.

The layout is that of image crawlers: files directly in the folder, or one folder per keyword,
whose name then becomes the prompt of its rows.
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
from chorus_bench.errors import InputError, count_of
from chorus_bench.io.findings import has_controls, printable
from chorus_bench.io.picture_sizes import MAX_PICTURE_PIXELS, picture_size
from chorus_bench.io.pictures import decode_upright, is_picture
from chorus_bench.io.untrusted_files import visible_files
from chorus_bench.names import category_name

NAME, VERSION = "image-search", "1.1.0"
SOURCE = "image_search"
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
#: A larger file is no crawled image.
MAX_IMAGE_BYTES = 2**28
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
        "the work of `chorus-bench annotate`."
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
    files, notes = find_images(root, category, prompt)
    chunks = [files[i : i + _FILES_A_PIECE] for i in range(0, len(files), _FILES_A_PIECE)]
    return Recipe(
        name=NAME,
        version=VERSION,
        split="train",
        schema=TRAIN_SCHEMA,
        pieces=[
            Piece(f"{chunk[0].sha256[:16]}", partial(_rows, category, root, chunk), len(chunk))
            for chunk in chunks
        ],
        inputs={"category": category, "files": images_digest(files)},
        metadata={"source": SOURCE},
        card=CARD,
        notes=tuple(notes),
    )


def images_digest(files: Sequence[ImageFile]) -> str:
    """Return a SHA-256 over the prompts and contents of image files, hex digits."""
    text = "".join(f"{file.prompt}\0{file.sha256}\n" for file in files)
    return hashlib.sha256(text.encode()).hexdigest()


def find_images(
    root: Path, category: str, prompt: str | None = None
) -> tuple[list[ImageFile], list[Note]]:
    """Find the image files of a folder, or take a single one; files with equal bytes count once.

    Args:
        root: a folder with image files, or with folders of image files; or one image file.
        category: category of the object that was searched for.
        prompt: prompt of all images; by default the name of a file's folder, or the category for
            files directly in ``root``.

    Returns:
        The files in the order of their paths, and notes on those that are left out.

    Raises:
        InputError: no image files, or a prompt with control characters.
    """
    if has_controls(prompt or ""):
        raise InputError(f"'{printable(prompt or '')}' is not a usable prompt", expected="a text")
    paths, root = ([root], root.parent) if root.is_file() else (visible_files(root), root)
    images = [path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise InputError(
            f"no image files among {count_of(len(paths), 'file')}",
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


def _fault(content: bytes) -> tuple[str, str] | None:
    """Return why a file is not decoded: the reason, and what is wrong with this one."""
    if not content:
        return "an empty file", "it has 0 bytes"
    if not is_picture(content):
        return "another format", "it is no JPEG, PNG, WebP or BMP inside"
    height, width = picture_size(content) or (0, 0)
    if height * width > MAX_PICTURE_PIXELS:
        return "too large an image", f"{width} x {height} pixels, more than {MAX_PICTURE_PIXELS}"
    return None


def _rows(
    category: str, root: Path, files: Sequence[ImageFile], notes: list[Note]
) -> Iterator[Row]:
    for file in files:
        row = image_row(category, root, file)
        if isinstance(row, Note):
            notes.append(row)
        else:
            yield row


def image_row(category: str, root: Path, file: ImageFile) -> Row | Note:
    """Return the row of an image file; a note on one that is no picture.

    Args:
        category: category of the object that was searched for.
        root: the folder that file names in notes are relative to.
        file: one of `find_images`.
    """
    try:
        content = file.path.read_bytes()
    except OSError as error:
        return Note(_shown(file.path, root), "cannot be read", error.strerror or str(error))
    size = upright_size(content, _shown(file.path, root))
    if isinstance(size, Note):
        return size
    return {
        "sample_id": image_id(category, file.sha256),
        "category": category,
        "prompt": file.prompt,
        "view": "",
        "index": file.index,
        "source": SOURCE,
        "generator": "image search",
        "height": size[0],
        "width": size[1],
        "image": {"bytes": content, "path": _text(file.path.name)},
    }


def image_id(category: str, sha256: str) -> str:
    """Return the id of a picture from elsewhere, from the SHA-256 of its bytes."""
    return f"{SOURCE}-{category.replace(' ', '_')}-{sha256[:16]}"


def upright_size(content: bytes, entry: str) -> tuple[int, int] | Note:
    """Return height and width of a picture as its orientation turns it, or why it is not one.

    Args:
        content: the content of a file.
        entry: its name in the note.
    """
    fault = _fault(content)
    pixels = None if fault else decode_upright(content)
    if pixels is None:
        reason, message = fault or ("a broken image", f"{len(content)} bytes do not decode")
        return Note(entry, reason, message)
    return pixels.shape[0], pixels.shape[1]
