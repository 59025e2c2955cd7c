"""The scores of the track `conditioned` as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabulate import tabulate

from chorus_bench.metrics.pap import SCORE_NAMES

#: The readings in display order, and what each of them is.
READING_TEXTS = {
    "own": "field of the sample's own type",
    "total": "field of the category",
    "mean": "mean over the types",
    "best": "best over the types and the category (upper bound)",
}


def render_conditioned(conditioned: Mapping[str, Any], tablefmt: str) -> str:
    """Return the four means of every reading, and what the own type gains, in percent.

    Args:
        conditioned: the block of a result.
        tablefmt: of tabulate.
    """
    rows = [[text, *map(_percent, values)] for text, values in reading_rows(conditioned)]
    gains = conditioned["gain"]
    if gains is not None:
        named = [gains[f"m{name}"] for name in SCORE_NAMES]
        values = [f"{100 * gain:+.2f}" for gain, _, _ in named]
        rows.append(["gain of the own type over the category's field", *values])
        rows.append(["95 % interval", *(f"{100 * a:+.2f} to {100 * b:+.2f}" for _, a, b in named)])
    headers = ["conditioned on the interaction", *(f"m{name}" for name in SCORE_NAMES)]
    alignment = ("left", *["right"] * len(SCORE_NAMES))
    table = tabulate(rows, headers, tablefmt=tablefmt, colalign=alignment, disable_numparse=True)
    entries = conditioned["categories"].values()
    matched = sum(entry["matched"] for entry in entries)
    return f"{table}\n\nSamples whose own type has a field: {matched}."


def reading_rows(conditioned: Mapping[str, Any] | None) -> list[tuple[str, list[float]]]:
    """Return what each reading is, with its four means; nothing on another track."""
    scores = {} if conditioned is None else conditioned["scores"]
    return [
        (text, [scores[reading][f"m{name}"] for name in SCORE_NAMES])
        for reading, text in READING_TEXTS.items()
        if scores.get(reading) is not None
    ]


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"
