"""Results by name: what a user's path to a result stands for."""

from __future__ import annotations

from pathlib import Path

from chorus_bench.evaluation.harness import evaluate
from chorus_bench.evaluation.results import EvaluationResult, load_result
from chorus_bench.io.shipped import EXAMPLE, packaged_results


def open_result(result: str | Path | EvaluationResult) -> EvaluationResult:
    """Return a result.

    Args:
        result: a result or its folder; ``"example"`` for the shipped submission, scored on the
            shipped split by this call; where there is no such folder, the name of a shipped
            result, for example ``"chorus"``.

    Raises:
        InputError: there is no result, or it is not readable.
    """
    if isinstance(result, EvaluationResult):
        return result
    if str(result) == EXAMPLE:
        return evaluate(EXAMPLE)
    shipped = packaged_results()
    if str(result) in shipped and not Path(result).exists():
        return load_result(shipped[str(result)])
    return load_result(result)
