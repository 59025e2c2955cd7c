"""Reading an entry's folder, with all its problems in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from chorus_bench.errors import InputError
from chorus_bench.evaluation.result_schema import FIX, checked_result, parse_result
from chorus_bench.evaluation.results import (
    RESULT_FILE,
    SAMPLES_FILE,
    counts_of,
)
from chorus_bench.evaluation.samples_file import read_samples
from chorus_bench.evaluation.truth_file import TRUTH_FILE
from chorus_bench.evaluation.truth_schema import TRUTH_FIX, parse_truth, truth_content
from chorus_bench.io.documents import Lines
from chorus_bench.io.findings import Finding, Findings, printable
from chorus_bench.io.limits import MAX_MANIFEST_BYTES, MIB
from chorus_bench.io.untrusted_files import read_regular
from chorus_bench.leaderboard.fields import read_fields
from chorus_bench.leaderboard.manifest import EntryManifest, read_entry_yaml
from chorus_bench.leaderboard.overlays import read_overlays
from chorus_bench.leaderboard.pictures import read_pictures
from chorus_bench.leaderboard.places import (
    EARLIER_FIELDS_FILE,
    ENTRIES_FOLDER,
    ENTRY_FILE,
    FIELDS_FILE,
    OVERLAYS_FILE,
    PICTURES_FOLDER,
)
from chorus_bench.metrics.curves import MeanCurve
from chorus_bench.metrics.pap import THRESHOLDS, PixelCounts, open_and_closed
from chorus_bench.metrics.resampling import CategoryTables
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import ChosenSample

REQUIRED = (ENTRY_FILE, RESULT_FILE, SAMPLES_FILE)
NAMES = (*REQUIRED, FIELDS_FILE, OVERLAYS_FILE, TRUTH_FILE)
_EARLIER = {EARLIER_FIELDS_FILE: FIELDS_FILE, PICTURES_FOLDER: OVERLAYS_FILE}

_MAX_JSON_BYTES, _MAX_SAMPLES_BYTES = 4 * MIB, 128 * MIB
_AGAIN = "copy it again from the result"
_MAX_ROWS, _MAX_TABLE_BYTES = 100_000, 512 * MIB


@dataclass(eq=False)
class EntryFiles:
    """The contents of an entry's folder. ``None`` stands for missing or unreadable parts.

    Attributes:
        slug: the folder's name.
        where: the folder, for findings.
        manifest: `entry.yaml`.
        content: `results.json`, checked against its schema.
        lines: its lines.
        samples: `samples.parquet`, with the right columns, otherwise unchecked.
        pictures: sample -> the data of its picture, or a PNG of an earlier version.
        fields: the file of the fields, if there is a readable one.
        truth: `truth.json`, checked against its schema, if there is one.
    """

    slug: str
    where: str
    manifest: EntryManifest | None = None
    content: dict[str, Any] | None = None
    lines: Lines = field(default_factory=lambda: Lines(RESULT_FILE))
    samples: pa.Table | None = None
    pictures: Mapping[ChosenSample, Overlay | Path] = field(default_factory=dict)
    fields: Path | None = None
    truth: dict[str, Any] | None = None

    @cached_property
    def counts(self) -> tuple[PixelCounts, PixelCounts]:
        """The counts of pixels in `samples`, which must be there: plain, and `hoa`."""
        return counts_of(self.samples)

    @cached_property
    def scores(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The four numbers (S, 4) that follow from `counts`: without, and with the last recall."""
        return open_and_closed(*self.counts)


@dataclass(frozen=True, eq=False)
class Entry:
    """An entry that passed its rules: the data for the board, without counts per threshold.

    Attributes:
        slug: the folder's name.
        folder: the folder.
        manifest: `entry.yaml`.
        content: `results.json`.
        ids: (S,) sample ids, in the order of the table.
        categories: (S,) their categories.
        tables: scores and target areas of each category.
        scores: (S, 4) the four numbers, in the order of the table.
        curves: category -> its mean precision-recall curve.
        curves_hoa: the same without the person's pixels.
        pictures: sample -> the data of its picture, or a PNG of an earlier version.
        fields: the file of the fields for the 3D view, if there is one.
        truth: the measures in 3D (`truth.json`), if there are any.
    """

    slug: str
    folder: Path
    manifest: EntryManifest
    content: dict[str, Any]
    ids: tuple[str, ...]
    categories: tuple[str, ...]
    tables: CategoryTables
    scores: NDArray[np.float64]
    curves: Mapping[str, MeanCurve]
    curves_hoa: Mapping[str, MeanCurve]
    pictures: Mapping[ChosenSample, Overlay | Path]
    fields: Path | None
    truth: dict[str, Any] | None = None

    @property
    def signature(self) -> str:
        """How the scores were computed."""
        return str(self.content["signature"])


