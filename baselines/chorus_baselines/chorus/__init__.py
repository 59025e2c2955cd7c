"""CHORUS: where an object is relative to a person, learned from many images of the two.

What comes after the training rows (`chorus_bench.synthesis`): aggregation per semantic
cluster, posed-space inference, reconstruction. The names below are imported when they are
first used.

Source: docs/method.md M14 to M20; the paper, sections 3.3 and 3.4. The paper: Han and Joo, CHORUS:
Learning Canonicalized 3D Human-Object Spatial Relations from Unbounded Synthesized Images, ICCV
2023.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chorus_baselines.chorus.accumulate import Counts
    from chorus_baselines.chorus.aggregation import Aggregation, aggregate
    from chorus_baselines.chorus.clusters import DEMO_PARTS, BodyPart, Cluster, read_segments
    from chorus_baselines.chorus.inference import posed_field
    from chorus_baselines.chorus.original import import_chorus, read_original_field
    from chorus_baselines.chorus.reconstruction import reconstruct
    from chorus_baselines.chorus.sampling import draw_ratio, draw_without_keypoints, select_rows
    from chorus_baselines.chorus.subject import subject_of

_HOMES = {
    "Aggregation": "aggregation",
    "BodyPart": "clusters",
    "Cluster": "clusters",
    "Counts": "accumulate",
    "DEMO_PARTS": "clusters",
    "aggregate": "aggregation",
    "draw_ratio": "sampling",
    "draw_without_keypoints": "sampling",
    "import_chorus": "original",
    "posed_field": "inference",
    "read_original_field": "original",
    "read_segments": "clusters",
    "reconstruct": "reconstruction",
    "select_rows": "sampling",
    "subject_of": "subject",
}

__all__ = [
    "DEMO_PARTS",
    "Aggregation",
    "BodyPart",
    "Cluster",
    "Counts",
    "aggregate",
    "draw_ratio",
    "draw_without_keypoints",
    "import_chorus",
    "posed_field",
    "read_original_field",
    "read_segments",
    "reconstruct",
    "select_rows",
    "subject_of",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'chorus_baselines.chorus' has no attribute '{name}'")
    value = getattr(import_module(f"chorus_baselines.chorus.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
