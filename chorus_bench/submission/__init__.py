"""Submissions: a folder (or an archive of it) with a method's occupancy fields.

``open_submission`` reads one, ``submission_of`` makes one of fields in memory,
``check_submission`` reports every error in one pass, and ``write_submission`` writes one. A
submission counts as hostile until shown otherwise.
"""

from chorus_bench.io.findings import Finding, SubmissionError
from chorus_bench.submission.degenerate import field_warnings
from chorus_bench.submission.interactions import InteractionField, InteractionType
from chorus_bench.submission.memory import Fields, submission_of
from chorus_bench.submission.reading import (
    Submission,
    SubmissionReport,
    check_submission,
    open_submission,
)
from chorus_bench.submission.write import write_posed_submission, write_submission

__all__ = [
    "Fields",
    "Finding",
    "InteractionField",
    "InteractionType",
    "Submission",
    "SubmissionError",
    "SubmissionReport",
    "check_submission",
    "field_warnings",
    "open_submission",
    "submission_of",
    "write_posed_submission",
    "write_submission",
]
