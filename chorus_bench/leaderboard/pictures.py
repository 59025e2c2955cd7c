"""`pictures/`: overlays of single samples, listed in `pictures.json`."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from chorus_bench.io.findings import Findings, printable
from chorus_bench.io.limits import MIB
from chorus_bench.io.pictures import decode_upright
from chorus_bench.io.schemas import Fraction, Line, Schema, parse, right_parts
from chorus_bench.io.untrusted_files import read_regular
from chorus_bench.leaderboard.places import PICTURES_FILE
from chorus_bench.names import MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH

_MAX_PICTURES, _MAX_BYTES, _MAX_SIDE = 200, 2 << 20, 4096
_MAX_LIST_BYTES = MIB
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class ListedPicture(Schema):
    """A picture of one sample.

    Attributes:
        sample_id: id of the sample.
        category: category of the sample.
        kind: why it is shown: best, median or worst.
        file: file name in this folder.
        score: PAP of the sample; null if it has none.
    """

    sample_id: Line = Field(max_length=MAX_SAMPLE_LENGTH)
    category: Line = Field(max_length=MAX_CATEGORY_LENGTH)
    kind: Literal["best", "median", "worst"]
    file: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,150}\.png$", description="a plain name of a .png"
    )
    score: Fraction | None


Pictures = Annotated[tuple[ListedPicture, ...], Field(max_length=_MAX_PICTURES)]


class PictureList(RootModel[Pictures], strict=True):
    """A list of at most 200 pictures."""


def read_pictures(folder: Path, where: str, errors: Findings) -> list[dict[str, Any]]:
    """Return the list in `pictures.json`; every problem is added to ``errors``.

    Args:
        folder: the entry's ``pictures``.
        where: its name, for the findings.
        errors: collects the problems, including unreadable pictures.
    """
    file = f"{where}/{PICTURES_FILE}"
    before = len(errors)
    document = errors.collect(
        lambda: parse(read_regular(folder / PICTURES_FILE, _MAX_LIST_BYTES), file), file
    )
    rows = {} if document is None else right_parts(PictureList, document, errors)
    listed = [row for row in rows.values() if row is not None]
    names = {row["file"] for row in listed}
    if len(errors) == before:
        for path in sorted(folder.iterdir()):
            if path.name not in names | {PICTURES_FILE}:
                errors.add(f"{where}/{printable(path.name)}", f"is not listed in {PICTURES_FILE}")
    problems = {name: picture_problem(folder / name) for name in sorted(names)}
    for name, problem in problems.items():
        if problem is not None:
            errors.add(f"{where}/{name}", problem, expected="a PNG picture of at most 2 MiB")
    return [row for row in listed if problems[row["file"]] is None]


def picture_problem(file: Path) -> str | None:
    """Return why a file is not a readable PNG picture of moderate size, or None if it is."""
    if file.is_symlink() or not file.is_file():
        return "is missing or not a plain file"
    if file.stat().st_size > _MAX_BYTES:
        return f"has {file.stat().st_size} bytes"
    data = file.read_bytes()
    if not data.startswith(_SIGNATURE) or len(data) < 33:
        return "is not a PNG picture"
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        return f"is {width} x {height} pixels"
    if decode_upright(data) is None:
        return "cannot be decoded as a picture"
    return None
