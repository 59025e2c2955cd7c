"""Checking a whole leaderboard: every problem of every entry, and the entries that have none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import by_category, counts_of, scores_of
from chorus_bench.io.findings import Finding, Findings, printable
from chorus_bench.leaderboard import rules
from chorus_bench.leaderboard.entries import Entry, EntryFiles, read_entry_files
from chorus_bench.leaderboard.places import PUBLISHED_FILE, entry_folders
from chorus_bench.leaderboard.published import PublishedRow, read_published
from chorus_bench.leaderboard.result_schema import schema_rule

Progress = Callable[[int, int], None]

_ENTRY_RULES = (
    rules.name_rule,
    rules.signature_rule,
    rules.manifest_rule,
    rules.verified_rule,
    rules.counts_rule,
    rules.scores_rule,
    rules.pictures_rule,
)


class LeaderboardError(InputError):
    """A leaderboard with problems (exit code 2).

    Args:
        folder: the leaderboard.
        findings: every problem.
        fix: what the user can do about all of them.
    """

    def __init__(
        self, folder: str | Path, findings: Iterable[Finding], fix: str | None = None
    ) -> None:
        self.findings = tuple(findings)
        count = len(self.findings)
        listed = "".join(f"\n- {textwrap.indent(str(f), '  ')[2:]}" for f in self.findings)
        problems = f"{count} problem{'' if count == 1 else 's'} in the leaderboard{listed}"
        super().__init__(problems, where=printable(str(folder)), fix=fix)
        self._advice = fix

    def __reduce__(self) -> tuple[object, ...]:
        return (LeaderboardError, (self.where, self.findings, self._advice))


@dataclass(frozen=True, eq=False)
class Checked:
    """What a check found.

    Attributes:
        folder: the leaderboard.
        entries: those without any problem, sorted by folder name.
        published: rows of `published.yaml`.
        problems: folder name (or `published.yaml`) -> what is wrong there.
    """

    folder: Path
    entries: tuple[Entry, ...]
    published: tuple[PublishedRow, ...]
    problems: Mapping[str, tuple[Finding, ...]]

    @property
    def findings(self) -> list[Finding]:
        """Every problem, by folder name."""
        return [finding for name in sorted(self.problems) for finding in self.problems[name]]

    def raise_problems(self, fix: str | None = None) -> None:
        """Raise a `LeaderboardError` when there is any problem."""
        if self.findings:
            raise LeaderboardError(self.folder, self.findings, fix)


def check_leaderboard(
    leaderboard: str | Path,
    *,
    before: Mapping[str, dict[str, Any]] | None = None,
    progress: Progress = lambda done, total: None,
) -> Checked:
    """Read a leaderboard and apply every rule.

    Args:
        leaderboard: folder with ``entries`` and ``published.yaml``.
        before: folder name -> `results.json` of an earlier state, from `earlier_results`.
        progress: called with (entries done, entries in all).

    Raises:
        InputError: there is no such folder. Problems inside are returned, not raised.
    """
    folder = Path(leaderboard)
    if not folder.is_dir():
        raise InputError("no such folder", where=folder, expected="a leaderboard")
    problems: dict[str, Findings] = {}
    entries: list[Entry] = []
    places = entry_folders(folder)
    progress(0, len(places))
    for number, place in enumerate(places):
        problems[place.name] = Findings()
        entry = check_entry(place, problems[place.name], (before or {}).values())
        if entry is not None:
            entries.append(entry)
        progress(number + 1, len(places))
    rules.duplicates_rule(entries, problems)
    rules.same_samples_rule(entries, problems)
    problems[PUBLISHED_FILE] = Findings()
    published = read_published(folder / PUBLISHED_FILE, problems[PUBLISHED_FILE])
    return Checked(
        folder,
        tuple(entry for entry in entries if not problems[entry.slug]),
        tuple(published),
        {name: tuple(found) for name, found in problems.items() if found},
    )


def check_entry(
    folder: Path,
    errors: Findings,
    before: Iterable[Mapping[str, Any]] = (),
    *,
    name: str | None = None,
) -> Entry | None:
    """Apply the rules of one entry.

    Args:
        folder: the entry.
        errors: takes every problem.
        before: every `results.json` of an earlier state.
        name: that the folder is going to have; by default its own.

    Returns:
        The entry, or None when there was a problem.
    """
    files = read_entry_files(folder, errors, name or folder.name)
    if files.content is not None:
        found = Findings()
        schema_rule(files, found)
        errors.extend(found)
        if found:
            files.content = None
    for rule in _ENTRY_RULES:
        rule(files, errors)
    rules.unchanged_rule(files, before, errors)
    return None if errors else _entry(files, folder)


def _entry(files: EntryFiles, folder: Path) -> Entry | None:
    """Return what the board needs of files without problems."""
    if files.manifest is None or files.content is None or files.samples is None:
        return None
    scores = scores_of(files.samples)
    return Entry(
        slug=files.slug,
        folder=folder,
        manifest=files.manifest,
        content=files.content,
        ids=tuple(files.samples["sample_id"].to_pylist()),
        categories=tuple(files.samples["category"].to_pylist()),
        tables=by_category(files.samples, scores),
        scores=scores,
        curves=mean_curves(files.samples),
        pictures=files.pictures,
        fields=files.fields,
    )


def mean_curves(
    samples: pa.Table,
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return mean recall and mean precision (T,) of every category, as `report.figures` draws them.

    Samples without a target pixel are left out; of the others those count for the precision at
    a threshold that predict a pixel there. Where none does, the precision is NaN.
    """
    plain, _ = counts_of(samples)
    category = samples["category"].to_numpy(zero_copy_only=False)
    used, predicts = plain.target > 0, plain.predicted > 0
    precision, recall = np.where(predicts, plain.precision, 0.0), plain.recall
    found = {}
    for name in sorted(set(category.tolist())):
        chosen = used & (category == name)
        number = predicts[chosen].sum(axis=0)
        mean = precision[chosen].sum(axis=0) / np.maximum(number, 1)
        average = recall[chosen].sum(axis=0) / max(1, int(chosen.sum()))
        found[name] = (average, np.where(number > 0, mean, np.nan))
    return found
