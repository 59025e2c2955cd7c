"""The layout of a submission: the grid files by category and sample."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from chorus_bench.errors import list_some
from chorus_bench.io.findings import WHOLE, Findings, nearest, printable
from chorus_bench.io.limits import (
    MAX_CATEGORIES,
    MAX_TOTAL_BYTES,
)
from chorus_bench.io.untrusted_files import FileEntry
from chorus_bench.names import MAX_CATEGORY_LENGTH, MAX_SAMPLE_LENGTH, wrong_name
from chorus_bench.submission.arrays import SUFFIXES
from chorus_bench.submission.interactions import INTERACTIONS_FOLDER
from chorus_bench.submission.manifest import MANIFEST_NAME, Track

#: The folder that holds each track's grids.
FOLDERS: dict[Track, str] = {"canonical": "grids", "posed": "posed"}


class FieldKey(NamedTuple):
    """A grid's category and, on the posed track, its sample; or a category's interaction type."""

    category: str
    sample: str | None = None
    interaction: str | None = None

    @property
    def path(self) -> str:
        """Where the grid's file is below the submission's folder, without its ending."""
        if self.interaction is not None:
            return f"{INTERACTIONS_FOLDER}/{self.category}/{self.interaction}"
        if self.sample is not None:
            return f"{FOLDERS['posed']}/{self.category}/{self.sample}"
        return f"{FOLDERS['canonical']}/{self.category}"


def _order(key: FieldKey) -> tuple[str, str, str]:
    return (key.category, key.sample or "", key.interaction or "")


def find_manifest(files: Iterable[FileEntry], errors: Findings) -> FileEntry | None:
    """Return the manifest among the files; without one, add an error that names similar files."""
    by_name = {entry.name: entry for entry in files}
    if MANIFEST_NAME in by_name:
        return by_name[MANIFEST_NAME]
    near = nearest(MANIFEST_NAME, [name for name in by_name if "/" not in name][:1000])
    inside = [name for name in by_name if name.endswith(f"/{MANIFEST_NAME}")]
    fix = "write it: at least 'method: ...' and 'track: canonical'"
    if near is not None:
        fix = f"rename '{printable(near)}'"
    elif inside:
        fix = f"there is '{printable(inside[0])}': give the folder that holds it"
    errors.add(
        MANIFEST_NAME,
        "is missing",
        expected=f"a file {MANIFEST_NAME} at the top of the submission",
        fix=fix,
    )
    return None


def find_fields(
    files: Iterable[FileEntry], track: Track | None, errors: Findings, warnings: Findings
) -> dict[FieldKey, FileEntry]:
    """Return the grid files of a submission, sorted by category and sample.

    Args:
        files: everything in the folder.
        track: the track that the manifest names; None if it names none: then grids of both
            tracks are sought.
        errors: collects invalid names, two grids for one category, too many grids.
        warnings: collects files that will not be read.
    """
    fields: dict[FieldKey, FileEntry] = {}
    others: list[str] = []
    for entry in files:
        key, where = _key(entry, track), printable(entry.name)
        if key is None:
            others.append(entry.name)
        elif check_key(where, key, errors) and _check_new(where, key, fields, errors):
            fields[key] = entry
    _check_categories(fields, errors)
    _warn_of_others([name for name in others if name != MANIFEST_NAME], warnings)
    if not _check_amount(fields, track, errors):
        return {}
    return {key: fields[key] for key in sorted(fields, key=_order)}


def check_key(where: str, key: FieldKey, errors: Findings) -> bool:
    """Whether the names of a category and a sample are valid; if not, add an error."""
    kind, name, wrong = "category", key.category, wrong_name(key.category, MAX_CATEGORY_LENGTH)
    if wrong is None and key.sample is not None:
        kind, name, wrong = "sample", key.sample, wrong_name(key.sample, MAX_SAMPLE_LENGTH)
    if wrong is None and key.interaction is not None:
        kind, name = "interaction type", key.interaction
        wrong = wrong_name(name, MAX_CATEGORY_LENGTH)
    if wrong is None:
        return True
    errors.add(
        where,
        f"the {kind} name '{printable(name, 60)}' {wrong}",
        expected=f"the name of the {kind} in the split",
        fix="rename it",
    )
    return False


def _key(entry: FileEntry, track: Track | None) -> FieldKey | None:
    """Return the category and sample of a grid file, or None if it is not a grid."""
    path = PurePosixPath(entry.name)
    if path.suffix.lower() not in SUFFIXES:
        return None
    match path.parts:
        case (folder, _) if folder == FOLDERS["canonical"] and track != "posed":
            return FieldKey(path.stem)
        case (folder, category, _) if folder == FOLDERS["posed"] and track != "canonical":
            return FieldKey(category, path.stem)
        case (folder, category, _) if folder == INTERACTIONS_FOLDER and track != "posed":
            return FieldKey(category, interaction=path.stem)
    return None


def _check_new(
    where: str, key: FieldKey, fields: dict[FieldKey, FileEntry], errors: Findings
) -> bool:
    """Whether this is the first grid for its key; a second is an error."""
    if key not in fields:
        return True
    what = f"category '{key.category}'" if key.sample is None else f"sample '{key.sample}'"
    if key.interaction is not None:
        what = f"interaction type '{key.interaction}'"
    errors.add(
        where,
        f"is a second grid for {what}, beside {printable(fields[key].name)}",
        expected="one file",
        fix="remove one of them",
    )
    return False


def _check_categories(fields: Iterable[FieldKey], errors: Findings) -> None:
    """Report categories that differ only in case, and too many of them."""
    spellings: dict[str, list[str]] = {}
    for category in sorted({key.category for key in fields}):
        spellings.setdefault(category.casefold(), []).append(category)
    for names in spellings.values():
        if len(names) > 1:
            errors.add(
                ", ".join(names),
                "are categories that differ only in case",
                expected="one spelling",
                fix="keep the split's spelling",
            )
    if len(spellings) > MAX_CATEGORIES:
        errors.add(WHOLE, f"has {len(spellings)} categories", expected=f"at most {MAX_CATEGORIES}")


def _check_amount(fields: dict[FieldKey, FileEntry], track: Track | None, errors: Findings) -> bool:
    """Whether there are grids, within the limit of size."""
    total = sum(entry.size for entry in fields.values())
    scored = any(key.interaction is None for key in fields)
    if total > MAX_TOTAL_BYTES:
        errors.add(
            WHOLE,
            f"has {total} bytes of grids; none of them was read",
            expected=f"at most {MAX_TOTAL_BYTES} bytes in all",
            fix="use a lower resolution, or float16 or uint8",
        )
    if not scored:
        folder = FOLDERS[track or "canonical"]
        pattern = "<category>/<sample_id>" if track == "posed" else "<category>"
        errors.add(
            f"{folder}/",
            "has no grid file",
            expected=f"{folder}/{pattern}.safetensors (or .npz, .npy)",
            fix="add one file for each category that you want scored",
        )
    return scored and total <= MAX_TOTAL_BYTES


def _warn_of_others(names: list[str], warnings: Findings) -> None:
    if names:
        warnings.add(
            WHOLE,
            f"has {len(names)} file{'' if len(names) == 1 else 's'} that will not be read: "
            f"{list_some([printable(name) for name in names])}",
            fix="remove them, or check names and places: grids/<category> or "
            f"posed/<category>/<sample_id>, ending in {', '.join(SUFFIXES)}{_tensors(names)}",
        )


def _tensors(names: list[str]) -> str:
    """Return what to do about files of PyTorch, if there are any."""
    if not any(name.lower().endswith((".pt", ".pth")) for name in names):
        return ""
    return (
        "; `chorus-bench convert grids FOLDER --output SUBMISSION` reads .pt files, as weights only"
    )
