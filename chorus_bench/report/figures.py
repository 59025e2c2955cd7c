"""Figures: fields around the body, fields over photographs, curves. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from chorus_bench.annotations import AtLeast
from chorus_bench.array_types import Float64, UInt8
from chorus_bench.boundary import checked
from chorus_bench.displays import displayed
from chorus_bench.engines.threads import cpu_count
from chorus_bench.errors import InputError, unknown_name
from chorus_bench.evaluation.comparison import check_one_scope
from chorus_bench.evaluation.opening import open_result
from chorus_bench.evaluation.results import MEANS, mean_curves
from chorus_bench.geometry.body import BodyModel
from chorus_bench.geometry.body_files import load_body
from chorus_bench.geometry.grid import OccupancyGrid
from chorus_bench.report.canvas import colours, panels
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

#: The width of a figure.
Inches = Annotated[float, AtLeast(1)]

_LINES = ("-", "--", ":", "-.")
#: Side of a field's picture in pixels, smaller if there are many fields.
_PIXELS, _PIXELS_OF_MANY, _FEW = 300, 170, 4
_BAR = "#2a6f97"
_LETTERS = 20  # of a name that leaves room for more in the line of a title
#: A figure at most this wide (inches) is for one column of a journal.
_NARROW = 4.5
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
            place.set_axis_off()  # it has none, and laying out looks for them
            seen = "seen from the " + ("front" if side == "front" else f"person's {side}")
            place.set_title(name + ("\n" if len(name) > _LETTERS else ", ") + seen, fontsize=8)
        scale = figure.colorbar(colours(top), ax=list(line), shrink=0.7, pad=0.02, extend="max")
        scale.set_label("probability", fontsize=7)
        scale.ax.tick_params(labelsize=6)
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
    shapes = [row.photo.shape[0] / row.photo.shape[1] for row in rows]
    figure, axes = panels(len(rows), 1 + len(rows[0].overlays), 2.3, 2.3, heights=shapes)
    for line, row in zip(axes, rows, strict=True):
        line[0].imshow(row.photo)
        line[0].set_title(row.title, fontsize=7)
        for place, (method, overlay) in zip(line[1:], row.overlays.items(), strict=True):
            place.imshow(overlay.draw(row.photo))
            place.set_title(f"{method}, PAP {100 * row.scores[method]:.1f}", fontsize=8)
    return figure


@checked
def curves_figure(results: ResultsLike, *, width: Inches | None = None) -> Any:  # noqa: ANN401
    """Return a figure of mean precision over mean recall, a panel per category, a line per method.

    The key stands below the panels, so that it covers no curve.

    Args:
        results: results or their folders, one or several, or method -> result; all with one
            signature.
        width: width of the figure, inches; by default 2.9 for each panel.

    Raises:
        InputError: no result, or results of different splits, bodies, protocols or categories.
        MissingDependencyError: matplotlib is not installed.
    """
    shown = results_of(results)
    check_one_scope(shown)
    categories = list(next(iter(shown.values())).categories)
    columns = min(4 if width is None or width > _NARROW else 3, len(categories))
    side = 2.9 if width is None else width / columns
    rows = -(-len(categories) // columns)
    figure, axes = panels(rows, columns, side, side, bare=False, shared=True)
    for place in axes.ravel()[len(categories) :]:
        place.set_visible(False)
    curves = {method: mean_curves(result.samples) for method, result in shown.items()}
    size = 8 if width is None or width > _NARROW else 5.5
    for place, category in zip(axes.ravel(), categories, strict=False):
        for line, method in zip(_styles(len(shown)), shown, strict=True):
            curve = curves[method][category]
            place.plot(curve.recall, curve.precision, line, label=method, linewidth=size / 6)
        scores = ", ".join(f"{100 * r.categories[category]['PAP']:.1f}" for r in shown.values())
        place.set_title(f"{category}\nPAP {scores}", fontsize=size)
        place.set(xlim=(0, 1), ylim=(0, 1.02))
        place.tick_params(labelsize=size - 0.5)
    for place in axes.ravel()[max(0, len(categories) - columns) : len(categories)]:
        place.tick_params(labelbottom=True)
        place.set_xlabel("recall", fontsize=size)
    figure.supylabel("precision", fontsize=size + 1)
    lines = axes[0, 0].get_lines()
    figure.legend(handles=lines, loc="outside lower center", ncols=3, fontsize=size)
    return figure


@checked
def bars_figure(result: ResultLike, *, width: Inches = 6.0) -> Any:  # noqa: ANN401
    """Return a figure of each category's PAP with its 95 % interval, best first.

    Args:
        result: result of an evaluation, or its folder.
        width: width of the figure, inches.

    Raises:
        InputError: there is no result.
        MissingDependencyError: matplotlib is not installed.
    """
    loaded = open_result(result)
    categories = loaded.categories
    rows: dict[str, tuple[float, float, float]] = {}
    for name, entry in categories.items():
        low, high = entry["intervals"]["PAP"] or [entry["PAP"]] * 2
        rows[name] = (entry["PAP"], low, high)
    figure, place = _interval_rows(rows, "PAP (%), 95 % interval", width)
    place.axvline(100 * loaded.scores["mPAP"], color="0.25", linestyle=":", label="mean")
    figure.legend(loc="outside lower center", fontsize=7)
    return figure


@checked
def methods_figure(results: ResultsLike, *, score: str = "mPAP", width: Inches = 6.0) -> Any:  # noqa: ANN401
    """Return a figure of all methods' scores with their 95 % intervals, best first.

    Args:
        results: results or their folders, one or several, or method -> result; all comparable.
        score: one of the four means.
        width: width of the figure, inches.

    Raises:
        InputError: no result, an unknown score, or results that are not comparable.
        MissingDependencyError: matplotlib is not installed.
    """
    shown = results_of(results)
    if score not in MEANS:
        raise unknown_name("score", score, MEANS)
    check_one_scope(shown)
    rows: dict[str, tuple[float, float, float]] = {}
    for name, result in shown.items():
        low, high = result.intervals[score] or [result.scores[score]] * 2
        rows[name] = (result.scores[score], low, high)
    figure, _ = _interval_rows(rows, f"{score.replace('_', ' ')} (%), 95 % interval", width)
    return figure


def _interval_rows(
    rows: Mapping[str, tuple[float, float, float]], label: str, width: float
) -> tuple[Any, Any]:
    """Return a figure of values with their intervals, one above the other, and its axes."""
    ordered = sorted(rows.items(), key=lambda item: (item[1][0], item[0]))
    figure, axes = panels(1, 1, width, 1 + 0.22 * len(ordered), bare=False)
    place = axes[0, 0]
    values = 100 * np.array([numbers for _, numbers in ordered])
    reach = np.abs(values[:, 1:].T - values[:, 0])
    names = [name for name, _ in ordered]
    place.errorbar(values[:, 0], names, xerr=reach, fmt="o", color=_BAR, ecolor="0.35", capsize=2)
    place.set(xlabel=label, xlim=(0, max(1.0, float(values.max()) * 1.05)))
    place.grid(axis="x", alpha=0.3)
    place.tick_params(labelsize=7)
    place.spines[["top", "right"]].set_visible(False)
    return figure, place


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
    figure.legend(loc="outside lower center", ncols=2, fontsize=7)
    return figure


def _styles(count: int) -> list[str]:
    return [_LINES[number % len(_LINES)] for number in range(count)]
