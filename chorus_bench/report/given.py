"""What figures and views take: results, 3D scores and fields in any of their forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from chorus_bench.errors import InputError
from chorus_bench.evaluation.comparison import comparable_results
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.results import EvaluationResult
from chorus_bench.evaluation.truth_file import TRUTH_FILE, TruthScores, load_truth
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.report.type_fields import submission_fields
from chorus_bench.submission import Submission, open_submission
from chorus_bench.submission.given_grids import FieldLike
from chorus_bench.submission.write import as_field

#: A result, its folder, or ``example``.
ResultLike: TypeAlias = str | Path | EvaluationResult
#: One result, several, or several under names.
ResultsLike: TypeAlias = ResultLike | Sequence[ResultLike] | Mapping[str, ResultLike]
#: 3D scores, a result that has them, or the folder of one.
TruthLike: TypeAlias = TruthScores | ResultLike
#: Fields by name, or a canonical submission with its fields: open, a folder or an archive.
FieldsLike: TypeAlias = str | Path | Submission | Mapping[str, FieldLike]


def results_of(given: ResultsLike) -> dict[str, EvaluationResult]:
    """Return results by method.

    Raises:
        InputError: no result, or several in a sequence that are not comparable.
    """
    if isinstance(given, Mapping):
        found = {str(name): open_result(result) for name, result in given.items()}
        if not found:
            raise InputError("there is no result to draw")
        return found
    return comparable_results(
        [given] if isinstance(given, str | Path | EvaluationResult) else given
    )


def truths_of(given: TruthLike | Mapping[str, TruthLike]) -> dict[str, TruthScores]:
    """Return 3D scores by method.

    Raises:
        InputError: no scores, or a result without them.
    """
    if isinstance(given, Mapping):
        found = {str(name): _truth(scores) for name, scores in given.items()}
        if not found:
            raise InputError("there are no scores to draw")
        return found
    name = given.submission["method"] if isinstance(given, EvaluationResult) else "3D scores"
    return {str(name): _truth(given)}


def _truth(given: TruthLike) -> TruthScores:
    if isinstance(given, TruthScores):
        return given
    if isinstance(given, EvaluationResult):
        if given.truth is not None:
            return given.truth
        raise InputError(
            "a result without 3D scores", fix="evaluate with truth=True on a split with truth"
        )
    path = Path(given)
    return load_truth(path / TRUTH_FILE if path.is_dir() else path)


def fields_of(given: FieldsLike, grid: GridSpec | None = None) -> dict[str, OccupancyGrid]:
    """Return fields by name.

    Args:
        given: fields by name, or a submission.
        grid: the geometry of arrays, see `as_field`.

    Raises:
        InputError: a posed submission, or a field that is no cube of probabilities.
    """
    if isinstance(given, Submission):
        return submission_fields(given, interactions=False)
    if isinstance(given, str | Path):
        with open_submission(given) as opened:
            return submission_fields(opened, interactions=False)
    return {str(name): _named_field(name, field, grid) for name, field in given.items()}


def _named_field(name: object, field: FieldLike, grid: GridSpec | None) -> OccupancyGrid:
    try:
        return as_field(field, grid)
    except InputError as error:
        where = f"the field of {name!r}"
        raise InputError(
            error.found, where=where, expected=error.expected, fix=error.fix
        ) from error
