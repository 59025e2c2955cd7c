"""The schema of `results.json`: keys, kinds and ranges of everything in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chorus_bench.errors import did_you_mean
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.entries import EntryFiles
from chorus_bench.leaderboard.manifest import is_sha256
from chorus_bench.metrics.pap import SCORE_NAMES

MEANS = tuple(f"m{name}" for name in SCORE_NAMES)

_CATEGORY_KEYS = {*SCORE_NAMES, "intervals", "samples", "counted", "counted_hoa", "missing"}
_KINDS: dict[str, Any] = {
    "signature": str,
    "warnings": list,
    "seconds": int | float,
    **dict.fromkeys(
        ("submission", "scores", "intervals", "categories", "beside", "skipped", "environment"),
        dict,
    ),
}


def schema_rule(files: EntryFiles, errors: Findings) -> None:
    """`results.json` has the keys of a result, and values of the right kind."""
    content = files.content or {}
    wanted = {"schema", *EvaluationResult.__dataclass_fields__} - {"samples"}
    for key in sorted(set(content) - wanted):
        errors.add(
            files.lines.at(key), f"unknown key '{printable(key)}'", fix=did_you_mean(key, wanted)
        )
    for key in sorted(wanted - set(content)):
        errors.add(files.lines.at(), f"key '{key}' is missing", fix="copy the result again")
    for path, found, expected in _wrong_values(content):
        errors.add(files.lines.at(*path), found, expected=expected, fix="copy the result again")


_Wrong = tuple[tuple[str, ...], str, str]


def _wrong_values(content: Mapping[str, Any]) -> Iterator[_Wrong]:
    for key, kind in _KINDS.items():
        if key in content and not isinstance(content[key], kind):
            yield (key,), f"is {type(content[key]).__name__}", "as `evaluate` writes it"
    yield from _wrong_scores(table_of(content.get("scores")), ("scores",), MEANS)
    for key in ("categories", "samples"):
        if not _is_count(table_of(content.get("scores")).get(key)):
            yield ("scores", key), "is no whole number", "a whole number"
    yield from _wrong_intervals(content.get("intervals"), ("intervals",), MEANS)
    yield from _wrong_submission(table_of(content.get("submission")))
    for name, entry in table_of(content.get("categories")).items():
        yield from _wrong_category(("categories", name), entry)


def _wrong_submission(submission: Mapping[str, Any]) -> Iterator[_Wrong]:
    if not isinstance(submission.get("method"), str):
        yield ("submission", "method"), "is no text", "the method's name"
    if not is_sha256(submission.get("sha256")):
        yield ("submission", "sha256"), "is no SHA-256", "64 hexadecimal digits"


def _wrong_category(path: tuple[str, ...], entry: object) -> Iterator[_Wrong]:
    table = table_of(entry)
    if set(table) != _CATEGORY_KEYS:
        yield path, "has other keys", ", ".join(sorted(_CATEGORY_KEYS))
        return
    yield from _wrong_scores(table, path, SCORE_NAMES)
    yield from _wrong_intervals(table["intervals"], (*path, "intervals"), SCORE_NAMES)
    for key in ("samples", "counted", "counted_hoa"):
        if not _is_count(table[key]):
            yield (*path, key), "is no whole number", "a whole number"
    if not isinstance(table["missing"], bool):
        yield (*path, "missing"), "is neither true nor false", "true or false"


def _wrong_scores(
    table: Mapping[str, Any], path: tuple[str, ...], names: Sequence[str]
) -> Iterator[_Wrong]:
    for name in names:
        if not (_is_number(table.get(name)) and 0 <= table[name] <= 1):
            found = f"is {printable(repr(table.get(name)), 40)}"
            yield (*path, name), found, "a fraction from 0 to 1"


def _wrong_intervals(
    value: object, path: tuple[str, ...], names: Sequence[str]
) -> Iterator[_Wrong]:
    for name in names:
        bounds = table_of(value).get(name)
        good = isinstance(bounds, list) and len(bounds) == 2 and all(map(_is_number, bounds))
        if not good:
            yield (*path, name), "is no interval", "[low, high]"


def table_of(value: object) -> Mapping[str, Any]:
    """Return a table of keys as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _is_number(value: object) -> bool:
    kind = isinstance(value, int | float) and not isinstance(value, bool)
    return kind and math.isfinite(value)  # type: ignore[arg-type]
