"""Verification: an entry's submission is scored again, or made again and scored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from chorus_bench._version import __version__
from chorus_bench.engines.threads import processor_name
from chorus_bench.errors import InputError, count_of, list_some
from chorus_bench.evaluation import evaluate
from chorus_bench.evaluation.arguments import ALL, BENCHMARK
from chorus_bench.evaluation.results import MEANS, EvaluationResult, load_result
from chorus_bench.evaluation.truth import truth_scores
from chorus_bench.evaluation.truth_file import TRUTH_FILE
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.io.findings import Findings
from chorus_bench.io.json_files import read_json
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.leaderboard.adding import read_manifest
from chorus_bench.leaderboard.checking import LeaderboardError, check_entry
from chorus_bench.leaderboard.manifest import EntryManifest, Verification, entry_yaml
from chorus_bench.leaderboard.places import ENTRY_FILE
from chorus_bench.leaderboard.rerun import run_recipe
from chorus_bench.metrics.protocol import protocol_of, signature_differences, signature_parts
from chorus_bench.progress import Progress
from chorus_bench.report.scored import open_scored, shipped_split
from chorus_bench.submission import Submission


@dataclass(frozen=True)
class Verifier:
    """Who scores again, on what, and where the result goes.

    Attributes:
        by: name of the verifier.
        date: ISO date of the verification.
        split: the split named in the entry's signature; None for the shipped one.
        body: the body named there; by default the free one.
        url: address of the run.
        output: folder for the new result, for the records.
        workers: threads that prepare test geometry.
        progress: called with (samples done, samples in all).
    """

    by: str
    date: str
    split: str | Path | None = None
    body: str | Path | None = None
    url: str | None = None
    output: str | Path | None = None
    workers: int | None = None
    progress: Progress = lambda done, total: None


def verify_entry(entry: str | Path, submission: str | Path, verifier: Verifier) -> EntryManifest:
    """Score an entry's submission again, compare everything, and mark the entry as verified.

    Args:
        entry: the entry's folder.
        submission: the submitted archive or folder.
        verifier: who does it, and on what.

    Returns:
        The written manifest of the entry.

    Raises:
        InputError: the entry breaks a rule, the submission, split or body is a different one, or
            the outcome differs in any way. The entry is then unchanged.
    """
    folder = Path(entry)
    manifest, stored = _read(folder)
    _score_again(folder, stored, submission, verifier)
    return _mark(folder, manifest, "verified", verifier)


def reproduce_entry(
    entry: str | Path, verifier: Verifier, *, making: Progress = lambda done, total: None
) -> EntryManifest:
    """Make an entry's submission again from its recipe, and mark the entry as reproduced.

    The dataset is built (once, into the cache), the baseline is run on it, and the submission's
    digest and the scores of every sample are compared.

    Args:
        entry: the entry's folder.
        verifier: who does it, and on what.
        making: called with (rows done, rows in all) while the baseline runs, then with samples
            that are posed.

    Returns:
        The written manifest of the entry.

    Raises:
        InputError: no recipe, one that cannot be repeated, a submission with another digest, or
            as for `verify_entry`. The entry is then unchanged.
    """
    folder = Path(entry)
    manifest, stored = _read(folder)
    if manifest.recipe is None:
        raise InputError(
            "the entry records no recipe",
            where=folder / ENTRY_FILE,
            expected="the block `recipe`, as `leaderboard add --recipe` writes it",
            fix="give the submitted archive with --submission",
        )
    with temporary_folder() as place:
        made = run_recipe(
            manifest.recipe,
            place / "submission",
            texts=stored.submission,
            body=verifier.body,
            progress=making,
        )
        _score_again(folder, stored, made, verifier)
    return _mark(folder, manifest, "reproduced", verifier)


def _read(folder: Path) -> tuple[EntryManifest, EvaluationResult]:
    """Return an entry that obeys the rules."""
    manifest = read_manifest(folder)
    found = Findings()
    check_entry(folder.resolve(), found)
    if found:
        raise LeaderboardError(folder, found)
    return manifest, load_result(folder)


def _score_again(
    folder: Path, stored: EvaluationResult, submission: str | Path, verifier: Verifier
) -> None:
    """Raise an `InputError` unless the submission is the scored one, with the same outcome."""
    parts = signature_parts(stored.signature)
    protocol = protocol_of(parts)
    split = verifier.split or shipped_split(stored)
    if split is None:
        raise InputError(f"no shipped split is {parts['split']}", fix="give it with --split")
    with open_scored(submission, stored) as opened:
        again = evaluate(
            opened,
            split=split,
            body=verifier.body,
            output=verifier.output,
            categories=parts["cat"].split(",") if "cat" in parts else None,
            population=BENCHMARK if "pop" in parts else ALL,
            min_samples=protocol.min_samples,
            protocol=protocol,
            track=parts.get("track", "canonical"),
            workers=verifier.workers,
            progress=verifier.progress,
        )
        _compare(folder, stored, again)
        _compare_truth(folder, opened, again, split, verifier)


def _mark(
    folder: Path,
    manifest: EntryManifest,
    status: Literal["verified", "reproduced"],
    verifier: Verifier,
) -> EntryManifest:
    done = Verification(
        date=verifier.date,
        by=verifier.by,
        sha256=manifest.sha256,
        url=verifier.url,
        version=__version__,
        processor=processor_name(),
    )
    marked = manifest.model_copy(update={"status": status, "verified": done})
    atomic_write_bytes(folder / ENTRY_FILE, entry_yaml(marked))
    return marked


def _compare(entry: Path, stored: EvaluationResult, again: EvaluationResult) -> None:
    """Raise an `InputError` unless both results are the same, sample by sample."""
    differences = signature_differences(stored.signature, again.signature)
    if differences:
        raise InputError(
            f"the entry was scored differently: {'; '.join(differences)}",
            where=entry,
            fix="give the split and the body named in the entry's signature",
        )
    problems = _score_differences(stored, again) or _sample_differences(stored, again)
    if problems:
        raise InputError(
            f"rescoring the submission gives a different result: {'; '.join(problems)}",
            where=entry,
            expected="the same to the last bit",
            fix="the entry's result is not of this submission; evaluate it again",
        )


def _compare_truth(
    entry: Path,
    submission: Submission,
    result: EvaluationResult,
    split: str | Path,
    verifier: Verifier,
) -> None:
    """Raise an `InputError` unless the measures in 3D, if the entry states any, are the same."""
    if not (entry / TRUTH_FILE).is_file():
        return
    stored = read_json(entry / TRUTH_FILE)["measures"]
    again = truth_scores(
        {"again": submission},
        split,
        body=verifier.body or "default",
        categories=tuple(result.categories),
        workers=verifier.workers,
    )["again"].measures
    problems = [
        f"{name} is {again[name]!r}, the entry has {value!r}"
        for name, value in stored.items()
        if not _same(value, again[name])
    ]
    if problems:
        raise InputError(
            f"comparing the submission with the truth gives other measures: {'; '.join(problems)}",
            where=entry / TRUTH_FILE,
            fix="run evaluate --truth again, or remove the file",
        )


def _same(stored: float | None, again: float | None) -> bool:
    if stored is None or again is None:
        return stored is again
    return math.isclose(stored, again, rel_tol=1e-6, abs_tol=1e-9)


def _score_differences(stored: EvaluationResult, again: EvaluationResult) -> list[str]:
    return [
        f"{mean} is {again.scores[mean]!r}, the entry has {stored.scores[mean]!r}"
        for mean in MEANS
        if stored.scores[mean] != again.scores[mean]
    ]


def _sample_differences(stored: EvaluationResult, again: EvaluationResult) -> list[str]:
    ids = [result.samples["sample_id"].to_pylist() for result in (stored, again)]
    if ids[0] != ids[1]:
        missing, extra = sorted(set(ids[1]) - set(ids[0])), sorted(set(ids[0]) - set(ids[1]))
        return [f"samples that the entry lacks: {list_some(missing)}; has: {list_some(extra)}"]
    columns = [name for name in again.samples.column_names if name != "sample_id"]
    unequal = np.zeros(len(ids[0]), dtype=bool)
    for name in columns:
        old, new = stored.samples[name].to_pylist(), again.samples[name].to_pylist()
        unequal |= np.array([a != b for a, b in zip(old, new, strict=True)])
    wrong = [ids[0][i] for i in np.flatnonzero(unequal)]
    return [f"{count_of(len(wrong), 'sample')} differ: {list_some(wrong)}"] if wrong else []
