"""The leaderboard as text: tables for people, CSV and JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from chorus_bench.errors import InputError, did_you_mean, unknown_name
from chorus_bench.evaluation.representation import chosen
from chorus_bench.io.findings import printable
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.ranking import rank_text

MEANS = tuple(f"m{name}" for name in SCORE_NAMES)
#: A score marked for the recall that is left at the last threshold is lower by at least this.
LOST = 0.01
STYLES = {"table": "simple", "markdown": "github", "latex": "latex_booktabs"}

_NOTHING = "\u2013"

_LEGEND = """\
Percent, higher is better. A rank is a range: from 1 + the number of methods that are significantly
better to the number of those that are not significantly worse. Significant: the paired 95 %
interval of the difference excludes zero. Boards are never ranked together."""
_LOST = """\
(1) Recall left at the last threshold is not counted; closed, which counts it, would be at least
one point higher: """


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
        row[f"{mean}_last_rank"] = (method["last_rank"] or {}).get(mean)
        row[f"{mean}_closed"] = (method["closed"] or {}).get(mean)
    for key in ("categories_count", "samples", "status", "training_data", "saw_coco_val"):
        row[key] = method[key]
    row["repeat"] = method["repeat"]
    row |= {key: method[key] for key in ("date", "submitted_by", "track", "signature", "sha256")}
    row |= {key: method["links"][key] for key in ("paper", "code", "submission")}
    row["source"] = method.get("source")
    return {key: "" if value is None else value for key, value in row.items()}


def category_rows(site: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one flat row per method and category; missing values are "".

    Args:
        site: the board's JSON, from `board_json`.
    """
    return [
        _category_row(board, method, category)
        for board in site["boards"]
        for method in board["methods"]
        for category in board["categories"]
        if category["name"] in method["categories"]
    ]


def _category_row(
    board: Mapping[str, Any], method: Mapping[str, Any], category: Mapping[str, Any]
) -> dict[str, Any]:
    numbers = method["categories"][category["name"]]
    row = {"board": board["title"], "method": method["method"], "category": category["name"]}
    row |= {key: category[key] for key in ("samples", "counted", "counted_hoa")}
    for i, score in enumerate(SCORE_NAMES):
        row[score] = numbers[score]
        for key in ("low", "high", "rank", "last_rank"):
            row[f"{score}_{key}"] = numbers[key][i]
        row[f"{score}_closed"] = numbers["closed"] and numbers["closed"][i]
    row |= {"missing": numbers["missing"], "signature": method["signature"]}
    return {key: "" if value is None else value for key, value in row.items()}


def loses_recall(value: float | None, closed: float | None) -> bool:
    """Return whether a score would be a point higher if it counted the last recall (P24)."""
    return value is not None and closed is not None and closed - value >= LOST


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
    text = f"{title}\nSignature: {_shown(board['signature'], style)}\n\n{table}"
    return "\n\n".join([text, *_notes(board, style, score)])


def _notes(board: Mapping[str, Any], style: str, score: str) -> list[str]:
    """Return what a reader of a board's numbers must know."""
    lost = [
        f"{_shown(method['method'], style)} {_percent(method['closed'][score])}"
        for method in board["methods"]
        if _loses(method, score)
    ]
    notes = [f"{_LOST}{', '.join(lost)}."] if lost else []
    seeing = [_shown(m["method"], style) for m in board["methods"] if m["sees_truth"]]
    if seeing:
        notes.append(f"Given what a method has to predict, so not ranked: {', '.join(seeing)}.")
    few = board["few"]
    if few is not None:
        names = ", ".join(f"{one['name']} ({one['counted_hoa']})" for one in few["categories"])
        notes.append(
            f"The hoa scores rest on fewer than {few['limit']} samples in {names}; in mPAP_hoa "
            "every category weighs the same."
        )
    return notes


def _loses(method: Mapping[str, Any], score: str) -> bool:
    closed = method["closed"]
    return closed is not None and loses_recall(method["scores"][score], closed[score])


def _sorted(methods: Sequence[Mapping[str, Any]], score: str) -> list[Mapping[str, Any]]:
    """Return rows by rank and value, then those that see the truth, then those without a score."""

    def key(method: Mapping[str, Any]) -> tuple[bool, bool, int, float]:
        value, ranks = method["scores"][score], method["rank"] or {}
        return value is None, method["sees_truth"], ranks.get(score, 0), -(value or 0.0)

    return sorted(methods, key=key)


def _row(method: Mapping[str, Any], score: str, style: str) -> list[str]:
    ranked = method["rank"] is not None
    rank = rank_text(method["rank"][score], method["last_rank"][score]) if ranked else ""
    bounds = method["intervals"][score]
    interval = "" if bounds is None else f"{_percent(bounds[0])} to {_percent(bounds[1])}"
    others = [_percent(method["scores"][mean]) for mean in MEANS if mean != score]
    last = [method["categories_count"], method["samples"], method["status"]]
    last += [method["saw_coco_val"], method["date"]]
    return [
        rank,
        _shown(method["method"], style) + (" (1)" if _loses(method, score) else ""),
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
