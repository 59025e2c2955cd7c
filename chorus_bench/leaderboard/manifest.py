"""`entry.yaml`: who enters what, and what it was trained on."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.io.findings import Finding, Findings, has_controls, printable
from chorus_bench.io.limits import MAX_MANIFEST_BYTES, MAX_METHOD_LENGTH, MAX_TEXT_LENGTH
from chorus_bench.io.yaml_files import load_mapping
from chorus_bench.leaderboard.places import Lines
from chorus_bench.submission.manifest import TRACKS

STATUSES = ("self-reported", "verified")
COCO_VAL = ("yes", "no", "unknown")

#: Optional texts, in the order in which they are written.
TEXT_KEYS = ("description", "authors", "affiliation", "paper", "code", "license", "citation")
REQUIRED_KEYS = (
    "method",
    "submitted_by",
    "date",
    "submission",
    "track",
    "training_data",
    "saw_coco_val",
    "status",
    "verified",
)
KEYS = (*REQUIRED_KEYS, *TEXT_KEYS, "parameters")
SUBMISSION_KEYS = ("sha256", "url")
VERIFIED_KEYS = ("date", "by", "sha256", "url")

MAX_URL_LENGTH = 2_000
MAX_PARAMETERS = 100

_SHA256 = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"https?://[^\s/]+(/\S*)?", re.ASCII)


@dataclass(frozen=True)
class Verification:
    """Who scored the submission again, and found the same.

    Attributes:
        date: ISO date.
        by: a person or a workflow.
        sha256: SHA-256 of the submission that was scored.
        url: address of the run, or None.
    """

    date: str
    by: str
    sha256: str
    url: str | None = None


@dataclass(frozen=True)
class EntryManifest:
    """What `entry.yaml` says.

    Attributes:
        method: the method's name.
        submitted_by: a person, a group or an account.
        date: ISO date of the entry.
        sha256: SHA-256 of the submission's content, as in the result.
        url: address of the submission's archive, or None.
        track: ``canonical`` or ``posed``.
        training_data: what the method was trained on.
        saw_coco_val: whether training saw COCO's val images: ``yes``, ``no`` or ``unknown``.
        status: ``self-reported`` or ``verified``.
        verified: the verification, or None.
        texts: the optional texts that are there.
        parameters: plain values that say how the method was run.
    """

    method: str
    submitted_by: str
    date: str
    sha256: str
    url: str | None
    track: str
    training_data: str
    saw_coco_val: str
    status: str = "self-reported"
    verified: Verification | None = None
    texts: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str | int | float | bool | None] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of `entry.yaml`, in the order in which they are written."""
        done = self.verified
        content: dict[str, Any] = {
            "method": self.method,
            "submitted_by": self.submitted_by,
            "date": self.date,
            "submission": {"sha256": self.sha256, "url": self.url},
            "track": self.track,
            "training_data": self.training_data,
            "saw_coco_val": self.saw_coco_val,
            "status": self.status,
            "verified": None if done is None else {k: getattr(done, k) for k in VERIFIED_KEYS},
        }
        content |= {key: self.texts[key] for key in TEXT_KEYS if key in self.texts}
        return content | ({"parameters": self.parameters} if self.parameters else {})


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
    try:
        content = load_mapping(data)
    except InputError as error:
        errors.append(Finding.of(error, file))
        return None
    return _Reader(content, Lines.of_yaml(file, data.decode("utf-8-sig")), errors).manifest()


def is_sha256(value: object) -> bool:
    """Whether a value is a SHA-256 in lower case hexadecimal."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_url(value: object) -> bool:
    """Whether a value is an http or https address."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_URL_LENGTH
        and _URL.fullmatch(value) is not None
        and not has_controls(value)
    )


def is_date(value: object) -> bool:
    """Whether a value is a date, YYYY-MM-DD."""
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True


