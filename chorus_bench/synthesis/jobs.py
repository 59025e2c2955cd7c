"""The input of every stage's workers, and their jobs."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from chorus_bench.datasets.recipe import Row
from chorus_bench.engines import EngineSettings, Result
from chorus_bench.engines.threads import cpu_count
from chorus_bench.geometry.body_files import load_body
from chorus_bench.synthesis.interfaces import Context
from chorus_bench.synthesis.plan import Plan
from chorus_bench.synthesis.settings import SynthesisSettings
from chorus_bench.synthesis.work_folder import STAGE_SCHEMAS, Shard, StageFolder

#: Threads that prepare pictures: for an actor on an unknown machine, and at most.
_THREADS_OF_ACTOR, _MOST_THREADS = 4, 8


@dataclass(frozen=True)
class RunSettings:
    """How a run is executed; this does not affect its results.

    Attributes:
        device: device of the models, ``cpu``, ``cuda``, ...
        batch: number of pictures that annotators get at a time.
        prepare_threads: threads of a worker that prepare pictures ahead of the device; None
            chooses by the processors.
    """

    device: str = "cpu"
    batch: int = 8
    prepare_threads: int | None = None

    def on(self, engine: EngineSettings) -> RunSettings:
        """Return them with the number of threads that suits an engine, unless it is chosen."""
        if self.prepare_threads is not None:
            return self
        share = cpu_count() // engine.workers if engine.name == "local" else _THREADS_OF_ACTOR
        threads = 0 if self.device == "cpu" else min(max(share, 1), _MOST_THREADS)
        return replace(self, prepare_threads=threads)


@dataclass
class Made:
    """The rows of a shard, and events while they were made.

    Attributes:
        rows: the rows, in the order of their addresses.
        counts: number of events by kind.
        models: the models that made them, by role.
        leftovers: a folder that is no longer needed once the rows are written.
    """

    rows: Sequence[Row]
    counts: Counter[str] = field(default_factory=Counter)
    models: dict[str, str] = field(default_factory=dict)
    leftovers: Path | None = None

    @classmethod
    def with_verdicts(cls, rows: Sequence[Row], stage: str) -> Made:
        """Return rows that have verdicts: the columns of their stage, counted by their reasons."""
        names = STAGE_SCHEMAS[stage].names
        counts = Counter(str(row["reason"] or row["verdict"]) for row in rows)
        return cls([{name: row.get(name) for name in names} for row in rows], counts)


#: Loads the models of a stage and returns the function that makes the rows of a shard.
Loader = Callable[["StageWork"], Callable[[Shard], Made]]


@dataclass(frozen=True)
class StageWork:
    """Sets up a worker of a stage; picklable.

    Attributes:
        stage: the stage.
        loader: loader of the stage, a module-level function.
        work: the work folder.
        settings: settings of the synthesis.
        plan: the planned images.
        run: how the run is executed.
    """

    stage: str
    loader: Loader
    work: Path
    settings: SynthesisSettings
    plan: Plan
    run: RunSettings

    def __call__(self) -> Callable[[Shard], Result]:
        """Load the stage's models and return the function that makes a shard."""
        make, folder = self.loader(self), self.folder(self.stage)

        def work(shard: Shard) -> dict[str, Any]:
            started = time.perf_counter()
            made = make(shard)
            seconds = time.perf_counter() - started
            record = folder.write(
                shard, made.rows, seconds=seconds, counts=made.counts, models=made.models
            )
            if made.leftovers is not None:
                shutil.rmtree(made.leftovers, ignore_errors=True)
            return {"shard": shard.name, **asdict(record)}

        return work

    def folder(self, stage: str) -> StageFolder:
        """Return the folder of a stage of this work."""
        return StageFolder(self.work, stage)

    def context(self) -> Context:
        """Return the context for generators and annotators of this run."""
        return context_of(self.settings, self.run)


def context_of(settings: SynthesisSettings, run: RunSettings) -> Context:
    """Return the context for generators and annotators of a run."""
    return Context(
        seed=settings.seed,
        body=load_body(settings.body),
        device=run.device,
        threads=settings.threads,
        categories=settings.categories,
        image_options=dict(settings.images.generator.options),
    )
