"""Synthesis: from prompts to training rows, one stage after the other.

Prompts, images, annotations, filters, cameras. The names below are imported on first use.

Source: docs/method.md M1 to M13; the paper, section 3.2.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chorus_bench.synthesis.filters import (
        FilterSettings,
        FilterStatistics,
        Verdict,
        filter_row,
        filter_rows,
    )
    from chorus_bench.synthesis.non_maximum_suppression import without_near_duplicates

_HOMES = {
    "FilterSettings": "filters",
    "FilterStatistics": "filters",
    "Verdict": "filters",
    "filter_row": "filters",
    "filter_rows": "filters",
    "without_near_duplicates": "non_maximum_suppression",
}

__all__ = [
    "FilterSettings",
    "FilterStatistics",
    "Verdict",
    "filter_row",
    "filter_rows",
    "without_near_duplicates",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module 'chorus_bench.synthesis' has no attribute '{name}'")
    value = getattr(import_module(f"chorus_bench.synthesis.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
