"""3D scores as text, together with PAP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tabulate import tabulate

from chorus_bench.report.tables import percent

if TYPE_CHECKING:
    from chorus_bench.evaluation.results import EvaluationResult
    from chorus_bench.evaluation.truth import TruthScores

_LEGEND = """\
Against the ground truth in 3D. soft IoU: sum of minima over sum of maxima, higher is better. Brier:
mean squared difference over all voxels; calibration: mean difference between predicted probability
and observed frequency; lower is better for both. PAP rewards the order of the voxels rather than
their probabilities: a field may do well by one and badly by the other."""


def render_truth(scores: Mapping[str, TruthScores], results: Mapping[str, EvaluationResult]) -> str:
    """Return the table of 3D scores, with the mean PAP.

    Args:
        scores: method -> 3D scores.
        results: method -> result on the same split; determines the order of the rows.
    """
    rows = [
        (
            name,
            percent(result.scores["mPAP"]),
            percent(scores[name].soft_iou),
            f"{scores[name].brier:.5f}",
            f"{scores[name].calibration.error:.5f}",
        )
        for name, result in results.items()
    ]
    headers = ("method", "mPAP", "soft IoU", "Brier", "calibration")
    table = tabulate(rows, headers, disable_numparse=True, colalign=("left", *["right"] * 4))
    return f"{table}\n\n{_LEGEND}"
