"""Results by name: what a user's path to a result stands for."""

from __future__ import annotations

from pathlib import Path

from chorus_bench.evaluation.harness import evaluate
from chorus_bench.evaluation.results import EvaluationResult, load_result
from chorus_bench.io.shipped import EXAMPLE


def open_result(result: str | Path | EvaluationResult) -> EvaluationResult:
    """Return a result.

    Args:
        result: a result or its folder; ``"example"`` for the shipped submission, scored on the
            shipped split by this call.

    Raises:
        InputError: there is no result, or it is not readable.
    """
    if isinstance(result, EvaluationResult):
        return result
    return evaluate(EXAMPLE) if str(result) == EXAMPLE else load_result(result)
