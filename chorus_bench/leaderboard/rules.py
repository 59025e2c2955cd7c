"""The rules for entries. Each rule is a function that adds its findings.

The rules of one entry: `name_rule`, `manifest_rule`, `verified_rule`, `counts_rule`, `scores_rule`,
`pictures_rule`, and those of `signatures` and `conditioned_rule`. Against an earlier state:
`unchanged_rule` and `unearned_status_rule`. Those of several entries are in `group_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chorus_bench.errors import InputError, did_you_mean, list_some
from chorus_bench.evaluation.results import (
    SAMPLES_FILE,
    by_category,
    scores_of,
    scores_only,
    summarize,
)
from chorus_bench.io.findings import Findings, has_controls, printable
from chorus_bench.leaderboard.earlier import (
    CONFIRMED_FILES,
    VerifiedEntry,
    confirmed_digests,
)
from chorus_bench.leaderboard.entries import Entry, EntryFiles
from chorus_bench.leaderboard.manifest import REPEATED, EntryManifest
from chorus_bench.leaderboard.places import ENTRIES_FOLDER, ENTRY_FILE, slug_problem
from chorus_bench.metrics.pap import PixelCounts
from chorus_bench.metrics.protocol import (
    PROTOCOLS,
    signature_key,
    signature_parts,
)
from chorus_bench.metrics.resampling import CategoryTables
from chorus_bench.names import MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH

#: Intervals are now exact. Results of earlier versions, which summed in another order, may differ
#: in the last bits.
INTERVAL_TOLERANCE = 1e-12


def name_rule(files: EntryFiles, errors: Findings) -> None:
    """The folder is named after the method, in characters safe for file systems and web hosts."""
    method = None if files.manifest is None else files.manifest.method
    problem = slug_problem(files.slug, method)
    if problem is not None:
        errors.add(files.where, f"its name {problem}", fix="use `chorus-bench leaderboard add`")


def manifest_rule(files: EntryFiles, errors: Findings) -> None:
    """`entry.yaml` describes the submission of the result."""
    manifest, content = files.manifest, files.content
    if manifest is None or content is None:
        return
    submission = content["submission"]
    try:
        track = signature_parts(str(content.get("signature"))).get("track", "canonical")
    except InputError:
        track = manifest.track
    for key, mine, other in (
        ("submission.sha256", manifest.sha256, submission["sha256"]),
        ("method", manifest.method, submission["method"]),
        ("track", manifest.track, track),
    ):
        if mine != other:
            errors.add(
                f"{files.where}/{ENTRY_FILE}: {key}",
                f"is '{printable(mine, 80)}', the result has '{printable(str(other), 80)}'",
                expected="what the result has",
                fix="add the entry again with `chorus-bench leaderboard add`",
            )


def verified_rule(files: EntryFiles, errors: Findings) -> None:
    """`verified` states who repeated what of this submission; other entries leave it empty."""
    manifest = files.manifest
    if manifest is None:
        return
    where, done = f"{files.where}/{ENTRY_FILE}: verified", manifest.verified
    fix = "run `chorus-bench leaderboard verify`, or state status: self-reported, verified: null"
    if manifest.status in REPEATED and done is None:
        errors.add(where, f"is missing although the status is {manifest.status}", fix=fix)
    elif done is not None and manifest.status not in REPEATED:
        errors.add(where, f"is present although the status is {manifest.status}", fix=fix)
    elif done is not None and done.sha256 != manifest.sha256:
        errors.add(where, "is of another submission (sha256 differs)", fix=fix)
    if manifest.status == "reproduced" and manifest.recipe is None:
        where = f"{files.where}/{ENTRY_FILE}: recipe"
        errors.add(where, "is missing although the status is reproduced", fix=fix)


def counts_rule(files: EntryFiles, errors: Findings) -> None:
    """The table's counts of pixels are possible, and its four numbers follow from them."""
    table = files.samples
    if table is None:
        return
    where = f"{files.where}/{SAMPLES_FILE}"
    _check_names(table, where, errors)
    bad = np.flatnonzero(_impossible(*files.counts))
    if bad.size:
        errors.add(where, f"impossible counts in {_rows(table, bad)}", fix="evaluate again")
        return
    scores = files.scores[int(_closed(files))]
    bad = np.flatnonzero((scores_of(table) != scores).any(axis=1))
    if bad.size:
        errors.add(
            where,
            f"scores that do not follow from the counts, in {_rows(table, bad)}",
            expected="the four numbers computed from the counts of pixels",
            fix="copy the result again, or evaluate again",
        )


