"""Making an entry from a result."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from chorus_bench.errors import InputError
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.results import (
    SAMPLES_FILE,
    EvaluationResult,
)
from chorus_bench.evaluation.truth_file import TRUTH_FILE
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.files import FolderKind, atomic_folder
from chorus_bench.io.findings import Findings
from chorus_bench.io.json_files import read_json
from chorus_bench.io.limits import MAX_MANIFEST_BYTES
from chorus_bench.io.untrusted_files import read_limited
from chorus_bench.leaderboard.checking import LeaderboardError, check_entry
from chorus_bench.leaderboard.fields import fields_bytes, in_steps
from chorus_bench.leaderboard.manifest import (
    TEXT_KEYS,
    EntryManifest,
    RunRecipe,
    Scored,
    entry_yaml,
    read_entry_yaml,
)
from chorus_bench.leaderboard.overlays import Overlays, overlays_bytes
from chorus_bench.leaderboard.places import (
    ENTRIES_FOLDER,
    ENTRY_FILE,
    FIELDS_FILE,
    OVERLAYS_FILE,
    slug_of,
    slug_problem,
)
from chorus_bench.metrics.protocol import signature_parts
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.samples import sample_overlays
from chorus_bench.report.scored import open_scored
from chorus_bench.report.type_fields import submission_fields
from chorus_bench.submission import Submission

_ENTRY = FolderKind("an entry", (ENTRY_FILE,))
#: Samples of each category that every entry has pictures of, so that methods can be compared.
_SHARED = 3
#: Fields of interaction types in an entry, those with the largest shares; each takes about 15 kB.
_TYPES = 24


def add_entry(
    result: str | Path | EvaluationResult,
    leaderboard: str | Path,
    *,
    submitted_by: str,
    date: str,
    saw_coco_val: str = "unknown",
    sees_truth: bool = False,
    training_data: str | None = None,
    url: str | None = None,
    name: str | None = None,
    texts: Mapping[str, str] | None = None,
    parameters: Mapping[str, str | int | float | bool | None] | None = None,
    submission: str | Path | None = None,
    split: str | Path | None = None,
    body: str | Path | None = None,
    recipe: RunRecipe | None = None,
    overwrite: bool = False,
) -> Path:
    """Write an entry folder from a result folder, atomically.

    Args:
        result: a result, its folder or its name, see `open_result`. Its 3D scores
            (`evaluate --truth`) become part of the entry.
        leaderboard: folder in which to make ``entries/<name>``.
        submitted_by: a person, a group or an account.
        date: ISO date of the entry.
        saw_coco_val: whether training saw COCO's val images: ``yes``, ``no`` or ``unknown``.
        sees_truth: whether it is given what a method has to predict: a bound without a rank.
        training_data: training data of the method; by default as the submission states.
        url: address of the submission's archive.
        name: name of the folder; by default from the method's name.
        texts: optional texts of `entry.yaml`; by default as the submission states.
        parameters: how the method was run.
        submission: the submission that was scored; its fields are kept for the 3D view.
        split: the split that it was scored on; if given, the data of the pictures of single
            samples is kept (masks, never photographs).
        body: the body it was scored with, for the pictures; by default the free body.
        recipe: how a baseline made the submission, from `read_recipe`; with it anybody can
            repeat the row.
        overwrite: replace an existing entry.

    Returns:
        The entry's folder.

    Raises:
        InputError: not a result, a submission, split or body other than the scored one, an
            existing entry, or an entry that the rules refuse (all problems are listed).
    """
    loaded = open_result(result)
    manifest = _manifest(
        loaded, submitted_by, date, url, saw_coco_val, training_data, texts or {}, parameters or {}
    )
    manifest = manifest.model_copy(update={"recipe": recipe, "sees_truth": sees_truth})
    target = _target(Path(leaderboard), name, manifest.method)
    if split is not None and submission is None:
        raise InputError("--split without a submission", fix="give --submission as well")
    with ExitStack() as stack, atomic_folder(target, overwrite, _ENTRY) as place:
        loaded.save(place)
        (place / SAMPLES_FILE).write_bytes(small_table(loaded.samples))
        (place / ENTRY_FILE).write_bytes(entry_yaml(manifest))
        _write_truth(place if isinstance(result, EvaluationResult) else Path(result), place)
        if submission is not None:
            opened = stack.enter_context(open_scored(submission, loaded))
            _write_fields(opened, place)
            if split is not None:
                model = load_body("default" if body is None else body)
                _write_overlays(
                    sample_overlays(loaded, opened, split, model, shared=_SHARED), place
                )
        _check(place, target)
    return target


def small_table(samples: pa.Table) -> bytes:
    """Return the table of samples as a small Parquet file, for a folder in git."""
    sink = io.BytesIO()
    pq.write_table(samples, sink, use_dictionary=False, compression="brotli", compression_level=11)
    return sink.getvalue()


def _target(leaderboard: Path, name: str | None, method: str) -> Path:
    slug = slug_of(method) if name is None else name
    problem = slug_problem(slug, method)
    if problem is not None:
        raise InputError(f"the name '{slug}' {problem}", fix="give another --name")
    return leaderboard / ENTRIES_FOLDER / slug


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


def _write_fields(submission: Submission, folder: Path) -> None:
    if submission.track != "canonical" or not submission.categories:
        return
    fields = submission_fields(submission, most=_TYPES)
    (folder / FIELDS_FILE).write_bytes(fields_bytes(in_steps(SmallFields.of(fields))))


def _write_truth(result: Path, place: Path) -> None:
    """Write what `evaluate --truth` wrote into a result's folder as it is, without spaces."""
    if (result / TRUTH_FILE).is_file():
        text = json.dumps(read_json(result / TRUTH_FILE), separators=(",", ":"))
        (place / TRUTH_FILE).write_text(f"{text}\n", encoding="utf-8")


def _write_overlays(overlays: Overlays, folder: Path) -> None:
    if overlays:
        (folder / OVERLAYS_FILE).write_bytes(overlays_bytes(overlays))


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
        data = read_limited(entry / ENTRY_FILE, MAX_MANIFEST_BYTES)
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
