"""Comparison of results, provided that their signatures and samples agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from chorus_bench.annotations import Count, Natural
from chorus_bench.boundary import checked
from chorus_bench.errors import InputError, count_of, list_some
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.representation import chosen
from chorus_bench.evaluation.representation import representation as representation_of
from chorus_bench.evaluation.results import EvaluationResult, by_category, scores_of
from chorus_bench.metrics.protocol import signature_differences
from chorus_bench.metrics.ranking import Ranking, rank_methods
from chorus_bench.metrics.resampling import RESAMPLES


@checked
def compare(
    results: Sequence[str | Path | EvaluationResult],
    *,
    score: str = "mPAP",
    resamples: Count = RESAMPLES,
    seed: Natural = 0,
    representation: str | None = None,
) -> Ranking:
    """Rank results by a paired bootstrap over their stored per-sample numbers.

    Args:
        results: two or more results, their folders or names.
        score: ``mPAP`` or one of its variants.
        resamples: number of resamples.
        seed: random seed of the resampling.
        representation: leave out the results that are not of it: a track, or what a submission was
            converted from.

    Raises:
        InputError: fewer than two results, signatures that differ (the parts are named), or
            different samples.
    """
    loaded = comparable_results(results, representation=representation)
    if len(loaded) < 2:
        raise InputError(f"{count_of(len(loaded), 'result')} to compare", expected="two or more")
    _check_resamples(next(iter(loaded.values())))
    tables = {
        name: by_category(result.samples, scores_of(result.samples))
        for name, result in loaded.items()
    }
    return rank_methods(tables, score=score, resamples=resamples, seed=seed)


def comparable_results(
    results: Sequence[str | Path | EvaluationResult], *, representation: str | None = None
) -> dict[str, EvaluationResult]:
    """Open results that may stand in one table.

    Args:
        results: results, their folders or names.
        representation: see `compare`.

    Returns:
        Method -> result, in the given order; equal names are numbered.

    Raises:
        InputError: no result, or results that are not comparable, see `compare`.
    """
    loaded = [open_result(result) for result in results]
    texts = {n: representation_of(r.signature, r.submission) for n, r in enumerate(loaded)}
    loaded = [loaded[n] for n in chosen(texts, representation)]
    if not loaded:
        raise InputError("no result is given", expected="one or more")
    named = dict(zip(_names(loaded), loaded, strict=True))
    check_one_scope(named)
    _check_same_samples(named)
    return named


def check_one_scope(results: Mapping[str, EvaluationResult]) -> None:
    """Raise an `InputError` unless all results are of one split, body, protocol and scope.

    Args:
        results: method -> result, at least one.
    """
    (first, one), *others = results.items()
    for name, other in others:
        differences = signature_differences(one.signature, other.signature)
        if differences:
            raise InputError(
                f"'{first}' and '{name}' were scored differently: {'; '.join(differences)}",
                expected="results with equal signatures",
                fix="evaluate both submissions with the same split, body and protocol",
            )


def _check_same_samples(results: Mapping[str, EvaluationResult]) -> None:
    (first, wanted), *others = (
        (name, set(result.samples["sample_id"].to_pylist())) for name, result in results.items()
    )
    for name, given in others:
        if given != wanted:
            missing, extra = sorted(wanted - given), sorted(given - wanted)
            raise InputError(
                f"'{name}' lacks {count_of(len(missing), 'sample')} of '{first}' "
                f"({list_some(missing)}) and "
                f"has {count_of(len(extra), 'other')} ({list_some(extra)})",
                fix="evaluate both submissions again",
            )


def _check_resamples(result: EvaluationResult) -> None:
    """Refuse results of which no category can be resampled."""
    counts = Counter(result.samples["category"].to_pylist())
    if max(counts.values()) < 2:
        raise InputError(
            f"{count_of(len(result.samples), 'sample')} in each result"
            if len(counts) == 1
            else f"one sample in each of {count_of(len(counts), 'category')}",
            expected="two or more: resampling one sample says nothing about the next",
        )


def _names(results: Sequence[EvaluationResult]) -> list[str]:
    """Return the methods' names, with numbers to distinguish equal ones."""
    names = [str(result.submission["method"]) for result in results]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: i + 1].count(name)})"
        for i, name in enumerate(names)
    ]
