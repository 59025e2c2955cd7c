"""``chorus-bench evaluate``, ``validate`` and ``selftest``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from chorus_bench.cli.options import (
    FORMAT,
    AllowOtherBody,
    Body,
    Categories,
    MinSamples,
    Protocol,
    Score,
    ScoreFormat,
    Seed,
    Split,
    Submission,
    TableFormat,
    Threads,
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
    min_samples: MinSamples = None,
    workers: Threads = None,
    protocol: Protocol = "official",
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
            min_samples=min_samples,
            workers=workers,
            protocol=protocol,
            progress=progress,
        )
    scores = (
        _truth(result, submission, split, body, allow_other_body, workers, output)
        if truth
        else None
    )
    if scores is not None and output_format is ScoreFormat.JSON:
        typer.echo(json.dumps(result.as_dict() | {"truth": scores.as_dict()}, indent=1))
        return
    typer.echo(render_result(result, output_format.value))
    if scores is not None:
        method = str(result.submission["method"])
        typer.echo("\n" + render_truth({method: scores}, {method: result}))
    if output is not None and output_format is ScoreFormat.TABLE:
        typer.echo(f"\nWrote {output}/results.json and {output}/samples.parquet")


def _truth(
    result: EvaluationResult,
    submission: str,
    split: str,
    body: str | None,
    allow_other_body: bool,
    workers: int | None,
    output: Path | None,
) -> TruthScores:
    """Return 3D scores, and write them to ``truth.json`` if there is an output folder."""
    from chorus_bench.evaluation.truth import truth_scores
    from chorus_bench.io.files import atomic_write_bytes

    method = str(result.submission["method"])
    with progress_bar("Comparing in 3D") as progress:
        scores = truth_scores(
            {method: submission},
            split,
            body="default" if body is None else body,
            allow_other_body=allow_other_body,
            workers=workers,
            progress=progress,
        )[method]
    if output is not None:
        text = json.dumps(scores.as_dict(), indent=1)
        atomic_write_bytes(output / "truth.json", text.encode() + b"\n")
    return scores


def compare_command(
    results: Annotated[list[Path], typer.Argument(help="Two or more result folders.")],
    score: Score = "mPAP",
    seed: Seed = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples.")] = 1000,
    output_format: Annotated[TableFormat, FORMAT] = TableFormat.TABLE,
) -> None:
    """Rank results, with intervals, paired differences and shared ranks."""
    from chorus_bench.evaluation.comparison import compare_results
    from chorus_bench.report.tables import render_ranking

    ranking = compare_results(results, score=score, seed=seed, resamples=resamples)
    typer.echo(render_ranking(ranking, output_format.value))


def validate_command(
    submission: Submission,
    split: Annotated[
        str,
        typer.Option(
            help="Also look for mirrored or reoriented fields on a few samples of this split; "
            "'none' to skip that."
        ),
    ] = "example",
    body: Body = None,
) -> None:
    """Check a submission and report every error in one pass."""
    from chorus_bench.evaluation.orientation import orientation_warnings
    from chorus_bench.report.tables import render_report
    from chorus_bench.submission import check_submission, open_submission

    report = check_submission(submission)
    turned: list[str] = []
    if report.ok and split != "none":
        with progress_bar("Trying orientations") as progress, open_submission(submission) as opened:
            turned = orientation_warnings(opened, split=split, body=body, progress=progress)
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
