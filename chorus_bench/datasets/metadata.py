"""The schema of `chorus_bench.json`, the metadata file beside a dataset's rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints

from chorus_bench.datasets.labels import LONGEST_LABEL, LONGEST_NAME
from chorus_bench.datasets.recipe import CardText, SourceFile
from chorus_bench.io.findings import shown
from chorus_bench.io.schemas import Count, Line, Schema, Sha256, rule

#: Format version of `DatasetFile`.
FORMAT = 1

# Names and labels are parts of signatures, which '|' separates.
_Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^@|\r\n\t]*$"),
    Field(description=f"text of 1 to {LONGEST_NAME} characters, without '@' and '|'"),
]
_Label = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_LABEL, pattern=r"^[^|\r\n\t]*$"),
    Field(description="name@fingerprint"),
]
_Word = Annotated[Line, Field(max_length=300)]


def _inside(path: str) -> str:
    if "\\" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise rule(f"is {shown(path)}", "a path inside the dataset's folder, with '/'")
    return path


class DatasetFacts(Schema, extra="allow"):
    """Information that tools need about any dataset; other keys are allowed.

    Attributes:
        name: appears in signatures.
        version: version of the builder.
        split: ``test`` or ``train``.
        body: body of the poses and cameras, ``name@fingerprint``.
        min_samples: smallest number of test samples with which a category is scored.
        population: the categories of the benchmark.
    """

    __pydantic_extra__: dict[str, JsonValue]

    name: _Name | None = None
    version: _Word | None = None
    split: _Word | None = None
    body: _Label | None = None
    min_samples: Annotated[int, Field(ge=1, lt=1 << 53)] | None = None
    population: tuple[str, ...] | None = None


@dataclass(frozen=True)
class DataFile:
    """One Parquet file (shard) of a dataset.

    Attributes:
        path: path relative to the dataset's folder, with forward slashes.
        category: category of all its rows.
        rows: number of rows.
        size: size in bytes.
        sha256: SHA-256 in hex digits.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True}

    path: Annotated[str, AfterValidator(_inside)]
    category: str
    rows: Count
    size: Count
    sha256: Sha256


def _american(card: object) -> object:
    """Files of earlier versions have the British spelling of ``license``."""
    if not isinstance(card, dict):
        return card
    return {key.replace("licence", "license"): value for key, value in card.items()}


class DatasetFile(DatasetFacts):
    """The metadata that `datasets build` writes; the builder adds keys with details.

    Attributes:
        format: version of this file's format.
        name: appears in signatures.
        version: version of the builder.
        split: ``test`` or ``train``: the schema of the rows.
        body: body of the poses and cameras, ``name@fingerprint``.
        min_samples: smallest number of test samples with which a category is scored.
        population: the categories of the benchmark.
        fingerprint: fingerprint of the rows; appears in signatures.
        content: digest of the names and contents of the Parquet files.
        rows: number of rows.
        categories: number of rows of each category.
        left_out: entries of the sources that were left out, by reason.
        noted: entries that were used despite a problem, by reason.
        sources: the files that it was made from.
        shards: the Parquet files.
        command: the command line that makes it.
        made_with: the program and its version.
        card: the texts of the card.
    """

    format: Literal[1] = Field(description="1, the format that this version reads")
    name: _Name
    version: _Word
    split: Literal["test", "train"]
    fingerprint: _Word
    content: _Word
    rows: Count
    categories: dict[str, Count]
    left_out: dict[str, Count] = Field(default_factory=dict)
    noted: dict[str, Count] = Field(default_factory=dict)
    sources: tuple[SourceFile, ...] = ()
    shards: tuple[DataFile, ...]
    command: str = ""
    made_with: str = ""
    card: Annotated[CardText, BeforeValidator(_american)]
