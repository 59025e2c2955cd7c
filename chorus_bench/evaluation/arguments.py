"""The arguments of an evaluation, resolved and checked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from chorus_bench.datasets.bodies import body_for, is_other_body
from chorus_bench.datasets.coco_eft.categories import CATEGORIES
from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.datasets.interaction_labels import labels_fingerprint
from chorus_bench.errors import InputError, list_some, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.protocol import Protocol, get_protocol
from chorus_bench.names import fingerprint_of, given_categories
from chorus_bench.submission import Fields, Submission, open_submission, submission_of
from chorus_bench.submission.manifest import TRACKS

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

#: The categories that an evaluation scores: those of the declared benchmark, or all.
BENCHMARK, ALL = "benchmark", "all"
POPULATIONS = (BENCHMARK, ALL)

#: The track that scores the fields of interaction types; the others are those of submissions.
CONDITIONED = "conditioned"
SCORED_TRACKS = (*TRACKS, CONDITIONED)


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
        track: ``canonical``, ``posed`` or ``conditioned``.
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
    track: str = "canonical"

    def signature(self, protocol: Protocol) -> str:
        """Return the signature of these scores under a protocol."""
        return protocol.signature(
            self.split.label,
            self.body.label,
            track=self.track,
            labels=self.labels,
            categories=self.restricted,
            population=self.population,
            other_body=self.other_body,
        )

    @property
    def labels(self) -> str | None:
        """On the track `conditioned` the fingerprint of the samples' labels, else None."""
        if self.track != CONDITIONED:
            return None
        return labels_fingerprint((sample.sample_id, sample.label) for sample in self.samples)

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
        found += [d.warning() for d in _sample_differences(self.submission, self.samples)]
        return found + self._label_warnings()

    def _label_warnings(self) -> list[str]:
        """Return what the reader of conditioned scores should know about labels and types."""
        if self.track != CONDITIONED:
            return []
        found = []
        if all(sample.label is None for sample in self.samples):
            found.append(
                "The split has no labels of interactions: the scores are those of the categories' "
                "fields, and the best over all types is an upper bound only."
            )
        if self.submission.track == "posed":
            found.append("A posed submission: each field counts as that of its sample's own type.")
        elif not any(map(self.submission.interactions, self.submission.categories)):
            found.append(
                "The submission has no fields of interaction types: the category's field is every "
                "sample's own."
            )
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
    return found + [d.warning() for d in _sample_differences(submission, loaded.samples)]


@dataclass(frozen=True)
class _SampleDifference:
    """What a posed submission lacks of a category's samples, or has beyond them."""

    category: str
    wanted: int
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def __str__(self) -> str:
        texts = []
        if self.missing:
            lacking = list_some(self.missing)
            texts.append(f"{len(self.missing)} of {self.wanted} samples are missing: {lacking}")
        if self.extra:
            texts.append(f"{len(self.extra)} are not in the split: {list_some(self.extra)}")
        return "; ".join(texts)

    def warning(self) -> str:
        """Return the text for a reader of a check or of scores."""
        end = "; the submission would be refused." if self.missing else "; not scored."
        return f"Posed fields of '{self.category}': {self}{end}"


def _sample_differences(
    submission: Submission, samples: Iterable[EvalSample]
) -> list[_SampleDifference]:
    """Return the differences of a posed submission, by category; of a canonical one none."""
    if submission.track != "posed":
        return []
    wanted: dict[str, set[str]] = {}
    for sample in samples:
        wanted.setdefault(sample.category, set()).add(sample.sample_id)
    found = []
    for category in submission.categories:
        ids = wanted.get(category, set())
        given = set(submission.posed_samples(category)) if ids else set()
        missing, extra = tuple(sorted(ids - given)), tuple(sorted(given - ids))
        if missing or extra:
            found.append(_SampleDifference(category, len(ids), missing, extra))
    return found


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


def respelt_categories(given: Iterable[str]) -> list[str]:
    """Return warnings about names that are those of COCO in another spelling.

    Only case, spaces, hyphens and underscores differ: a name that is merely similar may be a
    category of another dataset.
    """
    known = {_letters(name): name for name in CATEGORIES}
    return [
        f"'{name}' would count as another category than '{known[_letters(name)]}'"
        for name in given
        if _letters(name) in known and name not in CATEGORIES
    ]


def _letters(name: str) -> str:
    return name.casefold().translate(str.maketrans("", "", " _-"))


def opened_submission(
    submission: str | Path | Submission | Fields,
) -> AbstractContextManager[Submission]:
    """Open a submission, or fields in memory, while it is scored; an open one stays open."""
    if isinstance(submission, Submission):
        return nullcontext(submission)
    if isinstance(submission, Mapping):
        return submission_of(submission)
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
    track: str | None = None,
) -> Evaluation:
    """Resolve the arguments of `evaluate` to an `Evaluation`."""
    scored_track = _track(submission, track)
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
        track=scored_track,
    )


def _track(submission: Submission, track: str | None) -> str:
    """Return the track that is scored: by default the submission's own.

    Raises:
        InputError: no such track, or one on which this submission cannot be scored.
    """
    if track is None or track == submission.track:
        return submission.track
    if track not in SCORED_TRACKS:
        raise unknown_name("track", track, SCORED_TRACKS)
    if track == CONDITIONED:
        return track
    pose = "make a posed one of it with `chorus-bench infer SUBMISSION --split SPLIT`"
    raise InputError(
        f"the submission is of the track '{submission.track}', not '{track}'",
        where=submission.path,
        expected=f"--track {submission.track} or --track {CONDITIONED}",
        fix=pose if track == "posed" else "leave --track out",
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
    for difference in _sample_differences(submission, samples):
        if difference.missing:
            raise InputError(
                str(difference),
                where=f"posed fields of '{difference.category}'",
                expected="one field for every test sample of the category, named by sample_id",
                fix="leave the category out or complete it; a partial category is never scored",
            )
