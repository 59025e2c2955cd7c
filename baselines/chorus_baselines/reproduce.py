"""The paper's comparisons on one's own dataset, by default the simulated world.

The rows are those of the paper, but the numbers are not comparable: the body, the images and the
categories differ. Only the order of the rows may be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from chorus_baselines.specs import SPECS
from chorus_bench.baseline import run_baseline
from chorus_bench.datasets.export import build_once
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.statistics import DatasetStatistics
from chorus_bench.errors import InputError
from chorus_bench.evaluation import EvaluationResult, evaluate
from chorus_bench.evaluation.comparison import compare
from chorus_bench.evaluation.output import discard_result
from chorus_bench.geometry.body import BodyModel
from chorus_bench.metrics.ranking import Ranking
from chorus_bench.names import given_categories
from chorus_bench.simulation.recipe import simulated_recipe

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
        return cls(title, tuple(rows), compare([row.result for row in rows]))


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
    synthesized: str | Path | None = None,
    image_search: str | Path | None = None,
    split: str | Path | None = None,
    categories: str | Sequence[str] | None = None,
    images_per_prompt_view: int = 12,
    samples: int = TEST_SAMPLES,
) -> Table:
    """Run the ablations: keypoint filter, canonicalization, number of images.

    Args:
        place: the workplace.
        synthesized: a training set of synthesised images; if there is no other, one of the
            simulated world is made.
        image_search: a training set of pictures found by an image search.
        split: the test split for these sets.
        categories: only these categories.
        images_per_prompt_view: number of simulated training images.
        samples: number of simulated test samples per category.

    Raises:
        InputError: training sets without a split or vice versa, or one of them is invalid.
    """
    named = {"synthetic": synthesized, "image search": image_search}
    given = {name: data for name, data in named.items() if data is not None}
    if bool(given) != (split is not None):
        raise InputError("a training set needs its test split", fix="give both or neither")
    title, sets = "Ablations on your data", {}
    for name, data in given.items():
        sets[name] = annotated_rows(data, categories)
    if not given:
        chosen = given_categories(categories) or tuple(SIMULATED_CATEGORIES)
        title = f"Ablations on the simulated world ({', '.join(chosen)})"
        made = place.simulated("train", chosen, images_per_prompt_view=images_per_prompt_view)
        split = place.simulated("test", chosen, per_category=samples)
        sets = {"simulated": DatasetRows.open(made).select(categories)}
    assert split is not None
    rows = [
        _ablation_row(place, source if len(sets) > 1 else "", name, data, split)
        for source, data in sets.items()
        for name in ABLATIONS
    ]
    counts = " and ".join(str(data.total) for data in sets.values())
    return Table.of(f"{title}: {counts} training images", rows)


def _ablation_row(
    place: Workplace, source: str, baseline: str, data: DatasetRows, split: str | Path
) -> TableRow:
    name = f"{source}, {baseline}" if source else baseline
    spec = next(spec for spec in SPECS if spec.name == baseline)
    return TableRow(
        name=name,
        result=place.score(name, baseline, data, split),
        paper_name=baseline,
        paper=tuple(spec.expected[0].scores.values()),
    )


def annotated_rows(data: str | Path, categories: str | Sequence[str] | None) -> DatasetRows:
    """Open a training set that is to be compared, and check it before anything runs.

    Args:
        data: its folder.
        categories: the categories to compare; None for all of it.

    Raises:
        InputError: no such dataset or category, or pictures that have not been annotated.
    """
    rows = DatasetRows.open(data).select(categories)
    rows.check_columns(["sample_id", "height", "width", "people", "objects"])
    for category in rows.categories:
        if next(rows.rows(category, ["people"]))["people"] is None:
            raise InputError(
                f"the pictures of the category '{category}' have not been annotated",
                where=data,
                expected="rows with people and objects",
                fix=f"run `chorus-bench annotate {data} --output DATASET`, and give that",
            )
    return rows
