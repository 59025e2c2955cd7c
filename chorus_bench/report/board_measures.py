"""The leaderboard's measures against the truth in 3D: beside PAP, and no part of its ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.report.measures import (
    Measured,
    in_order,
    measured_data,
    plain_text,
    render_measured,
)
from chorus_bench.report.volumetric import MEASURES, measure_named, measure_rows

#: The measures of a board's table; a method's page folds the others.
_SHOWN = ("chamfer", "f_5cm", "f_10cm", "centre_error", "soft_iou", "brier", "calibration_error",
          "contact_f1")  # fmt: skip

Board = Mapping[str, Any]


def board_measured(board: Board, measure: str, *, score: str = "mPAP") -> list[Measured]:
    """Return the methods of a board that have 3D scores, best by a measure first.

    Args:
        board: a board of the board's JSON.
        measure: a measure of `truth.json`.
        score: ``mPAP`` or one of its variants.
    """
    rows = [
        Measured(
            method["method"],
            tuple(method["representation"]),
            method["scores"][score],
            method["intervals"][score],
            method["truth"]["measures"].get(measure),
            method["truth"]["intervals"].get(measure),
            {
                name: (method["categories"][name][score[1:]], values.get(measure))
                for name, values in method["truth"]["categories"].items()
            },
        )
        for method in board["methods"]
        if method["truth"]
    ]
    return in_order(rows, measure_named(measure))


def render_board_measures(
    boards: Sequence[Board], measure: str, style: str, *, score: str = "mPAP"
) -> str:
    """Return the boards whose methods have 3D scores, in the order of a measure.

    Args:
        boards: boards of the board's JSON.
        measure: a measure of `truth.json`.
        style: ``table``, ``markdown``, ``latex``, ``csv`` or ``json``.
        score: the mean that stands beside it.

    Raises:
        InputError: an unknown measure, or no method has 3D scores.
    """
    measure_named(measure)
    found = [
        (board, rows) for board in boards if (rows := board_measured(board, measure, score=score))
    ]
    if not found:
        raise InputError(
            f"no entry has '{measure}'",
            expected="entries with truth.json",
            fix="run `chorus-bench evaluate --truth --output`, then `leaderboard add` again",
        )
    if style in ("csv", "json"):
        content = [
            {"board": board["title"], **row}
            for board, rows in found
            for row in measured_data(rows, measure, score)
        ]
        return plain_text(content, style)
    texts = [(board, render_measured(rows, measure, style, score=score)) for board, rows in found]
    return "\n\n".join(
        text if style == "latex" else f"{board['title']}\n\n{text}" for board, text in texts
    )


def measures_table(board: Board) -> dict[str, Any] | None:
    """Return a board's table of measures for the page; None if no method has 3D scores.

    Returns:
        ``labels``, and ``rows``: (the method's JSON, its value of each label), by mPAP.
    """
    chosen = [one for one in MEASURES if one.key in _SHOWN]
    methods = [method for method in board["methods"] if method["truth"]]
    if not methods:
        return None
    return {
        "labels": [f"{one.label} {'↑' if one.higher else '↓'}" for one in chosen],
        "rows": [
            (
                method,
                [
                    one.shown(
                        method["truth"]["measures"].get(one.key),
                        method["truth"]["intervals"].get(one.key),
                    )
                    for one in chosen
                ],
            )
            for method in methods
        ],
    }


def shown_measures(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Return how the page shows the measures that methods of some boards have.

    Returns:
        The fields of `Measure` of each, in the order of the tables.
    """
    there = {
        key
        for board in boards
        for method in board["methods"]
        for key in (method["truth"] or {"measures": ()})["measures"]
    }
    return [asdict(one) for one in MEASURES if one.key in there]


def method_measures(method: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]] | None:
    """Return the measures of a method for its page, as (label, value); None if it has none.

    Returns:
        ``first``: those of the board's table; ``more``: all others.
    """
    truth = method["truth"]
    if not truth:
        return None
    measures, intervals = truth["measures"], truth["intervals"]
    more = {key: value for key, value in measures.items() if key not in _SHOWN}
    first = {key: value for key, value in measures.items() if key in _SHOWN}
    return {"first": measure_rows(first, intervals), "more": measure_rows(more, intervals)}
