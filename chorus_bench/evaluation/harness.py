"""Evaluation of a submission, as a function."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from chorus_bench._version import __version__
from chorus_bench.datasets.eval_split import EvalSplit
from chorus_bench.engines.threads import cpu_count
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
from chorus_bench.evaluation.scoring import Progress, score_batches
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.pap import counted
from chorus_bench.metrics.protocol import PROTOCOLS, Protocol
from chorus_bench.submission import Fields, Submission

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset


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
    progress: Progress = lambda done, total: None,
    stage: Callable[[str], None] = lambda name: None,
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
        progress: called with (samples done, samples in all).
        stage: called once if the split's geometry must be prepared first, with words for that.

    Returns:
        The result, the same to the last bit (but for ``environment`` and ``seconds``)
        whatever the number of workers, the order of the rows, or an interruption.

    Raises:
        InputError: anything wrong with the submission, the split, the body or the output.
    """
    started = time.perf_counter()
    with opened_submission(submission) as opened:
        run = resolve_evaluation(
            opened,
            split,
            body,
            categories,
            min_samples,
            protocol,
            allow_other_body,
            population,
            track,
        )
        cached = GeometryCache(
            run.samples, run.body, run.protocol, None if cache is None else Path(cache), stage
        )
        folder = None if output is None else _output_folder(run, Path(output))
        with nullcontext() if folder is None else folder.opened():
            samples = _score(run, cached, folder, workers or cpu_count(), progress)
            result = _result(run, samples, started)
            if folder is not None:
                result.save(folder.path)
                folder.finish()
    return result


def _output_folder(run: Evaluation, output: Path) -> OutputFolder:
    schema = _schema(run)
    return OutputFolder(output, run.signature(run.protocol), run.submission.sha256, schema)


def _schema(run: Evaluation) -> pa.Schema:
    return CONDITIONED_SCHEMA if run.track == CONDITIONED else SAMPLES_SCHEMA


def _score(
    run: Evaluation,
    cache: GeometryCache,
    folder: OutputFolder | None,
    workers: int,
    progress: Progress,
) -> pa.Table:
    """Score every batch, or take up what an earlier run into the folder has left."""
    tables = {} if folder is None else folder.parts(cache.batches)
    wanted = [batch for batch in cache.batches if batch.key not in tables]
    scored = _scored(run, cache, wanted, workers, progress)
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
