"""The report of one result: a self-contained page, and its pictures as files.

The page contains everything (scripts, styles, pictures, fields), so it can be mailed and opened
offline.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from chorus_bench._version import __version__
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.errors import InputError, MissingDependencyError
from chorus_bench.evaluation.arguments import CONDITIONED
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.results import EvaluationResult, mean_curves
from chorus_bench.evaluation.truth_file import TRUTH_FILE
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.io.files import FolderKind, atomic_folder, atomic_write_bytes
from chorus_bench.metrics.protocol import protocol_of, signature_parts
from chorus_bench.report.canvas import save_figure
from chorus_bench.report.conditioned import reading_rows
from chorus_bench.report.diagnosis import gain_range
from chorus_bench.report.fields import SmallFields
from chorus_bench.report.figures import bars_figure, curves_figure, fields_figure
from chorus_bench.report.overlays import picture_bytes
from chorus_bench.report.samples import KINDS, sample_overlays, sample_photos
from chorus_bench.report.scored import (
    DIAGNOSIS_FILE,
    check_scored_body,
    diagnosis_differences,
    open_scored,
    read_diagnosis,
    scored_split,
    shipped_split,
)
from chorus_bench.report.type_fields import submission_fields, types_left_out
from chorus_bench.report.volumetric import truth_table
from chorus_bench.report.web import body_data, curve_data, render
from chorus_bench.submission import Submission, check_submission

PAGE_FILE, PICTURES_FOLDER = "report.html", "pictures"
_REPORT = FolderKind("a report", (PAGE_FILE,))

_CEILING, _LOST = "ceiling", "where the score is lost"
#: Repairs under their names in files of earlier versions.
_RENAMED = {"spread": "recalibration"}
_FOUND = (
    "An oracle that knows the test data corrects one fault at a time: the best translation, the "
    "best scale, the mirror image, the best monotone map of the probabilities (recalibration). "
    "occlusion: PAP_hoa minus PAP. ceiling: the gain of the target itself, extruded along the "
    "rays. Gains do not add up, and corrected scores must not be reported as results. The largest "
    "is among the faults that an oracle corrects: occlusion and ceiling are left out. Intervals of "
    "gains are 95 % over resampled images with the repair held fixed, where 8 images count."
)
_SHIPPED_BODY = "default"


@displayed
@dataclass(frozen=True, eq=False)
class Report:
    """A written report.

    Attributes:
        folder: its folder.
        page: the page's file.
        pictures: files of the pictures.
        left_out: missing parts, and what they require.
    """

    folder: Path
    page: Path
    pictures: tuple[Path, ...]
    left_out: tuple[str, ...]


@dataclass
class _Parts:
    """The contents of the page besides the result's numbers."""

    warnings: list[str] = field(default_factory=list)
    overlays: list[dict[str, Any]] = field(default_factory=list)
    fields: dict[str, OccupancyGrid] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    diagnosis: Mapping[str, Any] | None = None
    truth: Mapping[str, Any] | None = None
    left_out: list[str] = field(default_factory=list)


@checked
def write_report(
    result: str | Path | EvaluationResult,
    output: str | Path,
    *,
    submission: str | Path | None = None,
    split: str | Path | None = None,
    body: str | Path | None = None,
    photos: bool = True,
    diagnose: bool = False,
    overwrite: bool = False,
) -> Report:
    """Write the report of a result.

    Args:
        result: a result, or its folder. A ``diagnosis.json`` or ``truth.json`` in the folder is
            shown if it is of this result.
        output: the folder to write: ``report.html`` and ``pictures/``.
        submission: the scored submission; without it there are no overlays and no 3D fields.
        split: the test split; by default the shipped one, if the signature has its fingerprint.
        body: body of the evaluation; by default the free body.
        photos: show the split's photographs in overlays; respect their licenses when you pass the
            page on.
        diagnose: also diagnose where the score is lost, unless the folder has a diagnosis;
            takes about a second for ten samples.
        overwrite: replace an existing folder.

    Raises:
        InputError: there is no result, or the submission, split or body is not the result's.
        MissingDependencyError: jinja2 is missing.
    """
    folder = None if isinstance(result, EvaluationResult) else Path(result)
    loaded = open_result(result)
    model = load_body(_SHIPPED_BODY if body is None else body)
    with atomic_folder(output, overwrite, _REPORT) as place, ExitStack() as stack:
        pictures = place / PICTURES_FOLDER
        parts = _Parts()
        _add_diagnosis_of(parts, loaded, folder)
        _add_truth_of(parts, loaded, folder)
        if submission is None:
            parts.left_out.append("overlays and 3D fields: give the submission (--submission)")
        else:
            check_scored_body(loaded, model)
            opened = stack.enter_context(open_scored(submission, loaded))
            parts.warnings = _degenerate(submission)
            _add_fields(parts, opened)
            _add_overlays(parts, loaded, opened, split, model, pictures, photos)
            if diagnose and parts.diagnosis is None:
                parts.diagnosis = _diagnose(parts, loaded, opened, split, model)
        if parts.diagnosis is None and not any(t.startswith(_LOST) for t in parts.left_out):
            wanted = "give the submission (--submission)" if diagnose else "request it (--diagnose)"
            parts.left_out.append(f"{_LOST}: {wanted}")
        _write_figures(parts, loaded, pictures)
        page = _render(loaded, parts)
        atomic_write_bytes(place / PAGE_FILE, page.encode())
    target = Path(output)
    files = sorted((target / PICTURES_FOLDER).rglob("*.png"))
    return Report(target, target / PAGE_FILE, tuple(files), tuple(parts.left_out))


