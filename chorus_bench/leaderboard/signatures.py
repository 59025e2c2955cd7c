"""The rule for signatures: one of this version's protocols, complete, in order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from chorus_bench.errors import InputError, did_you_mean
from chorus_bench.evaluation.arguments import CONDITIONED, SCORED_TRACKS
from chorus_bench.io.findings import Findings, printable
from chorus_bench.leaderboard.entries import EntryFiles
from chorus_bench.metrics.protocol import PROTOCOLS, Protocol, signature_parts

_LABEL = re.compile(r"[^|@]+@[0-9a-f]{8,64}")
_LABELS = re.compile(r"none|[1-9][0-9]{0,8}@[0-9a-f]{12}")


def signature_rule(files: EntryFiles, errors: Findings) -> None:
    """The signature is one of this version's protocols: known, complete, in order."""
    if files.content is None:
        return
    signature = files.content.get("signature")
    where = files.lines.at("signature")
    fix = "evaluate the submission again with this version of chorus-bench"
    try:
        parts = signature_parts(str(signature))
    except InputError as error:
        errors.add(where, printable(error.found), expected="as `evaluate` writes it", fix=fix)
        return
    names = [protocol.name for protocol in PROTOCOLS.values()]
    if parts["metric"] not in names:
        shown = printable(parts["metric"], 40)
        errors.add(where, f"unknown metric '{shown}'", fix=did_you_mean(shown, names))
        return
    for key in ("split", "body"):
        if not _LABEL.fullmatch(parts.get(key, "")):
            found = f"has no {key} with a fingerprint"
            errors.add(where, found, expected=f"{key}:name@fingerprint", fix=fix)
            return
    if "other-body" in parts:
        found = "was scored with another body than the split's"
        errors.add(where, found, expected="the body that the split was made with", fix=fix)
        return
    wanted = _signature_again(parts)
    if str(signature).rpartition("|chorus-bench:")[0] != wanted or not parts.get("chorus-bench"):
        found = f"is not current: {printable(str(signature), 300)}"
        errors.add(where, found, expected=f"{wanted}|chorus-bench:<version>", fix=fix)


def protocol_of(parts: Mapping[str, str]) -> Protocol:
    """Return the protocol that a signature's parts name."""
    chosen = next(p for p in PROTOCOLS.values() if p.name == parts["metric"])
    limit = parts.get("min", "")
    few = re.fullmatch(r"[1-9][0-9]{0,8}", limit, re.ASCII) is not None
    return replace(chosen, min_samples=int(limit)) if few else chosen


def _signature_again(parts: Mapping[str, str]) -> str:
    """Return the signature, without the software's version, that the parts should form."""
    categories = parts["cat"].split(",") if "cat" in parts else None
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
    )
    return again.rpartition("|chorus-bench:")[0]
