"""The extended COCO-EFT split as a `datasets` builder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chorus_bench.datasets.coco_eft.build import VERSION, coco_eft_recipe
from chorus_bench.datasets.coco_eft.card import TEXT
from chorus_bench.datasets.coco_eft.categories import CATEGORIES
from chorus_bench.datasets.coco_eft.rows import SCHEMA
from chorus_bench.datasets.packaged.base import RecipeBuilder, datasets
from chorus_bench.datasets.recipe import Recipe
from chorus_bench.datasets.sources import COCO_ANNOTATIONS, EFT_FITS, describe_file


@dataclass
class CocoEftConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """One config per category, and ``default`` with all categories.

    Attributes:
        annotations: ``instances_val2014.json``.
        fits: ``COCO2014-Val-ver10.json``.
        body: the body, see `load_body`.
        joint_regressor: SPIN's regressor.
        images: folder with images to embed.
        solver: ``adam`` or ``lm``.
        fits_name: whose fits they are, see `coco_eft_recipe`.
        sources_key: key of the files' contents; set by the builder, so that other files under the
            same names get their own entry in the cache.
    """

    annotations: str | None = None
    fits: str | None = None
    body: str = "default"
    joint_regressor: str | None = None
    images: str | None = None
    solver: str = "adam"
    fits_name: str | None = None
    sources_key: str = ""


class CocoEft(RecipeBuilder):
    """The extended COCO-EFT test split.

    For example ``CocoEft(config_name="skateboard", annotations=..., fits=...)``, then
    ``download_and_prepare()`` and ``as_dataset(split="test")``.
    """

    VERSION = datasets.Version(VERSION)
    BUILDER_CONFIG_CLASS = CocoEftConfig
    BUILDER_CONFIGS = [  # noqa: RUF012 - the interface of `datasets`
        CocoEftConfig(name=name, version=VERSION) for name in ("default", *CATEGORIES)
    ]
    DEFAULT_CONFIG_NAME = "default"
    SCHEMA, CARD = SCHEMA, TEXT

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - those of `datasets`
        COCO_ANNOTATIONS.require(options.get("annotations"))
        EFT_FITS.require(options.get("fits"))
        super().__init__(*args, **{**options, "sources_key": _sources_key(options)})

    def recipe(self) -> Recipe:
        """Return the recipe for this builder's config."""
        options = self.options()
        del options["sources_key"]
        return coco_eft_recipe(**options)


def _sources_key(options: dict[str, Any]) -> str:
    """Return a digest of the contents of all named source files."""
    files = (options.get(key) for key in ("annotations", "fits", "body", "joint_regressor"))
    digest = hashlib.sha256()
    for file in files:
        if file is not None and Path(file).is_file():
            digest.update(describe_file("", Path(file)).sha256.encode())
        digest.update(b";")
    return digest.hexdigest()[:16]
