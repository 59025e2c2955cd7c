"""Test geometry prepared by many workers: processes of this machine, or a Ray cluster.

Workers put batches into the cache, and the evaluation reads them there as it reads those of an
earlier run. So the result has the same bits wherever a batch was prepared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chorus_bench.engines import EngineSettings, Result, run_jobs
from chorus_bench.engines.devices import check_geometry_device
from chorus_bench.errors import InputError
from chorus_bench.evaluation.cache import PREPARING, GeometryCache, SampleBatch, Track
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.grid import GridSpec
from chorus_bench.io.variables import CACHE
from chorus_bench.metrics.protocol import Protocol
from chorus_bench.progress import Progress, say
from chorus_bench.submission import Submission

#: Samples whose preparation is worth the start of processes. They share the work better than
#: threads, which wait for Python's lock.
WORTH_PROCESSES = 64


@dataclass(frozen=True)
class PreparingWork:
    """Sets a worker up that prepares one batch of samples at a time.

    Attributes:
        cache: the folder of the cache, the same for all workers.
        body: the body that is posed.
        protocol: grid, skinning and image size.
        track: where the fields are read.
        grids: category -> grid of the submission's field.
        device: where the workers prepare; each checks its own.
    """

    cache: Path
    body: BodyModel
    protocol: Protocol
    track: Track
    grids: Mapping[str, GridSpec]
    device: str

    def __call__(self) -> Callable[[SampleBatch], Result]:
        """Return the function that prepares a batch."""
        check_geometry_device(self.device)
        cache = GeometryCache((), self.body, self.protocol, self.cache, device=self.device)

        def prepare(batch: SampleBatch) -> Result:
            cache.load(batch, self.grids[batch.category], self.track)
            return {"key": batch.key}

        return prepare


def prepare_on(
    engine: EngineSettings,
    cache: GeometryCache,
    wanted: Sequence[SampleBatch],
    submission: Submission,
    device: str,
    progress: Progress,
) -> None:
    """Let an engine put the batches into the cache that are not there yet.

    Args:
        engine: where they are prepared.
        cache: the cache; all workers must see its folder under the same path.
        wanted: the batches.
        submission: gives the grids, and where its fields are read.
        device: where the workers prepare.
        progress: called after every batch with (samples prepared, samples to prepare).

    Raises:
        InputError: there is no cache, it does not have what a worker has put there, or a worker
            does not have the device.
    """
    if cache.folder is None:
        if engine.if_worth:
            return
        raise _not_shared("there is no cache, through which workers hand over what they prepare")
    grids = {batch.category: submission.grid_of(batch.category) for batch in wanted}
    todo = {
        batch.key: batch
        for batch in wanted
        if not cache.holds(batch, grids[batch.category], submission.track)
    }
    done, total = 0, sum(len(batch.samples) for batch in todo.values())
    if not todo or (engine.if_worth and total < WORTH_PROCESSES):
        return
    say(progress, PREPARING)
    root, track = cache.folder.parent.absolute(), submission.track
    work = PreparingWork(root, cache.body, cache.protocol, track, grids, device)
    progress(done, total)
    for result in run_jobs(work, list(todo.values()), engine):
        batch = todo[result["key"]]
        if not cache.holds(batch, grids[batch.category], track):
            if engine.if_worth:  # the disk is full, for example: threads do without
                return
            raise _not_shared("a worker has prepared a batch of samples that is not here", root)
        done += len(batch.samples)
        progress(done, total)


def _not_shared(found: str, folder: Path | None = None) -> InputError:
    return InputError(
        found,
        where=folder,
        expected="a cache folder that this process and all workers can write to, and that is at "
        "the same path on all nodes",
        fix=f"set {CACHE} (or --cache) to such a folder, or leave the engine out",
    )
