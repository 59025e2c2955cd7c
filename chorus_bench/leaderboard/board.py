"""The board: groups of comparable entries, ranked, as JSON for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from chorus_bench._version import __version__
from chorus_bench.evaluation.representation import representation
from chorus_bench.evaluation.results import MEANS
from chorus_bench.leaderboard.counts import counts_json, few_json
from chorus_bench.leaderboard.entries import Entry
from chorus_bench.leaderboard.group_rules import by_signature
from chorus_bench.leaderboard.page_pictures import drawn
from chorus_bench.leaderboard.published import PublishedRow
from chorus_bench.leaderboard.rerun import repeat_command
from chorus_bench.leaderboard.splits import split_json
from chorus_bench.leaderboard.summary import summary, summary_within
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.protocol import Protocol, signature_parts
from chorus_bench.metrics.ranking import Ranking, rank_with_categories
from chorus_bench.report.volumetric import overall_measures
from chorus_bench.report.web import encode_array

#: Version of the format of board.json. 2: ranks are ranges, within categories as well.
FORMAT = 2
PUBLISHED_TITLE = "As published: COCO-EFT, SMPL; not recomputed"

NOTES = (
    "Higher is better; shown in percent. Intervals are 95 % bootstrap intervals over samples.",
    "A rank is a range: from 1 + the number of methods that are significantly better to the "
    "number of those that are not significantly worse. Significant: the paired 95 % interval of "
    "the difference excludes zero. Within a category, ranks are of its samples alone.",
    "Recall left at the last threshold is not counted; closed scores count it.",
    "Scores with different signatures (split, body, protocol, track) are never ranked together.",
    "On the posed track a method gives a field for each sample; fields of canonical baselines were "
    "posed for that, with the same scores. On the conditioned track a sample is scored with the "
    "field of its own type of interaction.",
    "reproduced: the submission was made again from its recipe, with the same outcome. verified: "
    "the submitted archive was scored again with the same outcome. self-reported: the scores were "
    "recomputed from the submitter's per-sample table only. published: as printed.",
)


@dataclass(frozen=True, eq=False)
class Group:
    """Entries with one signature, ranked by each of the four means.

    Attributes:
        id: short name of the group, ``b0``, ``b1``, ...
        signature: their signature, without the software's version; of the names of split and
            body, which may differ, those that most entries have.
        entries: entries by rank and value of mPAP, best first; then those that are given the
            truth, which have no rank.
        rankings: ``{"mPAP": ..., ...}``, with the folder names as methods, in that order.
        within: category -> ``{"PAP": ..., ...}``, likewise; a score without a ranking is not there.
    """

    id: str
    signature: str
    entries: tuple[Entry, ...]
    rankings: Mapping[str, Ranking]
    within: Mapping[str, Mapping[str, Ranking]]


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
    rankings, within = rank_with_categories(
        {entry.slug: entry.tables for entry in entries},
        unranked=[entry.slug for entry in entries if entry.manifest.sees_truth],
    )
    order = rankings[MEANS[0]].order()

    def ordered(some: Mapping[str, Ranking]) -> dict[str, Ranking]:
        return {score: ranking.reordered(order) for score, ranking in some.items()}

    return Group(
        name,
        signature,
        tuple(entries[i] for i in order),
        ordered(rankings),
        {category: ordered(some) for category, some in within.items()},
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
        rankings = None if group is None else group.rankings
        item["summary"] = summary(_ranked(item["methods"]), rankings)
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
    methods = [_method_json(group, number) for number in range(len(group.entries))]
    return {
        "id": group.id,
        "title": title_of(parts),
        "signature": group.signature,
        "signature_parts": parts,
        "kind": "computed",
        "track": parts.get("track", "canonical"),
        "about": split_json(parts["split"]),
        "categories": [
            {
                "name": name,
                **counts_json(first.tables[name][1]),
                "summary": summary_within(name, _ranked(methods), group.within[name]),
            }
            for name in sorted(first.tables)
        ],
        "few": few_json(group.entries, int(parts.get("min", Protocol.min_samples))),
        "samples": len(first.ids),
        "methods": methods,
        "differences": {
            mean: {
                "low": encode_array(ranking.low, "f4"),
                "high": encode_array(ranking.high, "f4"),
            }
            for mean, ranking in group.rankings.items()
        },
    }


def _ranked(methods: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [method for method in methods if not method["sees_truth"]]


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
        "verified": None if manifest.verified is None else manifest.verified.model_dump(),
        "date": manifest.date,
        "submitted_by": manifest.submitted_by,
        "training_data": manifest.training_data,
        "saw_coco_val": manifest.saw_coco_val,
        "sees_truth": manifest.sees_truth,
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
        "closed": _closed(content, MEANS, "scores"),
        **(_NO_RANK if manifest.sees_truth else _ranks_json(group.rankings, number)),
        "categories": {
            name: _category_json(content, name, group.within[name], number)
            for name in sorted(entry.tables)
        },
        "categories_count": len(entry.tables),
        "samples": len(entry.ids),
        "signature": entry.signature,
        "sha256": manifest.sha256,
        "truth": None if entry.truth is None else _truth_json(entry.truth),
        "repeat": repeat_command(entry.slug, recipe=manifest.recipe is not None, url=manifest.url),
    }


def _truth_json(truth: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measures in 3D that stand beside PAP."""
    return {
        "measures": overall_measures(truth),
        "intervals": truth["intervals"],
        "categories": {
            name: {measure: entry[measure] for measure in truth["measures"]}
            for name, entry in sorted(truth["categories"].items())
        },
    }


