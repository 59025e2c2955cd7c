"""`published.yaml`: figures as papers print them. Never ranked with recomputed ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.io.findings import Finding, Findings, has_controls, printable
from chorus_bench.io.limits import MIB
from chorus_bench.io.yaml_files import load_mapping
from chorus_bench.leaderboard.places import PUBLISHED_FILE, Lines
from chorus_bench.metrics.pap import SCORE_NAMES

_FILE_KEYS = ("rows",)
_TEXTS = ("name", "source", "setting", "note")
_KEYS = (*_TEXTS, "scores", "categories", "categories_count")
_MEANS = tuple(f"m{name}" for name in SCORE_NAMES)


@dataclass(frozen=True)
class PublishedRow:
    """A row of a paper's table.

    Attributes:
        name: name of the method or the setting.
        source: the paper and the table.
        setting: what it was measured on.
        note: anything else, or "".
        scores: ``mPAP`` and its variants as fractions, those that were published.
        categories: category -> ``PAP`` and its variants as fractions.
        categories_count: over how many categories the means are, or None.
    """

    name: str
    source: str
    setting: str
    note: str
    scores: Mapping[str, float]
    categories: Mapping[str, Mapping[str, float]]
    categories_count: int | None


def read_published(file: Path, errors: Findings) -> list[PublishedRow]:
    """Read `published.yaml`; a leaderboard may do without one.

    Args:
        file: the file.
        errors: takes every problem, with the line.
    """
    if not file.exists():
        return []
    try:
        if file.stat().st_size > MIB:
            raise InputError(f"has {file.stat().st_size} bytes", expected=f"at most {MIB}")
        data = file.read_bytes()
        content = load_mapping(data)
    except (InputError, OSError) as error:
        found = error if isinstance(error, InputError) else InputError(f"cannot be read: {error}")
        errors.append(Finding.of(found, PUBLISHED_FILE))
        return []
    lines = Lines.of_yaml(PUBLISHED_FILE, data.decode("utf-8-sig"))
    _check_keys(content, _FILE_KEYS, (), lines, errors)
    rows = content.get("rows")
    if not isinstance(rows, list):
        errors.add(lines.at("rows"), "is no list of rows", expected="rows: [...]")
        return []
    read = [_row(row, n, lines, errors) for n, row in enumerate(rows)]
    return [row for row in read if row is not None]


def _row(row: object, number: int, lines: Lines, errors: Findings) -> PublishedRow | None:
    path = ("rows", number)
    if not isinstance(row, dict):
        errors.add(lines.at(*path), "is no table of keys", expected=", ".join(_KEYS))
        return None
    before = len(errors)
    _check_keys(row, _KEYS, path, lines, errors)
    for keys, found, expected in _problems(row):
        errors.add(lines.at(*path, *keys), found, expected=expected)
    if len(errors) > before:
        return None
    categories = row.get("categories") or {}
    return PublishedRow(
        row["name"],
        row["source"],
        row.get("setting") or "",
        row.get("note") or "",
        _fractions(row.get("scores") or {}),
        {name: _fractions(scores) for name, scores in categories.items()},
        row.get("categories_count"),
    )


def _check_keys(
    content: Mapping[Any, Any],
    known: tuple[str, ...],
    path: tuple[str | int, ...],
    lines: Lines,
    errors: Findings,
) -> None:
    for key in content:
        if key not in known:
            name = printable(str(key), 40)
            where = lines.at(*path, str(key))
            errors.add(where, f"unknown key '{name}'", fix=did_you_mean(name, known))


def _problems(row: Mapping[Any, Any]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Give what is wrong in a row: the keys, what is there, what was expected."""
    for key in _TEXTS:
        value = row.get(key)
        if not _is_text(value) and (value is not None or key in ("name", "source")):
            yield (key,), "is missing" if value is None else "is no usable text", "text"
    count = row.get("categories_count")
    if count is not None and (not isinstance(count, int) or not 1 <= count <= 1000):
        yield ("categories_count",), "is no number of categories", "a whole number"
    yield from _wrong_scores(row.get("scores"), ("scores",), _MEANS)
    categories = row.get("categories")
    if categories is not None and not isinstance(categories, dict):
        yield ("categories",), "is no table of keys", "category: {PAP: ...}"
    elif categories:
        for name, scores in categories.items():
            yield from _wrong_scores(scores, ("categories", str(name)), SCORE_NAMES)
            if not _is_text(name):
                yield ("categories", str(name)), "is no text", "the category's name"
    if not row.get("scores") and not categories:
        yield (), "has neither scores nor categories", "at least one score"


def _is_text(value: object) -> bool:
    good = isinstance(value, str) and 1 <= len(value.strip()) <= 2000
    return good and not has_controls(str(value), allowed="\n")


def _wrong_scores(
    scores: object, path: tuple[str, ...], names: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    if scores is None:
        return
    if not isinstance(scores, dict):
        yield path, "is no table of scores", ", ".join(names)
        return
    for key, value in scores.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if key not in names:
            shown = printable(str(key), 40)
            yield (*path, str(key)), f"unknown score '{shown}'", did_you_mean(shown, names)
        elif not number or not math.isfinite(value) or not 0 <= value <= 100:
            yield (*path, key), f"is {printable(repr(value), 40)}", "percent, 0 to 100"


def _fractions(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores in percent as fractions, without new digits."""
    return {name: round(value / 100, 8) for name, value in scores.items()}
