"""chorus-bench: datasets, metric, baselines and leaderboard for 3D human-object relations.

`evaluate` scores a submission, `compare` ranks results, `diagnose` says where a score is lost,
`validate` checks a submission; `write_submission`, `open_submission`, `load_split` and
`load_result` write and read. ``chorus_bench.report`` is the package of tables and figures, and
called as a function it writes the report of a result, see `chorus_bench.report.write_report`.

The names below, and the packages, are imported on first use, so that ``import chorus_bench`` and
``chorus-bench --help`` stay fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench._version import __version__
from chorus_bench.lazy import lazy_exports

if TYPE_CHECKING:
    from chorus_bench import (
        adapters,
        calibration,
        datasets,
        evaluation,
        geometry,
        leaderboard,
        metrics,
        report,
        simulation,
        submission,
        synthesis,
    )
    from chorus_bench.errors import ChorusBenchError, InputError
    from chorus_bench.evaluation import EvaluationResult, evaluate, load_result, load_split
    from chorus_bench.evaluation.comparison import compare
    from chorus_bench.evaluation.diagnosis import diagnose
    from chorus_bench.evaluation.validation import validate
    from chorus_bench.geometry.body import BodyModel
    from chorus_bench.geometry.body_files import load_body
    from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
    from chorus_bench.metrics import projective_average_precision
    from chorus_bench.submission import (
        open_submission,
        write_posed_submission,
        write_submission,
    )
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "errors": ("ChorusBenchError", "InputError"),
            "evaluation": ("EvaluationResult", "evaluate", "load_result", "load_split"),
            "evaluation.comparison": ("compare",),
            "evaluation.diagnosis": ("diagnose",),
            "evaluation.validation": ("validate",),
            "geometry.body": ("BodyModel",),
            "geometry.body_files": ("load_body",),
            "geometry.grid": ("GridSpec", "OccupancyGrid"),
            "metrics": ("projective_average_precision",),
            "submission": ("open_submission", "write_posed_submission", "write_submission"),
        },
        modules=(
            "adapters",
            "calibration",
            "datasets",
            "evaluation",
            "geometry",
            "leaderboard",
            "metrics",
            "report",
            "simulation",
            "submission",
            "synthesis",
        ),
    )

__all__ = [
    "BodyModel",
    "ChorusBenchError",
    "EvaluationResult",
    "GridSpec",
    "InputError",
    "OccupancyGrid",
    "__version__",
    "adapters",
    "calibration",
    "compare",
    "datasets",
    "diagnose",
    "evaluate",
    "evaluation",
    "geometry",
    "leaderboard",
    "load_body",
    "load_result",
    "load_split",
    "metrics",
    "open_submission",
    "projective_average_precision",
    "report",
    "simulation",
    "submission",
    "synthesis",
    "validate",
    "write_posed_submission",
    "write_submission",
]