def _closed(content: Mapping[str, Any], names: Sequence[str], *path: str) -> dict[str, Any] | None:
    """Return the scores that count the last recall as well, if the result has them."""
    place = content["beside"].get("closed")
    for key in path:
        place = None if place is None else place.get(key)
    return None if place is None else {name: place[name] for name in names}


#: Of rows that are not ranked.
_NO_RANK = dict.fromkeys(("rank", "last_rank", "first_share"))


def _ranks_json(rankings: Mapping[str, Ranking], number: int) -> dict[str, Any]:
    return {
        "rank": {mean: int(ranking.ranks[number]) for mean, ranking in rankings.items()},
        "last_rank": {mean: int(ranking.last_ranks[number]) for mean, ranking in rankings.items()},
        "first_share": {mean: float(r.first_share[number]) for mean, r in rankings.items()},
    }


def _category_json(
    content: Mapping[str, Any], name: str, rankings: Mapping[str, Ranking], number: int
) -> dict[str, Any]:
    """Return a method's numbers of a category; lists are in the order of `SCORE_NAMES`."""
    category = content["categories"][name]
    bounds = [category["intervals"][score] or (None, None) for score in SCORE_NAMES]
    closed = _closed(content, SCORE_NAMES, "categories", name)
    ranked = [rankings.get(score) for score in SCORE_NAMES]
    return {
        **{score: category[score] for score in SCORE_NAMES},
        "low": [low for low, _ in bounds],
        "high": [high for _, high in bounds],
        "closed": None if closed is None else list(closed.values()),
        "rank": [None if r is None else int(r.ranks[number]) or None for r in ranked],
        "last_rank": [None if r is None else int(r.last_ranks[number]) or None for r in ranked],
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
        "about": None,
        "categories": [
            {"name": category, "samples": None, "counted": None, "counted_hoa": None}
            | {"summary": dict.fromkeys(SCORE_NAMES)}
            for category in categories
        ],
        "few": None,
        "samples": None,
        "methods": [_published_row(row, n) for n, row in enumerate(rows)],
        "differences": None,
    }


def _published_row(row: PublishedRow, number: int) -> dict[str, Any]:
    scores: Mapping[Any, float] = row.scores or {}
    categories: Mapping[str, Mapping[Any, float]] = row.categories or {}
    nothing = dict.fromkeys(
        (
            "verified",
            "date",
            "submitted_by",
            "training_data",
            "description",
            "page",
        )
    )
    return {
        **nothing,
        **_NO_RANK,
        "slug": f"published-{number}",
        "method": row.name,
        "status": "published",
        "saw_coco_val": "unknown",
        "sees_truth": False,
        "track": "canonical",
        "representation": ["canonical"],
        "links": dict.fromkeys(("paper", "code", "submission")),
        "has_fields": False,
        "has_scores": False,
        "pictured": 0,
        "training_share": row.training_share,
        "scores": {mean: scores.get(mean) for mean in MEANS},
        "intervals": dict.fromkeys(MEANS),
        "closed": None,
        "categories": {
            name: {score: published.get(score) for score in SCORE_NAMES}
            | dict.fromkeys(("low", "high", "rank", "last_rank"), [None] * 4)
            | {"closed": None, "missing": False}
            for name, published in sorted(categories.items())
        },
        "categories_count": row.categories_count or len(categories) or None,
        "samples": None,
        "signature": "as published",
        "sha256": None,
        "truth": None,
        "repeat": None,
        "source": row.source,
        "source_url": row.source_url,
        "setting": row.setting or "",
        "note": row.note or "",
    }
