"""The evaluation harness: test splits, prepared geometry, scores and results."""

from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split, split_from_rows
from chorus_bench.evaluation.harness import evaluate
from chorus_bench.evaluation.results import EvaluationResult, load_result

__all__ = [
    "EvalSample",
    "EvalSplit",
    "EvaluationResult",
    "evaluate",
    "load_result",
    "load_split",
    "split_from_rows",
]
