"""Matplotlib figures without windows and without global state. Needs the extra ``plots``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from chorus_bench.errors import import_extra
from chorus_bench.io.files import atomic_write_bytes

_DPI = 110


def require_matplotlib() -> None:
    """Raise a `MissingDependencyError` if matplotlib is not installed."""
    _module()


def new_figure(**options: Any) -> Any:  # noqa: ANN401 - a matplotlib figure
    """Return an empty figure, which a notebook displays directly.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    return _figure_class()(**{"layout": "constrained", "dpi": _DPI, **options})


@cache
def _figure_class() -> Any:  # noqa: ANN401
    """Return a figure that shows itself in a notebook, without ``%matplotlib inline``."""

    def _repr_png_(self: Any) -> bytes:  # noqa: ANN401
        return figure_bytes(self)

    return type("NotebookFigure", (_module().Figure,), {"_repr_png_": _repr_png_})


def panels(
    rows: int,
    columns: int,
    width: float,
    height: float,
    *,
    bare: bool = True,
    shared: bool = False,
    heights: Sequence[float] | None = None,
) -> tuple[Any, NDArray[Any]]:
    """Return a figure and its (rows, columns) axes.

    Args:
        rows: number of rows of panels.
        columns: number of columns of panels.
        width: width of a panel, inches.
        height: height of a panel, inches.
        bare: omit ticks and frames, for pictures.
        shared: all panels have the same axes, whose numbers stand at the left and below.
        heights: of each row, as shares of ``height``.
    """
    total = rows if heights is None else sum(heights) + 0.15 * rows
    figure = new_figure(figsize=(columns * width, total * height))
    axes = figure.subplots(
        rows, columns, squeeze=False, sharex=shared, sharey=shared, height_ratios=heights
    )
    if bare:
        for place in axes.ravel():
            place.set(xticks=[], yticks=[])
            place.spines[:].set_visible(False)
    return figure, axes


def colours(top: float) -> Any:  # noqa: ANN401
    """Return the scale of the pictures' heat from 0 to a probability, for a colour bar."""
    from chorus_bench.report.drawing import heat_colours

    module = import_extra("matplotlib.cm", extra="plots", purpose="Drawing")
    kind = import_extra("matplotlib.colors", extra="plots", purpose="Drawing")
    stops = list(zip(*heat_colours(), strict=True))
    scale = kind.LinearSegmentedColormap.from_list("heat", stops)
    return module.ScalarMappable(kind.Normalize(0, top), scale)


def figure_bytes(figure: Any, kind: str = "png", **options: Any) -> bytes:  # noqa: ANN401
    """Return a figure as the content of a file of some format, such as ``png`` or ``pdf``."""
    buffer = io.BytesIO()
    if kind == "png" and not options:  # `savefig` would draw twice, first for the layout alone
        _agg().FigureCanvasAgg(figure).print_png(buffer)
    else:
        figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def save_figure(figure: Any, path: str | Path) -> Path:  # noqa: ANN401
    """Write a figure to a file, atomically; the suffix determines the format."""
    target = Path(path)
    return atomic_write_bytes(target, figure_bytes(figure, target.suffix.lstrip(".") or "png"))


def _agg() -> Any:  # noqa: ANN401
    return import_extra("matplotlib.backends.backend_agg", extra="plots", purpose="Drawing")


def _module() -> Any:  # noqa: ANN401 - an optional library
    return import_extra("matplotlib.figure", extra="plots", purpose="Drawing")
