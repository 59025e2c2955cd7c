"""Evaluate a submission: the project's main job, as a function."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from chorus_bench._version import __version__
from chorus_bench.datasets.eval_split import EvalSample, EvalSplit, load_split
from chorus_bench.datasets.named import submission_folder
from chorus_bench.errors import InputError, list_some
from chorus_bench.evaluation.cache import GeometryCache, ShardSource
from chorus_bench.evaluation.output import OutputFolder
from chorus_bench.evaluation.results import (
    SAMPLES_SCHEMA,
    EvaluationResult,
    by_category,
    rescored,
    samples_table,
    scores_of,
    scores_only,
    summarize,
)
from chorus_bench.evaluation.scoring import Progress, score_shards
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.protocol import PROTOCOLS, Protocol, get_protocol
from chorus_bench.submission import Submission, open_submission

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One evaluation, everything resolved: what is scored, with what, and how.

    Attributes:
        submission: the fields.
        split: the test split.
        body: the body that is posed.
        protocol: how it is scored.
        categories: the categories that are scored, sorted.
        samples: the samples of these categories.
        skipped: categories with too few samples, with their number.
        restricted: the categories that the caller asked for, or None.
    """

    submission: Submission
    split: EvalSplit
    body: BodyModel
    protocol: Protocol
    categories: tuple[str, ...]
    samples: tuple[EvalSample, ...]
    skipped: dict[str, int]
    restricted: tuple[str, ...] | None

    def signature(self, protocol: Protocol) -> str:
        """Return the signature of these scores under a protocol."""
        return protocol.signature(
            self.split.label,
            self.body.label,
            track=self.submission.track,
            categories=self.restricted,
        )

    def warnings(self) -> list[str]:
        """Return what the reader of the scores must know about submission and split."""
        found = [str(w) for w in self.submission.warnings]
        missing = sorted(set(self.categories) - set(self.submission.categories))
        if missing:
            found.append(
                f"The submission lacks {len(missing)} of {len(self.categories)} scored "
                f"categories, which count as 0: {', '.join(missing)}"
            )
        extra = sorted(set(self.submission.categories) - set(self.split.counts))
        if extra:
            found.append(f"The split has no samples of: {', '.join(extra)}. Not scored.")
        return found


def evaluate(
    submission: str | Path | Submission,
    *,
    split: str | Path | EvalSplit | Dataset = "example",
    body: str | Path | BodyModel | object | None = None,
    output: str | Path | None = None,
    categories: Sequence[str] | None = None,
    min_samples: int | None = None,
    workers: int | None = None,
    protocol: str | Protocol = "official",
    cache: str | Path | None = None,
    progress: Progress = lambda done, total: None,
) -> EvaluationResult:
    """Score a submission with Projective Average Precision.

    Args:
        submission: a submission folder or archive, or an open submission.
        split: a test split: the name of one that comes with the package, a folder of Parquet
            files, or a `datasets.Dataset` with the columns of the row schema.
        body: the body to pose, see `BodyModel.load`; by default the free body, unless the
            split says that it was made with another one.
        output: folder for ``results.json`` and ``samples.parquet``; none by default. An
            interrupted evaluation into the same folder goes on where it was.
        categories: restrict the evaluation (the signature then says so).
        min_samples: categories with fewer samples are not scored; by default what the split
            declares, else 30.
        workers: threads that prepare test geometry; by default one a processor.
        protocol: ``official`` or ``closed``; the scores of the others are shown beside.
        cache: folder for prepared geometry; by default the user's cache.
        progress: called with (samples done, samples in all).

    Returns:
        The result, the same to the last bit (but for ``environment`` and ``seconds``)
        whatever the number of workers, the order of the rows, or an interruption.

    Raises:
        InputError: anything wrong with the submission, the split, the body or the output.
    """
    started = time.perf_counter()
    with opened_submission(submission) as opened:
        run = resolve_evaluation(opened, split, body, categories, min_samples, protocol)
        cached = GeometryCache(
            run.samples, run.body, run.protocol, None if cache is None else Path(cache)
        )
        folder = None if output is None else _output_folder(run, Path(output))
        with nullcontext() if folder is None else folder.opened():
            samples = _score(run, cached, folder, workers or os.cpu_count() or 1, progress)
            result = _result(run, samples, started)
            if folder is not None:
                result.save(folder.path)
                folder.finish()
    return result


def _output_folder(run: Evaluation, output: Path) -> OutputFolder:
    return OutputFolder(output, run.signature(run.protocol), run.submission.sha256)


