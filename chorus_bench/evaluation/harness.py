"""Evaluation of a submission, as a function."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from chorus_bench._version import __version__
from chorus_bench.boundary import checked
from chorus_bench.datasets.eval_split import EvalSplit
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines import EngineSettings, end_inner_run
from chorus_bench.engines.devices import PROCESSOR, check_geometry_device
from chorus_bench.engines.threads import thread_count
from chorus_bench.errors import InputError
from chorus_bench.evaluation.arguments import (
    BENCHMARK,
    CONDITIONED,
    Evaluation,
    opened_submission,
    resolve_evaluation,
)
from chorus_bench.evaluation.availability import (
    availability_warnings,
    nothing_available,
    single_samples,
)
from chorus_bench.evaluation.cache import GeometryCache, SampleBatch
from chorus_bench.evaluation.conditioned import conditioned_batches, conditioned_summary
from chorus_bench.evaluation.output import OutputFolder
from chorus_bench.evaluation.preparing import prepare_on
from chorus_bench.evaluation.results import (
    EvaluationResult,
    by_category,
    rescored,
    samples_table,
    scores_of,
    scores_only,
    summarize,
)
from chorus_bench.evaluation.samples_file import CONDITIONED_SCHEMA, SAMPLES_SCHEMA
from chorus_bench.evaluation.scoring import score_batches
from chorus_bench.evaluation.truth import rows_with_truth, truth_scores
from chorus_bench.evaluation.truth_file import TruthScores
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.pap import counted
from chorus_bench.metrics.protocol import PROTOCOLS, Protocol
from chorus_bench.progress import Progress, ProgressLike, reported, say
from chorus_bench.submission import Fields, Submission

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

#: What a progress bar says while samples are scored.
SCORING = "Scoring samples"


@checked
def evaluate(
    submission: str | Path | Submission | Fields,
    *,
    split: str | Path | EvalSplit | Dataset | IterableDataset = "example",
    body: str | Path | BodyModel | object | None = None,
    output: str | Path | None = None,
    categories: str | Sequence[str] | None = None,
    population: str = BENCHMARK,
    min_samples: int | None = None,
    workers: int | None = None,
    protocol: str | Protocol = "official",
    cache: str | Path | None = None,
    allow_other_body: bool = False,
    track: str | None = None,
    truth: bool = False,
    engine: EngineSettings | None = None,
    device: str = "cpu",
    progress: ProgressLike = None,
) -> EvaluationResult:
    """Score a submission with Projective Average Precision.

    Args:
        submission: a submission folder or archive, an open submission, or fields in memory:
            category -> array, tensor or `OccupancyGrid`, or category -> sample id -> field for
            the posed track (see `chorus_bench.submission.submission_of`).
        split: a test split: the name of one that comes with the package, a folder of Parquet
            files, or a `datasets.Dataset` with the columns of the row schema.
        body: the body to pose, see `load_body`; by default the free body. It must be the split's.
        output: folder for ``results.json`` and ``samples.parquet``; none by default. An
            interrupted evaluation into the same folder continues where it stopped.
        categories: one or several names that restrict the evaluation, which the signature states.
        population: ``benchmark`` scores the categories that the split declares as its benchmark
            (all if it declares none); ``all`` scores every category of the split. The
            signature states it if the two differ.
        min_samples: categories with fewer samples are not scored; by default as the split
            declares, else 30.
        workers: number of threads that prepare test geometry; by default one per processor.
        protocol: ``official`` or ``closed``; scores under the other one are given as well.
        cache: folder for prepared geometry; by default the user's cache.
        allow_other_body: score with a body other than the split's; the signature states it.
        track: by default the submission's own, ``canonical`` or ``posed``; ``conditioned`` scores
            the fields of interaction types.
        truth: also compare in 3D, on splits with ground truth: see ``result.truth``; it is
            written to ``truth.json``.
        engine: processes or a Ray cluster that prepare test geometry, in place of threads; the
            cache is then a folder that all of them see.
        device: where it is prepared; any torch device but ``cpu`` needs the extra torch.
        progress: called with (samples done, samples in all), with an engine first of those that
            are prepared; by default a bar in terminals and notebooks, False for none.

    Returns:
        The result, the same to the last bit (but for ``environment`` and ``seconds``)
        whatever the number of workers, the order of the rows, or an interruption.

    Raises:
        InputError: anything wrong with the submission, the split, the body or the output.
    """
    started = time.perf_counter()
    way = _Way.of(cache, workers, engine, device)
    data = _with_truth(split) if truth else None
    with opened_submission(submission) as opened:
        given = (split, body, categories, min_samples, protocol, allow_other_body)
        run = resolve_evaluation(opened, *given, population, track)
        folder = None if output is None else _output_folder(run, Path(output))
        with nullcontext() if folder is None else folder.opened():
            result = _result(run, _score(run, way, folder, progress), started)
            if data is not None:
                result = replace(result, truth=_truth(run, result, data, way.threads, progress))
            if folder is not None:
                result.save(folder.path)
                folder.finish()
    return result


def _with_truth(split: str | Path | EvalSplit | Dataset | IterableDataset) -> DatasetRows:
    """Open the rows of a split with their ground truth, which a loaded split does not keep."""
    if isinstance(split, EvalSplit):
        raise InputError(
            f"the loaded split '{split.name}' keeps no ground truth in 3D",
            fix="give what it was loaded from: a name, a folder or a Dataset",
        )
    return rows_with_truth(split)


def _truth(
    run: Evaluation,
    result: EvaluationResult,
    data: DatasetRows,
    threads: int,
    progress: ProgressLike,
) -> TruthScores:
    """Return the 3D scores of the categories that have a score."""
    with reported(progress, "Comparing in 3D") as report:
        say(report, "Comparing in 3D")
        (scores,) = truth_scores(
            {run.submission.method: run.submission},
            data,
            body=run.body,
            allow_other_body=True,  # as far as the scores beside it do
            categories=tuple(result.categories),
            workers=threads,
            progress=report,
        ).values()
    return replace(scores, signature=result.signature)


def _output_folder(run: Evaluation, output: Path) -> OutputFolder:
    schema = _schema(run)
    return OutputFolder(output, run.signature(run.protocol), run.submission.sha256, schema)


def _schema(run: Evaluation) -> pa.Schema:
    return CONDITIONED_SCHEMA if run.track == CONDITIONED else SAMPLES_SCHEMA


@dataclass(frozen=True)
class _Way:
    """Where test geometry is prepared and kept; for attributes see `evaluate`."""

    cache: Path | None
    threads: int
    engine: EngineSettings | None
    device: str

    @classmethod
    def of(
        cls,
        cache: str | Path | None,
        workers: int | None,
        engine: EngineSettings | None,
        device: str,
    ) -> _Way:
        """Check where geometry can be prepared; the workers of an engine check their device."""
        if engine is None or engine.if_worth:
            check_geometry_device(device)
        if engine is not None:
            end_inner_run(engine.workers)
        folder = None if cache is None else Path(cache)
        return cls(folder, thread_count(workers), engine, device)


def _score(
    run: Evaluation, way: _Way, folder: OutputFolder | None, progress: ProgressLike
) -> pa.Table:
    """Score every batch, or take up what an earlier run into the folder has left."""
    with reported(progress, SCORING) as report:
        stage = partial(say, report)
        elsewhere = way.engine is not None and not way.engine.if_worth
        here = PROCESSOR if elsewhere else way.device
        cache = GeometryCache(run.samples, run.body, run.protocol, way.cache, stage, here)
        tables = {} if folder is None else folder.parts(cache.batches)
        wanted = [batch for batch in cache.batches if batch.key not in tables]
        if way.engine is not None:
            prepare_on(way.engine, cache, wanted, run.submission, way.device, report)
            stage(SCORING)
        scored = _scored(run, cache, wanted, way.threads, report)
        with closing(scored):  # an interruption here must stop the threads there
            for batch, table in scored:
                tables[batch.key] = table
                if folder is not None:
                    folder.write_part(batch, table)
    ordered = [tables[batch.key] for batch in cache.batches]
    return pa.concat_tables(ordered).combine_chunks().cast(_schema(run))


def _scored(
    run: Evaluation,
    cache: GeometryCache,
    wanted: Sequence[SampleBatch],
    workers: int,
    progress: Progress,
) -> Generator[tuple[SampleBatch, pa.Table], None, None]:
    """Yield the rows of each batch, in the given order."""
    if run.track == CONDITIONED:
        yield from conditioned_batches(
            run.submission, cache, wanted, workers=workers, progress=progress
        )
        return
    scored = score_batches(run.submission, cache, wanted, workers=workers, progress=progress)
    with closing(scored):
        for batch, histogram in scored:
            ids = [sample.sample_id for sample in batch.samples]
            yield batch, samples_table(ids, batch.category, histogram, run.protocol)


def _result(run: Evaluation, samples: pa.Table, started: float) -> EvaluationResult:
    tables = by_category(samples, scores_of(samples))
    unavailable = {name: len(a) for name, (_, a) in tables.items() if not counted(a).any()}
    samples = samples.filter(
        pc.invert(pc.is_in(samples["category"], pa.array(list(unavailable), pa.string())))
    )
    tables = {name: table for name, table in tables.items() if name not in unavailable}
    if not tables:
        raise nothing_available(unavailable, run.split.name)
    summary = summarize(tables)
    for name, entry in summary["categories"].items():
        entry["missing"] = name not in run.submission.categories
    others = {
        name: replace(run.protocol, name=other.name, closed=other.closed)
        for name, other in PROTOCOLS.items()
        if other.closed != run.protocol.closed
    }
    beside = {
        name: {
            "signature": run.signature(other),
            **scores_only(by_category(samples, rescored(samples, closed=other.closed))),
        }
        for name, other in others.items()
    }
    return EvaluationResult(
        signature=run.signature(run.protocol),
        submission={
            "method": run.submission.method,
            "track": run.submission.track,
            "sha256": run.submission.sha256,
            **run.submission.metadata,
            **_own_grids(run.submission),
        },
        **summary,
        beside=beside,
        skipped=run.skipped,
        unavailable=unavailable,
        warnings=(*run.warnings(), *_availability(unavailable, summary["categories"])),
        environment=_environment(),
        seconds=time.perf_counter() - started,
        samples=samples,
        conditioned=None if run.labels is None else conditioned_summary(samples, run.labels),
    )


def _own_grids(submission: Submission) -> dict[str, Any]:
    """Return which categories have a grid of their own; nothing if all share one."""
    if not submission.own_grids:
        return {}
    own = {name: submission.grid_of(name).label for name in submission.categories}
    return {"grids": own}


def _availability(unavailable: Mapping[str, int], categories: Mapping[str, Any]) -> list[str]:
    """Return warnings about categories without targets, and with a single one."""
    hidden = [name for name, entry in categories.items() if not entry["counted_hoa"]]
    single = single_samples({name: entry["counted"] for name, entry in categories.items()})
    return availability_warnings(unavailable, hidden) + single


def _environment() -> dict[str, Any]:
    packages = ("numpy", "scipy", "opencv-python-headless", "pycocotools", "pyarrow")
    return {
        "chorus-bench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
    }
