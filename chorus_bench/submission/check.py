"""The complete check of a submission's folder: all problems and warnings in one pass."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from chorus_bench.errors import InputError, list_some
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid, check_probabilities
from chorus_bench.io.findings import Finding, Findings, nearest, printable
from chorus_bench.io.limits import MAX_MANIFEST_BYTES
from chorus_bench.io.untrusted_files import FileEntry, list_files, read_bytes
from chorus_bench.submission.arrays import MAX_GRID_BYTES, Raw, decode, to_probabilities
from chorus_bench.submission.degenerate import (
    Degeneracy,
    grid_degeneracies,
    scale_hint,
    value_degeneracies,
)
from chorus_bench.submission.interactions import check_files
from chorus_bench.submission.layout import FieldKey, find_fields, find_manifest
from chorus_bench.submission.manifest import MANIFEST_NAME, Manifest, read_manifest

_SHOWN_SEPARATELY = 3  # warnings of one kind in one folder, before they are combined into one line


@dataclass(frozen=True)
class StoredField:
    """A grid file that was checked.

    Attributes:
        entry: the file.
        sha256: SHA-256 of its content, in hexadecimal.
    """

    entry: FileEntry
    sha256: str

    def load(self, spec: GridSpec) -> OccupancyGrid:
        """Read the field again.

        Raises:
            InputError: the file has changed since it was checked.
        """
        try:
            data = read_bytes(self.entry, MAX_GRID_BYTES)
            if hashlib.sha256(data).hexdigest() != self.sha256:
                raise InputError(
                    "has changed since the submission was opened",
                    expected="files that do not change while they are scored",
                    fix="open the submission again",
                )
            return OccupancyGrid(to_probabilities(decode(self.entry.name, data, spec)), spec)
        except InputError as error:
            raise InputError(
                error.found, where=self.entry.path, expected=error.expected, fix=error.fix
            ) from error


@dataclass(frozen=True)
class CheckedFolder:
    """The contents of a folder.

    Attributes:
        manifest: the contents of `submission.yaml`.
        fields: the grid files, sorted by category and sample.
        sha256: digest of the manifest and the grid files, see `content_digest`.
        errors: every problem.
        warnings: everything that is allowed but probably unintended.
    """

    manifest: Manifest
    fields: Mapping[FieldKey, StoredField]
    sha256: str
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]


@dataclass
class _Check:
    """A check in progress: findings, and digests of the files read."""

    errors: Findings = field(default_factory=Findings)
    warnings: Findings = field(default_factory=Findings)
    digests: dict[FileEntry, str] = field(default_factory=dict)
    degenerate: dict[tuple[str, str, str], list[tuple[str, Degeneracy]]] = field(
        default_factory=dict
    )


def check_folder(folder: Path) -> CheckedFolder:
    """Check a submission's folder and read every grid once, one at a time."""
    check = _Check()
    files = list_files(folder, check.errors)
    manifest = _check_manifest(files, check)
    found = find_fields(files, manifest.track, check.errors, check.warnings)
    entries = _listed(found, manifest, check)
    check_own_grids(manifest, {key.category for key in entries}, check.errors)
    for key, entry in entries.items():
        _check_field(entry, manifest.grid_of(key.category), check)
    _warn_of_degenerate(check)
    return CheckedFolder(
        manifest=manifest,
        fields={
            key: StoredField(entry, check.digests[entry])
            for key, entry in entries.items()
            if entry in check.digests
        },
        sha256=content_digest(check.digests),
        errors=tuple(check.errors),
        warnings=tuple(check.warnings),
    )


def _listed(
    found: Mapping[FieldKey, FileEntry], manifest: Manifest, check: _Check
) -> dict[FieldKey, FileEntry]:
    """Return the grids that are read: of interaction types only those that the manifest lists."""
    own = {key: entry for key, entry in found.items() if key.interaction is None}
    files = [(key.category, key.interaction) for key in found if key.interaction is not None]
    categories = {key.category for key in own}
    kept = check_files(manifest.interactions, files, categories, check.errors, check.warnings)
    keys = (FieldKey(category, interaction=name) for category, name in kept)
    return {**own, **{key: found[key] for key in keys}}


