"""What a result was computed from, recognised by digests and fingerprints, never by names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chorus_bench.datasets.eval_split import EvalSplit, load_split
from chorus_bench.datasets.named import NAMED_SPLITS
from chorus_bench.errors import InputError
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.geometry.body import BodyModel
from chorus_bench.io.json_files import read_json
from chorus_bench.metrics.protocol import SCOPE_PARTS, signature_differences, signature_parts
from chorus_bench.names import fingerprint_of
from chorus_bench.submission import Submission, open_submission

if TYPE_CHECKING:
    from datasets import Dataset

#: What `chorus-bench diagnose` writes into a result's folder.
DIAGNOSIS_FILE = "diagnosis.json"
#: The largest difference between PAP in a diagnosis and in the result of the same submission.
_SAME_PAP = 1e-12


def open_scored(submission: str | Path, result: EvaluationResult) -> Submission:
    """Open the submission of a result.

    Args:
        submission: a folder, an archive or a shipped name.
        result: result of its evaluation.

    Raises:
        InputError: it is another submission.
    """
    opened = open_submission(submission)
    try:
        check_digest(opened, result.submission["sha256"])
    except InputError:
        opened.close()
        raise
    return opened


def check_digest(submission: Submission, sha256: str) -> None:
    """Raise an `InputError` unless a submission has the digest."""
    if submission.sha256 != sha256:
        raise InputError(
            f"is not the submission that was scored: sha256 {submission.sha256}",
            where=submission.path,
            expected=f"sha256 {sha256}",
            fix="give the scored submission, or evaluate this one",
        )


def scored_split(split: str | Path | EvalSplit | Dataset, result: EvaluationResult) -> EvalSplit:
    """Load the test split of a result.

    Args:
        split: see `evaluate`.
        result: result of an evaluation.

    Raises:
        InputError: it is not usable, or another split, whatever its name.
    """
    loaded = load_split(split)
    scored = signature_parts(result.signature).get("split", "")
    if loaded.fingerprint != fingerprint_of(scored):
        raise InputError(
            f"is not the split that was scored: {loaded.label}",
            where=split if isinstance(split, str | Path) else f"split '{loaded.name}'",
            expected=scored,
            fix="give the split on which the result was computed, or evaluate again on this one",
        )
    return loaded


def shipped_split(result: EvaluationResult) -> str | None:
    """Return the name of the shipped split of a result; None if it is of another one.

    The name in the signature says which one to try; its fingerprint decides.
    """
    scored = signature_parts(result.signature).get("split", "")
    name = scored.partition("@")[0]
    known = name in NAMED_SPLITS and load_split(name).fingerprint == fingerprint_of(scored)
    return name if known else None


def check_scored_body(result: EvaluationResult, body: BodyModel) -> None:
    """Raise an `InputError` unless a body is the one that a result was scored with."""
    scored = signature_parts(result.signature).get("body", "")
    if fingerprint_of(scored) != body.fingerprint:
        raise InputError(
            f"the result is of the body {scored}, not of {body.label}",
            fix="give that body with --body FILE",
        )


# Diagnoses


def read_diagnosis(file: Path) -> Mapping[str, Any]:
    """Return what `chorus-bench diagnose` wrote.

    Raises:
        InputError: it is not a diagnosis.
    """
    needed = ("signature", "submission", "mean", "categories")
    content = read_json(file)
    if not isinstance(content, dict) or any(name not in content for name in needed):
        raise InputError(
            "is not a diagnosis", where=file, expected=", ".join(needed), fix="run diagnose again"
        )
    found: Mapping[str, Any] = content
    return found


def diagnosis_differences(diagnosis: Mapping[str, Any], result: EvaluationResult) -> Sequence[str]:
    """Return why a diagnosis does not belong to a result; empty if it does.

    Both must be of one submission, split, body and protocol, of the same categories, and agree
    on the PAP of each. How the categories were chosen may differ.
    """
    sha256 = result.submission["sha256"]
    if diagnosis["submission"].get("sha256") != sha256:
        return [f"submission: {diagnosis['submission'].get('method')} against {_method(result)}"]
    found = signature_differences(diagnosis["signature"], result.signature, besides=SCOPE_PARTS)
    if found:
        return found
    theirs, ours = diagnosis["categories"], result.categories
    if set(theirs) != set(ours):
        return [f"categories: {', '.join(sorted(theirs))} against {', '.join(sorted(ours))}"]
    return [
        f"PAP of {name}: {100 * theirs[name]['PAP']:.2f} against {100 * ours[name]['PAP']:.2f}"
        for name in ours
        if abs(theirs[name]["PAP"] - ours[name]["PAP"]) > _SAME_PAP
    ]


def _method(result: EvaluationResult) -> str:
    return str(result.submission["method"])
