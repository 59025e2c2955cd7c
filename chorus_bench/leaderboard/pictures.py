"""`pictures/`: overlays of single samples, listed in `pictures.json`."""

from __future__ import annotations

import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import cv2

from chorus_bench.io.findings import Findings, printable
from chorus_bench.io.pictures import PictureError, decode_picture
from chorus_bench.leaderboard.places import PICTURES_FILE

KINDS = ("best", "median", "worst")
KEYS = ("sample_id", "category", "kind", "file", "score")

_MAX_PICTURES, _MAX_BYTES, _MAX_SIDE = 200, 2 << 20, 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,150}\.png", re.ASCII)
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_pictures(folder: Path, where: str, errors: Findings) -> list[dict[str, Any]]:
    """Return what `pictures.json` lists; every problem is added to ``errors``.

    Args:
        folder: the entry's ``pictures``.
        where: its name, for the findings.
        errors: takes the problems, unreadable pictures among them.
    """
    file = folder / PICTURES_FILE
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        errors.add(f"{where}/{PICTURES_FILE}:{error.lineno}", f"is not JSON: {error.msg}")
        return []
    except (OSError, ValueError) as error:
        errors.add(f"{where}/{PICTURES_FILE}", f"cannot be read: {error}")
        return []
    if not isinstance(rows, list) or len(rows) > _MAX_PICTURES:
        errors.add(f"{where}/{PICTURES_FILE}:1", "is no list", expected=f"{_MAX_PICTURES} at most")
        return []
    good = [row for n, row in enumerate(rows) if _check_row(row, n, folder, where, errors)]
    listed = {row["file"] for row in good}
    for path in sorted(folder.iterdir()):
        if path.name not in listed | {PICTURES_FILE} and len(good) == len(rows):
            errors.add(f"{where}/{printable(path.name)}", f"is not listed in {PICTURES_FILE}")
    return good


def _check_row(row: object, number: int, folder: Path, where: str, errors: Findings) -> bool:
    place = f"{where}/{PICTURES_FILE}: picture {number + 1}"
    if not isinstance(row, dict) or set(row) != set(KEYS):
        errors.add(place, "has other keys", expected=", ".join(KEYS))
        return False
    texts = all(isinstance(row[key], str) and len(row[key]) <= 300 for key in KEYS[:4])
    if not texts or row["kind"] not in KINDS or not _is_score(row["score"]):
        errors.add(place, "has values that are not usable", expected=f"kind one of {KINDS}, texts")
        return False
    if not _NAME.fullmatch(row["file"]):
        errors.add(place, f"file '{printable(row['file'], 60)}'", expected="a plain name of a .png")
        return False
    problem = picture_problem(folder / row["file"])
    if problem is not None:
        errors.add(f"{where}/{row['file']}", problem, expected="a PNG picture of at most 2 MiB")
    return problem is None


def _is_score(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value is None or (number and math.isfinite(float(str(value))))


def picture_problem(file: Path) -> str | None:
    """Return why a file is no readable PNG picture of moderate size, or None."""
    if file.is_symlink() or not file.is_file():
        return "is not there, or is no plain file"
    if file.stat().st_size > _MAX_BYTES:
        return f"has {file.stat().st_size} bytes"
    data = file.read_bytes()
    if not data.startswith(_SIGNATURE) or len(data) < 33:
        return "is no PNG picture"
    width, height = struct.unpack(">II", data[16:24])
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        return f"is {width} x {height} pixels"
    try:
        decode_picture(data, cv2.IMREAD_UNCHANGED)
    except PictureError as error:
        return f"cannot be decoded as a picture: {error}"
    return None
