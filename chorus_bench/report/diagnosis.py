"""A diagnosis as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from chorus_bench.errors import count_of, unknown_name
from chorus_bench.report.tables import percent

if TYPE_CHECKING:
    from chorus_bench.evaluation.diagnosis import Diagnosis
    from chorus_bench.evaluation.gains import CategoryDiagnosis
    from chorus_bench.evaluation.repairs import Repair

_TABLE_FORMATS = {"table": "simple", "markdown": "github"}

_LEGEND = """\
Percent. position, scale, mirror, recalibration: how much PAP would rise if an oracle that knows the
test data corrected that alone (best translation; best scale about the centre of mass; mirror image;
best monotone map of the probabilities). ceiling: the gain of the target itself, extruded along the
rays. occlusion: PAP_hoa minus PAP. Gains do not add up, and corrected scores must not be reported
as results. Definitions: docs/diagnose.md."""

_INTERVALS = """\
95 % intervals of the gains, over resampled samples with the repair held fixed:"""


def render_diagnosis(diagnosis: Diagnosis, style: str = "table") -> str:
    """Return a diagnosis as text.

    Args:
        diagnosis: result of `diagnose`.
        style: ``table``, ``markdown`` or ``json``.
    """
    if style == "json":
        return json.dumps(diagnosis.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    if style not in _TABLE_FORMATS:
        raise unknown_name("format", style, [*_TABLE_FORMATS, "json"])
    code = "`" if style == "markdown" else ""
    parts = [
        diagnosis.submission["method"],
        _gains(diagnosis, _TABLE_FORMATS[style]),
        _LEGEND,
        *_intervals(diagnosis, _TABLE_FORMATS[style]),
        "What the oracles chose:",
        _choices(diagnosis, _TABLE_FORMATS[style]),
        "\n".join(
            [
                f"Signature: {code}{diagnosis.signature}{code}",
                *_notes(diagnosis),
                f"{count_of(diagnosis.mean.samples, 'sample')} in {diagnosis.seconds:.1f} s",
            ]
        ),
    ]
    return "\n\n".join(parts)


def _gains(diagnosis: Diagnosis, tablefmt: str) -> str:
    names = list(diagnosis.mean.repairs)
    place = names.index("ceiling")
    headers = ["category", "samples", "PAP", "PAP_hoa", *names]
    headers.insert(4 + place, "occlusion")

    def row(label: str, entry: CategoryDiagnosis) -> list[Any]:
        gains = [_gain(entry.repairs[name]) for name in names]
        occlusion = entry.occlusion
        gains.insert(place, "n/a" if occlusion is None else f"{100 * occlusion:+.2f}")
        return [label, entry.samples, percent(entry.pap), percent(entry.pap_hoa), *gains]

    rows = [row(label, entry) for label, entry in _labelled(diagnosis)]
    return _table(rows, headers, tablefmt)


def _labelled(diagnosis: Diagnosis) -> Iterator[tuple[str, CategoryDiagnosis]]:
    """Yield the categories and their mean, as the tables name them."""
    for name, entry in diagnosis.categories.items():
        yield f"{name} (missing)" if entry.missing else name, entry
    yield "mean over categories", diagnosis.mean


def _intervals(diagnosis: Diagnosis, tablefmt: str) -> list[str]:
    """Return a heading and the table of intervals; nothing if no gain has one."""
    names = [name for name, repair in diagnosis.mean.repairs.items() if repair is not None]
    rows = [[label, *_ranges(entry, names)] for label, entry in _labelled(diagnosis)]
    if not any(any(cells) for _, *cells in rows):
        return []
    return [_INTERVALS, _table(rows, ["category", *names], tablefmt)]


def _ranges(entry: CategoryDiagnosis, names: Sequence[str]) -> list[str]:
    bounds = [None if (r := entry.repairs[name]) is None else r.interval for name in names]
    return ["" if one is None else gain_range(one.as_list()) for one in bounds]


def gain_range(bounds: Sequence[float]) -> str:
    """Return the interval of a gain, in points."""
    low, high = bounds
    return f"{100 * low:+.2f} to {100 * high:+.2f}"


def _gain(repair: Repair | None) -> str:
    return "n/a" if repair is None else f"{100 * repair.gain:+.2f}"


def _choices(diagnosis: Diagnosis, tablefmt: str) -> str:
    headers = ["category", "moved by x, y, z (m)", "enlarged", "mirror", "probabilities", "limit"]
    rows = [
        [name, *_chosen(entry.repairs)]
        for name, entry in diagnosis.categories.items()
        if not entry.missing
    ]
    return _table(rows, headers, tablefmt)


def _chosen(repairs: dict[str, Repair | None]) -> list[str]:
    """Return the choices for position, scale, mirror and recalibration, and its limit."""
    found = {name: {} if repair is None else repair.found for name, repair in repairs.items()}
    move, factor = found["position"].get("translation"), found["scale"].get("factor")
    recalibration = found["recalibration"]
    return [
        "n/a" if move is None else ", ".join(f"{t:.4g}" for t in move),
        "n/a" if factor is None else f"{factor:.3f} times",
        found["mirror"].get("form", "n/a"),
        "mapped" if recalibration["changed"] else "as it is",
        percent(recalibration["limit"]),
    ]


def _notes(diagnosis: Diagnosis) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for name, reason in diagnosis.unavailable.items():
        reasons.setdefault(reason, []).append(name)
    notes = [f"Does not apply: {', '.join(names)}: {why}" for why, names in reasons.items()]
    return notes + [f"Warning: {text}" for text in diagnosis.warnings]


def _table(rows: list[list[Any]], headers: list[str], tablefmt: str) -> str:
    alignment = ("left", *["right"] * (len(headers) - 1))
    return tabulate(rows, headers, tablefmt=tablefmt, colalign=alignment, disable_numparse=True)
