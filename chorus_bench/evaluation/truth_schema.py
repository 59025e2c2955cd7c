"""The format of `truth.json`, in which a leaderboard entry states its measures in 3D."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from chorus_bench.evaluation.result_schema import Signature
from chorus_bench.io.documents import Document
from chorus_bench.io.schemas import Count, Fraction, Schema, Sha256, loaded, parse

#: Advice for a file that differs from what `evaluate --truth` wrote.
TRUTH_FIX = "run `chorus-bench evaluate --truth --output` again"
_LONGEST = 1_000.0

Value = Annotated[float, Field(ge=0, le=_LONGEST, description="a number from 0; lengths in metres")]
Bounds = Annotated[tuple[Value, Value], Field(description="[low, high]")]
Level = Annotated[Fraction | None, Field(description="a level of probability, or null")]


class CalibrationBin(Schema):
    """How often voxels of about one predicted probability are occupied.

    Attributes:
        predicted: their mean probability.
        observed: the fraction of them that is occupied.
        voxels: their number.
    """

    predicted: Fraction
    observed: Fraction
    voxels: Count


class TruthCategory(Schema, extra="allow"):
    """A category's measures, by their names, and what they were computed from.

    Attributes:
        samples: number of samples.
        surface_level: the level of the measures of surfaces.
        contact_level: the level of the measures of contact.
        intervals: measure -> its 95 % interval.
    """

    __pydantic_extra__: dict[str, Value | None]

    samples: Count
    surface_level: Level = None
    contact_level: Level = None
    intervals: dict[str, Bounds]


class TruthFile(Schema):
    """The keys of `truth.json`.

    Attributes:
        sha256: SHA-256 of the submission's content.
        signature: that of the result beside it; earlier versions did not write it.
        brier: mean squared difference over all voxels, mean over the categories.
        soft_iou: sum of minima over sum of maxima, mean over the categories.
        calibration_error: mean difference of probability and frequency over all voxels.
        measures: measure -> its mean over the categories.
        intervals: measure -> its 95 % interval.
        categories: category -> its measures.
        calibration: probability against frequency over all voxels.
    """

    sha256: Sha256
    signature: Signature | None = None
    brier: Value | None
    soft_iou: Value | None
    calibration_error: Value | None
    measures: dict[str, Value | None]
    intervals: dict[str, Bounds]
    categories: dict[str, TruthCategory]
    calibration: list[CalibrationBin] = Field(max_length=1_000)


def parse_truth(data: bytes, file: str) -> Document:
    """Return the contents of a `truth.json` that has the right form.

    Raises:
        InputError: it is invalid; every problem is listed.
    """
    document = parse(data, file)
    loaded(TruthFile, document, fix=TRUTH_FIX)
    return document


def truth_content(document: Document) -> dict[str, Any]:
    """Return the content of a document from `parse_truth`."""
    content: dict[str, Any] = document.content
    return content
