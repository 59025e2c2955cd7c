"""CHORUS: where an object is relative to a person, learned from many images of the two.

The part after the training rows (`chorus_bench.synthesis`): aggregation per semantic cluster,
posed-space inference, reconstruction. The names below are imported on first use.

Source: docs/method.md M14 to M20; the paper, sections 3.3 and 3.4. The paper: Han and Joo, CHORUS:
Learning Canonicalized 3D Human-Object Spatial Relations from Unbounded Synthesized Images, ICCV
2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench.lazy import lazy_exports

if TYPE_CHECKING:
    from chorus_baselines.chorus.accumulate import Counts
    from chorus_baselines.chorus.aggregation import Aggregation, aggregate
    from chorus_baselines.chorus.clusters import DEMO_PARTS, BodyPart, Cluster, read_segments
    from chorus_baselines.chorus.inference import posed_field
    from chorus_baselines.chorus.original import import_chorus, read_original_field
    from chorus_baselines.chorus.reconstruction import reconstruct
    from chorus_baselines.chorus.sampling import draw_ratio, draw_without_keypoints, select_rows
    from chorus_baselines.chorus.storage import load_aggregation, save_aggregation
    from chorus_baselines.chorus.subject import subject_of
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "accumulate": ("Counts",),
            "aggregation": ("Aggregation", "aggregate"),
            "clusters": ("BodyPart", "Cluster", "DEMO_PARTS", "read_segments"),
            "inference": ("posed_field",),
            "original": ("import_chorus", "read_original_field"),
            "reconstruction": ("reconstruct",),
            "storage": ("load_aggregation", "save_aggregation"),
            "sampling": ("draw_ratio", "draw_without_keypoints", "select_rows"),
            "subject": ("subject_of",),
        },
    )

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
    "load_aggregation",
    "posed_field",
    "read_original_field",
    "read_segments",
    "reconstruct",
    "save_aggregation",
    "select_rows",
    "subject_of",
]
