"""Checking a whole leaderboard: every problem of every entry, and the entries without any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import by_category, curves_of, rows_of, scores_of
from chorus_bench.io.findings import Finding, Findings, listed_problems, printable
from chorus_bench.leaderboard import group_rules, rules
from chorus_bench.leaderboard.conditioned_rule import conditioned_rule
from chorus_bench.leaderboard.earlier import VerifiedEntry
from chorus_bench.leaderboard.entries import Entry, EntryFiles, read_entry_files
from chorus_bench.leaderboard.places import (
    ENTRIES_FOLDER,
    PUBLISHED_FILE,
    entry_folders,
    hidden_entries,
)
from chorus_bench.leaderboard.published import PublishedRow, read_published
from chorus_bench.leaderboard.signatures import signature_rule
from chorus_bench.leaderboard.truth_rule import truth_rule
from chorus_bench.progress import Progress

_ENTRY_RULES = (
    rules.name_rule,
    signature_rule,
    rules.manifest_rule,
    rules.verified_rule,
    rules.counts_rule,
    rules.scores_rule,
    conditioned_rule,
    truth_rule,
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
        problems = listed_problems(self.findings, "the leaderboard")
        super().__init__(problems, where=printable(str(folder)), fix=fix)
        self._advice = fix

    def __reduce__(self) -> tuple[object, ...]:
        return (LeaderboardError, (self.where, self.findings, self._advice))


@dataclass(frozen=True, eq=False)
class Checked:
    """The result of a check.

    Attributes:
        folder: the leaderboard.
        entries: entries without problems, sorted by folder name.
        published: rows of `published.yaml`.
        problems: folder name (or `published.yaml`) -> its problems.
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
        """Raise a `LeaderboardError` if there is any problem."""
        if self.findings:
            raise LeaderboardError(self.folder, self.findings, fix)


def check_leaderboard(
    leaderboard: str | Path,
    *,
    before: Mapping[str, dict[str, Any]] | None = None,
    verified: Mapping[str, VerifiedEntry] | None = None,
    progress: Progress = lambda done, total: None,
) -> Checked:
    """Read a leaderboard and apply every rule.

    Args:
        leaderboard: folder with ``entries`` and ``published.yaml``.
        before: folder name -> `results.json` of an earlier state, from `earlier_results`.
        verified: folder name -> verified entry of an earlier state, from `earlier_verified`; then
            no entry may call itself verified that was not verified there, with the same numbers.
        progress: called with (entries done, entries in all).

    Raises:
        InputError: there is no such folder. Problems inside are returned, not raised.
    """
    folder = Path(leaderboard)
    if not folder.is_dir():
        raise InputError("no such folder", where=folder, expected="a leaderboard")
    if (folder / ENTRIES_FOLDER).is_symlink():
        raise InputError("is a link", where=folder / ENTRIES_FOLDER, expected="a folder")
    problems: dict[str, Findings] = {}
    entries: list[Entry] = []
    places = entry_folders(folder)
    progress(0, len(places))
    for number, place in enumerate(places):
        problems[place.name] = Findings()
        entry = check_entry(place, problems[place.name], (before or {}).values())
        if entry is not None:
            if verified is not None:
                rules.unearned_status_rule(entry, verified, problems[place.name])
            entries.append(entry)
        progress(number + 1, len(places))
    group_rules.duplicates_rule(entries, problems)
    group_rules.same_samples_rule(entries, problems)
    _refuse_hidden(folder, problems)
    problems[PUBLISHED_FILE] = Findings()
    published = read_published(folder / PUBLISHED_FILE, problems[PUBLISHED_FILE])
    return Checked(
        folder,
        tuple(entry for entry in entries if not problems[entry.slug]),
        published,
        {name: tuple(found) for name, found in problems.items() if found},
    )


def _refuse_hidden(leaderboard: Path, problems: dict[str, Findings]) -> None:
    for name in hidden_entries(leaderboard):
        problems[name] = Findings()
        problems[name].add(
            f"{ENTRIES_FOLDER}/{printable(name)}",
            "is hidden, so a review would miss it",
            expected="entries only",
            fix="remove it; `chorus-bench cache clean` removes leftovers of killed runs",
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
        errors: collects every problem.
        before: every `results.json` of an earlier state.
        name: future name of the folder; by default its current one.

    Returns:
        The entry, or None if there is a problem.
    """
    files = read_entry_files(folder, errors, name or folder.name)
    for rule in _ENTRY_RULES:
        rule(files, errors)
    rules.unchanged_rule(files, before, errors)
    return None if errors else _entry(files, folder)


def _entry(files: EntryFiles, folder: Path) -> Entry | None:
    """Return the data for the board, of files without problems."""
    if files.manifest is None or files.content is None or files.samples is None:
        return None
    scores, rows = scores_of(files.samples), rows_of(files.samples)
    plain, hoa = files.counts
    return Entry(
        slug=files.slug,
        folder=folder,
        manifest=files.manifest,
        content=files.content,
        ids=tuple(files.samples["sample_id"].to_pylist()),
        categories=tuple(files.samples["category"].to_pylist()),
        tables=by_category(files.samples, scores),
        scores=scores,
        curves=curves_of(plain, rows),
        curves_hoa=curves_of(hoa, rows),
        pictures=files.pictures,
        fields=files.fields,
        truth=files.truth,
    )
