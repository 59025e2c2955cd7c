"""Matplotlib figures without windows and without global state. Needs the extra ``plots``."""

from __future__ import annotations

import io
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
    return _module().Figure(**{"layout": "constrained", "dpi": _DPI, **options})


def panels(
    rows: int, columns: int, width: float, height: float, *, bare: bool = True
) -> tuple[Any, NDArray[Any]]:
    """Return a figure and its (rows, columns) axes.

    Args:
        rows: number of rows of panels.
        columns: number of columns of panels.
        width: width of a panel, inches.
        height: height of a panel, inches.
        bare: omit ticks and frames, for pictures.
    """
    figure = new_figure(figsize=(columns * width, rows * height))
    axes = figure.subplots(rows, columns, squeeze=False)
    if bare:
        for place in axes.ravel():
            place.set(xticks=[], yticks=[])
            place.spines[:].set_visible(False)
    return figure, axes


def figure_bytes(figure: Any, kind: str = "png", **options: Any) -> bytes:  # noqa: ANN401
    """Return a figure as the content of a file of some format, such as ``png`` or ``pdf``."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, **options)
    return buffer.getvalue()


def save_figure(figure: Any, path: str | Path) -> Path:  # noqa: ANN401
    """Write a figure to a file, atomically; the suffix determines the format."""
    target = Path(path)
    return atomic_write_bytes(target, figure_bytes(figure, target.suffix.lstrip(".") or "png"))


def _module() -> Any:  # noqa: ANN401 - an optional library
    return import_extra("matplotlib.figure", extra="plots", purpose="Drawing")