def _check_names(table: pa.Table, where: str, errors: Findings) -> None:
    """Names can be displayed anywhere, and no sample occurs twice."""
    numbers = Counter(table["sample_id"].to_pylist())
    twice = [printable(name, 60) for name, n in numbers.items() if n > 1]
    if twice:
        errors.add(where, f"duplicate samples: {list_some(twice)}")
    limits = {"sample_id": MAX_SAMPLE_LENGTH, "category": MAX_CATEGORY_LENGTH}
    for column, limit in limits.items():
        names = sorted(table[column].unique().to_pylist())
        odd = [n for n in names if not 0 < len(n) <= limit or has_controls(n)]
        if odd:
            shown = list_some([f"'{printable(name, 60)}'" for name in odd])
            expected = f"1 to {limit} characters, no control characters"
            errors.add(where, f"column '{column}' holds {shown}", expected=expected)


def _closed(files: EntryFiles) -> bool:
    metric = "" if files.content is None else files.content["signature"].partition("|")[0]
    return any(p.closed for p in PROTOCOLS.values() if p.name == metric)


def _impossible(plain: PixelCounts, hoa: PixelCounts) -> NDArray[np.bool_]:
    """Return which samples have counts that no image can have, (S,)."""
    bad = np.zeros(len(plain.target), dtype=bool)
    for counts in (plain, hoa):
        for values in (counts.predicted, counts.hit):
            bad |= (values[:, -1] < 0) | (values[:, 1:] > values[:, :-1]).any(axis=1)
        bad |= (counts.hit > counts.predicted).any(axis=1)
        bad |= counts.hit[:, 0] > counts.target
    bad |= (hoa.predicted > plain.predicted).any(axis=1) | (hoa.hit > plain.hit).any(axis=1)
    return bad | (hoa.target > plain.target)


def _rows(table: pa.Table, rows: NDArray[np.intp]) -> str:
    names = [f"row {r} ({printable(str(table['sample_id'][int(r)]), 60)})" for r in rows[:5]]
    return list_some([*names, *rows[5:]])


def scores_rule(files: EntryFiles, errors: Findings) -> None:
    """The result's scores, intervals and numbers are those of its table of samples."""
    if files.samples is None or files.content is None:
        return
    tables = by_category(files.samples, scores_of(files.samples))
    wanted, stored = summarize(tables), files.content
    if set(wanted["categories"]) != set(stored["categories"]):
        only = sorted(set(wanted["categories"]) ^ set(stored["categories"]))
        text = f"categories that only the result or only the table has: {list_some(only)}"
        errors.add(files.lines.at("categories"), printable(text, 400))
        return
    for path, value in _leaves(wanted):
        found = _at(stored, path)
        if not _agrees(found, value, path):
            errors.add(
                files.lines.at(*path),
                f"is {printable(repr(found), 60)}, the table of samples gives {value!r}",
                expected="what samples.parquet gives",
                fix="copy both files of the result again, or evaluate again",
            )
    _check_missing(files, tables, errors)
    _check_beside(files, errors)


def _leaves(
    value: object, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], float | list[float]]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    else:
        yield path, value  # type: ignore[misc]


def _at(content: object, path: tuple[str, ...]) -> object:
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _agrees(stored: object, wanted: float | list[float], path: tuple[str, ...]) -> bool:
    if isinstance(wanted, list):
        pairs = zip(stored, wanted, strict=True) if isinstance(stored, list) else ()
        return isinstance(stored, list) and all(abs(a - b) <= INTERVAL_TOLERANCE for a, b in pairs)
    return stored == wanted


def _check_missing(files: EntryFiles, tables: CategoryTables, errors: Findings) -> None:
    """A category that the submission lacks has a score of 0 in every sample."""
    for name, (scores, _) in tables.items():
        if _at(files.content, ("categories", name, "missing")) is True and scores.any():
            where = files.lines.at("categories", name, "missing")
            errors.add(where, "is true, but its samples have scores", fix="copy the result again")