def _degenerate(submission: str | Path) -> list[str]:
    return [str(finding) for finding in check_submission(submission).warnings]


def _add_fields(parts: _Parts, submission: Submission) -> None:
    if submission.track == "posed":
        parts.left_out.append("3D fields: a posed submission has one for every sample")
        return
    parts.fields, parts.categories = submission_fields(submission), submission.categories
    left = types_left_out(submission)
    if left:
        parts.left_out.append(f"3D fields of {left} types of interaction with small shares")


def _add_overlays(
    parts: _Parts,
    result: EvaluationResult,
    submission: Submission,
    split: str | Path | None,
    body: BodyModel,
    pictures: Path,
    photos: bool,
) -> None:
    source = _split(result, split)
    if source is None:
        scored = signature_parts(result.signature).get("split", "unknown")
        parts.left_out.append(f"overlays: give the test split (--split), {scored}")
        return
    overlays = sample_overlays(result, submission, source, body)
    shown = sample_photos(source, {one.sample_id for one in overlays}) if photos else {}
    for one, overlay in overlays.items():
        picture = picture_bytes(overlay.draw(shown.get(one.sample_id)))
        atomic_write_bytes(pictures / "overlays" / f"{one.sample_id}.png", picture)
        text = base64.b64encode(picture).decode("ascii")
        parts.overlays.append({**asdict(one), "file": f"data:image/png;base64,{text}"})


def _split(result: EvaluationResult, split: str | Path | None) -> str | Path | None:
    """Return the given split, or the shipped one of the result; None if it is of another one.

    Raises:
        InputError: the given split is another one.
    """
    if split is None:
        return shipped_split(result)
    scored_split(split, result)
    return split


def _diagnose(
    parts: _Parts,
    result: EvaluationResult,
    submission: Submission,
    split: str | Path | None,
    body: BodyModel,
) -> Mapping[str, Any] | None:
    from chorus_bench.evaluation.diagnosis import diagnose

    signature = signature_parts(result.signature)
    source = _split(result, split)
    if source is None:
        return None
    if signature.get("track") == CONDITIONED:
        parts.left_out.append(f"{_LOST}: a diagnosis knows no track '{CONDITIONED}'")
        return None
    protocol = protocol_of(signature)
    return diagnose(
        submission,
        split=source,
        body=body,  # the result's own, checked above
        allow_other_body=True,
        categories=list(result.categories),
        min_samples=protocol.min_samples,
        protocol=protocol,
    ).as_dict()


def diagnosis_table(
    diagnosis: Mapping[str, Any], intervals: Mapping[str, Sequence[float]] | None = None
) -> dict[str, Any]:
    """Return a diagnosis in the form that the page shows, from its JSON.

    Args:
        diagnosis: the JSON.
        intervals: category -> the interval of its PAP; of the mean under ``""``.

    Returns:
        ``columns``, ``rows`` (``name``, ``samples``, ``score``, ``interval``, ``cells``,
        ``largest``) and ``text``. A cell is a value and its interval, which may be empty.
    """
    entries = {"": diagnosis["mean"], **diagnosis["categories"]}
    repairs = [name for name in diagnosis["mean"]["repairs"] if name != _CEILING]
    rows = [
        _diagnosis_row(name or "mean over categories", entry, repairs)
        | {"interval": (intervals or {}).get(name)}
        for name, entry in entries.items()
    ]
    columns = [*(_RENAMED.get(name, name) for name in repairs), "occlusion", _CEILING]
    return {"columns": columns, "rows": rows, "text": _FOUND}


def _diagnosis_row(name: str, entry: Mapping[str, Any], repairs: Sequence[str]) -> dict[str, Any]:
    gains = {r: entry["repairs"][r]["gain"] for r in repairs if entry["repairs"].get(r)}
    largest = max(gains, key=lambda r: gains[r], default="")
    cells = [_cell(entry["repairs"].get(name)) for name in (*repairs, _CEILING)]
    cells.insert(-1, (_points(entry["occlusion"]), ""))
    return {
        "name": name,
        "samples": entry["samples"],
        "score": f"{100 * entry['PAP']:.2f}",
        "cells": cells,
        "largest": _RENAMED.get(largest, largest) if gains.get(largest, 0) > 0 else "none",
    }


