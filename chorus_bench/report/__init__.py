"""Tables, figures, overlays, the 3D view, and the report of one result.

The matplotlib figures are for print and notebooks alike; `view_fields` is an interactive 3D view.
The names below are imported on first use. Called, the package writes a report:
``chorus_bench.report("result", "page")`` is ``chorus_bench.report.write_report("result", "page")``.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

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
    from chorus_bench.report.measures import measure_figure, measured_results, render_measured
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
            "measures": ("measure_figure", "measured_results", "render_measured"),
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
    "measure_figure",
    "measured_results",
    "methods_figure",
    "overlays_figure",
    "render_measured",
    "sample_overlays",
    "sample_photos",
    "submission_fields",
    "view_fields",
    "write_figure",
    "write_report",
]


class _CallableModule(ModuleType):
    """This package: a namespace, and the function `write_report`."""

    def __call__(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - those of write_report
        """Write the report of a result; see `write_report`."""
        return self.write_report(*args, **options)


sys.modules[__name__].__class__ = _CallableModule
