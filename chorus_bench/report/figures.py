"""Figures: fields around the body, fields over photographs, curves. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.array_types import Float64, UInt8
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.engines.threads import cpu_count
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.evaluation.comparison import check_one_scope
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.results import mean_curves
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.report.canvas import panels
from chorus_bench.report.drawing import SIDES, Viewer, draw_field
from chorus_bench.report.given import (
    FieldsLike,
    ResultLike,
    ResultsLike,
    TruthLike,
    fields_of,
    results_of,
    truths_of,
)
from chorus_bench.report.overlays import Overlay

_LINES = ("-", "--", ":", "-.")
#: Side of a field's picture in pixels, smaller if there are many fields.
_PIXELS, _PIXELS_OF_MANY, _FEW = 300, 170, 4
_BAR = "#2a6f97"
_LETTERS = 20  # of a name that leaves room for more in the line of a title
#: The hottest colour stands for this quantile of the voxels' probabilities.
_TOP_SHARE = 0.9995


@checked
@displayed
@dataclass(frozen=True, eq=False)
class OverlayRow:
    """A test image with the projections of several methods.

    Attributes:
        title: the text above it.
        photo: (H, W, 3) RGB.
        overlays: method -> the overlay drawn on the photo.
        scores: method -> PAP of this sample, 0 to 1.
    """

    title: str
    photo: UInt8
    overlays: Mapping[str, Overlay]
    scores: Mapping[str, float]


@checked
def fields_figure(
    fields: FieldsLike,
    body: BodyModel | str | Path = "default",
    *,
    sides: Sequence[str] = ("front", "left"),
) -> Any:  # noqa: ANN401 - matplotlib is not typed here
    """Return a figure of canonical fields over the canonical body, one row each, from some sides.

    Every row has its own colour scale, because fields peak at different probabilities.

    Args:
        fields: name -> field, or a canonical submission, open or not.
        body: the body; see `load_body`.
        sides: some of `SIDES`.

    Raises:
        InputError: no field.
        MissingDependencyError: matplotlib is not installed.
    """
    shown, model = fields_of(fields), load_body(body)
    if not shown:
        raise InputError("there is no field to draw")
    for side in sides or ("",):
        if side not in SIDES:
            raise unknown_name("side", side, SIDES)
    figure, axes = panels(len(shown), len(sides), 2.9, 2.9)
    pixels = _PIXELS if len(shown) <= _FEW else _PIXELS_OF_MANY

    def draw(job: tuple[OccupancyGrid, float, str]) -> Float64:
        field, top, side = job
        return draw_field(field, model, Viewer(SIDES[side], pixels), top)

    tops = [field_top(field) for field in shown.values()]
    jobs = [(f, t, s) for f, t in zip(shown.values(), tops, strict=True) for s in sides]
    with ThreadPoolExecutor(cpu_count()) as pool:
        pictures = iter(list(pool.map(draw, jobs)))
    for line, name, top in zip(axes, shown, tops, strict=True):
        for place, side in zip(line, sides, strict=True):
            place.imshow(next(pictures))
            seen = "seen from the " + ("front" if side == "front" else f"person's {side}")
            place.set_title(name + ("\n" if len(name) > _LETTERS else ", ") + seen, fontsize=8)
        line[0].set_ylabel(f"darkest red: {top:.2f} and above", fontsize=7)
    return figure


def field_top(field: OccupancyGrid) -> float:
    """Return the probability that the hottest colour of a field's picture stands for."""
    return max(float(np.quantile(field.values, _TOP_SHARE)), 1e-6)


@checked
def overlays_figure(rows: Sequence[OverlayRow]) -> Any:  # noqa: ANN401
    """Return a figure of projected fields over test images: a row per sample, a column per method.

    The projections are those that PAP compares, on an image with a shorter side of 32 pixels;
    the object's outline is blue.

    Args:
        rows: test images with the same methods.

    Raises:
        InputError: no row.
        MissingDependencyError: matplotlib is not installed.
    """
    if not rows:
        raise InputError("there is no overlay to draw")
    figure, axes = panels(len(rows), 1 + len(rows[0].overlays), 2.3, 2.4)
    for line, row in zip(axes, rows, strict=True):
        line[0].imshow(row.photo)
        line[0].set_title(row.title, fontsize=7)
        for place, (method, overlay) in zip(line[1:], row.overlays.items(), strict=True):
            place.imshow(overlay.draw(row.photo))
            place.set_title(f"{method}, PAP {100 * row.scores[method]:.1f}", fontsize=8)
    return figure


