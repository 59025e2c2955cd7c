"""`entry.yaml`: who enters what, and what it was trained on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field

from chorus_bench.io.findings import Findings
from chorus_bench.io.limits import MAX_MANIFEST_BYTES, MAX_METHOD_LENGTH
from chorus_bench.io.schemas import Day, Line, Schema, Sha256, Text, Url, loaded, parse, rule
from chorus_bench.submission.manifest import Track

#: Optional texts, in the order in which they are written.
TEXT_KEYS = ("description", "authors", "affiliation", "paper", "code", "license", "citation")

_LONGEST_VALUE = 1000

Value = bool | int | float | str | None


def _moderate(value: Value) -> Value:
    limit = _LONGEST_VALUE if isinstance(value, str) else 1 << 53
    size = len(value) if isinstance(value, str) else abs(value or 0)
    if size > limit:
        raise rule("is too long", f"text of at most {_LONGEST_VALUE} characters, or a number")
    return value


Parameters = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=80)],
        Annotated[
            Value, AfterValidator(_moderate), Field(description="text, a number, true or false")
        ],
    ],
    Field(max_length=100),
]


class Scored(Schema):
    """Which submission an entry is about.

    Attributes:
        sha256: of the submission's content, as in the result.
        url: of the submission's archive, or nothing.
    """

    sha256: Sha256
    url: Url | None = None


class Verification(Schema):
    """Who scored the submission again, and found the same.

    Attributes:
        date: of the verification.
        by: a person or a workflow.
        sha256: SHA-256 of the submission that was scored.
        url: address of the run, or None.
    """

    date: Day
    by: Line = Field(max_length=200)
    sha256: Sha256
    url: Url | None = None


class EntryManifest(Schema):
    """What `entry.yaml` says.

    Attributes:
        method: the method's name.
        submitted_by: a person, a group or an account.
        date: of the entry.
        submission: the submission that was scored.
        track: of the submission.
        training_data: what the method was trained on.
        saw_coco_val: whether training saw COCO's val images.
        status: whether somebody else has scored the submission again.
        verified: who has, or nothing.
        description: the method in a few words.
        authors: who made it.
        affiliation: of the authors.
        paper: its title or address.
        code: its address.
        license: of the submission.
        citation: BibTeX.
        parameters: plain values that say how the method was run.
    """

    method: Line = Field(max_length=MAX_METHOD_LENGTH)
    submitted_by: Line = Field(max_length=200)
    date: Day
    submission: Scored
    track: Track
    training_data: Text
    saw_coco_val: Literal["yes", "no", "unknown"]
    status: Literal["self-reported", "verified"]
    verified: Verification | None = None
    description: Text | None = None
    authors: Text | None = None
    affiliation: Text | None = None
    paper: Text | None = None
    code: Text | None = None
    license: Text | None = None
    citation: Text | None = None
    parameters: Parameters | None = None

    @property
    def sha256(self) -> str:
        """The digest of the submission's content."""
        return self.submission.sha256

    @property
    def url(self) -> str | None:
        """Where the submission's archive is."""
        return self.submission.url

    @property
    def texts(self) -> dict[str, str]:
        """The optional texts that are there."""
        return {key: text for key in TEXT_KEYS if (text := getattr(self, key)) is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of `entry.yaml`, in the order in which they are written."""
        return {k: v for k, v in self.model_dump().items() if v or k == "verified"}


def entry_yaml(manifest: EntryManifest) -> bytes:
    """Return `entry.yaml` as bytes; reading them gives the same manifest."""
    text = yaml.safe_dump(manifest.as_dict(), sort_keys=False, allow_unicode=True, width=96)
    return text.encode()


def read_entry_yaml(data: bytes, file: str, errors: Findings) -> EntryManifest | None:
    """Read `entry.yaml`.

    Args:
        data: the file's bytes.
        file: its name, for the findings.
        errors: takes every problem, with the line.

    Returns:
        The manifest, or None when there was a problem.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        errors.add(file, f"has {len(data)} bytes", expected=f"at most {MAX_MANIFEST_BYTES}")
        return None
    return errors.collect(lambda: loaded(EntryManifest, parse(data, file)), file)