def _check_beside(files: EntryFiles, errors: Findings) -> None:
    """The scores under the other protocols follow from the counts as well."""
    beside = {} if files.content is None else files.content["beside"]
    for name in sorted(set(beside) - set(PROTOCOLS)):
        shown = printable(name, 40)
        errors.add(
            files.lines.at("beside", name),
            f"unknown protocol '{shown}'",
            fix=did_you_mean(shown, PROTOCOLS),
        )
    for name in sorted(set(beside) & set(PROTOCOLS)):
        scores = files.scores[int(PROTOCOLS[name].closed)]
        for path, expected in _leaves(scores_only(by_category(files.samples, scores))):
            if _at(beside[name], path) != expected:
                place = files.lines.at("beside", name, *path)
                errors.add(place, "is not what the table of samples gives", fix="evaluate again")


def pictures_rule(files: EntryFiles, errors: Findings) -> None:
    """Every picture is of a sample of the table."""
    if files.samples is None or not files.pictures:
        return
    ids, categories = (files.samples[c].to_pylist() for c in ("sample_id", "category"))
    known = dict(zip(ids, categories, strict=True))
    for sample in files.pictures:
        where, shown = f"{files.where}: a picture", printable(sample.sample_id, 60)
        if sample.sample_id not in known:
            errors.add(where, f"is of the sample '{shown}', which the result does not have")
        elif sample.category != known[sample.sample_id]:
            found = f"of the sample '{shown}' has the category {printable(sample.category, 60)}"
            errors.add(where, found, expected=known[sample.sample_id])


def unchanged_rule(
    files: EntryFiles, before: Iterable[Mapping[str, Any]], errors: Findings
) -> None:
    """Scores change only if the submission does, whatever the entry's name.

    Args:
        files: the current entry.
        before: every `results.json` of the earlier state.
        errors: collects the findings.
    """
    content = files.content
    for older in before if content is not None else ():
        if content is None or not _same_scoring(older, content):
            continue
        for path, value in _leaves({key: older.get(key) for key in ("scores", "categories")}):
            now = _at(content, path)
            if now != value and "intervals" not in path:
                was = f"{printable(repr(value), 40)} and is {printable(repr(now), 40)}"
                errors.add(
                    files.lines.at(*path),
                    f"was {was} although the submission is the same",
                    expected="the scores that the entry had",
                    fix="restore the result, or enter the submission that gives the new scores",
                )


def _same_scoring(older: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether two results are of the same submission with comparable signatures."""
    was, now = (_at(one, ("submission", "sha256")) for one in (older, content))
    return was == now and _comparable(older) == _comparable(content)


def _comparable(content: Mapping[str, Any]) -> str:
    signature = str(content.get("signature"))
    try:
        return signature_key(signature)
    except InputError:  # another rule says so
        return signature


def unearned_status_rule(
    entry: Entry, earlier: Mapping[str, VerifiedEntry], errors: Findings
) -> None:
    """Refuse an entry that calls itself verified or reproduced where the earlier state did not.

    Only the maintainers' run gives these: it scores the archive, or repeats the recipe, on the
    base branch and commits the status there, so that it is in the earlier state of every later
    change. It holds for the very files that were compared then.

    Args:
        entry: the entry.
        earlier: folder name -> the entry that the earlier state calls verified.
        errors: collects the problem.
    """
    now, was = entry.manifest, earlier.get(entry.slug)
    if now.status not in REPEATED:
        return
    if was is None or _standing(was.manifest) != _standing(now):
        problem = "the base branch does not"
    elif changed := _changed_files(entry, was):
        problem = f"{' and '.join(changed)} changed since then"
    else:
        return
    errors.add(
        f"{ENTRIES_FOLDER}/{entry.slug}/{ENTRY_FILE}",
        f"marks the entry as {now.status}, but {problem}",
        expected="status: self-reported, verified: null",
        fix="leave the status to the maintainers, who set it after a run on the base branch",
    )


def _changed_files(entry: Entry, was: VerifiedEntry) -> list[str]:
    files = {name: entry.folder / name for name in CONFIRMED_FILES}
    digests = confirmed_digests({n: f.read_bytes() for n, f in files.items() if f.is_file()})
    return [name for name in CONFIRMED_FILES if digests.get(name) != was.digests.get(name)]


def _standing(manifest: EntryManifest) -> tuple[object, ...]:
    return manifest.status, manifest.verified, manifest.sha256, manifest.recipe
