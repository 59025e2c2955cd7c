"""The evaluation harness: test splits, prepared geometry, scores and results."""

from chorus_bench.evaluation.harness import evaluate
from chorus_bench.evaluation.results import EvaluationResult, load_result
from chorus_bench.evaluation.split import TestSample, TestSplit, load_split, split_from_rows

__all__ = [
    "EvaluationResult",
    "TestSample",
    "TestSplit",
    "evaluate",
    "load_result",
    "load_split",
    "split_from_rows",
]
