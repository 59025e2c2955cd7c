"""The rule for entries of the track `conditioned`: its block follows from the table of samples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from chorus_bench.errors import InputError, count_of
from chorus_bench.evaluation.arguments import CONDITIONED
from chorus_bench.evaluation.conditioned import conditioned_summary
from chorus_bench.evaluation.results import SAMPLES_FILE, scores_of
from chorus_bench.evaluation.samples_file import CONDITIONED_SCHEMA, READINGS, SAMPLES_SCHEMA
from chorus_bench.io.findings import Findings, has_controls
from chorus_bench.leaderboard.entries import EntryFiles
from chorus_bench.leaderboard.rules import INTERVAL_TOLERANCE
from chorus_bench.metrics.pap import SCORE_NAMES
from chorus_bench.metrics.protocol import signature_parts
from chorus_bench.names import MAX_CATEGORY_LENGTH

#: PAP is a sum over thresholds and may end this much above 1.
_ROUNDING = 1e-12
_AGAIN = "evaluate again with --track conditioned"


def conditioned_rule(files: EntryFiles, errors: Findings) -> None:
    """On the track `conditioned`, and only there, every reading is there and follows exactly."""
    if files.content is None or files.samples is None:
        return
    try:
        parts = signature_parts(str(files.content["signature"]))
    except InputError:
        return  # another rule says so
    wanted = parts.get("track") == CONDITIONED
    schema = CONDITIONED_SCHEMA if wanted else SAMPLES_SCHEMA
    where = f"{files.where}/{SAMPLES_FILE}"
    if not files.samples.schema.equals(schema):
        found = f"{'lacks' if wanted else 'has'} the columns of the track '{CONDITIONED}'"
        errors.add(where, found, expected=f"{len(schema)} columns", fix=_AGAIN)
    elif not wanted:
        if files.content.get("conditioned") is not None:
            found = f"is there, but the track is not '{CONDITIONED}'"
            errors.add(files.lines.at("conditioned"), found, fix="copy the result again")
    elif _possible(files.samples, where, errors):
        block = conditioned_summary(files.samples, parts.get("labels", ""))
        _check(files.content.get("conditioned"), block, ("conditioned",), files, errors)


def _possible(table: pa.Table, where: str, errors: Findings) -> bool:
    """Whether names and readings can be those of an evaluation; if not, add an error."""
    before = len(errors)
    values = {
        reading: np.stack([table[f"{reading}_{name}"].to_numpy() for name in SCORE_NAMES], axis=1)
        for reading in READINGS
    }
    inside = all(((v >= 0) & (v <= 1 + _ROUNDING)).all() for v in values.values())
    least = np.maximum(np.maximum(scores_of(table), values["total"]), values["mean"] - _ROUNDING)
    if not inside or (values["best"] < least).any():
        expected = "numbers from 0 to 1, and 'best' not below 'own', 'total' and 'mean'"
        errors.add(where, "has impossible readings", expected=expected, fix=_AGAIN)
    odd = [n for n in set(table["own_type"].to_pylist()) if not _nameable(n)]
    if odd:
        found = f"has {count_of(len(odd), 'type')} with a name that cannot be shown"
        errors.add(where, found, fix=_AGAIN)
    return len(errors) == before


def _nameable(name: str) -> bool:
    return len(name) <= MAX_CATEGORY_LENGTH and not has_controls(name)


def _check(
    stored: object,
    wanted: object,
    path: tuple[str, ...],
    files: EntryFiles,
    errors: Findings,
) -> None:
    """Add an error for the first value of each part of the block that does not follow."""
    if isinstance(wanted, dict):
        content = stored if isinstance(stored, dict) else {}
        for key in sorted({*wanted, *(k for k in content if content[k] is not None)}):
            _check(content.get(key), wanted.get(key), (*path, key), files, errors)
    elif not _agrees(stored, wanted):
        errors.add(
            files.lines.at(*path),
            f"is {stored!r}, the table of samples gives {wanted!r}"[:300],
            expected="what samples.parquet gives",
            fix="copy both files of the result again, or evaluate again",
        )


def _agrees(stored: object, wanted: object) -> bool:
    if isinstance(wanted, list) and isinstance(stored, list) and len(stored) == len(wanted):
        pairs = zip(stored, wanted, strict=True)
        return all(abs(a - b) <= INTERVAL_TOLERANCE for a, b in pairs)
    return stored == wanted
