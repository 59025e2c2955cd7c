"""Recipes of the simulated datasets: the clean test split and the training images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from chorus_bench._version import __version__
from chorus_bench.datasets.recipe import CardText, Note, Piece, Recipe, Row
from chorus_bench.datasets.schema import NUMBERS, POINTS, TEST_SCHEMA, TRAIN_SCHEMA
from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.names import given_categories
from chorus_bench.simulation.interactions import CATEGORIES
from chorus_bench.simulation.prompts import PROMPTS
from chorus_bench.simulation.testing_rows import simulate_test_row
from chorus_bench.simulation.training_rows import simulate_train_row

NAME, VERSION = "simulated", "1.2.0"
_ROWS_A_PIECE = 30

#: Test rows, with columns that only a simulation knows.
SIMULATED_TEST_SCHEMA = pa.schema(
    [
        *TEST_SCHEMA,
        ("prompt", pa.string()),
        ("interaction", pa.string()),
        ("part", pa.string()),
        ("object_occupancy", pa.binary()),
    ]
)
#: Training rows, with the ground truth behind the annotations.
SIMULATED_TRAIN_SCHEMA = pa.schema(
    [
        *TRAIN_SCHEMA,
        ("true_failure", pa.string()),
        ("true_interaction", pa.string()),
        ("true_pose", NUMBERS),
        ("true_betas", NUMBERS),
        ("true_camera_rotation", POINTS),
        ("true_camera_translation", NUMBERS),
        ("true_camera_intrinsics", POINTS),
        ("true_object_occupancy", pa.binary()),
    ]
)

CARD = CardText(
    title="The simulated human-object world",
    summary=(
        "People and objects with ground truth, made by a program: poses, cameras, masks with true "
        "mutual occlusion, and the occupancy of the object around the person. For trying, testing "
        "and understanding; scores on it are not comparable with scores on real images."
    ),
    construction=(
        "Every row depends on its address alone (seed, category and index; for training images "
        "also prompt and view), so any row can be made alone. Test rows have true cameras and "
        "poses. Training rows have noisy annotations, and the failures that the filters "
        "exist for. `object_occupancy` and `true_object_occupancy` are the occupied voxels of the "
        "posed 48-voxel grid (zlib of packed bits, `decode_occupancy`)."
    ),
    license="cc0-1.0",
    license_note="Everything here is made by chorus-bench and dedicated to the public (CC0 1.0).",
    citation="",
    tags=("human-object-interaction", "simulation"),
)


def simulated_recipe(
    *,
    split: str = "test",
    categories: str | Sequence[str] | None = None,
    per_category: int = 30,
    images_per_prompt_view: int = 1,
    seed: int = 0,
    body: str | Path | BodyModel = "default",
    size: int = 256,
    images: bool = True,
) -> Recipe:
    """Return the recipe of a simulated dataset.

    Args:
        split: ``test`` (clean, true cameras) or ``train`` (as from a generator and annotators,
            failures included).
        categories: some of `CATEGORIES`; all by default.
        per_category: number of test samples of each category.
        images_per_prompt_view: number of training images for each prompt and view of a category.
        seed: random seed of the whole dataset.
        body: the people's body, see `load_body`.
        size: height and width of training images, pixels.
        images: with shaded pictures; everything else is the same without.

    Raises:
        InputError: an unknown split or category, no category, or a number below 1.
    """
    chosen = given_categories(categories) or tuple(CATEGORIES)
    for category in chosen:
        if category not in CATEGORIES:
            raise unknown_name("category", category, CATEGORIES, where="the simulated world")
    counts = {"per_category": per_category, "images_per_prompt_view": images_per_prompt_view}
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name} is {count}", expected="1 or more")
    model = load_body(body)
    if split == "test":
        pieces = _test_pieces(chosen, per_category, seed, model, images)
        schema = SIMULATED_TEST_SCHEMA
    elif split == "train":
        pieces = _train_pieces(chosen, images_per_prompt_view, seed, model, size, images)
        schema = SIMULATED_TRAIN_SCHEMA
    else:
        raise unknown_name("split", split, ("test", "train"))
    inputs = {**counts, "categories": chosen, "seed": seed, "size": size, "images": images}
    metadata: dict[str, Any] = {
        "body": model.label,
        "seed": seed,
        "images": images,
        "made_by": __version__,
    }
    if split == "test":
        metadata |= {"min_samples": min(30, per_category), "population": list(chosen)}
    return Recipe(
        name=NAME,
        version=VERSION,
        split=split,
        schema=schema,
        pieces=pieces,
        inputs={**inputs, "categories": list(chosen), "body": model.fingerprint},
        metadata=metadata,
        card=CARD,
    )


def _test_pieces(
    categories: Sequence[str], count: int, seed: int, body: BodyModel, images: bool
) -> list[Piece]:
    return [
        Piece(
            f"{category} {begin}",
            partial(_test_rows, category, range(begin, end), seed, body, images),
            end - begin,
        )
        for category in categories
        for begin, end in _ranges(count)
    ]


def _test_rows(
    category: str, indices: range, seed: int, body: BodyModel, images: bool, notes: list[Note]
) -> Iterator[Row]:
    del notes  # a simulated row has no problems to note
    for index in indices:
        yield simulate_test_row(category, index, seed=seed, body=body, with_image=images)


def _train_pieces(
    categories: Sequence[str], count: int, seed: int, body: BodyModel, size: int, images: bool
) -> list[Piece]:
    return [
        Piece(
            f"{category}, {prompt}",
            partial(_train_rows, category, prompt, count, seed, body, size, images),
            len(VIEWS) * count,
        )
        for category in categories
        for prompt in PROMPTS[category]
    ]


def _train_rows(
    category: str,
    prompt: str,
    count: int,
    seed: int,
    body: BodyModel,
    size: int,
    images: bool,
    notes: list[Note],
) -> Iterator[Row]:
    del notes
    for view in VIEWS:
        for index in range(count):
            yield simulate_train_row(
                category,
                prompt,
                view.name,
                index,
                seed=seed,
                body=body,
                size=size,
                with_image=images,
            )


def _ranges(count: int) -> list[tuple[int, int]]:
    return [(i, min(i + _ROWS_A_PIECE, count)) for i in range(0, count, _ROWS_A_PIECE)]
