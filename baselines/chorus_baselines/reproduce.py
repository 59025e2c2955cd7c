"""The paper's comparisons on one's own dataset, by default the simulated world.

The rows are those of the paper, but the numbers are not comparable: the body, the images and the
categories differ. Only the order of the rows may be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from chorus_baselines.chorus.sampling import draw_ratio, select_rows
from chorus_baselines.specs import SPECS
from chorus_bench.baseline import run_baseline
from chorus_bench.datasets.export import build_once
from chorus_bench.datasets.folder import DatasetInfo
from chorus_bench.datasets.recipe import Note, Piece, Recipe, Row
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.statistics import DatasetStatistics, row_statistics
from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.errors import InputError
from chorus_bench.evaluation import EvaluationResult, evaluate
from chorus_bench.evaluation.comparison import compare_results
from chorus_bench.evaluation.output import discard_result
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.ranking import Ranking
from chorus_bench.names import given_categories
from chorus_bench.simulation import PROMPTS, simulate_train_row
from chorus_bench.simulation.recipe import simulated_recipe
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.filters import filter_rows

#: Called with (stage, done, total).
Progress = Callable[[str, int, int], None]

SIMULATED_CATEGORIES = ("backpack", "skateboard", "surfboard", "tennis racket", "umbrella")
TEST_SAMPLES, IMAGE_SIZE = 30, 160

#: The rows of the ablation table, in the paper's order.
ABLATIONS = (
    "chorus-no-keypoint-filter",
    "chorus-no-canonicalization",
    "chorus-1pct",
    "chorus-10pct",
    "chorus",
)

#: Category motorcycle: mPAP and its variants in percent; images, kept, rejection rate in
#: percent, camera entropy in bits.
PAPER_TABLE_1: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "image search, 1k": ((53.64, 52.15, 60.08, 56.86), (1201, 391, 67.44, 10.04)),
    "image search, 10k": ((55.97, 54.59, 63.62, 61.11), (9408, 2526, 73.15, 12.25)),
    "synthetic, 1k": ((56.33, 55.11, 63.91, 61.85), (1201, 456, 62.03, 12.21)),
    "synthetic, 10k": ((57.14, 55.19, 64.82, 62.11), (9408, 3626, 61.46, 14.63)),
}
SMALL_SHARE = 0.1
_ANNOTATED = ("sample_id", "height", "width", "people", "objects")


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Attributes:
        name: its name in our run.
        result: its scores on our split.
        paper_name: its name in the paper.
        paper: the four scores in the paper, percent.
        statistics: statistics of the training images (table 1 only).
        paper_statistics: images, kept, rejection rate in percent, entropy in bits.
    """

    name: str
    result: EvaluationResult
    paper_name: str
    paper: tuple[float, ...]
    statistics: DatasetStatistics | None = None
    paper_statistics: tuple[float, ...] = ()


@dataclass(frozen=True)
class Table:
    """A reproduced table.

    Attributes:
        title: the comparison and its data.
        rows: rows in the paper's order.
        ranking: the rows by mPAP, with paired intervals.
    """

    title: str
    rows: tuple[TableRow, ...]
    ranking: Ranking

    @classmethod
    def of(cls, title: str, rows: Sequence[TableRow]) -> Table:
        """Rank the rows and return the table."""
        return cls(title, tuple(rows), compare_results([row.result for row in rows]))


@dataclass(frozen=True)
class Workplace:
    """Where and how rows are made and scored.

    Attributes:
        folder: folder for datasets, submissions and results; existing datasets are reused.
        body: body of the people, see `load_body`.
        seed: random seed of the simulated world and of the ablations' draws.
        workers: processes that simulate, threads that score.
        progress: called with (stage, done, total).
    """

    folder: Path
    body: BodyModel
    seed: int = 0
    workers: int = 1
    progress: Progress = lambda stage, done, total: None

    def dataset(self, recipe: Recipe, name: str) -> Path:
        """Return the folder of a recipe's rows; an interrupted build continues."""
        place = self.folder / f"{name}-{recipe.key}"
        return build_once(
            recipe, place, workers=self.workers, progress=partial(self.progress, name)
        )

    def simulated(self, split: str, categories: Sequence[str], **options: Any) -> Path:  # noqa: ANN401
        """Return the folder of a simulated dataset without pictures."""
        recipe = simulated_recipe(
            split=split, categories=categories, seed=self.seed, body=self.body, images=False,
            size=IMAGE_SIZE, **options,
        )  # fmt: skip
        return self.dataset(recipe, f"simulated-{split}")

    def score(
        self, name: str, baseline: str, data: DatasetRows, split: str | Path
    ) -> EvaluationResult:
        """Run a shipped baseline and score it; results of an earlier run are replaced."""
        spec = next(spec for spec in SPECS if spec.name == baseline)
        plain = name.replace(" ", "-").replace(",", "")
        submission, results = self.folder / "submissions" / plain, self.folder / "results" / plain
        discard_result(results)
        run_baseline(
            replace(spec, name=name), data, submission, body=self.body, seed=self.seed,
            progress=partial(self.progress, f"learning: {name}"), overwrite=True,
        )  # fmt: skip
        return evaluate(
            submission, split=split, body=self.body, output=results, workers=self.workers,
            categories=data.categories, progress=partial(self.progress, f"scoring: {name}"),
        )  # fmt: skip