def content_digest(digests: Mapping[FileEntry, str]) -> str:
    """Return one SHA-256 for many files, in hexadecimal.

    It covers each file's name (with ``/``, UTF-8), its length and the SHA-256 of its bytes, in the
    order of the names. Names and digests are preceded by their lengths, so that nothing can move
    from one to the other.
    """
    total = hashlib.sha256(b"chorus-bench submission 1\n")
    for entry in sorted(digests, key=lambda entry: entry.name):
        name = entry.name.encode("utf-8", "surrogateescape")
        total.update(len(name).to_bytes(8, "little") + name)
        total.update(entry.size.to_bytes(8, "little") + bytes.fromhex(digests[entry]))
    return total.hexdigest()


def _read(entry: FileEntry, limit: int, check: _Check) -> bytes | None:
    """Return a file's content and record its digest, or return None and record an error."""
    try:
        data = read_bytes(entry, limit)
    except InputError as error:
        check.errors.append(Finding.of(error, printable(entry.name)))
        return None
    check.digests[entry] = hashlib.sha256(data).hexdigest()
    return data


def _check_manifest(files: list[FileEntry], check: _Check) -> Manifest:
    entry = find_manifest(files, check.errors)
    data = None if entry is None else _read(entry, MAX_MANIFEST_BYTES, check)
    manifest = Manifest() if data is None else read_manifest(data, check.errors)
    grids = {"grid": manifest.grid} if manifest.grid is not None else {}
    own = {f"grids.{printable(name, 60)}": spec for name, spec in (manifest.grids or {}).items()}
    for place, spec in {**grids, **own}.items():
        for odd in grid_degeneracies(spec):
            where = f"{MANIFEST_NAME}: {place}"
            check.warnings.add(where, f"{odd.found}: {odd.consequence}", fix=odd.fix)
    return manifest


def check_own_grids(manifest: Manifest, categories: Collection[str], errors: Findings) -> None:
    """Report categories that have a geometry in the manifest, but no field.

    Args:
        manifest: the contents of `submission.yaml`.
        categories: those with fields.
        errors: collects them.
    """
    for name in sorted(set(manifest.grids or {}) - set(categories)):
        near = nearest(name, list(categories)[:1000])
        errors.add(
            f"{MANIFEST_NAME}: grids.{printable(name, 60)}",
            "is the grid of a category without a field",
            expected="a category of the submission",
            fix=f"rename it to '{printable(near, 60)}'" if near else "remove it",
        )


def _check_field(entry: FileEntry, spec: GridSpec | None, check: _Check) -> None:
    """Read one grid file; its problems become errors, its oddities are kept for grouping."""
    where = printable(entry.name)
    data = _read(entry, MAX_GRID_BYTES, check)
    if data is None:
        return
    try:
        raw = decode(entry.name, data, spec)
    except InputError as error:
        check.errors.append(Finding.of(error, where))
        return
    problems = value_problems(raw, where)
    check.errors.extend(problems)
    if not problems:
        folder = where.rpartition("/")[0]
        for odd in value_degeneracies(to_probabilities(raw)):
            group = (folder, odd.consequence, odd.fix)
            check.degenerate.setdefault(group, []).append((where, odd))


def value_problems(raw: Raw, where: str) -> list[Finding]:
    """Return the findings about NaN, infinite values and values outside [0, 1]."""
    if raw.dtype == np.uint8:
        return []
    values = cast("NDArray[np.floating]", raw)
    finite = np.isfinite(values)
    problems = []
    for part in [values] if finite.all() else [values, np.where(finite, values, 0)]:
        try:
            check_probabilities(part)
        except InputError as error:
            problems.append(Finding(where, error.found, error.expected, scale_hint(part)))
    return problems


def _warn_of_degenerate(check: _Check) -> None:
    """Add warnings for odd fields, those of one kind in one folder on one line."""
    for (folder, consequence, fix), members in check.degenerate.items():
        odd = members[0][1]
        if len(members) > _SHOWN_SEPARATELY:
            names = list_some([where.rpartition("/")[2] for where, _ in members])
            found = f"{len(members)} grids ({names}); in the first, {odd.found}"
            check.warnings.add(f"{folder}/", f"{found}: {consequence}", fix=fix)
        else:
            for where, each in members:
                check.warnings.add(where, f"{each.found}: {consequence}", fix=fix)
