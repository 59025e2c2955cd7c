"""Opening a submission: it is checked as a whole first, then read field by field."""

from __future__ import annotations

import contextlib
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from chorus_bench.boundary import checked
from chorus_bench.displays import Table, displayed
from chorus_bench.errors import InputError, suggestion, unknown_name
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.io.files import WriteError
from chorus_bench.io.findings import (
    Finding,
    Findings,
    SubmissionError,
    findings_table,
    printable,
)
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.io.shipped import PACKAGED_SUBMISSIONS, submission_folder
from chorus_bench.submission.archive import ARCHIVE_SUFFIXES, is_archive, unpack
from chorus_bench.submission.check import CheckedFolder, check_folder
from chorus_bench.submission.interactions import InteractionField, InteractionType
from chorus_bench.submission.layout import FieldKey
from chorus_bench.submission.manifest import Manifest, Track


@checked
@displayed
@dataclass(frozen=True)
class SubmissionReport:
    """The result of `check_submission`.

    Attributes:
        path: the submission.
        errors: every problem; if there is any, the submission cannot be scored.
        warnings: everything that is allowed but probably unintended, with its effect on the
            score.
        manifest: the contents of `submission.yaml`, as far as they could be read.
        categories: the categories with grids, sorted.
        grids: number of grid files.
        sha256: digest of the content; see `Submission`.
    """

    path: Path
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    manifest: Manifest
    categories: tuple[str, ...]
    grids: int
    sha256: str

    @property
    def ok(self) -> bool:
        """Whether the submission can be scored."""
        return not self.errors

    def _facts(self) -> dict[str, object]:
        return {
            "path": str(self.path),
            "ok": self.ok,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "categories": len(self.categories),
            "grids": self.grids,
        }

    def _table(self) -> Table:
        return findings_table(self.errors, self.warnings)


@checked
@displayed
class Submission:
    """A submission that passed the complete check.

    Fields are read from disk on each request, and refused if their file has changed since the
    check. Use it in a ``with`` block, or call `close`.

    Attributes:
        path: the folder or archive that was opened.
        method: the method's name.
        track: ``canonical`` (one field per category, in the canonical body frame) or ``posed``
            (one field per sample, in its posed space).
        grid: the geometry of the fields; of some categories another, see `grid_of`.
        own_grids: category -> the geometry of its fields, where it is not ``grid``.
        metadata: the optional keys of `submission.yaml`, each a text or a list of texts.
        categories: the categories with fields, sorted.
        sha256: SHA-256 over the names, lengths and bytes of the manifest and the grid files, in
            hexadecimal; the same for a folder and an archive of it.
        warnings: everything that is allowed but probably unintended.
    """

    def __init__(self, path: Path, checked: CheckedFolder, resources: contextlib.ExitStack) -> None:
        manifest = checked.manifest
        method, track, grid = manifest.method, manifest.track, manifest.grid
        if checked.errors or method is None or track is None or grid is None:
            raise SubmissionError(path, checked.errors)
        self.path = path
        self.method = method
        self.track: Track = track
        self.grid: GridSpec = grid
        self.own_grids = {
            name: spec for name, spec in (manifest.grids or {}).items() if spec != grid
        }
        self.metadata = dict(manifest.metadata)
        self.categories = _categories(checked)
        self.sha256 = checked.sha256
        self.warnings = checked.warnings
        self._types = {name: tuple(types) for name, types in manifest.interactions.items()}
        self._fields = dict(checked.fields)
        self._resources: contextlib.ExitStack | None = resources

    @checked
    def grid_of(self, category: str) -> GridSpec:
        """Return the geometry of a category's fields; ``grid`` for one that has none."""
        return self.own_grids.get(category, self.grid)

    @checked
    def field(self, category: str) -> OccupancyGrid:
        """Return a category's field; canonical track only.

        Raises:
            InputError: no such category, a posed submission, a closed one, or a file that has
                changed since the check.
        """
        if self.track != "canonical":
            raise self._wrong_track("posed_field(category, sample_id)")
        return self._load(FieldKey(category))

    @checked
    def interactions(self, category: str) -> tuple[InteractionType, ...]:
        """Return the types of interaction that have fields of their own; often none.

        Raises:
            InputError: no such category.
        """
        self._check_category(category)
        return self._types.get(category, ())

    @checked
    def interaction_field(self, category: str, name: str) -> OccupancyGrid:
        """Return the field of a category's interaction type.

        Args:
            category: one of the categories.
            name: the name of one of its `interactions`.

        Raises:
            InputError: no such category or type, a closed submission, or a file that has changed
                since the check.
        """
        known = [kind.name for kind in self.interactions(category)]
        if name not in known:
            raise unknown_name("interaction", name, known, where=f"{self.path}, '{category}'")
        return self._load(FieldKey(category, interaction=name))

    @checked
    def interaction_fields(self, category: str) -> tuple[InteractionField, ...]:
        """Return all interaction types of a category with their fields, as the writer takes them.

        Raises:
            InputError: see `interaction_field`.
        """
        return tuple(
            InteractionField(kind, self.interaction_field(category, kind.name))
            for kind in self.interactions(category)
        )

    @checked
    def posed_samples(self, category: str) -> tuple[str, ...]:
        """Return the ids of a category's samples, sorted; posed track only.

        Raises:
            InputError: no such category, or a canonical submission.
        """
        if self.track != "posed":
            raise self._wrong_track("field(category)")
        self._check_category(category)
        return tuple(key.sample for key in self._fields if key.category == category and key.sample)

    @checked
    def posed_field(self, category: str, sample_id: str) -> OccupancyGrid:
        """Return a sample's field, in the posed space of the sample; posed track only.

        Raises:
            InputError: no such category or sample, a canonical submission, a closed one, or a
                file that has changed since the check.
        """
        if self.track != "posed":
            raise self._wrong_track("field(category)")
        return self._load(FieldKey(category, sample_id))

    def close(self) -> None:
        """Remove the unpacked archive, if any. Fields can then no longer be read."""
        if self._resources is not None:
            self._resources.close()
            self._resources = None

    def __enter__(self) -> Submission:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _facts(self) -> dict[str, object]:
        return {
            "path": str(self.path),
            "method": self.method,
            "track": self.track,
            "grid": self._grids(),
            "categories": len(self.categories),
        }

    def _table(self) -> Table:
        return ("category", "types of interaction"), [
            [name, str(len(self._types.get(name, ())))] for name in self.categories
        ]

    def _grids(self) -> str:
        labels = sorted({spec.label for spec in self.own_grids.values()})
        return " and ".join([self.grid.label, *labels][:3]) + " ..." * (len(labels) > 2)

    def _load(self, key: FieldKey) -> OccupancyGrid:
        self._check_category(key.category)
        if key not in self._fields:
            samples = [k.sample for k in self._fields if k.category == key.category and k.sample]
            raise unknown_name("sample", str(key.sample), samples, where=self.path)
        if self._resources is None:
            raise InputError("the submission is closed", where=self.path, fix="open it again")
        return self._fields[key].load(self.grid_of(key.category))

    def _check_category(self, category: str) -> None:
        if category not in self.categories:
            raise unknown_name("category", category, self.categories, where=self.path)

    def _wrong_track(self, method: str) -> InputError:
        return InputError(
            f"the submission is on the {self.track} track",
            where=self.path,
            fix=f"read it with {method}",
        )


