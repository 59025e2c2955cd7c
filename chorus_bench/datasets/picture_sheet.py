"""A few pictures for a card: rows with masks and joints drawn in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from chorus_bench.array_types import UInt8
from chorus_bench.datasets.folder import PICTURES_FOLDER, DatasetInfo
from chorus_bench.datasets.masks import decode_mask
from chorus_bench.datasets.parquet import read_rows
from chorus_bench.datasets.recipe import Row
from chorus_bench.io.pictures import decode_upright

#: Number of categories shown (the largest ones), and height of a picture (pixels).
SHOWN, HEIGHT = 6, 240

#: Blue, green, red of an empty canvas, people, objects and joints.
_CANVAS, _HUMAN, _OBJECT, _JOINT = (245, 245, 245), (200, 150, 90), (60, 130, 235), (40, 40, 40)

_COLUMNS = ("category", "image", "height", "width", "human_mask", "object_mask", "joints_2d")


def write_pictures(folder: Path, info: DatasetInfo) -> list[str]:
    """Write a sheet of pictures into a dataset's folder; return the file names.

    Args:
        folder: the dataset's folder, with its shards.
        info: description of the dataset.
    """
    largest = sorted(info.categories.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    tiles = []
    for name, _ in largest:
        shard = next(shard for shard in info.shards if shard.category == name)
        row = _first_row(folder / shard.path)
        if row.get("height") and row.get("width"):
            tiles.append(_tile(row))
    if not tiles:
        return []
    (folder / PICTURES_FOLDER).mkdir(exist_ok=True)
    name = "overview.png"
    ok, data = cv2.imencode(".png", np.hstack(tiles))
    if ok:
        (folder / PICTURES_FOLDER / name).write_bytes(data.tobytes())
    return [name] if ok else []


def _first_row(path: Path) -> Row:
    return next(read_rows(path, _COLUMNS, 1))


def _tile(row: Row) -> UInt8:
    """Draw one row, with the name of its category below."""
    picture = _background(row)
    for key, colour in (("human_mask", _HUMAN), ("object_mask", _OBJECT)):
        if row.get(key):
            on = decode_mask(row[key]) > 0
            picture[on] = (0.45 * picture[on] + 0.55 * np.array(colour)).astype(np.uint8)
    factor = HEIGHT / picture.shape[0]
    size = (max(1, round(picture.shape[1] * factor)), HEIGHT)
    small: Any = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for x, y in row.get("joints_2d") or []:
        cv2.circle(small, (round(x * factor), round(y * factor)), 2, _JOINT, -1, cv2.LINE_AA)
    return _labelled(small, row["category"])


def _background(row: Row) -> UInt8:
    content = (row.get("image") or {}).get("bytes")
    if content:
        decoded = decode_upright(content)
        if decoded is not None and decoded.shape[:2] == (row["height"], row["width"]):
            return np.ascontiguousarray(decoded[..., ::-1])
    return np.full((row["height"], row["width"], 3), _CANVAS, np.uint8)


def _labelled(tile: Any, text: str) -> UInt8:  # noqa: ANN401 - OpenCV's array type
    border = cv2.copyMakeBorder(tile, 2, 22, 2, 2, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    place = (6, border.shape[0] - 7)
    cv2.putText(border, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _JOINT, 1, cv2.LINE_AA)
    return border.astype(np.uint8)
