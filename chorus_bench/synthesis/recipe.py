"""The recipe of a synthesised dataset: the finished stages of a work folder, assembled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from chorus_bench.datasets.recipe import CardText, Note, Piece, Recipe, Row
from chorus_bench.datasets.schema import TRAIN_SCHEMA
from chorus_bench.synthesis.joined import read_joined
from chorus_bench.synthesis.work_folder import ROW_STAGES, Shard, StageFolder

NAME, VERSION = "synthesized", "1.1.0"

#: The hub's names of what the rows can be used for.
TASKS = ("image-to-3d", "keypoint-detection", "image-segmentation")

PAPER = """@inproceedings{han2023chorus,
  title     = {{CHORUS}: Learning Canonicalized {3D} Human-Object Spatial Relations from \
Unbounded Synthesized Images},
  author    = {Han, Sookwan and Joo, Hanbyul},
  booktitle = {Proceedings of the IEEE/CVF International Conference on Computer Vision (ICCV)},
  year      = {2023}
}"""

CARD = CardText(
    title="Synthesised human-object images",
    summary=(
        "Images that a text-to-image model made from prompts about a person and an object, from "
        "many views, with masks, keypoints, body poses, the verdict of the filters, and "
        "perspective cameras of the kept images (CHORUS, section 3.2)."
    ),
    construction=(
        "`chorus-bench synthesize`: prompts, images, annotations, filters, cameras. Every image "
        "has an address (category, prompt, view, index) and a seed derived from it."
    ),
    license="other",
    license_note=(
        "The rows are made by models that you chose; their licenses decide what the images and the "
        "annotations may be used for. The models are named above."
    ),
    citation=PAPER,
    tags=("human-object-interaction", "synthetic"),
    header={
        "license_name": "licenses-of-the-models",
        "language": ["en"],
        "language_creators": ["machine-generated"],
        "annotations_creators": ["machine-generated"],
        "source_datasets": ["original"],
        "task_categories": list(TASKS),
    },
)


def synthesized_recipe(
    work: str | Path,
    *,
    card: CardText = CARD,
    metadata: Mapping[str, Any] | None = None,
    command: str = "",
) -> Recipe:
    """Return the recipe of the rows that the stages in a work folder have made.

    Args:
        work: the work folder of `chorus-bench synthesize`, all stages finished.
        card: the texts of the card.
        metadata: further entries for ``chorus_bench.json``.
        command: the command line, for the card.

    Raises:
        InputError: a stage is not finished; the message says which.
    """
    return finished_recipe(work, NAME, VERSION, card=card, metadata=metadata or {}, command=command)


def finished_recipe(
    work: str | Path,
    name: str,
    version: str,
    *,
    card: CardText,
    metadata: Mapping[str, Any],
    command: str,
) -> Recipe:
    """Return the recipe of the rows of finished stages, under a name.

    Args:
        work: the work folder.
        name: the dataset's name.
        version: the version of what makes it.
        card: see `synthesized_recipe`.
        metadata: see there.
        command: see there.

    Raises:
        InputError: a stage is not finished; the message says which.
    """
    place = Path(work)
    folders = [StageFolder(place, stage) for stage in ROW_STAGES]
    manifests = [folder.complete_manifest() for folder in folders]
    rows = [folder.rows_key(manifest) for folder, manifest in zip(folders, manifests, strict=True)]
    stages = hashlib.sha256("".join(rows).encode()).hexdigest()[:12]
    return Recipe(
        name=name,
        version=version,
        split="train",
        schema=TRAIN_SCHEMA,
        pieces=[
            Piece(shard.name, partial(_rows, place, shard), shard.rows)
            for shard in manifests[-1].shards
        ],
        inputs={"stages": stages},
        metadata={
            "body": manifests[-1].settings.get("body"),
            "stages": stages,
            **metadata,
        },
        card=card,
        command=command,
    )


def _rows(work: Path, shard: Shard, notes: list[Note]) -> Iterator[Row]:
    """Yield the rows of a shard; unusable images are noted and kept."""
    rows = read_joined(work, shard, ROW_STAGES)
    notes += unusable(rows, [row["fault"] for row in rows])
    for row in rows:
        del row["fault"], row["attempt"]
        yield row


def unusable(rows: Sequence[Row], faults: Sequence[str | None]) -> list[Note]:
    """Return notes on the unusable images of some rows."""
    return [
        Note(row["sample_id"], f"unusable image: {fault}", fault, False)
        for row, fault in zip(rows, faults, strict=True)
        if fault is not None
    ]