def opened_submission(submission: str | Path | Submission) -> AbstractContextManager[Submission]:
    """Open a submission for as long as it is scored; one that is open stays open."""
    if isinstance(submission, Submission):
        return nullcontext(submission)
    return open_submission(submission_folder(submission))


def resolve_evaluation(
    submission: Submission,
    split: str | Path | EvalSplit | Dataset,
    body: str | Path | BodyModel | object | None,
    categories: Sequence[str] | None,
    min_samples: int | None,
    protocol: str | Protocol,
) -> Evaluation:
    """Resolve the arguments of `evaluate`, as `Evaluation` explains them."""
    loaded = load_split(split)
    chosen = get_protocol(protocol) if isinstance(protocol, str) else protocol
    limit = min_samples if min_samples is not None else loaded.min_samples
    if limit is not None:
        chosen = replace(chosen, min_samples=limit)
    samples = loaded.select(categories)
    counts = {name: n for name, n in loaded.counts.items() if not categories or name in categories}
    scored = tuple(name for name, n in counts.items() if n >= chosen.min_samples)
    if not scored:
        largest = max(counts.values())
        raise InputError(
            f"no category has the {chosen.min_samples} samples that it takes to be scored; "
            f"the largest has {largest}",
            where=f"split '{loaded.name}'",
            fix=f"ask for fewer with --min-samples {largest}; the signature will say so",
        )
    samples = tuple(s for s in samples if s.category in set(scored))
    if submission.track == "posed":
        _check_posed_samples(submission, samples)
    return Evaluation(
        submission=submission,
        split=loaded,
        body=_body_for(loaded, body),
        protocol=chosen,
        categories=scored,
        samples=samples,
        skipped={name: n for name, n in counts.items() if name not in scored},
        restricted=None if categories is None else tuple(sorted(set(categories))),
    )


def _check_posed_samples(submission: Submission, samples: Sequence[EvalSample]) -> None:
    """Refuse a posed submission that has some but not all samples of a category."""
    for category in submission.categories:
        wanted = {sample.sample_id for sample in samples if sample.category == category}
        given = set(submission.posed_samples(category)) if wanted else set()
        missing, extra = sorted(wanted - given), sorted(given - wanted)
        if missing:
            raise InputError(
                f"{len(missing)} of {len(wanted)} samples are missing: {list_some(missing)}"
                + (f"; {len(extra)} are not in the split: {list_some(extra)}" if extra else ""),
                where=f"posed fields of '{category}'",
                expected="one field for every test sample of the category, named by sample_id",
                fix="a partial category is never scored; leave the category out or complete it",
            )


def _body_for(split: EvalSplit, body: str | Path | BodyModel | object | None) -> BodyModel:
    chosen = BodyModel.load("default" if body is None else body)
    if body is None and split.body is not None and split.body.split("@")[-1] != chosen.fingerprint:
        raise InputError(
            f"the split's cameras were made with the body {split.body}, not with the default one",
            where=f"split '{split.name}'",
            fix="give that body with --body FILE",
        )
    return chosen


def _score(
    run: Evaluation,
    cache: GeometryCache,
    folder: OutputFolder | None,
    workers: int,
    progress: Progress,
) -> pa.Table:
    """Score every shard, or take up what an earlier run into the folder has left."""
    tables = {} if folder is None else folder.parts(cache.shards)
    wanted = [shard for shard in cache.shards if shard.key not in tables]
    scored = score_shards(run.submission, cache, wanted, workers=workers, progress=progress)
    with closing(scored):  # an interruption here must stop the threads there
        for shard, histogram in scored:
            tables[shard.key] = _shard_table(shard, histogram, run.protocol)
            if folder is not None:
                folder.write_part(shard, tables[shard.key])
    ordered = [tables[shard.key] for shard in cache.shards]
    return pa.concat_tables(ordered).combine_chunks().cast(SAMPLES_SCHEMA)


def _shard_table(shard: ShardSource, histogram: Any, protocol: Protocol) -> pa.Table:  # noqa: ANN401
    ids = [sample.sample_id for sample in shard.samples]
    return samples_table(ids, shard.category, histogram, protocol)


def _result(run: Evaluation, samples: pa.Table, started: float) -> EvaluationResult:
    summary = summarize(by_category(samples, scores_of(samples)))
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
        warnings=tuple(run.warnings()),
        environment=_environment(),
        seconds=time.perf_counter() - started,
        samples=samples,
    )


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
