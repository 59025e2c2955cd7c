"""The arguments of an evaluation, resolved and checked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from chorus_bench.datasets.bodies import body_for, is_other_body
from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.protocol import Protocol, get_protocol
from chorus_bench.names import fingerprint_of, given_categories
from chorus_bench.submission import Submission, open_submission

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

#: The categories that an evaluation scores: those of the declared benchmark, or all.
BENCHMARK, ALL = "benchmark", "all"
POPULATIONS = (BENCHMARK, ALL)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One evaluation with all arguments resolved.

    Attributes:
        submission: the fields.
        split: the test split.
        body: the body that is posed.
        protocol: the protocol.
        categories: the categories that are scored, sorted.
        samples: the samples of these categories.
        skipped: categories with too few samples, with their number.
        restricted: the categories that the caller requested, or None.
        population: the categories of the benchmark if the split has others too, else None.
    """

    submission: Submission
    split: EvalSplit
    body: BodyModel
    protocol: Protocol
    categories: tuple[str, ...]
    samples: tuple[EvalSample, ...]
    skipped: dict[str, int]
    restricted: tuple[str, ...] | None
    population: tuple[str, ...] | None

    def signature(self, protocol: Protocol) -> str:
        """Return the signature of these scores under a protocol."""
        return protocol.signature(
            self.split.label,
            self.body.label,
            track=self.submission.track,
            categories=self.restricted,
            population=self.population,
            other_body=self.other_body,
        )

    @property
    def other_body(self) -> str | None:
        """The fingerprint of the split's body if a different one is posed."""
        known = self.split.body
        return fingerprint_of(known) if known and is_other_body(known, self.body) else None

    def warnings(self) -> list[str]:
        """Return remarks about submission and split for the reader of the scores."""
        found = [str(w) for w in self.submission.warnings]
        if self.split.body is None:
            found.append(
                "The split does not say which body its cameras were made with; "
                f"scored with {self.body.label}."
            )
        elif self.other_body is not None:
            found.append(
                f"The split was made with the body {self.split.body}, but scored with "
                f"{self.body.label}: poses and cameras do not match."
            )
        missing = sorted(set(self.categories) - set(self.submission.categories))
        if missing:
            found.append(
                f"The submission lacks {len(missing)} of {len(self.categories)} scored "
                f"categories, which count as 0: {', '.join(missing)}"
            )
        found += unknown_categories(self.submission.categories, self.split.counts)
        return found


def coverage_warnings(
    submission: Submission,
    split: str | Path | EvalSplit | Dataset | IterableDataset,
    population: str = BENCHMARK,
) -> list[str]:
    """Return what a submission lacks of a split, or has beyond it, without scoring anything.

    Args:
        submission: an open submission.
        split: see `evaluate`.
        population: see `evaluate`.

    Raises:
        InputError: anything wrong with the split.
    """
    loaded = load_split(split)
    wanted = _population(loaded, population) or tuple(loaded.counts)
    missing = sorted(set(wanted) & set(loaded.counts) - set(submission.categories))
    found = unknown_categories(submission.categories, loaded.counts)
    if missing:
        found.append(f"Lacks the categories {', '.join(missing)}, which would count as 0.")
    if submission.track == "posed":
        found += _posed_coverage(submission, loaded.samples)
    return found


def _posed_coverage(submission: Submission, samples: Sequence[EvalSample]) -> list[str]:
    try:
        _check_posed_samples(submission, samples)
    except InputError as error:
        return [f"{error.where}: {error.found}; it would not be scored."]
    return []


def unknown_categories(given: Iterable[str], known: Collection[str]) -> list[str]:
    """Return warnings about categories of a submission that are not in the split."""
    extra = sorted(set(given) - set(known))
    if not extra:
        return []
    spaced = {name: name.replace("_", " ").casefold() for name in extra}
    near = {
        name: difflib.get_close_matches(text, list(known), n=1, cutoff=0.75)
        for name, text in spaced.items()
    }
    named = [f"{name} (did you mean '{near[name][0]}'?)" if near[name] else name for name in extra]
    return [f"The split has no samples of: {', '.join(named)}. Not scored."]


def opened_submission(submission: str | Path | Submission) -> AbstractContextManager[Submission]:
    """Open a submission while it is scored; an open one stays open."""
    if isinstance(submission, Submission):
        return nullcontext(submission)
    return open_submission(submission)


def resolve_evaluation(
    submission: Submission,
    split: str | Path | EvalSplit | Dataset | IterableDataset,
    body: str | Path | BodyModel | object | None,
    categories: str | Sequence[str] | None,
    min_samples: int | None,
    protocol: str | Protocol,
    allow_other_body: bool = False,
    population: str = BENCHMARK,
) -> Evaluation:
    """Resolve the arguments of `evaluate` to an `Evaluation`."""
    loaded = load_split(split)
    restricted = given_categories(categories)
    restricted = None if restricted is None else tuple(sorted(restricted))
    declared = _population(loaded, population) if restricted is None else None
    chosen = get_protocol(protocol) if isinstance(protocol, str) else protocol
    limit = min_samples if min_samples is not None else loaded.min_samples
    if limit is not None:
        chosen = replace(chosen, min_samples=limit)
    samples = loaded.select(restricted)
    wanted = restricted or declared or tuple(loaded.counts)
    counts = {name: loaded.counts.get(name, 0) for name in wanted}
    scored = tuple(name for name, n in counts.items() if n >= chosen.min_samples)
    if not scored:
        largest = max(counts.values())
        raise InputError(
            f"no category has the {chosen.min_samples} samples that scoring requires; "
            f"the largest has {largest}",
            where=f"split '{loaded.name}'",
            fix=f"lower the minimum with --min-samples {largest}; the signature will state it",
        )
    samples = tuple(s for s in samples if s.category in set(scored))
    if submission.track == "posed":
        _check_posed_samples(submission, samples)
    return Evaluation(
        submission=submission,
        split=loaded,
        body=body_for(loaded.body, body, f"split '{loaded.name}'", allow_other=allow_other_body),
        protocol=chosen,
        categories=scored,
        samples=samples,
        skipped={name: n for name, n in counts.items() if name not in scored},
        restricted=restricted,
        population=declared if declared and set(loaded.counts) - set(declared) else None,
    )


def _population(split: EvalSplit, population: str) -> tuple[str, ...] | None:
    """Return the categories of the benchmark; None for all of the split."""
    if population not in POPULATIONS:
        raise unknown_name("population", population, POPULATIONS)
    if population == ALL or not split.population:
        return None
    return tuple(sorted(split.population))


def _check_posed_samples(submission: Submission, samples: Sequence[EvalSample]) -> None:
    """Refuse a posed submission that has some but not all samples of a category."""
    for category in submission.categories:
        wanted = {sample.sample_id for sample in samples if sample.category == category}
        given = set(submission.posed_samples(category)) if wanted else set()
        missing, extra = sorted(wanted - given), sorted(given - wanted)
        if missing:
            raise InputError(
                f"{len(missing)} of {len(wanted)} samples are missing: {list_some(missing)}"
                + (f"; {len(extra)} are not in the split: {list_some(extra)}" if extra else ""),
                where=f"posed fields of '{category}'",
                expected="one field for every test sample of the category, named by sample_id",
                fix="leave the category out or complete it; a partial category is never scored",
            )
