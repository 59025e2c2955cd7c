"""The board: groups of comparable entries, ranked, as JSON for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from chorus_bench._version import __version__
from chorus_bench.evaluation.representation import representation
from chorus_bench.evaluation.results import MEANS
from chorus_bench.leaderboard.entries import Entry
from chorus_bench.leaderboard.group_rules import by_signature
from chorus_bench.leaderboard.page_pictures import drawn
from chorus_bench.leaderboard.published import PublishedRow
from chorus_bench.leaderboard.summary import summary
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.protocol import signature_parts
from chorus_bench.metrics.ranking import Ranking, rank_by_every_score
from chorus_bench.report.web import encode_array

FORMAT = 1
PUBLISHED_TITLE = "As published: COCO-EFT, SMPL; not recomputed"

NOTES = (
    "Higher is better; shown in percent. Intervals are 95 % bootstrap intervals over samples.",
    "A rank is 1 + the number of methods whose paired 95 % interval of the difference lies "
    "wholly above zero; methods that cannot be distinguished share a rank.",
    "Scores with different signatures (split, body, protocol, track) are never ranked together.",
    "On the conditioned track a sample is scored with the field of its own type of interaction.",
    "verified: the submitted archive was scored again with the same outcome. self-reported: the "
    "scores were recomputed from the submitter's per-sample table only. published: as printed.",
)


@dataclass(frozen=True, eq=False)
class Group:
    """Entries with one signature, ranked by each of the four means.

    Attributes:
        id: short name of the group, ``b0``, ``b1``, ...
        signature: their signature, without the software's version; of the names of split and
            body, which may differ, those that most entries have.
        entries: entries by rank and value of mPAP, best first.
        rankings: ``{"mPAP": ..., ...}``, with the folder names as methods, in that order.
    """

    id: str
    signature: str
    entries: tuple[Entry, ...]
    rankings: Mapping[str, Ranking]


@dataclass(frozen=True, eq=False)
class Board:
    """Everything that the page shows.

    Attributes:
        groups: groups of comparable entries, the largest group first.
        published: figures as printed.
    """

    groups: tuple[Group, ...]
    published: tuple[PublishedRow, ...]


def make_board(entries: Sequence[Entry], published: Sequence[PublishedRow] = ()) -> Board:
    """Group and rank entries.

    Args:
        entries: entries from `check_leaderboard`; those of a group have the same samples.
        published: rows to show in a separate group.
    """
    found = by_signature(sorted(entries, key=lambda entry: entry.slug))
    named = [(_usual_signature(group), group) for group in found.values()]
    ordered = sorted(named, key=lambda item: (-len(item[1]), item[0]))
    groups = tuple(_group(f"b{n}", *item) for n, item in enumerate(ordered))
    return Board(groups, tuple(published))


def _usual_signature(group: Sequence[Entry]) -> str:
    found = Counter(entry.signature.rpartition("|chorus-bench:")[0] for entry in group)
    return max(sorted(found), key=lambda signature: found[signature])


def _group(name: str, signature: str, entries: Sequence[Entry]) -> Group:
    rankings = rank_by_every_score({entry.slug: entry.tables for entry in entries})
    order = rankings[MEANS[0]].order()
    ordered = {mean: _reordered(ranking, order) for mean, ranking in rankings.items()}
    return Group(name, signature, tuple(entries[i] for i in order), ordered)


def _reordered(ranking: Ranking, order: Sequence[int]) -> Ranking:
    pairs = np.ix_(order, order)
    return replace(
        ranking,
        methods=tuple(ranking.methods[i] for i in order),
        values=ranking.values[order],
        intervals=tuple(ranking.intervals[i] for i in order),
        low=ranking.low[pairs],
        high=ranking.high[pairs],
        ranks=ranking.ranks[order],
        first_share=ranking.first_share[order],
    )


def board_json(board: Board, built: str) -> dict[str, Any]:
    """Return the board as plain values, in the format that the page reads.

    Args:
        board: the board.
        built: ISO date to show.
    """
    boards = [_group_json(group) for group in board.groups]
    if board.published:
        boards.append(_published_json(f"b{len(boards)}", board.published))
    for item, group in zip_longest(boards, board.groups):
        item["summary"] = summary(item["methods"], None if group is None else group.rankings)
    return {
        "format": FORMAT,
        "built": built,
        "version": __version__,
        "score_names": list(SCORE_NAMES),
        "boards": boards,
        "notes": list(NOTES),
    }


def _group_json(group: Group) -> dict[str, Any]:
    parts = signature_parts(group.signature)
    first = group.entries[0]
    return {
        "id": group.id,
        "title": title_of(parts),
        "signature": group.signature,
        "signature_parts": parts,
        "kind": "computed",
        "track": parts.get("track", "canonical"),
        "categories": [
            {"name": name, "samples": len(first.tables[name][0])} for name in sorted(first.tables)
        ],
        "samples": len(first.ids),
        "methods": [_method_json(group, number) for number in range(len(group.entries))],
        "differences": {
            mean: {
                "low": encode_array(ranking.low, "f4"),
                "high": encode_array(ranking.high, "f4"),
            }
            for mean, ranking in group.rankings.items()
        },
    }


def training_share(parameters: Mapping[str, object]) -> float | None:
    """Return the parameter ``training_share``, the share of its training data that a method used.

    Returns:
        More than 0, at most 1; None if the entry does not state it, or states anything else.
    """
    share = parameters.get("training_share")
    if isinstance(share, bool) or not isinstance(share, int | float):
        return None
    return float(share) if 0 < share <= 1 else None


def title_of(parts: Mapping[str, str]) -> str:
    """Return a readable title from a signature's parts."""
    body = parts["body"].partition("@")[0]
    words = [parts["split"], f"{body} body", f"{parts.get('track', 'canonical')} track"]
    words += [f"{parts['metric']} metric"] if parts["metric"] != "PAP" else []
    words += [f"at least {parts['min']} samples per category"] if "min" in parts else []
    words += [f"its {parts['pop'].partition('@')[0]} declared categories"] if "pop" in parts else []
    words += [f"only {parts['cat'].replace(',', ', ')}"] if "cat" in parts else []
    return ", ".join(words)


