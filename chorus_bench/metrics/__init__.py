"""The metric: Projective Average Precision, its protocols, and its statistics."""

from chorus_bench.metrics.pap import (
    SCORE_NAMES,
    THRESHOLDS,
    PAPScore,
    PixelCounts,
    available_mean,
    average_precision,
    benchmark_mean,
    category_mean,
    occupancy_levels,
    pixel_counts,
    projective_average_precision,
)
from chorus_bench.metrics.protocol import CLOSED, OFFICIAL, PROTOCOLS, Protocol, get_protocol

__all__ = [
    "CLOSED",
    "OFFICIAL",
    "PROTOCOLS",
    "SCORE_NAMES",
    "THRESHOLDS",
    "PAPScore",
    "PixelCounts",
    "Protocol",
    "available_mean",
    "average_precision",
    "benchmark_mean",
    "category_mean",
    "get_protocol",
    "occupancy_levels",
    "pixel_counts",
    "projective_average_precision",
]
