"""`published.yaml`: figures as printed in papers, never ranked with recomputed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chorus_bench.io.findings import Findings
from chorus_bench.io.limits import MIB
from chorus_bench.io.schemas import Line, Schema, Url, loaded, parse, rule
from chorus_bench.io.untrusted_files import read_regular
from chorus_bench.leaderboard.places import PUBLISHED_FILE
from chorus_bench.names import MAX_CATEGORY_LENGTH

#: Written in percent, stored as a fraction without additional digits.
Percent = Annotated[
    float,
    Field(ge=0, le=100, description="percent, 0 to 100"),
    AfterValidator(lambda value: round(value / 100, 8)),
]
Means = dict[Literal["mPAP", "mPAP_strict", "mPAP_hoa", "mPAP_strict_hoa"], Percent]
Scores = dict[Literal["PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa"], Percent]
Category = Annotated[str, Field(min_length=1, max_length=MAX_CATEGORY_LENGTH)]
ShortText = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class PublishedRow(Schema):
    """A row of a paper's table.

    Attributes:
        name: name of the method or the setting.
        source: the paper and the table.
        source_url: address of the paper.
        setting: setting of the measurement.
        note: further remarks.
        categories_count: number of categories in the means.
        training_share: share of the training data of its series that the method used.
        scores: the published means.
        categories: scores of single categories.
    """

    name: Line = Field(max_length=2000)
    source: ShortText
    source_url: Url | None = None
    setting: ShortText | None = None
    note: ShortText | None = None
    categories_count: int | None = Field(None, ge=1, le=1000)
    training_share: float | None = Field(None, gt=0, le=1)
    categories: dict[Category, Scores] | None = None
    scores: Means | None = Field(None, validate_default=True)

    @field_validator("scores")
    @classmethod
    def _some_scores(cls, scores: Means | None, info: ValidationInfo) -> Means | None:
        if not scores and not info.data.get("categories", True):
            raise rule("has neither scores nor categories", "at least one score")
        return scores


class PublishedFile(Schema):
    """The keys of `published.yaml`.

    Attributes:
        rows: rows of the papers' tables.
    """

    rows: tuple[PublishedRow, ...]


def read_published(file: Path, errors: Findings) -> tuple[PublishedRow, ...]:
    """Read `published.yaml`, which is optional.

    Args:
        file: the file.
        errors: collects every problem, with its line.
    """
    if not (file.exists() or file.is_symlink()):
        return ()
    found = errors.collect(
        lambda: loaded(PublishedFile, parse(read_regular(file, MIB), PUBLISHED_FILE)),
        PUBLISHED_FILE,
    )
    return () if found is None else found.rows
