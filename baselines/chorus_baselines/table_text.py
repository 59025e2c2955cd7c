"""Reproduced tables as text: our numbers beside the paper's."""

from __future__ import annotations

from typing import Any

from tabulate import tabulate

from chorus_baselines.reproduce import Table, TableRow
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.report.tables import percent, render_ranking

_NOTE = """\
Percent. The paper's figures are those of real test images (extended COCO-EFT, SMPL) and are not
comparable with ours; only the order of the rows is. 95 % intervals are over the test samples; they
do not cover the variation between draws of training images."""


def render_table(table: Table) -> str:
    """Return a reproduced table, with the paper's figures beside ours and the ranking."""
    alignment = ("left", *["right"] * (2 + 2 * len(SCORE_NAMES)))
    headers = ["", *SCORE_NAMES, "95 % of PAP", "paper:", *SCORE_NAMES]
    parts = [
        table.title,
        tabulate(
            [_scores(row) for row in table.rows],
            headers,
            disable_numparse=True,
            colalign=alignment,
        ),
    ]
    if any(row.statistics for row in table.rows):
        parts.append(_statistics(table))
    return "\n\n".join([*parts, _NOTE, render_ranking(table.ranking)])


def _scores(row: TableRow) -> list[str]:
    low, high = row.result.intervals["mPAP"]
    return [
        row.name,
        *(percent(row.result.scores[f"m{name}"]) for name in SCORE_NAMES),
        f"{percent(low)} to {percent(high)}",
        row.paper_name if row.paper_name != row.name else "",
        *(f"{value:.2f}" for value in row.paper),
    ]


def _statistics(table: Table) -> str:
    names = ("images", "kept", "rejected %", "entropy, bits")
    rows: list[list[Any]] = [
        [row.name, *_counts(row), row.paper_name, *(f"{n:g}" for n in row.paper_statistics)]
        for row in table.rows
    ]
    alignment = ("left", *["right"] * 4, "left", *["right"] * 4)
    headers = ["", *names, "paper:", *names]
    return tabulate(rows, headers, disable_numparse=True, colalign=alignment)


def _counts(row: TableRow) -> list[str]:
    statistics = row.statistics
    if statistics is None:
        return [""] * 4
    rejected = statistics.rejection_rate or 0.0
    entropy = "" if statistics.entropy is None else f"{statistics.entropy.bits:.2f}"
    kept = statistics.counts.get("verdict", {}).get("kept", 0)
    return [str(statistics.rows), str(kept), percent(rejected), entropy]
