"""Synthesis: from prompts to training rows, one stage after the other.

Prompts, images, annotations, filters, cameras. The names below are imported on first use.

Source: docs/method.md M1 to M13; the paper, section 3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chorus_bench.lazy import lazy_exports

if TYPE_CHECKING:
    from chorus_bench.synthesis.filters import (
        FilterSettings,
        FilterStatistics,
        Verdict,
        filter_row,
        filter_rows,
    )
    from chorus_bench.synthesis.non_maximum_suppression import without_near_duplicates
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "filters": (
                "FilterSettings",
                "FilterStatistics",
                "Verdict",
                "filter_row",
                "filter_rows",
            ),
            "non_maximum_suppression": ("without_near_duplicates",),
        },
    )

__all__ = [
    "FilterSettings",
    "FilterStatistics",
    "Verdict",
    "filter_row",
    "filter_rows",
    "without_near_duplicates",
]
