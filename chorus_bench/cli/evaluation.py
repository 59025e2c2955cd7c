"""``chorus-bench evaluate``, ``validate`` and ``selftest``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import chorus_bench.cli.completion as completion
from chorus_bench.cli.options import (
    FORMAT,
    RESULT_NAMES,
    Address,
    AllowOtherBody,
    BoardFormat,
    Body,
    Categories,
    Engine,
    GeometryDevice,
    Gpus,
    Measure,
    MinSamples,
    Population,
    Protocol,
    Representation,
    Score,
    ScoreFormat,
    Seed,
    Split,
    Submission,
    Threads,
    Track,
    shared_engine,
)
from chorus_bench.cli.progress import progress_bar, say_written

if TYPE_CHECKING:
    from chorus_bench.evaluation.results import EvaluationResult
    from chorus_bench.evaluation.truth_file import TruthScores


def evaluate_command(
    submission: Submission = "example",
    split: Split = "example",
    body: Body = None,
    allow_other_body: AllowOtherBody = False,
    output: Annotated[
        Path | None, typer.Option(help="Folder for results.json and samples.parquet.")
    ] = None,
    categories: Categories = None,
    population: Population = "benchmark",
    min_samples: MinSamples = None,
    workers: Threads = None,
    protocol: Protocol = "official",
    track: Track = None,
    truth: Annotated[
        bool,
        typer.Option("--truth", help="Also compute 3D scores, on splits with ground truth."),
    ] = False,
    engine: Engine = None,
    address: Address = None,
    gpus: Gpus = 0.0,
    device: GeometryDevice = "cpu",
    output_format: Annotated[ScoreFormat, FORMAT] = ScoreFormat.TABLE,
) -> None:
    """Score a submission: the four PAP numbers for each category and their means.

    Without arguments it scores the shipped example on the shipped test split. If 64 samples or more
    are to be prepared, several processes do it. --engine asks for processes, or the actors of a Ray
    cluster, whatever the number; they put samples into the cache, a folder that all must see.
    """
    from chorus_bench.evaluation import evaluate
    from chorus_bench.evaluation.truth_file import TRUTH_FILE

    started, shared = time.perf_counter(), shared_engine(engine, workers, address, gpus, device)
    with progress_bar("Scoring samples") as progress:
        result = evaluate(
            submission,
            split=split,
            body=body,
            allow_other_body=allow_other_body,
            output=output,
            categories=categories,
            population=population,
            min_samples=min_samples,
            workers=workers,
            protocol=protocol,
            track=track,
            truth=truth,
            engine=shared,
            device=device,
            progress=progress,
        )
    _say_toy_split(submission, split, result, output_format)
    scores = {} if result.truth is None else {str(result.submission["method"]): result.truth}
    typer.echo(_scored_text(result, scores, output_format, time.perf_counter() - started))
    if output is not None:
        files = ("results.json", "samples.parquet", *([TRUTH_FILE] if scores else []))
        say_written((output / name for name in files), output_format)


def _scored_text(
    result: EvaluationResult,
    scores: Mapping[str, TruthScores],
    output_format: ScoreFormat,
    seconds: float,
) -> str:
    """Return a result with its 3D scores, if there are any."""
    from chorus_bench.report.tables import render_result
    from chorus_bench.report.volumetric import render_truth

    style, method = output_format.value, str(result.submission["method"])
    if scores and output_format is ScoreFormat.JSON:
        content = result.as_dict() | {"truth": scores[method].as_dict()}
        return json.dumps(content, indent=1, ensure_ascii=False)
    more = render_truth(scores, {method: result}, style) if scores else ""
    return render_result(result, style, more=more, seconds=seconds)


def _say_toy_split(
    submission: str, split: str, result: EvaluationResult, output_format: ScoreFormat
) -> None:
    """Say first that a user's own submission was scored on the shipped toy samples."""
    if split != "example" or submission == "example":
        return
    typer.echo(
        f"Scored on the {result.scores['samples']} toy samples of the shipped split 'example', "
        "which no paper reports. For a benchmark pass --split SPLIT, or set CHORUS_BENCH_SPLIT.\n",
        err=output_format in (ScoreFormat.JSON, ScoreFormat.LATEX),
    )


def compare_command(
    results: Annotated[
        list[str],
        typer.Argument(
            help=f"Two or more result folders; or {RESULT_NAMES}.",
            autocompletion=completion.results,
        ),
    ],
    score: Score = "mPAP",
    seed: Seed = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples.")] = 1000,
    representation: Representation = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="The method that differences are to; by default the best one."),
    ] = None,
    measure: Measure = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="With --measure: also draw it over PAP (.png, .pdf, .svg)."),
    ] = None,
    output_format: Annotated[BoardFormat, FORMAT] = BoardFormat.TABLE,
) -> None:
    """Rank results, with intervals, paired differences and shared ranks."""
    if measure is not None:
        _compare_by_measure(results, measure, score, representation, figure, output_format)
        return
    if figure is not None:
        raise typer.BadParameter("--figure draws a measure over PAP: give --measure as well")
    from chorus_bench.errors import unknown_name
    from chorus_bench.evaluation.comparison import comparable_results, compare
    from chorus_bench.report.tables import render_ranking

    loaded = comparable_results(results, representation=representation)
    if baseline is not None and baseline not in loaded:
        raise unknown_name("method", baseline, tuple(loaded))
    with progress_bar("Resampling"):
        ranking = compare(list(loaded.values()), score=score, seed=seed, resamples=resamples)
    typer.echo(render_ranking(ranking, output_format.value, baseline=baseline))


def _compare_by_measure(
    results: list[str],
    measure: str,
    score: str,
    representation: str | None,
    figure: Path | None,
    output_format: BoardFormat,
) -> None:
    """Print results in the order of another measure than PAP, and draw it over PAP."""
    from chorus_bench.report.canvas import save_figure
    from chorus_bench.report.measures import measure_figure, measured_results, render_measured

    rows = measured_results(results, measure, score=score, representation=representation)
    typer.echo(render_measured(rows, measure, output_format.value, score=score))
    if figure is not None:
        save_figure(measure_figure(rows, measure, score=score), figure)
        typer.echo(f"Wrote {figure}", err=True)


def validate_command(
    submission: Submission,
    split: Annotated[
        str,
        typer.Option(
            envvar="CHORUS_BENCH_SPLIT",
            help="Also compare with this split: missing and unknown categories and samples, "
            "mirrored or turned fields; 'none' to skip this comparison.",
            autocompletion=completion.splits,
        ),
    ] = "example",
    body: Body = None,
) -> None:
    """Check a submission and report every error in one pass."""
    from chorus_bench.evaluation.validation import validate
    from chorus_bench.report.tables import render_report

    with progress_bar("Trying orientations") as progress:
        found = validate(
            submission, split=None if split == "none" else split, body=body, progress=progress
        )
    typer.echo(render_report(found.report, found.remarks))
    if not found.ok:
        raise typer.Exit(2)


def selftest_command() -> None:
    """Compare this machine's numbers with the original code's."""
    from chorus_bench.report.tables import render_selftest
    from chorus_bench.selftest import run_selftest

    with progress_bar("Comparing"):
        comparisons = run_selftest()
    typer.echo(render_selftest(comparisons))
    if not all(comparison.passed for comparison in comparisons):
        raise typer.Exit(1)
