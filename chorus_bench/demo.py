"""The demo: from simulated images to scores and pictures, in a minute, without downloads."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chorus_bench.baseline import run_baseline
from chorus_bench.datasets.builders import build_dataset
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.engines.threads import thread_count
from chorus_bench.errors import MissingDependencyError
from chorus_bench.evaluation import EvalSample, EvaluationResult, evaluate, load_split
from chorus_bench.evaluation.comparison import compare
from chorus_bench.evaluation.prepare import prepare_sample
from chorus_bench.evaluation.truth import truth_scores
from chorus_bench.evaluation.truth_file import TruthScores
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.io.files import FolderKind, atomic_folder
from chorus_bench.io.locks import only_writer
from chorus_bench.metrics.protocol import OFFICIAL
from chorus_bench.metrics.ranking import Ranking
from chorus_bench.report.canvas import require_matplotlib, save_figure
from chorus_bench.report.figures import (
    OverlayRow,
    calibration_figure,
    curves_figure,
    fields_figure,
    overlays_figure,
)
from chorus_bench.report.overlays import Overlay
from chorus_bench.report.samples import occupancy_image, sample_photos
from chorus_bench.submission import open_submission

CATEGORIES = ("backpack", "surfboard", "umbrella")
METHODS = ("chorus", "body-proximity", "mean-mask-extrusion")
IMAGES_PER_PROMPT_AND_VIEW, IMAGE_SIZE, TEST_SAMPLES = 2, 160, 8

#: A file in the demo's folder that marks it as replaceable by another demo.
SUMMARY_FILE = "demo.json"
_DEMO = FolderKind("the folder of a demo", (SUMMARY_FILE,))

Progress = Callable[[str, int, int], None]

_SHOWN = ("sample_id", "prompt")


@dataclass(frozen=True)
class Demo:
    """The results of a demo.

    Attributes:
        folder: ``train``, ``test``, ``submissions``, ``results``, ``pictures``, `SUMMARY_FILE`.
        images: number of training images.
        results: method -> result.
        ranking: ranking of the methods, with intervals.
        truth: method -> 3D scores.
        pictures: file names in ``pictures``; none without matplotlib.
        seconds: wall time.
    """

    folder: Path
    images: int
    results: Mapping[str, EvaluationResult]
    ranking: Ranking
    truth: Mapping[str, TruthScores]
    pictures: tuple[str, ...]
    seconds: float


def run_demo(
    output: str | Path,
    *,
    seed: int = 0,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = lambda stage, done, total: None,
) -> Demo:
    """Simulate, learn, score and draw.

    Args:
        output: the folder to write.
        seed: random seed of the simulated world.
        workers: processes that simulate, and threads that prepare; by default one per processor.
        overwrite: replace the folder of an earlier demo.
        progress: called with (stage, done, total).

    Raises:
        InputError: the folder already exists, or was not made by the demo.
    """
    started = time.perf_counter()
    target, count = Path(output), thread_count(workers)
    with only_writer(target), atomic_folder(target, overwrite, _DEMO) as folder:
        images = _simulate(folder, seed, count, progress)
        results = _score_all(folder, count, progress)
        ranking = compare(list(results.values()))
        truth = truth_scores(
            {name: folder / "submissions" / name for name in METHODS},
            folder / "test",
            workers=count,
            progress=partial(progress, "comparing in 3D"),
        )
        progress("drawing", 0, 1)
        pictures = _draw(folder, results, truth)
        seconds = time.perf_counter() - started
        _write_summary(folder, results, truth, seed, seconds)
    return Demo(target, images, results, ranking, truth, pictures, seconds)


def _simulate(folder: Path, seed: int, workers: int, progress: Progress) -> int:
    """Write the training set and the test split; return the number of training images."""
    build = partial(build_dataset, "simulated", categories=CATEGORIES, seed=seed, workers=workers)
    built = build(
        folder / "train",
        split="train",
        images_per_prompt_view=IMAGES_PER_PROMPT_AND_VIEW,
        size=IMAGE_SIZE,
        images=False,
        progress=partial(progress, "simulating training images"),
    )
    build(
        folder / "test",
        split="test",
        per_category=TEST_SAMPLES,
        progress=partial(progress, "simulating test images"),
    )
    return built.info.rows


def _score_all(folder: Path, workers: int, progress: Progress) -> dict[str, EvaluationResult]:
    split = load_split(folder / "test")
    results = {}
    for name in METHODS:
        run_baseline(
            name,
            folder / "train",
            folder / "submissions" / name,
            progress=partial(progress, f"learning: {name}"),
        )
        results[name] = evaluate(
            folder / "submissions" / name,
            split=split,
            output=folder / "results" / name,
            workers=workers,
            progress=partial(progress, f"scoring: {name}"),
        )
    return results


def _draw(
    folder: Path, results: Mapping[str, EvaluationResult], truth: Mapping[str, TruthScores]
) -> tuple[str, ...]:
    """Draw the pictures; return their names, none without matplotlib."""
    try:
        require_matplotlib()
    except MissingDependencyError:
        return ()
    pictures, body = folder / "pictures", load_body("default")
    with open_submission(folder / "submissions" / METHODS[0]) as learned:
        fields = {category: learned.field(category) for category in learned.categories}
    save_figure(fields_figure(fields, body), pictures / "fields.png")
    rows = _overlays(folder, results, body)
    save_figure(overlays_figure(rows), pictures / "overlays.png")
    save_figure(curves_figure(results), pictures / "precision_recall.png")
    save_figure(calibration_figure(truth), pictures / "calibration.png")
    return tuple(sorted(file.name for file in pictures.iterdir()))


def _overlays(
    folder: Path, results: Mapping[str, EvaluationResult], body: BodyModel
) -> list[OverlayRow]:
    """Return each category's test sample on which the first method is nearest to its median."""
    data = DatasetRows.open(folder / "test")
    samples = {sample.sample_id: sample for sample in load_split(folder / "test").samples}
    rows = []
    for category in data.categories:
        scores = {name: _sample_scores(result, category) for name, result in results.items()}
        first = scores[METHODS[0]]
        chosen = sorted(first, key=lambda sample_id: (first[sample_id], sample_id))[len(first) // 2]
        row = next(r for r in data.rows(category, _SHOWN) if r["sample_id"] == chosen)
        rows.append(
            OverlayRow(
                title=f"{category}: {row['prompt']}",
                photo=sample_photos(folder / "test", [chosen])[chosen],
                overlays=_drawn(folder, samples[chosen], body),
                scores={name: entries[chosen] for name, entries in scores.items()},
            )
        )
    return rows


def _sample_scores(result: EvaluationResult, category: str) -> dict[str, float]:
    table = result.samples.to_pydict()
    entries = zip(table["sample_id"], table["category"], table["PAP"], strict=True)
    return {sample_id: score for sample_id, owner, score in entries if owner == category}


def _drawn(folder: Path, sample: EvalSample, body: BodyModel) -> dict[str, Overlay]:
    """Return each method's overlay of a sample."""
    prepared = prepare_sample(sample, body, OFFICIAL)
    overlays = {}
    for name in METHODS:
        with open_submission(folder / "submissions" / name) as submission:
            overlays[name] = Overlay.of(sample, occupancy_image(submission, sample, prepared))
    return overlays


def _write_summary(
    folder: Path,
    results: Mapping[str, EvaluationResult],
    truth: Mapping[str, TruthScores],
    seed: int,
    seconds: float,
) -> None:
    content = {
        "seed": seed,
        "seconds": round(seconds, 1),
        "signature": results[METHODS[0]].signature,
        "scores": {name: result.scores for name, result in results.items()},
        "intervals": {name: result.intervals for name, result in results.items()},
        "truth": {name: score.as_dict() for name, score in truth.items()},
    }
    text = json.dumps(content, indent=1) + "\n"
    (folder / SUMMARY_FILE).write_text(text, encoding="utf-8")