def read_entry_files(folder: Path, errors: Findings, slug: str) -> EntryFiles:
    """Read everything in an entry's folder.

    Args:
        folder: the entry.
        errors: collects every problem, with file and line.
        slug: the current or future name of the entry.
    """
    where = f"{ENTRIES_FOLDER}/{printable(slug, 120)}"
    files = EntryFiles(slug, where)
    if folder.is_symlink() or not folder.is_dir():
        errors.add(where, "is not a folder", expected="one folder for each entry", fix="remove it")
        return files
    names = _usable_names(folder, where, errors)
    if ENTRY_FILE in names:
        files.manifest = _read_manifest(folder / ENTRY_FILE, f"{where}/{ENTRY_FILE}", errors)
    if RESULT_FILE in names:
        _read_result(folder / RESULT_FILE, files, errors)
    if SAMPLES_FILE in names:
        files.samples = _read_samples(folder / SAMPLES_FILE, f"{where}/{SAMPLES_FILE}", errors)
    if TRUTH_FILE in names:
        files.truth = _read_truth(folder / TRUTH_FILE, f"{where}/{TRUTH_FILE}", errors)
    for name in sorted(names & {FIELDS_FILE, EARLIER_FIELDS_FILE}):
        files.fields = _checked_fields(folder / name, f"{where}/{name}", errors)
    if OVERLAYS_FILE in names:
        place = f"{where}/{OVERLAYS_FILE}"
        files.pictures = read_overlays(folder / OVERLAYS_FILE, place, errors)
    elif PICTURES_FOLDER in names:
        files.pictures = _earlier_pictures(folder / PICTURES_FOLDER, where, errors)
    return files


def _earlier_pictures(folder: Path, where: str, errors: Findings) -> dict[ChosenSample, Path]:
    rows = read_pictures(folder, f"{where}/{PICTURES_FOLDER}", errors)
    keys = ("sample_id", "category", "kind", "score")
    return {ChosenSample(*(row[key] for key in keys)): folder / row["file"] for row in rows}


def _usable_names(folder: Path, where: str, errors: Findings) -> set[str]:
    """Return the known names in a folder; missing or unknown names and links are findings."""
    present = {path.name for path in folder.iterdir()}
    known = {*NAMES, *_EARLIER}
    for name in sorted(present - known):
        place = f"{where}/{printable(name, 120)}"
        errors.add(place, "does not belong here", expected=", ".join(NAMES), fix="remove it")
    for name in REQUIRED:
        if name not in present:
            errors.add(f"{where}/{name}", "is missing", fix="use `chorus-bench leaderboard add`")
    for name, now in _EARLIER.items():
        if {name, now} <= present:
            errors.add(f"{where}/{name}", f"exists beside {now}", fix="remove one of them")
    good = set()
    for name in sorted(present & known):
        path, kind = folder / name, "folder" if name == PICTURES_FOLDER else "file"
        if path.is_symlink() or not (path.is_dir() if kind == "folder" else path.is_file()):
            errors.add(
                f"{where}/{name}",
                f"is not a plain {kind}",
                fix="put the file itself there, not a link",
            )
        else:
            good.add(name)
    return good


def _too_large(file: Path, where: str, limit: int, errors: Findings) -> bool:
    size = file.stat().st_size
    if size > limit:
        errors.add(where, f"has {size} bytes", expected=f"at most {limit}")
    return size > limit


def _read_manifest(file: Path, where: str, errors: Findings) -> EntryManifest | None:
    data = errors.collect(lambda: read_regular(file, MAX_MANIFEST_BYTES), where)
    return None if data is None else read_entry_yaml(data, where, errors)


def _read_result(file: Path, files: EntryFiles, errors: Findings) -> None:
    where = f"{files.where}/{RESULT_FILE}"
    document = errors.collect(
        lambda: parse_result(read_regular(file, _MAX_JSON_BYTES), where), where, FIX
    )
    if document is not None:
        files.lines = document.lines
        files.content = errors.collect(lambda: checked_result(document), where)


def _read_truth(file: Path, where: str, errors: Findings) -> dict[str, Any] | None:
    document = errors.collect(
        lambda: parse_truth(read_regular(file, _MAX_JSON_BYTES), where), where, TRUTH_FIX
    )
    return None if document is None else truth_content(document)


def _read_samples(file: Path, where: str, errors: Findings) -> pa.Table | None:
    if _too_large(file, where, _MAX_SAMPLES_BYTES, errors):
        return None
    try:
        table = read_samples(file, rows=_MAX_ROWS, size=_MAX_TABLE_BYTES)
        _check_values(table)
    except InputError as error:
        errors.append(Finding.of(error, where))
        return None
    return table


def _check_values(table: pa.Table) -> None:
    for name in table.column_names:
        column = table[name]
        if column.null_count:
            raise InputError(f"column '{name}' has {column.null_count} empty rows", fix=_AGAIN)
        if pa.types.is_list(column.type):
            _check_lists(name, column)


def _check_lists(name: str, column: pa.ChunkedArray) -> None:
    lengths = pc.min_max(pc.list_value_length(column)).as_py()
    wanted = len(THRESHOLDS)
    if lengths != {"min": wanted, "max": wanted} or pc.list_flatten(column).null_count:
        raise InputError(
            f"column '{name}' contains lists of {lengths['min']} to {lengths['max']} numbers",
            expected=f"{wanted} whole numbers, one for each threshold",
            fix=_AGAIN,
        )


def _checked_fields(file: Path, where: str, errors: Findings) -> Path | None:
    try:
        read_fields(file)
    except InputError as error:
        errors.append(Finding.of(error, where))
        return None
    return file