class _Reader:
    """Reads one mapping and collects what is wrong with it."""

    def __init__(self, content: Mapping[object, Any], lines: Lines, errors: Findings) -> None:
        self.content, self.lines, self.errors = content, lines, errors

    def manifest(self) -> EntryManifest | None:
        before = len(self.errors)
        self._check_keys(self.content, KEYS)
        submission = self._part("submission", SUBMISSION_KEYS)
        values: dict[str, Any] = {
            "method": self._name("method", MAX_METHOD_LENGTH),
            "submitted_by": self._name("submitted_by", 200),
            "date": self._date(self.content, "date"),
            "sha256": self._sha256(submission, "submission"),
            "url": self._url(submission, "submission", "url"),
            "track": self._choice("track", TRACKS),
            "training_data": self._text("training_data", required=True),
            "saw_coco_val": self._choice("saw_coco_val", COCO_VAL),
            "status": self._choice("status", STATUSES),
            "verified": self._verified(),
            "texts": {k: v for k in TEXT_KEYS if (v := self._text(k)) is not None},
            "parameters": self._parameters(),
        }
        return EntryManifest(**values) if len(self.errors) == before else None

    def _check_keys(
        self, content: Mapping[object, Any], known: tuple[str, ...], *path: str
    ) -> None:
        for key in content:
            if key not in known:
                shown = printable(str(key), 40)
                self._add(
                    (*path, str(key)), f"unknown key '{shown}'", fix=did_you_mean(shown, known)
                )

    def _add(
        self,
        path: tuple[str | int, ...],
        found: str,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.errors.add(self.lines.at(*path), found, expected=expected, fix=fix)

    def _part(self, key: str, known: tuple[str, ...]) -> Mapping[object, Any]:
        value = self.content.get(key)
        if not isinstance(value, dict):
            found = "is missing" if value is None else "is not a table of keys"
            self._add((key,), found, expected=f"the keys {', '.join(known)}")
            return {}
        self._check_keys(value, known, key)
        return value

    def _expect(
        self, path: tuple[str, ...], value: object, good: Callable[[Any], bool], expected: str
    ) -> str | None:
        if good(value):
            return str(value)
        missing = value is None
        fix = f"add '{path[-1]}: ...'" if missing else "put quotes around text"
        self._add(path, "is missing" if missing else f"is {_shown(value)}", expected, fix)
        return None

    def _name(self, key: str, limit: int) -> str | None:
        def good(value: object) -> bool:
            return (
                isinstance(value, str)
                and 1 <= len(value.strip()) <= limit
                and not has_controls(value)
            )

        value = self._expect(
            (key,), self.content.get(key), good, f"text of 1 to {limit} characters"
        )
        return None if value is None else value.strip()

    def _date(self, content: Mapping[object, Any], *path: str) -> str | None:
        value = content.get(path[-1])
        if type(value) is datetime.date:
            value = value.isoformat()
        return self._expect(path, value, is_date, "a date, YYYY-MM-DD")

    def _sha256(self, content: Mapping[object, Any], part: str) -> str | None:
        expected = "the 64 hexadecimal digits of 'submission: sha256' in results.json"
        return self._expect((part, "sha256"), content.get("sha256"), is_sha256, expected)

    def _url(self, content: Mapping[object, Any], *path: str) -> str | None:
        value = content.get(path[-1])
        if value is None:
            return None
        return self._expect(path, value, is_url, "an http or https address, or null")

    def _choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        expected = " or ".join(f'"{choice}"' for choice in choices)
        return self._expect((key,), self.content.get(key), lambda v: v in choices, expected)

    def _text(self, key: str, *, required: bool = False) -> str | None:
        value = self.content.get(key)
        if value is None and not required:
            return None

        def good(text: object) -> bool:
            return (
                isinstance(text, str)
                and bool(text.strip())
                and len(text) <= MAX_TEXT_LENGTH
                and not has_controls(text, allowed="\n\r\t")
            )

        return self._expect((key,), value, good, f"text of at most {MAX_TEXT_LENGTH} characters")

    def _verified(self) -> Verification | None:
        if self.content.get("verified") is None:
            return None
        part = self._part("verified", VERIFIED_KEYS)
        if not part:
            return None
        by = self._expect(
            ("verified", "by"), part.get("by"), lambda v: _short_text(v, 200), "who verified it"
        )
        date = self._date(part, "verified", "date")
        sha256, url = self._sha256(part, "verified"), self._url(part, "verified", "url")
        if by is None or date is None or sha256 is None:
            return None
        return Verification(date, by, sha256, url)

    def _parameters(self) -> dict[str, Any]:
        value = self.content.get("parameters")
        if value is None:
            return {}
        if not isinstance(value, dict) or len(value) > MAX_PARAMETERS:
            self._add(
                ("parameters",), "is no short table of keys", f"at most {MAX_PARAMETERS} keys"
            )
            return {}
        for key, item in value.items():
            if not (_short_text(key, 80) and _plain(item)):
                expected = "a number, true or false, or text of at most 1000 characters"
                self._add(("parameters", str(key)), f"is {_shown(item)}", expected)
        return value


def _short_text(value: object, limit: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= limit and not has_controls(value)


def _plain(value: object) -> bool:
    if isinstance(value, str):
        return _short_text(value, 1000)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 1 << 53)


def _shown(value: object) -> str:
    """Return a value of unknown origin as short, safe text."""
    if isinstance(value, str):
        return f"'{printable(value, 60)}' ({len(value)} characters)"
    try:
        return f"{type(value).__name__} {printable(repr(value), 60)}"
    except ValueError:  # Python refuses to print whole numbers of thousands of digits
        return "a very long number"
