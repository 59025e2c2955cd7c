"""The schema of `results.json`: keys, types and ranges of its values."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, JsonValue

from chorus_bench.errors import InputError
from chorus_bench.io.documents import Document
from chorus_bench.io.findings import shown
from chorus_bench.io.limits import MAX_METHOD_LENGTH
from chorus_bench.io.schemas import Count, Fraction, Line, Schema, Sha256, loaded, parse

SCHEMA_VERSION = 1

#: Advice for a result that differs from what `evaluate` wrote.
FIX = "copy the result again, or evaluate again"

Interval = Annotated[tuple[float, float], Field(description="[low, high]")]
Value = TypeVar("Value")
Signature = Annotated[Line, Field(max_length=10_000)]


class Subject(Schema, extra="allow"):
    """The submission that was scored.

    Attributes:
        method: the method's name.
        sha256: SHA-256 of the submission's content.
    """

    __pydantic_extra__: dict[str, JsonValue]

    method: Line = Field(max_length=MAX_METHOD_LENGTH)
    sha256: Sha256


class MeanValues(Schema, Generic[Value]):
    """One value for each of the four means over the categories."""

    mPAP: Value  # noqa: N815 - the metric's name
    mPAP_strict: Value  # noqa: N815
    mPAP_hoa: Value  # noqa: N815
    mPAP_strict_hoa: Value  # noqa: N815


class CategoryValues(Schema, Generic[Value]):
    """One value for each of the four means over a category's samples."""

    PAP: Value
    PAP_strict: Value
    PAP_hoa: Value
    PAP_strict_hoa: Value


class MeanScores(MeanValues[Fraction]):
    """Means over the categories."""


class MeanIntervals(MeanValues[Interval]):
    """95 % bootstrap intervals of the means over the categories."""


class CategoryScores(CategoryValues[Fraction | None]):
    """Means over a category's samples; null if no sample counts for a number."""


class CategoryIntervals(CategoryValues[Interval | None]):
    """95 % bootstrap intervals of the means over a category's samples."""


class Scores(MeanScores):
    """Means over the categories, with the numbers of categories and samples.

    Attributes:
        categories: number of categories.
        samples: number of samples.
    """

    categories: Count
    samples: Count


class Category(CategoryScores):
    """A category's result.

    Attributes:
        intervals: intervals of the four means.
        samples: number of samples.
        counted: number of samples with a target.
        counted_hoa: number of samples whose target the person does not hide.
        missing: whether the submission lacks the category.
    """

    intervals: CategoryIntervals
    samples: Count
    counted: Count
    counted_hoa: Count
    missing: bool


class Beside(Schema):
    """The scores under another protocol.

    Attributes:
        signature: how they were computed.
        scores: means over the categories.
        categories: means over each category's samples.
    """

    signature: Signature
    scores: MeanScores
    categories: dict[str, CategoryScores]


Gain = Annotated[tuple[float, float, float], Field(description="[gain, low, high]")]


class MeanGains(MeanValues[Gain]):
    """What the own type's field gains over the category's, with 95 % bootstrap intervals."""


class ConditionedScores(Schema, Generic[Value]):
    """One value for each reading of the track `conditioned`.

    Attributes:
        total: with the category's field.
        best: the best over the types and the category's field, sample by sample: an upper bound.
        own: with the field of the sample's own type; null without labels.
        mean: the mean over the types; null without labels.
    """

    total: Value
    best: Value
    own: Value | None = None
    mean: Value | None = None


class ConditionedCategory(ConditionedScores[CategoryScores]):
    """A category's scores on the track `conditioned`.

    Attributes:
        matched: number of samples whose own type has a field.
    """

    matched: Count


class ConditionedMeans(ConditionedScores[MeanScores]):
    """The means over the categories on the track `conditioned`."""


class Conditioned(Schema):
    """What the track `conditioned` gives beside the scores of the own types.

    Attributes:
        labels: fingerprint of the samples' labels, or ``none``.
        scores: means over the categories.
        gain: what the own type's field gains over the category's; null without labels.
        categories: means over each category's samples.
    """

    labels: Line = Field(max_length=100)
    scores: ConditionedMeans
    gain: MeanGains | None
    categories: dict[str, ConditionedCategory]


class ResultFile(Schema):
    """The keys of `results.json`; see `EvaluationResult`.

    Attributes:
        schema: version of this file's format.
        signature: how the scores were computed.
        submission: the submission that was scored.
        scores: means over the categories.
        intervals: intervals of these means.
        categories: the result of each category.
        beside: scores under the other protocols, by their names.
        skipped: categories with too few samples to be scored, with their number.
        unavailable: categories without any target pixel, with their number of samples.
        warnings: remarks for the reader.
        environment: software and machine.
        seconds: wall time.
        conditioned: the track `conditioned`: the scores of all readings.
    """

    version: Literal[1] = Field(alias="schema")
    signature: Signature
    submission: Subject
    scores: Scores
    intervals: MeanIntervals
    categories: dict[str, Category]
    beside: dict[str, Beside]
    skipped: dict[str, Count]
    unavailable: dict[str, Count] = Field(default_factory=dict)
    warnings: list[str]
    environment: dict[str, JsonValue]
    seconds: float = Field(ge=0)
    conditioned: Conditioned | None = None


def parse_result(data: bytes, file: str) -> Document:
    """Return the contents of a `results.json` of this schema version, otherwise unchecked.

    Raises:
        InputError: it is not JSON, or of another version.
    """
    document = parse(data, file)
    content = document.content
    version = content.get("schema") if isinstance(content, dict) else None
    if type(version) is not int or version != SCHEMA_VERSION:
        raise InputError(
            f"result of schema version {shown(version)}",
            where=document.lines.at("schema"),
            expected=f"version {SCHEMA_VERSION}",
            fix="evaluate the submission again with this version of chorus-bench",
        )
    return document


def checked_result(document: Document) -> dict[str, Any]:
    """Return the content of a result.

    Raises:
        InputError: it is invalid; every problem is listed.
    """
    loaded(ResultFile, document, fix=FIX)
    content: dict[str, Any] = document.content
    return content
