"""3D scores of submissions on splits with ground truth (column ``object_occupancy``)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.datasets.bodies import body_for
from chorus_bench.datasets.occupancy import decode_occupancy
from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines.threads import cpu_count
from chorus_bench.errors import InputError
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import SkinningSettings, warp_backward
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.metrics.volumetric import (
    CalibrationCurve,
    brier_score,
    calibration_curve,
    soft_iou,
)
from chorus_bench.submission import Submission, open_submission

Float32 = NDArray[np.float32]

TRUTH_COLUMN = "object_occupancy"
_COLUMNS = ("sample_id", "category", "pose", TRUTH_COLUMN)
_PROBES, _SKINNING = GridSpec(), SkinningSettings()


@dataclass(frozen=True)
class TruthScores:
    """3D scores of one submission.

    Attributes:
        brier: mean over the categories of their samples' mean Brier score.
        soft_iou: the same for the soft intersection over union.
        categories: category -> ``{"brier", "soft_iou", "samples"}``.
        calibration: calibration over all voxels of all samples.
    """

    brier: float
    soft_iou: float
    categories: Mapping[str, Mapping[str, float]]
    calibration: CalibrationCurve

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON; empty bins of the curve are left out."""
        curve = self.calibration
        used = np.flatnonzero(curve.voxels)
        return {
            "brier": self.brier,
            "soft_iou": self.soft_iou,
            "calibration_error": curve.error,
            "categories": {name: dict(entry) for name, entry in self.categories.items()},
            "calibration": [
                {
                    "predicted": float(curve.predicted[i]),
                    "observed": float(curve.observed[i]),
                    "voxels": int(curve.voxels[i]),
                }
                for i in used
            ],
        }

    def save(self, path: str | Path) -> Path:
        """Write everything as a JSON file."""
        return atomic_write_bytes(path, json.dumps(self.as_dict(), indent=1).encode() + b"\n")


def truth_scores(
    submissions: Mapping[str, str | Path],
    split: str | Path | DatasetRows | Iterable[Mapping[str, Any]],
    *,
    body: BodyModel | str | Path = "default",
    allow_other_body: bool = False,
    categories: str | Sequence[str] | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, TruthScores]:
    """Compare submissions with the ground truth, in the posed space of every sample.

    The backward map of a sample is computed once for all submissions. A category that a submission
    lacks counts as an empty field.

    Args:
        submissions: name -> submission folder or archive.
        split: a test split with ground truth.
        body: the body of the split.
        allow_other_body: allow a body other than the split's.
        categories: only these categories; pass those of the PAP scores for the same scope.
        workers: number of threads; by default one per processor.
        progress: called with (samples done, samples in all).

    Returns:
        Name -> scores.

    Raises:
        InputError: the split has no ground truth or another body, or a submission is invalid.
    """
    data = DatasetRows.open(split).select(categories)
    if TRUTH_COLUMN not in data.columns:
        raise InputError(
            f"has no column '{TRUTH_COLUMN}'",
            where=data.name,
            expected="a split with ground truth in 3D, such as the simulated one",
        )
    model = body_for(data.body, body, data.name, allow_other=allow_other_body)
    rows = (row for category in data.categories for row in data.rows(category, _COLUMNS))
    found: dict[str, list[_Scored]] = {name: [] for name in submissions}
    with ExitStack() as stack, ThreadPoolExecutor(workers or cpu_count()) as pool:
        fields = {
            name: _Fields(stack.enter_context(open_submission(path)))
            for name, path in submissions.items()
        }
        for done, scored in enumerate(pool.map(lambda row: _score(row, model, fields), rows), 1):
            for name, entry in scored.items():
                found[name].append(entry)
            progress(done, data.total)
    return {name: _summary(entries) for name, entries in found.items()}


@dataclass(frozen=True)
class _Scored:
    """One sample of one submission."""

    category: str
    brier: float
    soft_iou: float
    calibration: CalibrationCurve


class _Fields:
    """The posed fields of a submission, for use by several threads."""

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._canonical: dict[str, OccupancyGrid] = {}
        self._lock = threading.Lock()

    def posed(self, category: str, sample_id: str, points: Float32) -> Float32:
        """Return the probabilities (N, N, N) on the probe grid of a sample.

        Args:
            category: category of the sample.
            sample_id: id of the sample.
            points: (N**3, 3) the canonical points of the probe voxels.
        """
        with self._lock:
            grid = self._field(category, sample_id)
        if grid is None:
            return np.zeros(_PROBES.shape, dtype=np.float32)
        places = _PROBES.centers() if self._submission.track == "posed" else points
        return grid.at(places).reshape(_PROBES.shape)

    def _field(self, category: str, sample_id: str) -> OccupancyGrid | None:
        if category not in self._submission.categories:
            return None
        if self._submission.track == "posed":
            return self._submission.posed_field(category, sample_id)
        if category not in self._canonical:
            self._canonical[category] = self._submission.field(category)
        return self._canonical[category]


def _score(row: Row, body: BodyModel, fields: Mapping[str, _Fields]) -> dict[str, _Scored]:
    category, sample_id = str(row["category"]), str(row["sample_id"])
    truth = decode_occupancy(row[TRUTH_COLUMN])
    points = warp_backward(body, row["pose"], _PROBES, _SKINNING)
    scored = {}
    for name, entry in fields.items():
        field = entry.posed(category, sample_id, points)
        curve = calibration_curve(field, truth)
        scored[name] = _Scored(category, brier_score(field, truth), soft_iou(field, truth), curve)
    return scored


def _summary(entries: Sequence[_Scored]) -> TruthScores:
    categories: dict[str, dict[str, float]] = {}
    for category in sorted({entry.category for entry in entries}):
        members = [entry for entry in entries if entry.category == category]
        categories[category] = {
            "brier": float(np.mean([entry.brier for entry in members])),
            "soft_iou": float(np.mean([entry.soft_iou for entry in members])),
            "samples": len(members),
        }
    return TruthScores(
        brier=float(np.mean([entry["brier"] for entry in categories.values()])),
        soft_iou=float(np.mean([entry["soft_iou"] for entry in categories.values()])),
        categories=categories,
        calibration=reduce(add, (entry.calibration for entry in entries)),
    )
