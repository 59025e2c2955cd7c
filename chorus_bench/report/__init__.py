"""Tables, figures, overlays, the 3D view, and the report of one result.

The matplotlib figures are for print and notebooks alike; `view_fields` is an interactive 3D view.
The names below are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench.lazy import lazy_exports

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
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "dataset_plots": ("cameras_figure",),
            "figures": (
                "Overlay",
                "bars_figure",
                "calibration_figure",
                "curves_figure",
                "fields_figure",
                "overlays_figure",
            ),
            "overlays": ("overlay_picture", "write_sample_overlays"),
            "page": ("write_report",),
            "view": ("view_fields",),
        },
    )

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
