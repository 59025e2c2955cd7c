"""chorus-bench: datasets, metric, baselines and leaderboard for 3D human-object relations.

The names below are imported on first use, so that ``import chorus_bench`` and
``chorus-bench --help`` stay fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench._version import __version__
from chorus_bench.lazy import lazy_exports

if TYPE_CHECKING:
    from chorus_bench.errors import ChorusBenchError, InputError
    from chorus_bench.evaluation import EvaluationResult, evaluate, load_result, load_split
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
            "geometry.body": ("BodyModel",),
            "geometry.body_files": ("load_body",),
            "geometry.grid": ("GridSpec", "OccupancyGrid"),
            "metrics": ("projective_average_precision",),
            "submission": ("open_submission", "write_posed_submission", "write_submission"),
        },
    )

__all__ = [
    "BodyModel",
    "ChorusBenchError",
    "EvaluationResult",
    "GridSpec",
    "InputError",
    "OccupancyGrid",
    "__version__",
    "evaluate",
    "load_body",
    "load_result",
    "load_split",
    "open_submission",
    "projective_average_precision",
    "write_posed_submission",
    "write_submission",
]
