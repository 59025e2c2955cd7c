"""The parts of pages: templates, built scripts, and data that is safe inside a script."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.curves import MeanCurve

if TYPE_CHECKING:
    from jinja2 import Environment

#: Templates, style sheet and built scripts; the README there says how they are built.
PAGES = Path(__file__).parents[1] / "pages"
#: Files that pages link to or contain.
ASSETS = ("style.css", "board.js", "method.js", "charts.js", "viewer.js", "LICENSES.txt")

_FULL = 65535
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def asset_file(name: str) -> Path:
    """Return the path of one of `ASSETS`.

    Raises:
        InputError: this installation lacks it.
    """
    file = PAGES / name if name.endswith(".css") else PAGES / "built" / name
    if not file.is_file():
        raise InputError(
            "this installation lacks a part of its pages",
            where=file,
            fix="install chorus-bench again, or build it as chorus_bench/pages/README.md says",
        )
    return file


def asset(name: str) -> str:
    """Return the text of one of `ASSETS`, for example ``viewer.js``."""
    return asset_file(name).read_text(encoding="utf-8")


def render(template: str, **values: object) -> str:
    """Return a page.

    Args:
        template: its name, for example ``report.html.jinja``.
        values: the values of its names; texts are escaped, and a missing name is an error.
    """
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGES / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.globals["asset"] = asset
    environment.filters["script_json"] = script_json
    return environment


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


def encode_array(values: ArrayLike, dtype: str) -> str:
    """Return an array as base64 of its little-endian bytes, C order."""
    array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<"))
    return base64.b64encode(array.tobytes()).decode("ascii")


def encode_fractions(values: ArrayLike) -> str:
    """Return fractions from 0 to 1 as base64 of whole numbers of 1/65535."""
    return encode_array(np.rint(_FULL * np.clip(values, 0, 1)), "u2")


def curve_data(curve: MeanCurve) -> dict[str, Any]:
    """Return a precision-recall curve as the pages' scripts read it.

    Returns:
        ``recall`` and ``precision`` as `encode_fractions` writes them, and ``undefined_from``.
    """
    return {
        "recall": encode_fractions(curve.recall),
        "precision": encode_fractions(np.nan_to_num(curve.precision)),
        "undefined_from": curve.undefined_from,
    }


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