@checked
def curves_figure(results: ResultsLike) -> Any:  # noqa: ANN401
    """Return a figure of mean precision over mean recall, a panel per category, a line per method.

    Args:
        results: results or their folders, one or several, or method -> result; all with one
            signature.

    Raises:
        InputError: no result, or results of different splits, bodies, protocols or categories.
        MissingDependencyError: matplotlib is not installed.
    """
    shown = results_of(results)
    check_one_scope(shown)
    categories = list(next(iter(shown.values())).categories)
    columns = min(4, len(categories))
    rows = -(-len(categories) // columns)
    figure, axes = panels(rows, columns, 2.9, 2.9, bare=False)
    for place in axes.ravel()[len(categories) :]:
        place.set_visible(False)
    curves = {method: mean_curves(result.samples) for method, result in shown.items()}
    for place, category in zip(axes.ravel(), categories, strict=False):
        for line, (method, result) in zip(_styles(len(shown)), shown.items(), strict=True):
            curve = curves[method][category]
            score = 100 * result.categories[category]["PAP"]
            place.plot(curve.recall, curve.precision, line, label=f"{method}, PAP {score:.1f}")
        place.set(title=category, xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        place.legend(fontsize=7)
    return figure


@checked
def bars_figure(result: ResultLike) -> Any:  # noqa: ANN401
    """Return a figure of each category's PAP with its 95 % interval, best first.

    Args:
        result: result of an evaluation, or its folder.

    Raises:
        InputError: there is no result.
        MissingDependencyError: matplotlib is not installed.
    """
    loaded = open_result(result)
    ordered = sorted(loaded.categories.items(), key=lambda item: (item[1]["PAP"], item[0]))
    figure, axes = panels(1, 1, 6, 1 + 0.3 * len(ordered), bare=False)
    place = axes[0, 0]
    scores = np.array([100 * entry["PAP"] for _, entry in ordered])
    known = [entry["intervals"]["PAP"] or [entry["PAP"]] * 2 for _, entry in ordered]
    bounds = 100 * np.array(known)
    reach = np.abs(bounds.T - scores)
    place.barh([name for name, _ in ordered], scores, xerr=reach, color=_BAR, ecolor="0.25")
    place.axvline(100 * loaded.scores["mPAP"], color="0.25", linestyle=":", label="mean")
    place.set(xlabel="PAP (%), 95 % interval", xlim=(0, max(1.0, float(bounds.max()) * 1.05)))
    place.legend(fontsize=7, loc="lower right")
    return figure


@checked
def calibration_figure(scores: TruthLike | Mapping[str, TruthLike]) -> Any:  # noqa: ANN401
    """Return a calibration figure: observed frequency of the object over predicted probability.

    Args:
        scores: 3D scores, a result with them (``truth=True``) or the folder of one; or method ->
            these.

    Raises:
        InputError: no scores.
        MissingDependencyError: matplotlib is not installed.
    """
    shown = truths_of(scores)
    figure, axes = panels(1, 1, 3.6, 3.6, bare=False)
    place = axes[0, 0]
    place.plot((0, 1), (0, 1), color="0.8", label="calibrated")
    for line, (method, score) in zip(_styles(len(shown)), shown.items(), strict=True):
        curve = score.calibration
        place.plot(curve.predicted, curve.observed, line, marker=".", label=method)
    place.set(xlabel="probability given", ylabel="share of the truth", xlim=(0, 1), ylim=(0, 1.02))
    place.legend(fontsize=7)
    return figure


def _styles(count: int) -> list[str]:
    return [_LINES[number % len(_LINES)] for number in range(count)]