def reproduce_table2(
    place: Workplace,
    *,
    data: str | Path | None = None,
    split: str | Path | None = None,
    categories: str | Sequence[str] | None = None,
    images_per_prompt_view: int = 12,
    samples: int = TEST_SAMPLES,
) -> Table:
    """Run the ablations: keypoint filter, canonicalization, number of images.

    Args:
        place: the workplace.
        data: a training set; by default one of the simulated world is made.
        split: the test split for ``data``.
        categories: only these categories.
        images_per_prompt_view: number of simulated training images.
        samples: number of simulated test samples per category.

    Raises:
        InputError: data without a split or vice versa, or either is invalid.
    """
    if (data is None) != (split is None):
        raise InputError("a training set needs its test split", fix="give both or neither")
    title = "Ablations on your data"
    if data is None or split is None:
        chosen = given_categories(categories) or tuple(SIMULATED_CATEGORIES)
        title = f"Ablations on the simulated world ({', '.join(chosen)})"
        data = place.simulated("train", chosen, images_per_prompt_view=images_per_prompt_view)
        split = place.simulated("test", chosen, per_category=samples)
    rows = DatasetRows.open(data).select(categories)
    expected = {spec.name: spec.expected for spec in SPECS}
    return Table.of(
        f"{title}: {rows.total} training images",
        [
            TableRow(
                name=name,
                result=place.score(name, name, rows, split),
                paper_name=name,
                paper=tuple(expected[name][0].scores.values()),
            )
            for name in ABLATIONS
        ],
    )


def reproduce_table1(
    place: Workplace,
    *,
    crawled: str | Path | None = None,
    split: str | Path | None = None,
    category: str = "motorcycle",
    images_per_prompt_view: int = 40,
    samples: int = TEST_SAMPLES,
) -> Table:
    """Compare sources of images, at two sizes, for one category.

    The synthetic images are the simulated world's, under all view conditions. Image search is
    represented by ``crawled``, or else by the simulated world with the prompt alone, which shows
    people mostly from the front, as photographs do. The small sets are a tenth of the large ones,
    drawn per prompt.

    Args:
        place: the workplace.
        crawled: annotated training rows of crawled images.
        split: a test split; by default one of the simulated world.
        category: the category.
        images_per_prompt_view: number of simulated training images.
        samples: number of simulated test samples.

    Raises:
        InputError: the data are invalid.
    """
    # Before anything is simulated: another category or rows without annotations are wrong input.
    if crawled is not None:
        DatasetRows.open(crawled).select([category]).check_columns(_ANNOTATED)
    if split is not None:
        DatasetRows.open(split).select([category])
    if split is None:
        split = place.simulated("test", [category], per_category=samples)
    synthetic = place.simulated("train", [category], images_per_prompt_view=images_per_prompt_view)
    searched = crawled
    if searched is None:
        recipe = prompt_alone_recipe(synthetic, category, place)
        searched = place.dataset(recipe, "prompt-alone")
    sources = {
        "prompt alone" if crawled is None else "crawled": ("image search", searched),
        "all views": ("synthetic", synthetic),
    }
    rows = []
    for name, (paper_name, folder) in sources.items():
        large = DatasetRows.open(folder).select([category])
        drawn = draw_ratio(large.rows(category), SMALL_SHARE, seed=place.seed)
        small = DatasetRows.open(select_rows(large.rows(category), drawn))
        for data, size in ((small, "1k"), (large, "10k")):
            row = _source_row(place, name, data, split, f"{paper_name}, {size}")
            rows.append(row)
    world = "the simulated world" if crawled is None else "crawled and simulated images"
    return Table.of(f"Sources of images, {world}, category {category}", rows)


def _source_row(
    place: Workplace, name: str, data: DatasetRows, split: str | Path, paper_name: str
) -> TableRow:
    """Filter and calibrate the rows of one category, count them, learn and score."""
    (category,) = data.categories
    rows = list(add_cameras(filter_rows(data.rows(category)), place.body))
    label = f"{name}, {len(rows)}"
    scores, statistics = PAPER_TABLE_1[paper_name]
    return TableRow(
        name=label,
        result=place.score(label, "chorus", DatasetRows.open(rows), split),
        paper_name=paper_name,
        paper=scores,
        statistics=row_statistics(rows),
        paper_statistics=statistics,
    )


def prompt_alone_recipe(like: Path, category: str, place: Workplace) -> Recipe:
    """Return the recipe of the same number of simulated images as in another set, without views.

    Args:
        like: the folder of the other set.
        category: category of both.
        place: the workplace, with seed and body.
    """
    prompts = PROMPTS[category]
    count = DatasetInfo.load(like).categories[category] // len(prompts)
    base = simulated_recipe(
        split="train", categories=[category], seed=place.seed, body=place.body, size=IMAGE_SIZE,
        images=False,
    )  # fmt: skip
    step = len(VIEWS)
    pieces = [
        Piece(
            f"{prompt} {first}",
            partial(_plain_rows, category, prompt, range(first, min(first + step, count)), place),
            min(step, count - first),
        )
        for prompt in prompts
        for first in range(0, count, step)
    ]
    inputs = {**base.inputs, "views": ["plain"], "images_per_prompt": count}
    return replace(base, name="simulated-prompt-alone", pieces=pieces, inputs=inputs)


def _plain_rows(
    category: str, prompt: str, indices: range, place: Workplace, notes: list[Note]
) -> Iterator[Row]:
    del notes  # a simulated row has no problems to note
    for index in indices:
        yield simulate_train_row(
            category, prompt, "plain", index, seed=place.seed, body=place.body, size=IMAGE_SIZE,
            with_image=False,
        )  # fmt: skip
