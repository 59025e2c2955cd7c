"""A small simulated dataset that the tests of methods share."""

from __future__ import annotations

from chorus_bench.datasets.rows import DatasetRows
from chorus_bench.datasets.view_conditions import VIEWS
from chorus_bench.geometry.body_files import load_body
from chorus_bench.simulation import PROMPTS, simulate_test_row, simulate_train_row

CATEGORIES = ("backpack", "surfboard")
IMAGES, SAMPLES = 24, 2


def train_rows(category: str, count: int) -> list[dict]:
    """Return training rows without pictures, prompts and views in turn."""
    body, prompts = load_body("default"), PROMPTS[category]
    rows = []
    for number in range(count):
        turn, prompt = divmod(number, len(prompts))
        index, view = divmod(turn * 5, len(VIEWS))
        rows.append(
            simulate_train_row(
                category,
                prompts[prompt],
                VIEWS[view].name,
                index,
                body=body,
                size=96,
                with_image=False,
            )
        )
    return rows


def small_train() -> DatasetRows:
    """Return the training rows of both categories."""
    return DatasetRows.open([row for name in CATEGORIES for row in train_rows(name, IMAGES)])


def small_test() -> list[dict]:
    """Return the test rows of both categories."""
    return [
        simulate_test_row(name, index, image_size=(64, 80), with_image=False)
        for name in CATEGORIES
        for index in range(SAMPLES)
    ]
