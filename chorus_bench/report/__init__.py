"""What people look at: tables, figures, overlays, the 3D view, the report of one result.

The figures of matplotlib are for print and notebooks alike; `view_fields` is the 3D view that
can be turned with the mouse. The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chorus_bench.report.dataset_plots import cameras_figure
    from chorus_bench.report.figures import (
        OverlayRow,
        bars_figure,
        calibration_figure,
        curves_figure,
        fields_figure,
        overlays_figure,
    )
    from chorus_bench.report.overlays import Overlay
    from chorus_bench.report.page import write_report
    from chorus_bench.report.samples import sample_overlays, sample_photos
    from chorus_bench.report.view import view_fields

_HOMES = {
    "Overlay": "overlays",
    "OverlayRow": "figures",
    "bars_figure": "figures",
    "calibration_figure": "figures",
    "cameras_figure": "dataset_plots",
    "curves_figure": "figures",
    "fields_figure": "figures",
    "overlays_figure": "figures",
    "sample_overlays": "samples",
    "sample_photos": "samples",
    "view_fields": "view",
    "write_report": "page",
}

__all__ = [
    "Overlay",
    "OverlayRow",
    "bars_figure",
    "calibration_figure",
    "cameras_figure",
    "curves_figure",
    "fields_figure",
    "overlays_figure",
    "sample_overlays",
    "sample_photos",
    "view_fields",
    "write_report",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'chorus_bench.report' has no attribute '{name}'")
    return getattr(import_module(f"chorus_bench.report.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
