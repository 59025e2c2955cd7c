"""Summary of a board: the leader, its margin and significance, and where it is gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chorus_bench.evaluation.results import MEANS
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.ranking import Ranking

_GAINS = 3


def summary(
    methods: Sequence[Mapping[str, Any]], rankings: Mapping[str, Ranking] | None
) -> dict[str, Any]:
    """Return the leader of a board and the runner-up, by each of the four means.

    Args:
        methods: the board's ranked rows, in the page's format.
        rankings: the rankings of all rows, in the same order, in which these come first; None if
            nothing was computed.

    Returns:
        For each mean ``leader``, ``next``, their ``difference`` with its interval ``low`` and
        ``high``, and ``gains``: the categories with the leader's largest margins. None for a
        mean that no row has.
    """
    return {
        mean: _one(mean, methods, None if rankings is None else rankings[mean]) for mean in MEANS
    }


def _one(
    mean: str, methods: Sequence[Mapping[str, Any]], ranking: Ranking | None
) -> dict[str, Any] | None:
    scored = [i for i, method in enumerate(methods) if method["scores"][mean] is not None]
    order = sorted(scored, key=lambda i: -methods[i]["scores"][mean])
    if not order:
        return None
    leader = methods[order[0]]
    found = dict.fromkeys(("leader", "next", "difference", "low", "high"))
    if len(order) == 1:
        return found | {"leader": leader["slug"], "gains": []}
    other = methods[order[1]]
    bounds = None if ranking is None else ranking.difference(order[0], order[1])
    return {
        "leader": leader["slug"],
        "next": other["slug"],
        "difference": leader["scores"][mean] - other["scores"][mean],
        "low": None if bounds is None else bounds.low,
        "high": None if bounds is None else bounds.high,
        "gains": _gains(mean.removeprefix("m"), leader["categories"], other["categories"]),
    }


def summary_within(
    category: str, methods: Sequence[Mapping[str, Any]], rankings: Mapping[str, Ranking]
) -> dict[str, Any]:
    """Return the leader within a category and the runner-up, by each of the four numbers.

    Args:
        category: the category.
        methods: the board's ranked rows, in the page's format.
        rankings: the rankings within the category, as for `summary`.

    Returns:
        For each score ``leader``, ``next``, their ``difference`` and its interval ``low`` and
        ``high``; None for one that fewer than two samples count for, or without ranked rows.
    """
    return {
        score: _leader(score, [method["categories"][category] for method in methods], methods, r)
        for score in SCORE_NAMES
        for r in [rankings.get(score)]
    }


def _leader(
    score: str,
    numbers: Sequence[Mapping[str, Any]],
    methods: Sequence[Mapping[str, Any]],
    ranking: Ranking | None,
) -> dict[str, Any] | None:
    if ranking is None or not methods:
        return None
    order = sorted(range(len(methods)), key=lambda i: -numbers[i][score])
    found = dict.fromkeys(("leader", "next", "difference", "low", "high"))
    found["leader"] = methods[order[0]]["slug"]
    if len(order) == 1:
        return found
    bounds = ranking.difference(order[0], order[1])
    difference = numbers[order[0]][score] - numbers[order[1]][score]
    return found | {
        "next": methods[order[1]]["slug"],
        "difference": difference,
        "low": bounds.low,
        "high": bounds.high,
    }


def _gains(score: str, leader: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the categories with the leader's largest margins, largest first."""
    both = [name for name in sorted(leader) if name in other]
    known = [n for n in both if None not in (leader[n][score], other[n][score])]
    ahead = {n: leader[n][score] - other[n][score] for n in known}
    first = sorted((n for n in ahead if ahead[n] > 0), key=lambda n: -ahead[n])[:_GAINS]
    return [{"category": name, "difference": ahead[name]} for name in first]
