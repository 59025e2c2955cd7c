"""Where a score is lost: an error decomposition in the spirit of TIDE for detection.

For each category, how much PAP would rise if an oracle that knows the test data corrected one
fault alone (`chorus_bench.evaluation.repairs`):

* **position**: the best translation of the canonical field;
* **scale**: its best uniform scale about its centre of mass;
* **mirror**: its mirror image, or both together;
* **recalibration**: the best monotone map of its probabilities;
* **ceiling**: each sample's own target, extruded along the rays of its camera;

and **occlusion**, PAP_hoa minus PAP. Gains are chosen on the same data on which they are measured,
and they do not add up. Formulas and interpretation: ``docs/diagnose.md``.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chorus_bench.boundary import checked
from chorus_bench.datasets.eval_split import EvalSplit
from chorus_bench.displays import Table, displayed
from chorus_bench.engines.devices import check_geometry_device
from chorus_bench.engines.threads import thread_count
from chorus_bench.evaluation.arguments import Evaluation, opened_submission, resolve_evaluation
from chorus_bench.evaluation.availability import availability_warnings, nothing_available
from chorus_bench.evaluation.cache import GeometryCache, SampleBatch
from chorus_bench.evaluation.gains import CategoryDiagnosis, Tried, diagnosed
from chorus_bench.evaluation.prepare import PreparedSample
from chorus_bench.evaluation.rays import Rays, probe_points
from chorus_bench.evaluation.readings import IDENTITY, PaddedCube, Readings
from chorus_bench.evaluation.repairs import (
    MOVING,
    REPAIRS,
    CategoryTrials,
    Scores,
    SearchSettings,
    ceiling_repair,
    center_of_mass,
    mirror_repair,
    position_repair,
    recalibration_repair,
    scale_repair,
)
from chorus_bench.evaluation.scoring import Cancelled
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.metrics.protocol import Protocol
from chorus_bench.progress import Progress, ProgressLike, reported, say
from chorus_bench.submission import Submission

if TYPE_CHECKING:
    from datasets import Dataset

SCHEMA_VERSION = 1

_DEFAULT_SEARCH = SearchSettings()
_POSED = "a posed field has no canonical frame in which to move it"


@displayed
@dataclass(frozen=True)
class Diagnosis:
    """The result of `diagnose`.

    Attributes:
        signature: how PAP was computed.
        submission: method, track and sha256.
        mean: the unweighted mean over the categories.
        categories: category -> diagnosis, sorted; without those that have no target pixel.
        unavailable: repair -> why it does not apply to this submission.
        search: range and resolution of the oracles' search.
        warnings: remarks for the reader.
        seconds: wall time.
    """

    signature: str
    submission: dict[str, str]
    mean: CategoryDiagnosis
    categories: dict[str, CategoryDiagnosis]
    unavailable: dict[str, str]
    search: SearchSettings
    warnings: tuple[str, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "schema": SCHEMA_VERSION,
            "signature": self.signature,
            "submission": self.submission,
            "mean": self.mean.as_dict(),
            "categories": {name: entry.as_dict() for name, entry in self.categories.items()},
            "unavailable": self.unavailable,
            "search": {
                "position_reach": self.search.reach,
                "position_steps": list(self.search.steps),
                "scale_octaves": self.search.octaves,
                "scale_octave_steps": list(self.search.octave_steps),
            },
            "warnings": list(self.warnings),
            "seconds": round(self.seconds, 3),
        }

    def save(self, file: str | Path) -> Path:
        """Write everything as one JSON file, atomically."""
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return atomic_write_bytes(file, text.encode() + b"\n")

    def _facts(self) -> dict[str, object]:
        return {
            "method": self.submission["method"],
            "PAP": f"{100 * self.mean.pap:.2f}",
            "categories": len(self.categories),
            "warnings": len(self.warnings),
        }

    def _table(self) -> Table:
        """Return the gain of every repair in points, for the mean and each category."""
        entries = {"mean": self.mean, **self.categories}
        rows = [
            [
                name,
                *("n/a" if r is None else f"{100 * r.gain:+.2f}" for r in entry.repairs.values()),
            ]
            for name, entry in entries.items()
        ]
        return ("category", *self.mean.repairs), rows


@checked
def diagnose(
    submission: str | Path | Submission,
    *,
    split: str | Path | EvalSplit | Dataset = "example",
    body: str | Path | BodyModel | object | None = None,
    categories: str | Sequence[str] | None = None,
    min_samples: int | None = None,
    workers: int | None = None,
    protocol: str | Protocol = "official",
    cache: str | Path | None = None,
    allow_other_body: bool = False,
    search: SearchSettings = _DEFAULT_SEARCH,
    device: str = "cpu",
    progress: ProgressLike = None,
) -> Diagnosis:
    """Find where a submission loses its score.

    Args:
        submission: see `evaluate`, also for split, body, categories, min_samples, protocol and
            cache. On the posed track only recalibration, occlusion and ceiling apply.
        split: the test split.
        body: the body to pose.
        categories: restricts the diagnosis.
        min_samples: categories with fewer samples are left out.
        workers: number of threads; by default one per processor.
        protocol: ``official`` or ``closed``.
        cache: folder for prepared geometry.
        allow_other_body: pose a body other than the split's.
        search: range and resolution of the oracles' search.
        device: where test geometry is prepared, see `evaluate`.
        progress: called with (steps done, steps in all); two steps per sample, preparing and
            searching; by default a bar in terminals and notebooks, False for none.

    Returns:
        The diagnosis, in which the scores of the unchanged submission are exactly those of
        `evaluate`.

    Raises:
        InputError: anything wrong with the submission, the split, the body or the arguments.
    """
    started = time.perf_counter()
    check_geometry_device(device)
    with opened_submission(submission) as opened:
        run = resolve_evaluation(
            opened, split, body, categories, min_samples, protocol, allow_other_body
        )
        folder = None if cache is None else Path(cache)
        threads = thread_count(workers)
        with reported(progress, "Diagnosing") as report:
            stage = partial(say, report)
            geometry = GeometryCache(run.samples, run.body, run.protocol, folder, stage, device)
            tried = _Job(run, geometry, search, report, stage).run(threads)
        if not tried:
            raise nothing_available(run.categories, run.split.name)
        mean, found = diagnosed(tried)
        warnings = (*run.warnings(), *_availability(run, found))
    return Diagnosis(
        signature=run.signature(run.protocol),
        submission={"method": opened.method, "track": opened.track, "sha256": opened.sha256},
        mean=mean,
        categories=found,
        unavailable=dict.fromkeys(MOVING, _POSED) if opened.track == "posed" else {},
        search=search,
        warnings=warnings,
        seconds=time.perf_counter() - started,
    )


class _Job:
    """One diagnosis: the geometry is prepared for all categories, then each is searched."""

    def __init__(
        self,
        run: Evaluation,
        cache: GeometryCache,
        search: SearchSettings,
        progress: Progress,
        stage: Callable[[str], None],
    ) -> None:
        self._run, self._cache, self._search = run, cache, search
        self._progress, self._done, self._lock = progress, 0, threading.Lock()
        self._stage = stage
        self._stop = threading.Event()

    def run(self, threads: int) -> dict[str, Tried]:
        """Return what was tried for every category that has a target pixel."""
        with ThreadPoolExecutor(threads) as pool:
            try:
                return self._run_on(pool)
            except BaseException:  # an interruption must stop the threads
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _run_on(self, pool: ThreadPoolExecutor) -> dict[str, Tried]:
        for count in pool.map(self._prepare, self._cache.batches):
            self._advance(count)
        self._stage("Trying repairs")
        found = {}
        for category in self._run.categories:
            batches = [batch for batch in self._cache.batches if batch.category == category]
            tried = self._category(category, batches, pool)
            if tried is not None:
                found[category] = tried
            self._advance(sum(len(batch.samples) for batch in batches))
        return found

    def _prepare(self, batch: SampleBatch) -> int:
        """Fill the cache for a batch; return the number of samples not yet counted."""
        prepared = 0

        def on_sample() -> None:
            nonlocal prepared
            if self._stop.is_set():
                raise Cancelled
            self._advance(1 if prepared else 0)
            prepared += 1

        self._cache.ensure(batch, on_sample)
        return len(batch.samples) - max(0, prepared - 1)

    def _advance(self, count: int) -> None:
        with self._lock:
            self._done += count
            self._progress(self._done, 2 * len(self._run.samples))

    def _category(
        self, category: str, batches: Sequence[SampleBatch], pool: ThreadPoolExecutor
    ) -> Tried | None:
        """Return what was tried for a category; None if none of its samples has a target pixel."""
        canonical = self._canonical(category)
        values = None if canonical is None else PaddedCube.of(canonical)
        probes = probe_points(self._run.protocol.grid)
        now = None if values is None else Readings.of(values, [IDENTITY], probes)

        def read(sample: PreparedSample, sample_id: str) -> tuple[Rays, NDArray[np.float32]]:
            rays = Rays.of(sample, probes)
            if now is not None:
                return rays, now.images(rays, -np.inf)[:, 0]
            posed = self._posed(category, sample_id, sample.voxels)
            return rays, sample.occupancy_image(posed).ravel()

        def read_batch(batch: SampleBatch) -> list[tuple[Rays, NDArray[np.float32]]]:
            ids = [sample.sample_id for sample in batch.samples]
            return list(map(read, self._cache.prepared(batch), ids))

        found = itertools.chain.from_iterable(pool.map(read_batch, batches))
        samples, images = zip(*found, strict=True)
        trials = CategoryTrials(samples, images, self._run.protocol, probes, pool.map)
        if not trials.available():
            return None
        repairs = self._repairs(trials, canonical, values)
        return Tried(trials.now(), repairs, category not in self._run.submission.categories)

    def _canonical(self, category: str) -> OccupancyGrid | None:
        """Return a category's canonical field, empty if it is missing; None for a posed one."""
        submission = self._run.submission
        if submission.track == "posed":
            return None
        if category in submission.categories:
            return submission.field(category)
        return OccupancyGrid(np.zeros(submission.grid.shape, np.float32), submission.grid)

    def _posed(
        self, category: str, sample_id: str, voxels: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Return a posed submission's values at some probe voxels of a sample."""
        if category not in self._run.submission.categories:
            return np.zeros(len(voxels), dtype=np.float32)
        places = self._run.protocol.grid.centers()[voxels]
        return self._run.submission.posed_field(category, sample_id).at(places)

    def _repairs(
        self, trials: CategoryTrials, canonical: OccupancyGrid | None, values: PaddedCube | None
    ) -> dict[str, tuple[Scores, dict[str, Any]]]:
        """Return what each repair that applies gives.

        Args:
            trials: the category's samples.
            canonical: the field; None if it is posed.
            values: the field's probabilities.
        """
        tried = {"recalibration": recalibration_repair(trials), "ceiling": ceiling_repair(trials)}
        if canonical is not None and values is not None:
            levels = PaddedCube.levels(canonical, self._run.protocol)
            middle = center_of_mass(canonical)
            tried["position"] = position_repair(trials, levels, self._search)
            tried["scale"] = scale_repair(trials, levels, self._search, middle)
            tried["mirror"] = mirror_repair(trials, values)
        return {name: tried[name] for name in REPAIRS if name in tried}


def _availability(run: Evaluation, found: Mapping[str, CategoryDiagnosis]) -> list[str]:
    unavailable = {name: run.split.counts[name] for name in run.categories if name not in found}
    hidden = [name for name, entry in found.items() if entry.pap_hoa is None]
    return availability_warnings(unavailable, hidden)
