"""`submission.yaml`: what it may say, and reading it."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.geometry.grid import MAX_RESOLUTION, MIN_RESOLUTION, GridSpec
from chorus_bench.io.findings import Finding, Findings, has_controls, printable
from chorus_bench.io.limits import (
    MAX_METHOD_LENGTH,
    MAX_SIDE_LENGTH,
    MAX_TEXT_LENGTH,
    MIN_SIDE_LENGTH,
)
from chorus_bench.io.yaml_files import load_mapping

MANIFEST_NAME = "submission.yaml"

Track = Literal["canonical", "posed"]
TRACKS: tuple[Track, ...] = get_args(Track)

#: The optional keys: each a text or a list of texts.
METADATA_KEYS = (
    "authors",
    "affiliation",
    "paper",
    "code",
    "description",
    "training_data",
    "license",
    "date",
)
KEYS = ("method", "track", "grid", *METADATA_KEYS)
GRID_KEYS = ("resolution", "side_length", "center")

_MAX_UNKNOWN = 20


@dataclass(frozen=True)
class Manifest:
    """What `submission.yaml` says. ``None`` stands for what is missing or wrong.

    Attributes:
        method: the method's name.
        track: ``canonical`` or ``posed``.
        grid: the geometry of every grid of the submission.
        metadata: the optional keys that are there, each a text or a list of texts.
    """

    method: str | None = None
    track: Track | None = None
    grid: GridSpec | None = None
    metadata: dict[str, str | list[str]] = field(default_factory=dict)


def read_manifest(data: bytes, errors: Findings) -> Manifest:
    """Read the bytes of `submission.yaml`; every problem is added to ``errors``."""
    try:
        content = load_mapping(data)
    except InputError as error:
        errors.append(Finding.of(error, MANIFEST_NAME))
        return Manifest()
    _check_keys(content, KEYS, MANIFEST_NAME, errors)
    return Manifest(
        method=_method(content.get("method"), errors),
        track=_track(content.get("track"), errors),
        grid=_grid(content["grid"], errors) if "grid" in content else GridSpec(),
        metadata=_metadata(content, errors),
    )


def _check_keys(
    content: Mapping[object, Any], known: tuple[str, ...], where: str, errors: Findings
) -> None:
    unknown = [_text(key) for key in content if key not in known]
    for name in unknown[:_MAX_UNKNOWN]:
        errors.add(where, f"unknown key '{name}'", fix=did_you_mean(name, known))
    if len(unknown) > _MAX_UNKNOWN:
        errors.add(where, f"{len(unknown) - _MAX_UNKNOWN} more unknown keys")


def _method(value: object, errors: Findings) -> str | None:
    where = f"{MANIFEST_NAME}: method"
    expected = f"the method's name, 1 to {MAX_METHOD_LENGTH} characters"
    if value is None:
        errors.add(where, "is missing", expected=expected, fix="add 'method: <name>'")
    elif not isinstance(value, str):
        errors.add(where, f"is {_kind(value)}", expected=expected, fix="put quotes around it")
    elif not 1 <= len(value.strip()) <= MAX_METHOD_LENGTH:
        errors.add(where, f"has {len(value.strip())} characters", expected=expected)
    elif has_controls(value.strip()):
        errors.add(where, f"has control characters: '{printable(value)}'", expected=expected)
    else:
        return value.strip()
    return None


def _track(value: object, errors: Findings) -> Track | None:
    where = f"{MANIFEST_NAME}: track"
    expected = " or ".join(f"'{track}'" for track in TRACKS)
    if value is None:
        errors.add(where, "is missing", expected=expected, fix="add 'track: canonical'")
    elif not isinstance(value, str):
        errors.add(where, f"is {_kind(value)}", expected=expected)
    elif value not in TRACKS:
        shown = _text(value)
        errors.add(where, f"unknown track '{shown}'", fix=did_you_mean(shown, TRACKS))
    else:
        return value
    return None


def _grid(value: object, errors: Findings) -> GridSpec | None:
    where = f"{MANIFEST_NAME}: grid"
    if not isinstance(value, dict):
        errors.add(where, f"is {_kind(value)}", expected=f"the keys {', '.join(GRID_KEYS)}")
        return None
    before = len(errors)
    _check_keys(value, GRID_KEYS, where, errors)
    default = GridSpec()
    resolution = value.get("resolution", default.resolution)
    side_length = value.get("side_length", default.side_length)
    center = value.get("center", list(default.center))
    if not (_is_whole(resolution) and MIN_RESOLUTION <= resolution <= MAX_RESOLUTION):
        errors.add(
            f"{where}.resolution",
            _found(resolution),
            expected=f"a whole number from {MIN_RESOLUTION} to {MAX_RESOLUTION}",
        )
    if not (_is_number(side_length) and MIN_SIDE_LENGTH <= side_length <= MAX_SIDE_LENGTH):
        errors.add(
            f"{where}.side_length", _found(side_length), expected="a positive number of metres"
        )
    if not _is_point(center):
        errors.add(f"{where}.center", _found(center), expected="three numbers in metres: [x, y, z]")
    if len(errors) > before:
        return None
    x, y, z = (float(c) for c in center)
    return GridSpec(resolution, float(side_length), (x, y, z))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_point(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(_is_number(c) and abs(c) <= MAX_SIDE_LENGTH for c in value)
    )


def _metadata(content: Mapping[object, Any], errors: Findings) -> dict[str, str | list[str]]:
    metadata: dict[str, str | list[str]] = {}
    for key in METADATA_KEYS:
        value = content.get(key)
        if isinstance(value, datetime.date):
            value = value.isoformat()
        if value is not None and _check_text(f"{MANIFEST_NAME}: {key}", value, errors):
            metadata[key] = cast("str | list[str]", value)
    return metadata


def _check_text(where: str, value: object, errors: Findings) -> bool:
    """Whether a value is a text, or a list of texts, that can be shown anywhere."""
    items: list[object] = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str)]
    length = sum(len(text) for text in texts)
    if len(texts) < len(items):
        wrong = next(item for item in items if not isinstance(item, str))
        verb = "holds" if isinstance(value, list) else "is"
        errors.add(
            where,
            f"{verb} {_kind(wrong)}",
            expected="text or a list of texts",
            fix="put quotes around it",
        )
    elif length > MAX_TEXT_LENGTH:
        expected = f"at most {MAX_TEXT_LENGTH} characters"
        errors.add(where, f"has {length} characters", expected=expected)
    elif any(has_controls(text, allowed="\n\r\t") for text in texts):
        errors.add(where, "has control characters", expected="plain text")
    else:
        return True
    return False


def _kind(value: object) -> str:
    """Return what sort of YAML value this is."""
    if value is None:
        return "nothing"
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    kinds |= {list: "a list", dict: "a table of keys"}
    return kinds.get(type(value), "a date" if isinstance(value, datetime.date) else "no text")


def _text(value: object) -> str:
    """Return any YAML value as short, safe text."""
    try:
        return printable(str(value), 40)
    except ValueError:  # Python refuses to print whole numbers of thousands of digits
        return "..."


def _found(value: object) -> str:
    if isinstance(value, str):
        return f"is the text '{_text(value)}'"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"is {_text(value)}"
    return f"is {_kind(value)}: {_text(value)}"
