"""``chorus-bench evaluate``, ``validate`` and ``selftest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chorus_bench.cli.options import (
    FORMAT,
    AllowOtherBody,
    BoardFormat,
    Body,
    Categories,
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
)
from chorus_bench.cli.progress import progress_bar

if TYPE_CHECKING:
    from chorus_bench.evaluation.results import EvaluationResult
    from chorus_bench.evaluation.truth import TruthScores


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
    output_format: Annotated[ScoreFormat, FORMAT] = ScoreFormat.TABLE,
) -> None:
    """Score a submission: the four PAP numbers for each category and their means.

    Without arguments it scores the shipped example on the shipped test split.
    """
    from chorus_bench.evaluation import evaluate
    from chorus_bench.evaluation.truth import truth_scores
    from chorus_bench.report.tables import render_result
    from chorus_bench.report.volumetric import render_truth

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
            progress=progress,
            stage=progress.say,
        )
    _say_toy_split(submission, split, result, output_format)
    method = str(result.submission["method"])
    scores: dict[str, TruthScores] = {}
    if truth:
        with progress_bar("Comparing in 3D") as progress:
            scores = truth_scores(
                {method: submission},
                split,
                body=body or "default",
                allow_other_body=allow_other_body,
                categories=tuple(result.categories),
                workers=workers,
                progress=progress,
            )
    if scores and output is not None:
        scores[method].save(output / "truth.json")
    if scores and output_format is ScoreFormat.JSON:
        content = result.as_dict() | {"truth": scores[method].as_dict()}
        typer.echo(json.dumps(content, indent=1))
        return
    typer.echo(render_result(result, output_format.value))
    if scores:
        typer.echo("\n" + render_truth(scores, {method: result}))
    if output is not None and output_format is ScoreFormat.TABLE:
        typer.echo(f"\nWrote {output}/results.json and {output}/samples.parquet")


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
    results: Annotated[list[str], typer.Argument(help="Two or more result folders, or 'example'.")],
    score: Score = "mPAP",
    seed: Seed = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples.")] = 1000,
    representation: Representation = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="The method that differences are to; by default the best one."),
    ] = None,
    output_format: Annotated[BoardFormat, FORMAT] = BoardFormat.TABLE,
) -> None:
    """Rank results, with intervals, paired differences and shared ranks."""
    from chorus_bench.evaluation.comparison import compare_results
    from chorus_bench.report.tables import render_ranking

    ranking = compare_results(
        results, score=score, seed=seed, resamples=resamples, representation=representation
    )
    typer.echo(render_ranking(ranking, output_format.value, baseline=baseline))


def validate_command(
    submission: Submission,
    split: Annotated[
        str,
        typer.Option(
            envvar="CHORUS_BENCH_SPLIT",
            help="Also compare with this split: missing and unknown categories and samples, "
            "mirrored or turned fields; 'none' to skip this comparison.",
        ),
    ] = "example",
    body: Body = None,
) -> None:
    """Check a submission and report every error in one pass."""
    from chorus_bench.evaluation.arguments import coverage_warnings, respelt_categories
    from chorus_bench.evaluation.orientation import orientation_warnings
    from chorus_bench.report.tables import render_report
    from chorus_bench.submission import check_submission, open_submission

    report = check_submission(submission)
    turned: list[str] = []
    if report.ok and split != "none":
        with progress_bar("Trying orientations") as progress, open_submission(submission) as opened:
            toy = split == "example"
            turned = (
                respelt_categories(opened.categories) if toy else coverage_warnings(opened, split)
            )
            turned += orientation_warnings(opened, split=split, body=body, progress=progress)
    typer.echo(render_report(report, turned))
    if not report.ok:
        raise typer.Exit(2)


def selftest_command() -> None:
    """Compare this machine's numbers with the original code's."""
    from chorus_bench.report.tables import render_selftest
    from chorus_bench.selftest import run_selftest

    comparisons = run_selftest()
    typer.echo(render_selftest(comparisons))
    if not all(comparison.passed for comparison in comparisons):
        raise typer.Exit(1)
