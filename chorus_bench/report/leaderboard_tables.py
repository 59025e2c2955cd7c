"""The leaderboard as text: tables for people, CSV and JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from chorus_bench.errors import InputError, did_you_mean, unknown_name
from chorus_bench.evaluation.representation import chosen
from chorus_bench.io.findings import printable
from chorus_bench.metrics.pap import SCORE_NAMES

MEANS = tuple(f"m{name}" for name in SCORE_NAMES)
STYLES = {"table": "simple", "markdown": "github", "latex": "latex_booktabs"}

_NOTHING = "\u2013"

_LEGEND = """\
Percent, higher is better. Methods share a rank (=) unless the paired 95 % interval of their
difference excludes zero. Boards are never ranked together."""


def board_rows(site: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one flat row per method, fractions in full precision; missing values are "".

    Args:
        site: the board's JSON, from `board_json`.
    """
    return [_flat_row(board, method) for board in site["boards"] for method in board["methods"]]


def _flat_row(board: Mapping[str, Any], method: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"board": board["title"], "method": method["method"]}
    for mean in MEANS:
        low, high = method["intervals"][mean] or (None, None)
        row |= {mean: method["scores"][mean], f"{mean}_low": low, f"{mean}_high": high}
        row[f"{mean}_rank"] = (method["rank"] or {}).get(mean)
    for key in ("categories_count", "samples", "status", "training_data", "saw_coco_val"):
        row[key] = method[key]
    row |= {key: method[key] for key in ("date", "submitted_by", "track", "signature", "sha256")}
    row |= {key: method["links"][key] for key in ("paper", "code", "submission")}
    row["source"] = method.get("source")
    return {key: "" if value is None else value for key, value in row.items()}


def chosen_boards(site: Mapping[str, Any], signature: str | None) -> list[Mapping[str, Any]]:
    """Return the boards whose id equals, or whose signature or title contains, a text.

    Args:
        site: the board's JSON.
        signature: the text; None for all boards.

    Raises:
        InputError: no board matches.
    """
    boards: list[Mapping[str, Any]] = site["boards"]
    if signature is None:
        return boards
    found = [
        b for b in boards if b["id"] == signature or signature in f"{b['signature']}\n{b['title']}"
    ]
    if not found:
        fix = did_you_mean(signature, [board["signature"] for board in boards])
        raise InputError(f"no board has the signature '{printable(signature)}'", fix=fix)
    return found


def chosen_methods(
    boards: Sequence[Mapping[str, Any]], representation: str | None
) -> list[Mapping[str, Any]]:
    """Return the boards with the methods of a representation only; their ranks stay.

    Args:
        boards: boards of the board's JSON.
        representation: see `chorus_bench.evaluation.representation.is_of`; None for all methods.

    Raises:
        InputError: no method is of it.
    """
    places = {
        (b, m): tuple(method["representation"])
        for b, board in enumerate(boards)
        for m, method in enumerate(board["methods"])
    }
    kept = chosen(places, representation)
    return [
        {**board, "methods": [board["methods"][m] for n, m in kept if n == b]}
        for b, board in enumerate(boards)
        if representation is None or any(n == b for n, _ in kept)
    ]


def check_score(score: str) -> None:
    """Raise an `InputError` unless a score is one of the four means."""
    if score not in MEANS:
        raise unknown_name("score", score, MEANS)


def render_boards(boards: Sequence[Mapping[str, Any]], style: str, score: str = "mPAP") -> str:
    """Return boards as tables, each best first.

    Args:
        boards: result of `chosen_boards`.
        style: ``table``, ``markdown`` or ``latex``.
        score: the mean by which rows are ranked and sorted.
    """
    check_score(score)
    if style not in STYLES:
        raise unknown_name("format", style, STYLES)
    parts = [_board(board, style, score) for board in boards]
    if not parts:
        return "The leaderboard has no entries."
    return "\n\n".join(parts if style == "latex" else [*parts, _LEGEND])


def _board(board: Mapping[str, Any], style: str, score: str) -> str:
    rows = [_row(method, score, style) for method in _sorted(board["methods"], score)]
    headers = ("rank", "method", score, "95 % interval", *(m for m in MEANS if m != score))
    headers += ("categories", "samples", "status", "COCO val seen", "date")
    aligned = ("right", "left", *["right"] * 7, "left", "left", "left")
    table = tabulate(rows, headers, tablefmt=STYLES[style], colalign=aligned, disable_numparse=True)
    if style == "latex":
        return f"% {_line(board['title'])}\n% {_line(board['signature'])}\n{table}"
    title = f"### {_shown(board['title'], style)}" if style == "markdown" else board["title"]
    return f"{title}\nSignature: {_shown(board['signature'], style)}\n\n{table}"


def _sorted(methods: Sequence[Mapping[str, Any]], score: str) -> list[Mapping[str, Any]]:
    """Return rows by rank and value; those without the score come last."""

    def key(method: Mapping[str, Any]) -> tuple[bool, int, float]:
        value = method["scores"][score]
        return value is None, (method["rank"] or {}).get(score, 0), -(value or 0.0)

    return sorted(methods, key=key)


def _row(method: Mapping[str, Any], score: str, style: str) -> list[str]:
    rank = "" if method["rank"] is None else str(method["rank"][score])
    tie = "=" if method["tied"] is not None and method["tied"][score] else ""
    bounds = method["intervals"][score]
    interval = "" if bounds is None else f"{_percent(bounds[0])} to {_percent(bounds[1])}"
    others = [_percent(method["scores"][mean]) for mean in MEANS if mean != score]
    last = [method["categories_count"], method["samples"], method["status"]]
    last += [method["saw_coco_val"], method["date"]]
    return [
        rank + tie,
        _shown(method["method"], style),
        _percent(method["scores"][score]),
        interval,
        *others,
        *("" if value is None else str(value) for value in last),
    ]


def _percent(value: float | None) -> str:
    return _NOTHING if value is None else f"{100 * value:.2f}"


def _line(text: str) -> str:
    return printable(text, 1000).replace("\n", " ")


def _shown(text: str, style: str) -> str:
    """Return a text of unknown origin on one line, escaped for the table's language."""
    line = _line(text)
    if style != "markdown":
        return line
    for letter in "\\`*_[]<>|#":
        line = line.replace(letter, f"\\{letter}")
    return line.replace("&", "&amp;").replace("\\<", "&lt;").replace("\\>", "&gt;")
