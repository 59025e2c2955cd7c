"""Making an entry from a result."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import (
    RESULT_FILE,
    SAMPLES_FILE,
    EvaluationResult,
    load_result,
)
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.files import FolderKind, atomic_folder
from chorus_bench.io.findings import Findings
from chorus_bench.leaderboard.checking import LeaderboardError, check_entry
from chorus_bench.leaderboard.fields import small_fields
from chorus_bench.leaderboard.manifest import (
    TEXT_KEYS,
    EntryManifest,
    Scored,
    entry_yaml,
    read_entry_yaml,
)
from chorus_bench.leaderboard.places import (
    ENTRIES_FOLDER,
    ENTRY_FILE,
    FIELDS_FILE,
    PICTURES_FILE,
    PICTURES_FOLDER,
    slug_of,
    slug_problem,
)
from chorus_bench.metrics.protocol import signature_parts
from chorus_bench.submission import Submission, open_submission

_ENTRY = FolderKind("an entry", (ENTRY_FILE,))


def add_entry(
    result: str | Path,
    leaderboard: str | Path,
    *,
    submitted_by: str,
    date: str,
    saw_coco_val: str = "unknown",
    training_data: str | None = None,
    url: str | None = None,
    name: str | None = None,
    texts: Mapping[str, str] | None = None,
    parameters: Mapping[str, str | int | float | bool | None] | None = None,
    submission: str | Path | None = None,
    split: str | Path | None = None,
    body: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an entry folder from a result folder, atomically.

    Args:
        result: folder with ``results.json`` and ``samples.parquet``.
        leaderboard: folder in which to make ``entries/<name>``.
        submitted_by: a person, a group or an account.
        date: ISO date of the entry.
        saw_coco_val: whether training saw COCO's val images: ``yes``, ``no`` or ``unknown``.
        training_data: training data of the method; by default as the submission states.
        url: address of the submission's archive.
        name: name of the folder; by default from the method's name.
        texts: optional texts of `entry.yaml`; by default as the submission states.
        parameters: how the method was run.
        submission: the submission that was scored; its fields are kept for the 3D view.
        split: the split on which it was scored; with it, pictures of single samples are drawn
            (from masks, never photographs).
        body: the body with which it was scored, for the pictures; by default the free one.
        overwrite: replace an existing entry.

    Returns:
        The entry's folder.

    Raises:
        InputError: not a result, a submission other than the scored one, an existing entry, or an
            entry that the rules refuse (all problems are listed).
    """
    folder = Path(result)
    loaded = load_result(folder)
    manifest = _manifest(
        loaded, submitted_by, date, url, saw_coco_val, training_data, texts or {}, parameters or {}
    )
    target = _target(Path(leaderboard), name, manifest.method)
    if split is not None and submission is None:
        raise InputError("--split without a submission", fix="give --submission as well")
    with _opened(submission) as opened, atomic_folder(target, overwrite, _ENTRY) as place:
        for file in (RESULT_FILE, SAMPLES_FILE):
            shutil.copyfile(folder / file, place / file)
        (place / ENTRY_FILE).write_bytes(entry_yaml(manifest))
        if opened is not None:
            _check_digest(opened, loaded)
            _write_fields(opened, place)
        if opened is not None and split is not None:
            _write_pictures(loaded, opened, split, body, place)
        _check(place, target)
    return target


def _target(leaderboard: Path, name: str | None, method: str) -> Path:
    slug = slug_of(method) if name is None else name
    problem = slug_problem(slug, method)
    if problem is not None:
        raise InputError(f"the name '{slug}' {problem}", fix="give another --name")
    return leaderboard / ENTRIES_FOLDER / slug


@contextmanager
def _opened(submission: str | Path | None) -> Iterator[Submission | None]:
    with nullcontext() if submission is None else open_submission(submission) as opened:
        yield opened


def _manifest(
    result: EvaluationResult,
    submitted_by: str,
    date: str,
    url: str | None,
    saw_coco_val: str,
    training_data: str | None,
    texts: Mapping[str, str],
    parameters: Mapping[str, str | int | float | bool | None],
) -> EntryManifest:
    said = {k: _joined(v) for k, v in result.submission.items()}
    given = {key: texts.get(key) or said.get(key) for key in TEXT_KEYS}
    return EntryManifest(
        method=result.submission["method"],
        submitted_by=submitted_by,
        date=date,
        submission=Scored(sha256=result.submission["sha256"], url=url),
        track=signature_parts(result.signature).get("track", "canonical"),
        training_data=training_data or said.get("training_data") or "not stated",
        saw_coco_val=saw_coco_val,
        status="self-reported",
        parameters=dict(parameters),
        **{key: value for key, value in given.items() if value},
    )


def _joined(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def check_digest(submission: Submission, sha256: str) -> None:
    """Raise an `InputError` unless a submission has the given digest."""
    if submission.sha256 != sha256:
        raise InputError(
            f"is not the submission that was scored: sha256 {submission.sha256}",
            where=submission.path,
            expected=f"sha256 {sha256}",
            fix="give the submission of the result, or evaluate this one",
        )


def _check_digest(submission: Submission, result: EvaluationResult) -> None:
    check_digest(submission, str(result.submission.get("sha256")))


def _write_fields(submission: Submission, folder: Path) -> None:
    if submission.track != "canonical" or not submission.categories:
        return
    fields = {name: submission.field(name) for name in submission.categories}
    small_fields(fields).save(folder / FIELDS_FILE)


def _write_pictures(
    result: EvaluationResult,
    submission: Submission,
    split: str | Path,
    body: str | Path | None,
    folder: Path,
) -> None:
    from chorus_bench.datasets.named import dataset_folder
    from chorus_bench.report.overlays import write_sample_overlays

    loaded = load_body("default" if body is None else body)
    pictures = folder / PICTURES_FOLDER
    pictures.mkdir()
    rows = write_sample_overlays(result, submission, dataset_folder(split), loaded, pictures)
    text = json.dumps(rows, indent=1, ensure_ascii=False)
    (pictures / PICTURES_FILE).write_text(text + "\n", encoding="utf-8")


def _check(place: Path, target: Path) -> None:
    """Refuse an entry that breaks a rule, before it is put in place."""
    found = Findings()
    check_entry(place, found, name=target.name)
    if found:
        raise LeaderboardError(target, found, "correct these problems; nothing was written")


def read_manifest(entry: Path) -> EntryManifest:
    """Return an entry's manifest.

    Raises:
        LeaderboardError: it cannot be used; every problem is listed.
    """
    found = Findings()
    try:
        data = (entry / ENTRY_FILE).read_bytes()
    except OSError as error:
        raise InputError(
            f"no entry here: {error.strerror}",
            where=entry,
            expected=f"a folder with {ENTRY_FILE}, for example leaderboard/entries/my-method",
        ) from error
    manifest = read_entry_yaml(data, f"{entry}/{ENTRY_FILE}", found)
    if manifest is None:
        raise LeaderboardError(entry, found)
    return manifest
