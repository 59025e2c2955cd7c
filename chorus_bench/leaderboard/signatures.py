"""The rule for signatures: one of this version's protocols, complete, in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.evaluation.arguments import CONDITIONED, SCORED_TRACKS
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.entries import EntryFiles
from chorus_bench.metrics.protocol import PROTOCOLS, protocol_of, signature_parts

_LABEL = re.compile(r"[^|@]+@[0-9a-f]{8,64}")
_AGAIN = "evaluate the submission again with this version of chorus-bench"
_LABELS = re.compile(r"none|[1-9][0-9]{0,8}@[0-9a-f]{12}")


def signature_rule(files: EntryFiles, errors: Findings) -> None:
    """The signature is one of this version's protocols: known, complete, in order."""
    problem = None if files.content is None else _problem(files.content)
    if problem is not None:
        found, expected, fix = problem
        errors.add(files.lines.at("signature"), found, expected=expected, fix=fix)


def _problem(content: Mapping[str, Any]) -> tuple[str, str | None, str | None] | None:
    """Return what is wrong with a result's signature: what was found, expected, and the advice."""
    signature = str(content.get("signature"))
    try:
        parts = signature_parts(signature)
    except InputError as error:
        return printable(error.found), "as `evaluate` writes it", _AGAIN
    names = [protocol.name for protocol in PROTOCOLS.values()]
    if parts["metric"] not in names:
        shown = printable(parts["metric"], 40)
        return f"unknown metric '{shown}'", None, did_you_mean(shown, names)
    for key in ("split", "body"):
        if not _LABEL.fullmatch(parts.get(key, "")):
            return f"has no {key} with a fingerprint", f"{key}:name@fingerprint", _AGAIN
    if "other-body" in parts:
        found = "was scored with another body than the split's"
        return found, "the body that the split was made with", _AGAIN
    wanted = _signature_again(parts, content)
    if signature.rpartition("|chorus-bench:")[0] != wanted or not parts.get("chorus-bench"):
        found = f"is not current: {printable(signature, 300)}"
        return found, f"{wanted}|chorus-bench:<version>", _AGAIN
    return None


def _signature_again(parts: Mapping[str, str], content: Mapping[str, Any]) -> str:
    """Return the signature, without the software's version, that the parts should form.

    A benchmark's categories are those that have a score, and those that the result names as
    having none.
    """
    categories = parts["cat"].split(",") if "cat" in parts else None
    without = {*content.get("skipped", ()), *content.get("unavailable", ())}
    population = {*content.get("categories", ()), *without} if "pop" in parts else None
    track = parts.get("track", "canonical")
    labels = None
    if track == CONDITIONED:
        labels = parts["labels"] if _LABELS.fullmatch(parts.get("labels", "")) else "none"
    again = protocol_of(parts).signature(
        parts["split"],
        parts["body"],
        track=track if track in SCORED_TRACKS else "posed",
        labels=labels,
        categories=categories,
        population=None if population is None else sorted(population),
    )
    return again.rpartition("|chorus-bench:")[0]
