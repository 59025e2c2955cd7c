"""Pictures of a dataset: counts, azimuths, and camera directions on the sphere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from chorus_bench.boundary import checked
from chorus_bench.datasets.statistics import DatasetStatistics
from chorus_bench.io.files import atomic_write_bytes
from chorus_bench.report.canvas import figure_bytes, new_figure

_COLOR = "#2a6f97"
_SHOWN = 30
#: Up to this many equal counts are drawn all the same.
_FEW = 8


def write_dataset_plots(statistics: DatasetStatistics, folder: str | Path) -> list[Path]:
    """Write ``counts.png`` and, if there are cameras, ``azimuth.png`` and ``cameras.png``.

    Args:
        statistics: statistics of the dataset.
        folder: output folder.

    Raises:
        MissingDependencyError: matplotlib is not installed (extra ``plots``).
    """
    folder = Path(folder)
    figures = {"counts.png": _counts_figure(statistics)}
    if statistics.entropy is not None:
        figures["azimuth.png"] = _azimuth_figure(statistics)
        figures["cameras.png"] = cameras_figure(statistics)
    return [
        atomic_write_bytes(folder / name, figure_bytes(figure, dpi=150))
        for name, figure in figures.items()
    ]


def _counts_figure(statistics: DatasetStatistics) -> Any:  # noqa: ANN401
    chosen = {name: c for name, c in statistics.counts.items() if name != "prompt" and len(c) > 1}
    even = {n: c for n, c in chosen.items() if len(c) > _FEW and len(set(c.values())) == 1}
    chosen = {n: c for n, c in chosen.items() if n not in even}
    said = "; ".join(
        f"{len(c)} of {n}, {next(iter(c.values()))} rows each" for n, c in even.items()
    )
    if not chosen and even:
        figure = new_figure(figsize=(6, 0.8))
        figure.suptitle(f"rows: {said}", fontsize=9)
        return figure
    chosen = chosen or {"category": statistics.counts.get("category", {})}
    heights = [max(2, min(len(counts), _SHOWN)) for counts in chosen.values()]
    figure = new_figure(figsize=(8, 0.8 + 0.28 * sum(heights) + 0.6 * len(heights)))
    axes = np.atleast_1d(figure.subplots(len(chosen), 1, height_ratios=heights))
    for ax, (column, counts) in zip(axes, chosen.items(), strict=True):
        shown = dict(list(counts.items())[:_SHOWN])
        names = [name or "(none)" for name in shown]
        bars = ax.barh(names, list(shown.values()), color=_COLOR)
        ax.bar_label(bars, padding=3)
        ax.invert_yaxis()
        ax.spines[["top", "right"]].set_visible(False)
        ax.set(title=f"rows by {column}", xlabel="rows")
        ax.margins(x=0.1)
    if said:
        figure.supxlabel(f"not drawn, because all are equal: {said}", fontsize=8)
    return figure


def _azimuth_figure(statistics: DatasetStatistics) -> Any:  # noqa: ANN401
    figure = new_figure(figsize=(5, 5))
    ax = figure.add_subplot(projection="polar")
    width = 2 * np.pi / len(statistics.azimuth_histogram)
    centers = (np.arange(len(statistics.azimuth_histogram)) + 0.5) * width
    ax.bar(centers, statistics.azimuth_histogram, width=0.94 * width, color=_COLOR)
    ax.set_xticks(np.radians([0, 90, 180, 270]), ["the person's left", "front", "right", "back"])
    for label, side in zip(
        ax.get_xticklabels(), ("left", "center", "right", "center"), strict=True
    ):
        label.set_horizontalalignment(side)  # outside the circle
    ax.set_title("cameras by azimuth, seen from above\n(person in the middle, facing front)")
    return figure


@checked
def cameras_figure(statistics: DatasetStatistics) -> Any:  # noqa: ANN401
    """Return a figure of the camera directions on the sphere around the person.

    Args:
        statistics: statistics of a dataset with cameras, see `chorus_bench.datasets.statistics`.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    directions = statistics.camera_centers
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    longitude = np.arctan2(directions[:, 0], directions[:, 2])
    latitude = np.arcsin(np.clip(directions[:, 1], -1, 1))
    figure = new_figure(figsize=(8, 4.6))
    ax = figure.add_subplot(projection="mollweide")
    size = float(np.clip(4000 / len(directions), 2, 30))
    ax.scatter(longitude, latitude, s=size, color=_COLOR, alpha=0.5, linewidths=0)
    ax.set_xticks(np.radians([-90, 0, 90]), ["the person's right", "front", "the person's left"])
    ax.set_yticks(np.radians([-60, -30, 0, 30, 60]))
    ax.grid(alpha=0.4)
    entropy = statistics.entropy
    bits = "" if entropy is None else f", entropy {entropy.bits:.2f} bits"
    ax.set_title(f"camera directions around the person ({len(directions)} cameras{bits})", pad=18)
    return figure
