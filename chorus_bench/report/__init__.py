"""Tables, figures, overlays, the 3D view, and the report of one result.

The matplotlib figures are for print and notebooks alike; `view_fields` is an interactive 3D view.
The names below are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chorus_bench.report.dataset_plots import cameras_figure
    from chorus_bench.report.figures import (
        Overlay,
        bars_figure,
        calibration_figure,
        curves_figure,
        fields_figure,
        overlays_figure,
    )
    from chorus_bench.report.overlays import overlay_picture, write_sample_overlays
    from chorus_bench.report.page import write_report
    from chorus_bench.report.view import view_fields

_HOMES = {
    "Overlay": "figures",
    "bars_figure": "figures",
    "calibration_figure": "figures",
    "cameras_figure": "dataset_plots",
    "curves_figure": "figures",
    "fields_figure": "figures",
    "overlay_picture": "overlays",
    "overlays_figure": "figures",
    "view_fields": "view",
    "write_report": "page",
    "write_sample_overlays": "overlays",
}

__all__ = [
    "Overlay",
    "bars_figure",
    "calibration_figure",
    "cameras_figure",
    "curves_figure",
    "fields_figure",
    "overlay_picture",
    "overlays_figure",
    "view_fields",
    "write_report",
    "write_sample_overlays",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'chorus_bench.report' has no attribute '{name}'")
    return getattr(import_module(f"chorus_bench.report.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
