"""The schema of `board.json`, which every page offers for download."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from chorus_bench.io.schemas import Count, Day, Fraction, Schema
from chorus_bench.leaderboard.manifest import Verification

Mean = Literal["mPAP", "mPAP_strict", "mPAP_hoa", "mPAP_strict_hoa"]
Score = Literal["PAP", "PAP_strict", "PAP_hoa", "PAP_strict_hoa"]

#: A mean of perfect scores may end a rounding error above 1.
Value = Annotated[float, Field(ge=0, le=1 + 1e-12, description="a fraction from 0 to 1")]
Rank = Annotated[int, Field(ge=1, description="a rank, 1 is best")]
Pair = Annotated[tuple[Value, Value], Field(description="lower and upper end", strict=False)]
#: One for each score, in the order of ``score_names``.
Values = Annotated[tuple[Value | None, ...], Field(min_length=4, max_length=4, strict=False)]
Ranks = Annotated[tuple[Rank | None, ...], Field(min_length=4, max_length=4, strict=False)]


class BoardGain(Schema):
    """A category in which the leader is ahead.

    Attributes:
        category: the category.
        difference: the leader's score minus the runner-up's.
    """

    category: str
    difference: float


class BoardSummary(Schema):
    """Who leads, and by how much.

    Attributes:
        leader: slug of the leader.
        next: slug of the runner-up; null if there is none.
        difference: the leader's score minus the runner-up's.
        low: lower end of the paired 95 % interval of the difference.
        high: upper end.
        gains: the categories with the largest margins; not given within a category.
    """

    leader: str
    next: str | None
    difference: float | None
    low: float | None
    high: float | None
    gains: tuple[BoardGain, ...] = Field((), strict=False)


class BoardCategory(Schema):
    """A category of a board.

    Attributes:
        name: its name.
        samples: number of its samples.
        counted: those with a target pixel, which PAP and PAP_strict count.
        counted_hoa: those whose target the person does not hide, which the hoa scores count.
        summary: who leads within it, by each score.
    """

    name: str
    samples: Count | None
    counted: Count | None
    counted_hoa: Count | None
    summary: dict[Score, BoardSummary | None]


class MethodCategory(Schema):
    """A method's numbers of a category. Lists are in the order of ``score_names``.

    Attributes:
        PAP: see docs/protocol.md P22.
        PAP_strict: P23.
        PAP_hoa: P21.
        PAP_strict_hoa: P23.
        low: lower ends of the 95 % intervals.
        high: upper ends.
        closed: the scores if the recall left at the last threshold counted (P24).
        rank: first rank within the category; null where fewer than two samples count.
        last_rank: last rank.
        missing: whether nothing was handed in, which counts as 0.
    """

    PAP: Value | None
    PAP_strict: Value | None
    PAP_hoa: Value | None
    PAP_strict_hoa: Value | None
    low: Values
    high: Values
    closed: Values | None
    rank: Ranks
    last_rank: Ranks
    missing: bool


class MethodTruth(Schema):
    """Measures of a method against the truth in 3D, as in `truth.json`; metres, or shares.

    Attributes:
        measures: measure -> its mean over the categories; null where none is defined.
        intervals: measure -> 95 % bootstrap interval.
        categories: category -> measure -> value.
    """

    measures: dict[str, float | None]
    intervals: dict[str, Annotated[tuple[float, float], Field(strict=False)] | None]
    categories: dict[str, dict[str, float | None]]


class BoardMethod(Schema):
    """A row of a board.

    Attributes:
        slug: name of its entry's folder, and of its page.
        method: the method's name.
        status: ``reproduced``, ``verified``, ``self-reported`` or ``published``.
        verified: who repeated it, when, with which version and on which processor.
        date: date of the entry.
        submitted_by: a person, a group or an account.
        training_data: training data of the method.
        saw_coco_val: whether training saw COCO's val images.
        sees_truth: whether it is given what a method has to predict: a bound without a rank.
        track: the track.
        representation: track of the submission, and what it was converted from.
        description: a short description.
        links: ``paper``, ``code`` and ``submission``; texts, or null.
        page: address of its page.
        has_fields: whether its page shows fields in 3D.
        has_scores: whether the scores of single samples are known.
        pictured: number of samples with pictures that the page draws.
        training_share: share of its training data that the method used, if the entry states it.
        scores: the four means.
        intervals: their 95 % bootstrap intervals.
        closed: the means if the recall left at the last threshold counted (P24).
        rank: by each mean, 1 + the number of methods that are significantly better.
        last_rank: by each mean, the number of methods that are not significantly worse.
        first_share: share of the resamples in which it is first.
        categories: its numbers by category.
        categories_count: number of categories in the means.
        samples: number of samples.
        signature: how the scores were computed.
        sha256: digest of the submission.
        truth: measures against the truth in 3D, if the entry has any.
        repeat: the command that scores it again, or makes and scores it again.
        source: of a published row, the paper and the table.
        source_url: of a published row, the address of the paper.
        setting: of a published row.
        note: of a published row.
    """

    slug: str
    method: str
    status: Literal["reproduced", "verified", "self-reported", "published"]
    verified: Verification | None
    date: Day | None
    submitted_by: str | None
    training_data: str | None
    saw_coco_val: Literal["yes", "no", "unknown"]
    sees_truth: bool
    track: str
    representation: tuple[str, ...] = Field(strict=False)
    description: str | None
    links: dict[Literal["paper", "code", "submission"], str | None]
    page: str | None
    has_fields: bool
    has_scores: bool
    pictured: int
    training_share: float | None
    scores: dict[Mean, Value | None]
    intervals: dict[Mean, Pair | None]
    closed: dict[Mean, Value] | None
    rank: dict[Mean, Rank] | None
    last_rank: dict[Mean, Rank] | None
    first_share: dict[Mean, Fraction] | None
    categories: dict[str, MethodCategory]
    categories_count: Count | None
    samples: Count | None
    signature: str
    sha256: str | None
    truth: MethodTruth | None
    repeat: str | None
    source: str | None = None
    source_url: str | None = None
    setting: str | None = None
    note: str | None = None


class BoardGroup(Schema):
    """A board: methods whose scores may be compared.

    Attributes:
        id: ``b0``, ``b1``, ...
        title: for people.
        signature: what the signatures of its methods share.
        signature_parts: its parts by name.
        kind: ``computed``, or ``published`` for figures as printed.
        track: the track.
        about: the split in words, and the page in docs/ that describes it.
        categories: its categories.
        few: the categories whose hoa scores rest on few samples, and what the smallest does to
            mPAP_hoa; null if there is none.
        samples: number of samples.
        methods: its methods, best first.
        summary: who leads, by each mean.
    """

    id: str
    title: str
    signature: str
    signature_parts: dict[str, str]
    kind: Literal["computed", "published"]
    track: str
    about: dict[Literal["text", "page"], str] | None
    categories: tuple[BoardCategory, ...] = Field(strict=False)
    few: dict[str, JsonValue] | None
    samples: Count | None
    methods: tuple[BoardMethod, ...] = Field(strict=False)
    summary: dict[Mean, BoardSummary | None]


class BoardFile(Schema):
    """`board.json`: everything that the page shows, in full precision.

    Attributes:
        format: version of this format.
        built: date of the build.
        version: version of chorus-bench.
        score_names: the order of lists of four.
        boards: groups of comparable methods; scores of different groups are never ranked together.
        notes: how to read the numbers.
    """

    format: Literal[2] = Field(description="2, the format that this version writes")
    built: Day
    version: str
    score_names: tuple[Score, ...] = Field(strict=False)
    boards: tuple[BoardGroup, ...] = Field(strict=False)
    notes: tuple[str, ...] = Field(strict=False)
