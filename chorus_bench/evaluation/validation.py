"""Validation of a submission: every error, and what probably went wrong, before it is scored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chorus_bench.boundary import checked
from chorus_bench.datasets.eval_split import EvalSplit
from chorus_bench.displays import Table, displayed
from chorus_bench.evaluation.arguments import coverage_warnings, respelt_categories
from chorus_bench.evaluation.orientation import orientation_warnings
from chorus_bench.geometry.body import BodyModel
from chorus_bench.io.findings import Finding, findings_table
from chorus_bench.io.shipped import EXAMPLE
from chorus_bench.progress import ProgressLike, reported
from chorus_bench.submission import SubmissionReport, check_submission, open_submission

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset


@displayed
@dataclass(frozen=True)
class Validation:
    """The result of `validate`.

    Attributes:
        report: what is in the submission, with its errors and warnings.
        remarks: what it lacks of the split, or has beyond it, and fields that fit the split better
            mirrored or turned.
    """

    report: SubmissionReport
    remarks: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the submission can be scored."""
        return self.report.ok

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Every problem; with any, the submission cannot be scored."""
        return self.report.errors

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything that is allowed but probably unintended."""
        return (*map(str, self.report.warnings), *self.remarks)

    def _facts(self) -> dict[str, object]:
        return {
            "submission": str(self.report.path),
            "ok": self.ok,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
        }

    def _table(self) -> Table:
        return findings_table(self.errors, self.warnings)


@checked
def validate(
    submission: str | Path,
    *,
    split: str | Path | EvalSplit | Dataset | IterableDataset | None = EXAMPLE,
    body: str | Path | BodyModel | object | None = None,
    progress: ProgressLike = None,
) -> Validation:
    """Check a submission and report every error in one pass.

    Args:
        submission: a folder or an archive, or the name of a submission that comes with the package.
        split: a test split to compare with, see `evaluate`; None for none. Of the shipped
            ``example`` only a few samples of each category are used, to find mirrored and turned
            fields.
        body: the body of the split, see `load_body`.
        progress: called with (categories done, categories in all); see `evaluate`.

    Raises:
        InputError: anything wrong with the split or the body. Invalid content of the submission
            never raises.
    """
    report = check_submission(submission)
    if split is None or not report.ok:
        return Validation(report, ())
    with reported(progress, "Trying orientations") as told, open_submission(submission) as opened:
        toy = isinstance(split, str) and split == EXAMPLE
        remarks = respelt_categories(opened.categories) if toy else coverage_warnings(opened, split)
        remarks += orientation_warnings(opened, split=split, body=body, progress=told)
    return Validation(report, tuple(remarks))
