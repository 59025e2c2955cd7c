"""Small recipes for the tests of the export: rows that an evaluation can read."""

import functools

import numpy as np

from chorus_bench.datasets.masks import encode_mask
from chorus_bench.datasets.recipe import CardText, Note, Piece, Recipe, SourceFile
from chorus_bench.datasets.schema import TEST_SCHEMA, TRAIN_SCHEMA

CARD = CardText(
    title="Squares",
    summary="Rows for tests.",
    construction="Squares on a canvas.",
    license="cc0-1.0",
    license_note="None.",
    citation="@misc{squares}",
)
HEIGHT, WIDTH = 24, 32


def make_row(number, category="skateboard", value=0.0):
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2 : 4 + number % 9, 3:9] = 1
    return {
        "sample_id": f"{category}-{number:03d}",
        "category": category,
        "image_id": number,
        "height": HEIGHT,
        "width": WIDTH,
        "human_mask": encode_mask(mask),
        "object_mask": encode_mask(mask[::-1]),
        "human_box": [3, 2, 9, 4],
        "object_box": [3, 2, 9, 4],
        "box_overlap": 0.75,
        "pose": np.full(72, value + number / 100, np.float32).tolist(),
        "betas": [0.0] * 10,
        "camera_rotation": np.eye(3).tolist(),
        "camera_translation": [0, 0, 5 + number],
        "camera_intrinsics": [[40, 0, 16], [0, 40, 12], [0, 0, 1]],
        "reprojection_error": 0.25,
        "joints_2d": [[float(n), 10.0] for n in range(24)],
    }


def rows_of(numbers, category, value, notes):
    for number in numbers:
        if number % 10 == 9:
            notes.append(Note(f"number {number}", "nines", "it ends in nine"))
        else:
            yield make_row(number, category, value)


def squares(
    counts=(("skateboard", 30), ("tennis racket", 12)), a_piece=8, value=0.0, inputs=None, **changes
):
    """A recipe of squares: so many numbers per category, cut into pieces."""
    pieces = [
        Piece(
            f"{category} {first}",
            functools.partial(rows_of, range(first, min(first + a_piece, n)), category, value),
            a_piece,
        )
        for category, n in counts
        for first in range(0, n, a_piece)
    ]
    known = {
        "name": "squares",
        "version": "1.0.0",
        "split": "test",
        "schema": TEST_SCHEMA,
        "pieces": pieces,
        "inputs": {"value": value, **(inputs or {})},
        "card": CARD,
        "metadata": {"body": "default@123"},
        "sources": (SourceFile("a file", "file.json", 3, "ab" * 32),),
        "command": "chorus-bench datasets build squares",
    }
    return Recipe(**{**known, **changes})


def train_row(number, notes):
    """A training row with most of its columns empty, and one person."""
    full = number % 2 == 0
    box = [0.0, 1.0, 2.0, 3.0]
    mask = encode_mask(np.ones((4, 5)))
    person = {
        "box": box,
        "score": 0.5,
        "mask": mask,
        "keypoints": [[float(n), 2.0, 1.0] for n in range(17)] if full else None,
        "pose": [0.125] * 72 if full else None,
    }
    yield {
        "sample_id": f"{number}",
        "category": "bench",
        "prompt": "a person sits on a bench",
        "index": number,
        "height": 4,
        "width": 5,
        "image": {"bytes": b"not looked at", "path": f"{number}.jpg"},
        "people": [person] * (number % 3),
        "objects": [{"category": "bench", "box": box, "score": 1.0, "mask": mask}],
        "verdict": "keep" if full else "reject",
        "reason": None,
        "pose": [0.25] * 72 if full else None,
    }


def training(count=5, **changes):
    pieces = [Piece(f"{n}", functools.partial(train_row, n)) for n in range(count)]
    return squares(
        name="train-squares", split="train", schema=TRAIN_SCHEMA, pieces=pieces, **changes
    )
