"""The builders by name, and the one call that builds a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from chorus_bench.datasets.export import SHARD_BYTES, Built, Progress, export
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.sources import (
    COCO_ANNOTATIONS,
    COCO_IMAGES,
    EFT_FITS,
    SMPL_BODY,
    SPIN_REGRESSOR,
    Source,
)
from chorus_bench.errors import unknown_name


@dataclass(frozen=True)
class BuilderSpec:
    """What is known of a builder without importing it.

    Attributes:
        name: what it is called.
        summary: one line.
        license: of what it builds.
        recipe: ``module:function`` that turns options into a `Recipe`.
        sources: what users must bring, or may.
    """

    name: str
    summary: str
    license: str
    recipe: str
    sources: tuple[Source, ...] = ()

    @property
    def needs(self) -> tuple[Source, ...]:
        """The sources without which it does not build."""
        return tuple(source for source in self.sources if not source.optional)

    def load(self) -> Callable[..., Recipe]:
        """Import and return the function that makes the recipe."""
        module, _, function = self.recipe.partition(":")
        loaded: Callable[..., Recipe] = getattr(import_module(module), function)
        return loaded


BUILDERS: dict[str, BuilderSpec] = {
    spec.name: spec
    for spec in (
        BuilderSpec(
            name="coco-eft",
            summary="extended COCO-EFT: person-object pairs of COCO 2014 val with cameras",
            license="CC BY-NC 4.0",
            recipe="chorus_bench.datasets.coco_eft:coco_eft_recipe",
            sources=(COCO_ANNOTATIONS, EFT_FITS, SMPL_BODY, SPIN_REGRESSOR, COCO_IMAGES),
        ),
        BuilderSpec(
            name="simulated",
            summary="simulated people and things with known truth: test split or training images",
            license="CC0 1.0",
            recipe="chorus_bench.simulation.recipe:simulated_recipe",
        ),
        BuilderSpec(
            name="synthesized",
            summary="images of a text-to-image model, annotated (`chorus-bench synthesize`)",
            license="of the models",
            recipe="chorus_bench.synthesis.recipe:synthesized_recipe",
        ),
        BuilderSpec(
            name="image-search",
            summary="a folder of crawled images as training rows (`datasets import-images`)",
            license="of the images",
            recipe="chorus_bench.datasets.image_folder:image_folder_recipe",
        ),
    )
}


def get_builder(name: str) -> BuilderSpec:
    """Return a builder; an unknown name is an `InputError` with what there is."""
    if name not in BUILDERS:
        raise unknown_name("builder", name, BUILDERS)
    return BUILDERS[name]


def build_dataset(
    name: str,
    output: str | Path,
    *,
    overwrite: bool = False,
    workers: int = 1,
    shard_bytes: int = SHARD_BYTES,
    progress: Progress = lambda done, total: None,
    **options: Any,  # noqa: ANN401 - each builder has its own
) -> Built:
    """Build a dataset into a folder of Parquet shards with a card.

    Args:
        name: of the builder, see `BUILDERS`.
        output: the folder to write. An interrupted build into it goes on where it was.
        overwrite: replace a folder that is there.
        workers: processes that make the rows.
        shard_bytes: a Parquet file is closed when it is larger than this.
        progress: called with what is done and all there is.
        **options: of the builder, see its recipe function.

    Raises:
        InputError: an unknown builder, a source that is missing or wrong, ...
    """
    recipe = get_builder(name).load()(**options)
    return export(
        recipe,
        output,
        overwrite=overwrite,
        workers=workers,
        shard_bytes=shard_bytes,
        progress=progress,
    )
