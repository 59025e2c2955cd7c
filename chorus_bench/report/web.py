"""Data for pages: text that is safe inside a script, and compact fields and bodies."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid

#: Built by `npm run build` in leaderboard/site.
_ASSETS = "site"
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_LARGEST = 48


def script_json(value: object) -> str:
    """Return JSON that is safe inside a script element, whatever texts it contains.

    Raises:
        InputError: a number is not finite.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise InputError(f"cannot be written as JSON: {error}") from error
    for letter, escaped in _UNSAFE.items():
        text = text.replace(letter, escaped)
    return text


def asset(name: str) -> str:
    """Return a built script or style sheet of the pages, for example ``viewer.js``.

    Raises:
        InputError: this installation lacks it.
    """
    file = resources.files("chorus_bench") / "data" / _ASSETS / name
    if not file.is_file():
        raise InputError(
            "this installation lacks a part of its pages",
            where=name,
            fix="reinstall chorus-bench, or run `npm ci && npm run build` in leaderboard/site",
        )
    return file.read_text(encoding="utf-8")


def encode_array(values: ArrayLike, dtype: str) -> str:
    """Return an array as base64 of its little-endian bytes, C order."""
    array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(array.tobytes()).decode("ascii")


def body_data(body: BodyModel) -> dict[str, Any]:
    """Return the canonical body for the 3D view.

    Respect the license when publishing: SMPL's template must not be redistributed, so pages for
    others show the free body.

    Returns:
        ``name``, ``vertices`` (int16 millimetres), ``faces`` (uint16 or uint32),
        ``index_bytes``.
    """
    small = len(body.canonical_vertices) <= np.iinfo(np.uint16).max
    millimetres = np.rint(1000 * np.asarray(body.canonical_vertices))
    return {
        "name": body.name,
        "vertices": encode_array(millimetres, "i2"),
        "faces": encode_array(body.faces, "u2" if small else "u4"),
        "index_bytes": 2 if small else 4,
    }


def fields_data(fields: Mapping[str, OccupancyGrid]) -> dict[str, Any]:
    """Return fields for the 3D view, in steps of 1/255 and with at most 48 voxels per side.

    Args:
        fields: category -> field, all on the same grid.

    Returns:
        ``grid`` (``resolution``, ``side_length`` in metres, ``center``), ``fields``
        (zlib-compressed uint8, C order x, y, z) and ``max`` of each.

    Raises:
        InputError: no field, or fields on different grids.
    """
    specs = {field.spec for field in fields.values()}
    if len(specs) != 1:
        raise InputError(f"fields on {len(specs)} grids", expected="one or more on the same grid")
    spec = next(iter(specs))
    step = -(-spec.resolution // _LARGEST)
    smaller = {name: _shrunk(field.values, step) for name, field in fields.items()}
    resolution = len(next(iter(smaller.values())))
    side = spec.voxel_size * step * resolution
    return {
        "grid": {
            "resolution": resolution,
            "side_length": side,
            "center": [float(low) + side / 2 for low in np.broadcast_to(spec.low, 3)],
        },
        "fields": {name: _compressed(values) for name, values in smaller.items()},
        "max": {name: float(values.max()) for name, values in smaller.items()},
    }


def _shrunk(values: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return the largest value of each block of voxels, so that nothing thin is lost."""
    if step == 1:
        return values
    size = -(-len(values) // step)
    padded = np.pad(values, [(0, size * step - len(values))] * 3)
    blocks = padded.reshape(size, step, size, step, size, step)
    return np.asarray(blocks.max(axis=(1, 3, 5)))


def _compressed(values: NDArray[np.float32]) -> str:
    levels = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode("ascii")
