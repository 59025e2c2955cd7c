"""3D scores of submissions on splits with ground truth (column ``object_occupancy``)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.array_types import Float32
from chorus_bench.datasets.bodies import body_for
from chorus_bench.datasets.occupancy import decode_occupancy
from chorus_bench.datasets.recipe import Row
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines.threads import thread_count
from chorus_bench.errors import InputError
from chorus_bench.evaluation.arguments import opened_submission
from chorus_bench.evaluation.truth_file import TruthScores
from chorus_bench.evaluation.truth_samples import (
    MEASURES,
    CategoryTable,
    ScoredSample,
    TrueSample,
    calibration_interval,
    mean_of_categories,
    resampled,
    score_sample,
)
from chorus_bench.evaluation.warping import canonical_points
from chorus_bench.geometry.body import BodyModel, without_global_orientation
from chorus_bench.geometry.grid import GridSpec, OccupancyGrid
from chorus_bench.geometry.skinning import SkinningSettings
from chorus_bench.metrics.contact import Geodesics
from chorus_bench.submission import Fields, Submission

TRUTH_COLUMN = "object_occupancy"
_COLUMNS = ("sample_id", "category", "pose", TRUTH_COLUMN)
_PROBES, _SKINNING = GridSpec(), SkinningSettings()


def truth_scores(
    submissions: Mapping[str, str | Path | Submission | Fields],
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
        submissions: name -> submission folder, archive, open submission or fields in memory.
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
    data = rows_with_truth(split).select(categories)
    model = body_for(data.body, body, data.name, allow_other=allow_other_body)
    geodesics = Geodesics(model)
    rows = (row for category in data.categories for row in data.rows(category, _COLUMNS))
    found: dict[str, list[ScoredSample]] = {name: [] for name in submissions}
    with ExitStack() as stack, ThreadPoolExecutor(thread_count(workers)) as pool:
        fields = {
            name: _Fields(stack.enter_context(opened_submission(source)))
            for name, source in submissions.items()
        }
        scores = pool.map(lambda row: _score(row, model, geodesics, fields), rows)
        for done, scored in enumerate(scores, 1):
            for name, entry in scored.items():
                found[name].append(entry)
            progress(done, data.total)
        digests = {name: entry.sha256 for name, entry in fields.items()}
    return {
        name: replace(summary(entries), sha256=digests[name]) for name, entries in found.items()
    }


def rows_with_truth(
    split: str | Path | DatasetRows | Iterable[Mapping[str, Any]],
) -> DatasetRows:
    """Open a test split that has the ground truth in 3D.

    Args:
        split: a test split.

    Raises:
        InputError: it has no ground truth.
    """
    data = DatasetRows.open(split)
    if TRUTH_COLUMN in data.columns:
        return data
    raise InputError(
        f"has no ground truth in 3D, the column '{TRUTH_COLUMN}'",
        where=data.name,
        expected="a split with it, such as the simulated one",
        fix="leave --truth out, or give --split simulated",
    )


class _Fields:
    """The posed fields of a submission, for use by several threads."""

    def __init__(self, submission: Submission) -> None:
        self._submission = submission
        self._canonical: dict[str, OccupancyGrid] = {}
        self._lock = threading.Lock()
        self.sha256 = submission.sha256

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


def _score(
    row: Row, body: BodyModel, geodesics: Geodesics, fields: Mapping[str, _Fields]
) -> dict[str, ScoredSample]:
    category, sample_id = str(row["category"]), str(row["sample_id"])
    vertices = body.pose(without_global_orientation(row["pose"]))
    voxels = decode_occupancy(row[TRUTH_COLUMN])
    truth = TrueSample.of(category, voxels, _PROBES, vertices, geodesics)
    points = canonical_points(body, row["pose"], _PROBES, _SKINNING)
    return {
        name: score_sample(entry.posed(category, sample_id, points), truth)
        for name, entry in fields.items()
    }


def summary(entries: Sequence[ScoredSample]) -> TruthScores:
    """Return the scores of some samples: means over them by category, and over the categories."""
    names = sorted({entry.category for entry in entries})
    members = {name: [entry for entry in entries if entry.category == name] for name in names}
    tables = {name: CategoryTable.of(some) for name, some in members.items()}
    overall, by_category = resampled(tables)
    mean = _named(mean_of_categories([table.means() for table in tables.values()]))
    curve = reduce(add, (entry.calibration for entry in entries))
    intervals = {key: one.as_list() for key, one in overall.items()}
    if curve.voxels.any():
        intervals["calibration_error"] = calibration_interval(members).as_list()
    return TruthScores(
        brier=mean["brier"],
        soft_iou=mean["soft_iou"],
        categories={
            name: {
                **_named(table.means()),
                "samples": len(table.values),
                "surface_level": table.levels["f_10cm"],
                "contact_level": table.levels["contact_f1"],
                "intervals": {key: one.as_list() for key, one in by_category[name].items()},
            }
            for name, table in tables.items()
        },
        calibration=curve,
        measures=mean,
        intervals=intervals,
    )


def _named(means: NDArray[np.float64]) -> dict[str, float | None]:
    """Return means by measure; None where no sample has one."""
    return {
        name: float(value) if np.isfinite(value) else None
        for name, value in zip(MEASURES, means, strict=True)
    }
