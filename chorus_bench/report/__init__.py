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
        OverlayRow,
        bars_figure,
        calibration_figure,
        curves_figure,
        fields_figure,
        methods_figure,
        overlays_figure,
    )
    from chorus_bench.report.overlays import Overlay
    from chorus_bench.report.page import write_report
    from chorus_bench.report.paper_figures import write_figure
    from chorus_bench.report.samples import sample_overlays, sample_photos
    from chorus_bench.report.type_fields import submission_fields
    from chorus_bench.report.type_figures import draw_types
    from chorus_bench.report.view import view_fields
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "dataset_plots": ("cameras_figure",),
            "figures": (
                "OverlayRow",
                "bars_figure",
                "calibration_figure",
                "curves_figure",
                "fields_figure",
                "methods_figure",
                "overlays_figure",
            ),
            "overlays": ("Overlay",),
            "page": ("write_report",),
            "paper_figures": ("write_figure",),
            "samples": ("sample_overlays", "sample_photos"),
            "type_fields": ("submission_fields",),
            "type_figures": ("draw_types",),
            "view": ("view_fields",),
        },
    )

__all__ = [
    "Overlay",
    "OverlayRow",
    "bars_figure",
    "calibration_figure",
    "cameras_figure",
    "curves_figure",
    "draw_types",
    "fields_figure",
    "methods_figure",
    "overlays_figure",
    "sample_overlays",
    "sample_photos",
    "submission_fields",
    "view_fields",
    "write_figure",
    "write_report",
]