def _cell(repair: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return a repair's gain and its interval, which earlier versions did not write."""
    if not repair:
        return _points(None), ""
    bounds = repair.get("gain_interval")
    return _points(repair["gain"]), "" if bounds is None else gain_range(bounds)


def _points(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{100 * value:+.2f}"


def _add_diagnosis_of(parts: _Parts, result: EvaluationResult, folder: Path | None) -> None:
    """Add the diagnosis that `chorus-bench diagnose` wrote to the result's folder, if it is its."""
    file = None if folder is None else folder / DIAGNOSIS_FILE
    if file is None or not file.is_file():
        return
    diagnosis = read_diagnosis(file)
    try:
        diagnosis_table(diagnosis)
        differences = diagnosis_differences(diagnosis, result)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            f"is not a diagnosis: {error!r}", where=file, fix="run diagnose again"
        ) from error
    if differences:
        parts.left_out.append(f"{DIAGNOSIS_FILE}: not of this result ({'; '.join(differences)})")
    else:
        parts.diagnosis = diagnosis


def _add_truth_of(parts: _Parts, result: EvaluationResult, folder: Path | None) -> None:
    """Add the 3D scores of a result, if it has any."""
    if result.truth is not None:
        parts.truth = result.truth.as_dict()
    elif folder is not None and (folder / TRUTH_FILE).is_file():
        parts.left_out.append(f"{TRUTH_FILE}: not of this result, or of an earlier version")


def _write_figures(parts: _Parts, result: EvaluationResult, pictures: Path) -> None:
    """Write the figures for print; without matplotlib there are none, and the page says so."""
    try:
        save_figure(bars_figure(result), pictures / "categories.png")
        save_figure(curves_figure({_method(result): result}), pictures / "curves.png")
        if parts.fields:
            body = load_body(_SHIPPED_BODY)
            own = {name: parts.fields[name] for name in parts.categories}
            save_figure(fields_figure(own, body), pictures / "fields.png")
    except MissingDependencyError as error:
        parts.left_out.append(f"pictures of curves and fields as files: {error}")


def _method(result: EvaluationResult) -> str:
    return str(result.submission["method"])


def _render(result: EvaluationResult, parts: _Parts) -> str:
    data: dict[str, Any] = {"curves": curves_data({_method(result): result})}
    if parts.fields:
        body = body_data(load_body(_SHIPPED_BODY))
        data["viewer"] = {"body": body, **SmallFields.of(parts.fields).data()}
    return render(
        "report.html.jinja",
        result=result,
        method=_method(result),
        version=__version__,
        rows=_rows(result),
        parts=parts,
        readings=reading_rows(result.conditioned),
        diagnosis=None
        if parts.diagnosis is None
        else diagnosis_table(parts.diagnosis, _pap_intervals(result)),
        truth=None if parts.truth is None else truth_table(parts.truth),
        overlays=_by_category(parts.overlays),
        signature=signature_parts(result.signature),
        data=data,
    )


def _pap_intervals(result: EvaluationResult) -> dict[str, Sequence[float]]:
    """Return the intervals of PAP by category, and that of the mean under ""."""
    found = {name: entry["intervals"].get("PAP") for name, entry in result.categories.items()}
    known = {name: bounds for name, bounds in found.items() if bounds is not None}
    return {"": result.intervals["mPAP"], **known}


def curves_data(results: Mapping[str, EvaluationResult]) -> dict[str, list[dict[str, Any]]]:
    """Return the mean precision-recall curves of each category, in the format of `drawCurves`.

    Args:
        results: method -> result on the same split.

    Returns:
        Category -> a list of ``name`` and what `curve_data` returns.
    """
    categories = dict.fromkeys(name for result in results.values() for name in result.categories)
    curves = {label: mean_curves(result.samples) for label, result in results.items()}
    return {
        category: [
            {"name": label, **curve_data(of_result[category])}
            for label, of_result in curves.items()
            if category in of_result
        ]
        for category in categories
    }


def _rows(result: EvaluationResult) -> list[dict[str, Any]]:
    """Return the categories, best first, with the data of their bars."""
    ordered = sorted(result.categories.items(), key=lambda item: (-item[1]["PAP"], item[0]))
    return [{"name": name, **entry} for name, entry in ordered]


def _by_category(overlays: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return category -> its overlays, in the order of kinds."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for entry in sorted(overlays, key=lambda entry: KINDS.index(entry["kind"])):
        groups.setdefault(entry["category"], []).append(entry)
    return groups
