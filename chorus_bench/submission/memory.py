"""Fields in memory as a submission, for a score without a folder."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chorus_bench.boundary import checked
from chorus_bench.errors import InputError
from chorus_bench.io.files import WriteError
from chorus_bench.io.leftovers import temporary_folder
from chorus_bench.submission.check import check_folder
from chorus_bench.submission.given_grids import FieldLike, GivenGrids
from chorus_bench.submission.reading import Submission
from chorus_bench.submission.write import write_posed_submission, write_submission

#: Category -> field (canonical), or category -> sample id -> field (posed).
Fields = Mapping[str, FieldLike] | Mapping[str, Mapping[Any, FieldLike]]

METHOD = "fields in memory"


@checked
def submission_of(fields: Fields, *, method: str = METHOD, grid: GivenGrids = None) -> Submission:
    """Return an open submission of fields in memory.

    It is what `write_submission` would write, in a private temporary folder until it is closed: the
    same checks, the same SHA-256 and therefore the same scores.

    Args:
        fields: category -> field, or category -> sample id -> field in the posed space of the
            sample; for fields see `write_submission`.
        method: the method's name.
        grid: the geometry of all fields, see `write_submission`.

    Raises:
        SubmissionError: lists all problems with the fields.
        WriteError: the disk for temporary files is full.
    """
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(temporary_folder()) / "submission"
        except OSError as error:
            raise WriteError.of(tempfile.gettempdir(), error) from error
        _write(folder, fields, method, grid)
        return Submission(Path(METHOD), check_folder(folder), stack.pop_all())


def _write(folder: Path, fields: Any, method: str, grid: GivenGrids) -> None:  # noqa: ANN401
    nested = [isinstance(field, Mapping) for field in fields.values()]
    if len(set(nested)) > 1:
        raise InputError(
            f"{sum(nested)} of {len(nested)} categories have fields by sample",
            where="fields",
            expected="one field for every category (canonical track), or for every sample of "
            "every category (posed track)",
        )
    write = write_posed_submission if nested and nested[0] else write_submission
    write(folder, method=method, fields=fields, grid=grid)
