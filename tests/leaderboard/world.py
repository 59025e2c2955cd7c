"""Made-up methods whose results are consistent to the last bit, and leaderboards of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.evaluation.results import (
    EvaluationResult,
    by_category,
    rescored,
    samples_table,
    scores_of,
    scores_only,
    summarize,
)
from chorus_bench.leaderboard.adding import add_entry
from chorus_bench.leaderboard.checking import check_leaderboard
from chorus_bench.metrics.protocol import CLOSED, OFFICIAL

CATEGORIES = {"bench": 30, "tennis racket": 40}
SPLIT, BODY = "made-up@0123456789ab", "default@ba9876543210"
DATE = "2026-01-31"


def histograms(category: str, samples: int, skill: float, seed: int) -> np.ndarray:
    """Pixels by class and level: the pictures are the category's, the levels the method's."""
    pixels = np.random.default_rng([*category.encode()]).multinomial(
        1024, [0.6, 0.15, 0.17, 0.08], size=samples
    )
    pixels[0, 1::2] = 0  # no target at all
    pixels[1, 1] = 0  # a target that the person hides
    rng, levels = np.random.default_rng([seed, *category.encode()]), np.arange(100)
    found = np.zeros((samples, 4, 100), dtype=np.int64)
    for kind in range(4):
        shares = np.exp(-(((levels - 25 - 45 * skill * (kind & 1)) / 25) ** 2))
        shares[0] = shares.sum() * (0.4 if kind & 1 else 3.0)
        found[:, kind] = rng.multinomial(pixels[:, kind], shares / shares.sum())
    return found


def make_result(
    method: str,
    *,
    skill: float = 0.5,
    seed: int = 0,
    split: str = SPLIT,
    categories: dict[str, int] = CATEGORIES,
    missing: tuple[str, ...] = (),
    sha256: str | None = None,
    **metadata: object,
) -> EvaluationResult:
    tables = []
    for name, count in categories.items():
        counts = histograms(name, count, skill, seed)
        if name in missing:
            counts = np.concatenate(
                [counts.sum(axis=2, keepdims=True), np.zeros((count, 4, 99), np.int64)], axis=2
            )
        ids = [f"{name}-{i:03d}" for i in range(count)]
        tables.append(samples_table(ids, name, counts, OFFICIAL))
    table = pa.concat_tables(tables).combine_chunks()
    summary = summarize(by_category(table, scores_of(table)))
    for name, entry in summary["categories"].items():
        entry["missing"] = name in missing
    closed = scores_only(by_category(table, rescored(table, closed=True)))
    digest = sha256 or "".join(f"{b:02x}" for b in method.encode("utf-8", "replace"))[:60]
    return EvaluationResult(
        signature=OFFICIAL.signature(split, BODY),
        submission={"method": method, "track": "canonical", "sha256": f"{digest:0>64}", **metadata},
        **summary,
        beside={"closed": {"signature": CLOSED.signature(split, BODY), **closed}},
        skipped={},
        unavailable={},
        warnings=(),
        environment={},
        seconds=1.0,
        samples=table,
    )


def add(board: Path, result: EvaluationResult, **options) -> Path:
    """Add a result to a leaderboard and return the entry's folder."""
    folder = result.save(board.parent / "result")
    options = {"submitted_by": "somebody", "date": DATE} | options
    return add_entry(folder, board, **options)


def edit_json(entry: Path, *path: str, value: object) -> None:
    """Change one value of an entry's results.json."""
    file = entry / "results.json"
    content = json.loads(file.read_text())
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    file.write_text(json.dumps(content, indent=1))


def edit_text(file: Path, old: str, new: str) -> None:
    """Change a text that stands in a file once."""
    text = file.read_text()
    assert text.count(old) == 1, text
    file.write_text(text.replace(old, new))


def edit_samples(entry: Path, column: str, change) -> None:
    """Change a column of an entry's samples.parquet; ``change`` gets and returns a list."""
    file = entry / "samples.parquet"
    table = pq.read_table(file)
    field = table.schema.field(column)
    values = pa.array(change(table[column].to_pylist()), field.type)
    pq.write_table(table.set_column(table.schema.get_field_index(column), field, values), file)


def problems(board: Path, **options) -> str:
    """Everything that a check finds, as one text."""
    return "\n".join(map(str, check_leaderboard(board, **options).findings))