@checked
def open_submission(path: str | Path) -> Submission:
    """Open a submission after a complete check of everything in it.

    Args:
        path: a folder, which is used in place, the name of a submission that comes with the
            package (``example``), or a .zip, .tar.gz or .tgz archive, which is
            unpacked into a private temporary folder until the submission is closed.

    Raises:
        SubmissionError: lists every problem in the submission.
        WriteError: the disk for temporary files is full.
    """
    place = submission_folder(path).absolute()
    resources = contextlib.ExitStack()
    try:
        return Submission(place, _checked(place, resources), resources)
    except BaseException:
        resources.close()
        raise


@checked
def check_submission(path: str | Path) -> SubmissionReport:
    """Check a submission and report every error and warning in one pass.

    Args:
        path: see `open_submission`.

    Raises:
        WriteError: the disk for temporary files is full. Invalid content never raises.
    """
    with contextlib.ExitStack() as resources:
        checked = _checked(submission_folder(path).absolute(), resources)
    return SubmissionReport(
        path=Path(path),
        errors=checked.errors,
        warnings=checked.warnings,
        manifest=checked.manifest,
        categories=_categories(checked),
        grids=len(checked.fields),
        sha256=checked.sha256,
    )


def _checked(place: Path, resources: contextlib.ExitStack) -> CheckedFolder:
    """Check the submission at a path; an unpacked archive lives as long as ``resources``."""
    errors = Findings()
    folder = _folder(place, resources, errors)
    if folder is None:
        return CheckedFolder(Manifest(), {}, "", tuple(errors), ())
    checked = check_folder(folder)
    return replace(checked, errors=(*errors, *checked.errors))


def _folder(place: Path, resources: contextlib.ExitStack, errors: Findings) -> Path | None:
    """Return the folder to check, after unpacking, or add an error and return None."""
    where = printable(str(place))
    expected = f"a folder, or an archive ending in {', '.join(ARCHIVE_SUFFIXES)}"
    try:
        mode = place.stat().st_mode
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        near = suggestion(place.name, PACKAGED_SUBMISSIONS)
        fix = near or "check the path"
        errors.add(where, f"cannot be read: {reason}", expected=expected, fix=fix)
        return None
    if stat.S_ISDIR(mode):
        return place
    if not (stat.S_ISREG(mode) and is_archive(place)):
        errors.add(where, "is not a submission", expected=expected, fix="check the path")
        return None
    temporary = resources.enter_context(_temporary_folder())
    return unpack(place, temporary, errors)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary_folder())
        except OSError as error:
            raise WriteError.of(tempfile.gettempdir(), error) from error
        yield folder


def _categories(checked: CheckedFolder) -> tuple[str, ...]:
    return tuple(sorted({key.category for key in checked.fields}))
