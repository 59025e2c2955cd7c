"""`entry.yaml`: the submitter, the method and its training data."""

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
    """The submission of an entry.

    Attributes:
        sha256: SHA-256 of the submission's content, as in the result.
        url: address of the submission's archive, or null.
    """

    sha256: Sha256
    url: Url | None = None


#: A text of a recipe: never a path, so that a recipe reads no file of whoever repeats it.
_Word = Annotated[
    str,
    Field(max_length=200, pattern=r"^[^/\\\r\n]*$", description="text without '/' and '\\'"),
]
_Choices = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=80)],
        bool | int | float | _Word | list[_Word] | None,
    ],
    Field(max_length=50),
]


class RunRecipe(Schema):
    """How a baseline made the submission, from nothing: `leaderboard verify --rerun` repeats it.

    Attributes:
        baseline: name of the baseline.
        data: builder of the dataset that it read, for example ``simulated``.
        data_options: options of the builder, for example ``images_per_prompt_view: 6``.
        options: options of the baseline, for example ``parts: [hands, feet]``.
        seed: random seed of the baseline.
        posed: shipped test split for whose samples the canonical submission was then posed, as
            `infer --split` does; None if it was submitted as it is.
    """

    baseline: _Word = Field(min_length=1)
    data: _Word = Field(min_length=1)
    data_options: _Choices | None = None
    options: _Choices | None = None
    seed: int = Field(0, ge=0, lt=1 << 53)
    posed: _Word | None = None


class Verification(Schema):
    """The submission was scored again, or made and scored again, with the same outcome.

    Attributes:
        date: date of the verification.
        by: a person or a workflow.
        sha256: SHA-256 of the submission that was scored.
        url: address of the run, or None.
        version: version of chorus-bench that did it.
        processor: the processor on which it ran.
    """

    date: Day
    by: Line = Field(max_length=200)
    sha256: Sha256
    url: Url | None = None
    version: Line | None = Field(None, max_length=80)
    processor: Line | None = Field(None, max_length=200)


#: The states of an entry that only the maintainers give.
REPEATED = ("verified", "reproduced")


class EntryManifest(Schema):
    """The contents of `entry.yaml`.

    Attributes:
        method: the method's name.
        submitted_by: a person, a group or an account.
        date: date of the entry.
        submission: the submission that was scored.
        track: the track that was scored.
        training_data: the method's training data.
        saw_coco_val: whether training saw COCO's val images.
        sees_truth: whether it is given what a method has to predict, as an oracle is: a bound,
            which is not ranked.
        status: what the maintainers have repeated: ``verified``, the submission was scored again;
            ``reproduced``, it was made again from its recipe, and scored.
        verified: the verification, or null.
        recipe: how a baseline made the submission.
        description: a short description of the method.
        authors: authors of the method.
        affiliation: affiliation of the authors.
        paper: title or address of the paper.
        code: address of the code.
        license: license of the submission's fields.
        citation: BibTeX.
        parameters: plain values that state how the method was run.
    """

    method: Line = Field(max_length=MAX_METHOD_LENGTH)
    submitted_by: Line = Field(max_length=200)
    date: Day
    submission: Scored
    track: Track | Literal["conditioned"]
    training_data: Text
    saw_coco_val: Literal["yes", "no", "unknown"]
    sees_truth: bool = False
    status: Literal["self-reported", "verified", "reproduced"]
    verified: Verification | None = None
    recipe: RunRecipe | None = None
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
        """The address of the submission's archive."""
        return self.submission.url

    @property
    def texts(self) -> dict[str, str]:
        """The optional texts, as far as given."""
        return {key: text for key in TEXT_KEYS if (text := getattr(self, key)) is not None}

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of `entry.yaml`, in the order in which they are written."""
        found = {k: v for k, v in self.model_dump().items() if v or k == "verified"}
        for key in ("verified", "recipe"):
            if found.get(key):
                found[key] = {k: v for k, v in found[key].items() if v is not None or k == "url"}
        return found


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, where YAML allows it."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def entry_yaml(manifest: EntryManifest) -> bytes:
    """Return `entry.yaml` as bytes; reading them gives the same manifest."""
    text = yaml.dump(
        manifest.as_dict(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96
    )
    return text.encode()


def read_entry_yaml(data: bytes, file: str, errors: Findings) -> EntryManifest | None:
    """Read `entry.yaml`.

    Args:
        data: the file's bytes.
        file: its name, for the findings.
        errors: collects every problem, with its line.

    Returns:
        The manifest, or None if there is a problem.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        errors.add(file, f"has {len(data)} bytes", expected=f"at most {MAX_MANIFEST_BYTES}")
        return None
    return errors.collect(lambda: loaded(EntryManifest, parse(data, file)), file)
