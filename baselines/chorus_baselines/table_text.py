"""Reproduced tables as text: our numbers beside the paper's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from chorus_baselines.reproduce import Table, TableRow
from chorus_bench.evaluation.results import MEANS
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.report.tables import TABLE_FORMATS, percent, render_ranking

_NOTE = """\
Percent. The paper's figures are those of real test images (extended COCO-EFT, SMPL) and are not
comparable with ours; only the order of the rows is. 95 % intervals are over the test samples; they
do not cover the variation between draws of training images."""


def save_table(table: Table, folder: Path) -> list[Path]:
    """Write a reproduced table as text, LaTeX, CSV and JSON; return the files.

    Args:
        table: the table.
        folder: where; files of an earlier run are replaced.
    """
    texts = {
        "table.txt": render_table(table),
        "table.tex": render_table(table, "latex"),
        "table.csv": _csv(table),
        "table.json": json.dumps(table_data(table), indent=1, ensure_ascii=False),
    }
    return [
        atomic_write_bytes(folder / name, f"{text.rstrip()}\n".encode())
        for name, text in texts.items()
    ]


def render_table(table: Table, style: str = "table") -> str:
    """Return a reproduced table, with the paper's figures beside ours and the ranking.

    Args:
        table: the table.
        style: ``table``, ``markdown`` or ``latex``; the latter has only the tables.
    """
    headers = ["", *SCORE_NAMES, "95 % of PAP", "paper:", *SCORE_NAMES]
    alignment = ("left", *["right"] * (len(headers) - 1))
    parts = [_tabulated([_scores(row) for row in table.rows], headers, alignment, style)]
    if any(row.statistics for row in table.rows):
        parts.append(_statistics(table, style))
    ranking = render_ranking(table.ranking, style)
    if style == "latex":
        return "\n\n\\bigskip\n\n".join([*parts, ranking])
    return "\n\n".join([table.title, *parts, _NOTE, ranking])


def table_data(table: Table) -> dict[str, Any]:
    """Return a reproduced table as data: scores as fractions, the paper's figures in percent."""
    return {
        "title": table.title,
        "rows": [
            {
                "name": row.name,
                "signature": row.result.signature,
                "scores": row.result.scores,
                "intervals": row.result.intervals,
                "statistics": None if row.statistics is None else row.statistics.as_dict(),
                "paper": {
                    "name": row.paper_name,
                    "scores": dict(zip(MEANS, row.paper, strict=True)),
                    "statistics": list(row.paper_statistics),
                },
            }
            for row in table.rows
        ],
        "ranking": json.loads(render_ranking(table.ranking, "json")),
    }


def _csv(table: Table) -> str:
    """Return the scores and the paper's, percent, one row a line."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    ends = ("mPAP low", "mPAP high")
    writer.writerow(["name", *MEANS, *ends, "paper name", *(f"paper {name}" for name in MEANS)])
    for row in table.rows:
        ours = [100 * row.result.scores[name] for name in MEANS]
        bounds = [100 * end for end in row.result.intervals["mPAP"]]
        writer.writerow([row.name, *ours, *bounds, row.paper_name, *row.paper])
    return target.getvalue()


def _tabulated(
    rows: Sequence[Sequence[Any]], headers: Sequence[str], alignment: Sequence[str], style: str
) -> str:
    return tabulate(
        rows,
        headers,
        tablefmt=TABLE_FORMATS[style],
        disable_numparse=True,
        colalign=tuple(alignment),
    )


def _scores(row: TableRow) -> list[str]:
    low, high = row.result.intervals["mPAP"]
    return [
        row.name,
        *(percent(row.result.scores[f"m{name}"]) for name in SCORE_NAMES),
        f"{percent(low)} to {percent(high)}",
        row.paper_name if row.paper_name != row.name else "",
        *(f"{value:.2f}" for value in row.paper),
    ]


def _statistics(table: Table, style: str) -> str:
    names = ("images", "kept", "rejected %", "entropy, bits")
    rows: list[list[Any]] = [
        [row.name, *_counts(row), row.paper_name, *(f"{n:g}" for n in row.paper_statistics)]
        for row in table.rows
    ]
    alignment = ("left", *["right"] * 4, "left", *["right"] * 4)
    headers = ["", *names, "paper:", *names]
    return _tabulated(rows, headers, alignment, style)


def _counts(row: TableRow) -> list[str]:
    statistics = row.statistics
    if statistics is None:
        return [""] * 4
    rejected = statistics.rejection_rate or 0.0
    entropy = "" if statistics.entropy is None else f"{statistics.entropy.bits:.2f}"
    kept = statistics.counts.get("verdict", {}).get("kept", 0)
    return [str(statistics.rows), str(kept), percent(rejected), entropy]
