"""Table 1 of the paper: images of an image search against synthesised ones, at two sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from chorus_baselines.chorus.sampling import draw_number, draw_ratio, select_rows
from chorus_baselines.reproduce import (
    IMAGE_SIZE,
    TEST_SAMPLES,
    Table,
    TableRow,
    Workplace,
    annotated_rows,
)
from chorus_bench.datasets.eval_split import load_split
from chorus_bench.datasets.recipe import Note, Piece, Recipe, Row
from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.statistics import row_statistics
from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.errors import InputError, count_of
from chorus_bench.simulation import PROMPTS, simulate_train_row
from chorus_bench.simulation.recipe import simulated_recipe
from chorus_bench.synthesis.cameras import add_cameras
from chorus_bench.synthesis.filters import filter_rows

#: Category motorcycle: mPAP and its variants in percent; images, kept, rejection rate in
#: percent, camera entropy in bits.
PAPER_TABLE_1: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "image search, 1k": ((53.64, 52.15, 60.08, 56.86), (1201, 391, 67.44, 10.04)),
    "image search, 10k": ((55.97, 54.59, 63.62, 61.11), (9408, 2526, 73.15, 12.25)),
    "synthetic, 1k": ((56.33, 55.11, 63.91, 61.85), (1201, 456, 62.03, 12.21)),
    "synthetic, 10k": ((57.14, 55.19, 64.82, 62.11), (9408, 3626, 61.46, 14.63)),
}
SMALL_SHARE = 0.1
#: The largest number of images of a large set.
LARGE = 10_000


def reproduce_table1(
    place: Workplace,
    *,
    image_search: str | Path | None = None,
    synthesized: str | Path | None = None,
    split: str | Path | None = None,
    category: str = "motorcycle",
    images: int | None = None,
    images_per_prompt_view: int = 40,
    samples: int = TEST_SAMPLES,
) -> Table:
    """Compare sources of images, at two sizes, for one category.

    A source that is not given is simulated: synthetic images under all view conditions, image
    search with the prompt alone, which shows people mostly from the front, as photographs do.
    The large sets of both sources have the same number of images, drawn from what is there; the
    small sets are a tenth of these, drawn per prompt.

    Args:
        place: the workplace.
        image_search: annotated training rows of pictures found by an image search.
        synthesized: annotated training rows of synthesised images.
        split: a test split; by default one of the simulated world.
        category: the category.
        images: number of images of a large set; by default that of the smaller source, and at
            most `LARGE`.
        images_per_prompt_view: number of simulated training images.
        samples: number of simulated test samples.

    Raises:
        InputError: the data are invalid, or have fewer images than ``images``.
    """
    named = {"image search": image_search, "synthetic": synthesized}
    given = {
        name: annotated_rows(data, [category]) for name, data in named.items() if data is not None
    }
    _check_number(given, images)
    if split is not None:
        load_split(split).select([category])  # before anything is simulated
    split = split or place.simulated("test", [category], per_category=samples)
    simulated = _simulated_sources(place, category, images_per_prompt_view, tuple(given))
    sources = {name: given.get(name) or simulated[name] for name in named}
    size = images or min(LARGE, *(rows.total for rows in sources.values()))
    rows = []
    for source, data in sources.items():
        name = source if source in given else _SIMULATED_NAMES[source]
        large = _drawn(data, draw_number(_addresses(data), size, seed=place.seed))
        small = _drawn(large, draw_ratio(_addresses(large), SMALL_SHARE, seed=place.seed))
        for chosen, number in ((small, "1k"), (large, "10k")):
            rows.append(_source_row(place, name, chosen, split, f"{source}, {number}"))
    world = _WORLDS[len(given)]
    return Table.of(f"Sources of images, {world}, category {category}", rows)


#: What the simulated stand-ins of the sources are called.
_SIMULATED_NAMES = {"image search": "prompt alone", "synthetic": "all views"}
_WORLDS = ("the simulated world", "your images and simulated ones", "your images")


def _check_number(given: Mapping[str, DatasetRows], images: int | None) -> None:
    for name, rows in given.items():
        if images is not None and rows.total < images:
            raise InputError(
                f"{count_of(rows.total, 'image')} of '{name}' where {images} are asked for",
                where=rows.name,
                fix="ask for fewer with --images, or leave it out",
            )


def _simulated_sources(
    place: Workplace, category: str, images_per_prompt_view: int, given: Sequence[str]
) -> dict[str, DatasetRows]:
    """Return simulated training images for the sources that are not given."""
    made = {}
    if "synthetic" not in given:
        made["synthetic"] = place.simulated(
            "train", [category], images_per_prompt_view=images_per_prompt_view
        )
    if "image search" not in given:
        recipe = prompt_alone_recipe(images_per_prompt_view * len(VIEWS), category, place)
        made["image search"] = place.dataset(recipe, "prompt-alone")
    return {name: DatasetRows.open(folder) for name, folder in made.items()}


def _addresses(data: DatasetRows) -> Iterator[Row]:
    (category,) = data.categories
    return data.rows(category, ("sample_id", "category", "prompt"))


def _drawn(data: DatasetRows, ids: Collection[str]) -> DatasetRows:
    """Return some rows of a category, in memory unless they are all."""
    if len(ids) == data.total:
        return data
    (category,) = data.categories
    return DatasetRows.open(select_rows(data.rows(category), ids))


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


def prompt_alone_recipe(count: int, category: str, place: Workplace) -> Recipe:
    """Return the recipe of simulated images with the prompt alone, without a view condition.

    Args:
        count: number of images for each prompt.
        category: their category.
        place: the workplace, with seed and body.

    Raises:
        InputError: the simulated world has no such category.
    """
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
        for prompt in PROMPTS[category]
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