def _method_json(group: Group, number: int) -> dict[str, Any]:
    entry = group.entries[number]
    manifest, content = entry.manifest, entry.content
    return {
        "slug": entry.slug,
        "method": manifest.method,
        "status": manifest.status,
        "date": manifest.date,
        "submitted_by": manifest.submitted_by,
        "training_data": manifest.training_data,
        "saw_coco_val": manifest.saw_coco_val,
        "track": manifest.track,
        "representation": list(representation(entry.signature, content["submission"])),
        "description": manifest.texts.get("description"),
        "links": {
            "paper": manifest.texts.get("paper"),
            "code": manifest.texts.get("code"),
            "submission": manifest.url,
        },
        "page": f"methods/{entry.slug}.html",
        "has_fields": entry.fields is not None,
        "has_scores": True,
        "pictured": len(drawn(entry)),
        "training_share": training_share(manifest.parameters or {}),
        "scores": {mean: content["scores"][mean] for mean in MEANS},
        "intervals": {mean: content["intervals"][mean] for mean in MEANS},
        **_ranks_json(group.rankings, number),
        "categories": {
            name: _category_json(content["categories"][name]) for name in sorted(entry.tables)
        },
        "categories_count": len(entry.tables),
        "samples": len(entry.ids),
        "signature": entry.signature,
        "sha256": manifest.sha256,
    }


def _ranks_json(rankings: Mapping[str, Ranking], number: int) -> dict[str, Any]:
    ranks = {mean: ranking.ranks.tolist() for mean, ranking in rankings.items()}
    return {
        "rank": {mean: values[number] for mean, values in ranks.items()},
        "tied": {mean: values.count(values[number]) > 1 for mean, values in ranks.items()},
        "first_share": {mean: float(r.first_share[number]) for mean, r in rankings.items()},
    }


def _category_json(category: Mapping[str, Any]) -> dict[str, Any]:
    bounds = [category["intervals"][name] or (None, None) for name in SCORE_NAMES]
    return {
        **{name: category[name] for name in SCORE_NAMES},
        "low": [low for low, _ in bounds],
        "high": [high for _, high in bounds],
        "missing": category["missing"],
    }


def _published_json(name: str, rows: Sequence[PublishedRow]) -> dict[str, Any]:
    categories = sorted({category for row in rows for category in row.categories or ()})
    return {
        "id": name,
        "title": PUBLISHED_TITLE,
        "signature": "as published",
        "signature_parts": {},
        "kind": "published",
        "track": "canonical",
        "categories": [{"name": category, "samples": None} for category in categories],
        "samples": None,
        "methods": [_published_row(row, n) for n, row in enumerate(rows)],
        "differences": None,
    }


def _published_row(row: PublishedRow, number: int) -> dict[str, Any]:
    scores: Mapping[Any, float] = row.scores or {}
    categories: Mapping[str, Mapping[Any, float]] = row.categories or {}
    nothing = dict.fromkeys(
        ("date", "submitted_by", "training_data", "description", "page", "rank", "tied")
    )
    return {
        **nothing,
        "slug": f"published-{number}",
        "method": row.name,
        "status": "published",
        "saw_coco_val": "unknown",
        "track": "canonical",
        "representation": ["canonical"],
        "links": dict.fromkeys(("paper", "code", "submission")),
        "has_fields": False,
        "has_scores": False,
        "pictured": 0,
        "training_share": row.training_share,
        "scores": {mean: scores.get(mean) for mean in MEANS},
        "intervals": dict.fromkeys(MEANS),
        "first_share": None,
        "categories": {
            name: {score: published.get(score) for score in SCORE_NAMES}
            | {"low": [None] * 4, "high": [None] * 4, "missing": False}
            for name, published in sorted(categories.items())
        },
        "categories_count": row.categories_count or len(categories) or None,
        "samples": None,
        "signature": "as published",
        "sha256": None,
        "source": row.source,
        "source_url": row.source_url,
        "setting": row.setting or "",
        "note": row.note or "",
    }
