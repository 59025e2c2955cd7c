"""chorus-bench: datasets, metric, baselines and leaderboard for 3D human-object relations.

The names below are imported on first use, so that ``import chorus_bench`` and
``chorus-bench --help`` stay fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from chorus_bench._version import __version__

if TYPE_CHECKING:
    from chorus_bench.errors import ChorusBenchError, InputError
    from chorus_bench.evaluation import EvaluationResult, evaluate, load_result, load_split
    from chorus_bench.geometry.body import BodyModel
    from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
    from chorus_bench.metrics import projective_average_precision
    from chorus_bench.submission import open_submission, write_submission

_HOMES = {
    "BodyModel": "chorus_bench.geometry.body",
    "ChorusBenchError": "chorus_bench.errors",
    "EvaluationResult": "chorus_bench.evaluation",
    "GridSpec": "chorus_bench.geometry.grid",
    "InputError": "chorus_bench.errors",
    "OccupancyGrid": "chorus_bench.geometry.grid",
    "evaluate": "chorus_bench.evaluation",
    "load_result": "chorus_bench.evaluation",
    "load_split": "chorus_bench.evaluation",
    "open_submission": "chorus_bench.submission",
    "projective_average_precision": "chorus_bench.metrics",
    "write_submission": "chorus_bench.submission",
}

__all__ = [
    "BodyModel",
    "ChorusBenchError",
    "EvaluationResult",
    "GridSpec",
    "InputError",
    "OccupancyGrid",
    "__version__",
    "evaluate",
    "load_result",
    "load_split",
    "open_submission",
    "projective_average_precision",
    "write_submission",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'chorus_bench' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
